/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndacrypto.h"
#include "ndaopener.h"
#include "ndaplayclock.h"
#include "ndastream.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_ON_BAD_AUTO,              /* conceal packets, stop at a bad stream */
  NDA_ON_BAD_DROP,
  NDA_ON_BAD_CONCEAL,
  NDA_ON_BAD_ERROR,
} NdaOnBad;

#define NDA_TYPE_ON_BAD (nda_on_bad_get_type ())
GType nda_on_bad_get_type (void);

/* The settings of the application */
typedef struct
{
  NdaOnBad on_bad;
  guint replay_window;          /* records */
  guint max_age;                /* seconds, 0: any */
  GstClockTime max_conceal;
} NdaDecryptSettings;

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_records;            /* accepted, END and SWITCH included */
  guint64 n_sessions;
  guint64 n_concealed;          /* frames of silence */
  guint64 n_outcomes[NDA_N_OUTCOMES];
} NdaDecryptCounters;

/* The layout of the records in a stored stream */
typedef struct
{
  guint64 kid;                  /* of the first session */
  guint rate;                   /* 0: not known yet */
  guint n_frames;               /* in a block */
  guint frame_bytes;
  gsize n_around;               /* bytes around the samples of a record */
} NdaDecryptLayout;

/* The last seek of downstream */
typedef struct
{
  gboolean is_pending;          /* a seek without its segment yet */
  guint64 offset;               /* of the record, in bytes */
  guint64 frame;                /* the first one in it */
  GstClockTime start;           /* of the segment */
  GstClockTime stop;
} NdaDecryptSeek;

/* The place of the next block in time and in the output */
typedef struct
{
  NdaRecordFormat format;       /* of the session */
  guint frame_bytes;            /* of this format */
  NdaRecordFormat caps_format;  /* of the caps sent downstream */
  gboolean has_caps;            /* caps were sent */
  guint block_frames;           /* the sender's blocks, for silence */
  GstBufferPool *pool;          /* owned */
  gsize n_pool_bytes;           /* of its buffers */
  GstEvent *segment;            /* owned; waits for the caps */

  gboolean needs_base;          /* the next block sets the time, */
  GstClockTime start;           /* or if it has none, this does */
  GstClockTime stop;            /* the end of the seek, or NONE */
  gboolean is_enough;           /* downstream wants no more */
  gboolean was_sought;          /* it was a seek into the middle */
  NdaPlayClock clock;
  guint64 n_first;              /* what the clock counts for the frame first */
  guint64 first;                /* position that the session is counted from */
  guint64 next;                 /* position after the last block */
  GstClockTime next_time;       /* its time, or NONE if unknown */
  gboolean is_discont;          /* the next block follows a cut */
} NdaDecryptOutput;

#define NDA_TYPE_DECRYPT (nda_decrypt_get_type ())
G_DECLARE_FINAL_TYPE (NdaDecrypt, nda_decrypt, NDA, DECRYPT, NdaCrypto)

struct _NdaDecrypt
{
  NdaCrypto parent;

  NdaDecryptSettings settings;  /* [object lock] */
  NdaDecryptCounters counters;  /* [counters lock] */
  NdaDecryptLayout layout;      /* [object lock] */
  NdaDecryptSeek seek;          /* [object lock] */

  /* [sink thread] */
  NdaOpener *opener;            /* [const] owned */
  NdaDecryptSettings rules;     /* copied when the element starts */
  gboolean is_stream;
  gboolean is_receiving;        /* framing and suite are known */
  gboolean is_in_time;          /* upstream's segment is in time */
  gboolean has_segment;         /* there was one since the last flush */
  gboolean may_join;            /* the stream may begin in its middle */
  gboolean knows_layout;        /* of the records */
  gboolean lacked_preamble;     /* the caps had it */
  gboolean has_stopped;         /* after an error: nothing more goes out */
  guint caps_suite;             /* of the caps, 0: none */
  NdaFraming caps_framing;
  GstBuffer *streamheader;      /* owned; of the caps, or NULL */
  guint suite;                  /* the suite in use */
  guint n_tag;                  /* of this suite */
  NdaStream stream;
  guint64 n_trailing;           /* bytes after END */
  guint64 n_bad;                /* unused records, with on-bad */
  NdaReportLimit limits[NDA_N_OUTCOMES];
  NdaDecryptOutput out;
};

/* ndadecryptevents.c */
gboolean nda_decrypt_sink_event (GstPad * pad, GstObject * parent,
    GstEvent * event);

/* ndadecryptinput.c */
void nda_decrypt_choose_framing (NdaDecrypt * decrypt);
void nda_decrypt_init_input (NdaDecrypt * decrypt);
void nda_decrypt_start_input (NdaDecrypt * decrypt);
void nda_decrypt_stop_input (NdaDecrypt * decrypt);

/* ndadecryptinplace.c */
gboolean nda_decrypt_open_in_place (NdaDecrypt * decrypt, GstBuffer * buffer,
    NdaOutcome * outcome, NdaOpened * opened);

/* ndadecryptoutput.c */
GstFlowReturn nda_decrypt_acquire (NdaDecrypt * decrypt, gsize n_bytes,
    GstBuffer ** buffer, GstMapInfo * map);
GstFlowReturn nda_decrypt_push (NdaDecrypt * decrypt, GstBuffer * buffer,
    const NdaOpened * opened, GstClockTime arrival);
void nda_decrypt_expect_segment (NdaDecrypt * decrypt, GstClockTime start,
    GstClockTime stop);
void nda_decrypt_reset_output (NdaDecrypt * decrypt);

/* ndadecryptseek.c */
void nda_decrypt_init_seek (NdaDecrypt * decrypt);
void nda_decrypt_note_layout (NdaDecrypt * decrypt, const NdaOpened * opened);
void nda_decrypt_forget_layout (NdaDecrypt * decrypt);
gboolean nda_decrypt_is_seeking (NdaDecrypt * decrypt);
gboolean nda_decrypt_take_seek (NdaDecrypt * decrypt, guint64 offset,
    GstSegment * segment, GstClockTime * time);

/* ndadecryptreport.c */
void nda_decrypt_count (NdaDecrypt * decrypt, NdaOutcome outcome, guint64 n);
gboolean nda_decrypt_report (NdaDecrypt * decrypt, NdaOutcome outcome,
    guint64 n, const NdaOpened * opened);
void nda_decrypt_warn (NdaDecrypt * decrypt, NdaOutcome outcome, guint64 n,
    const NdaOpened * opened);
gboolean nda_decrypt_stops_at_bad (NdaDecrypt * decrypt);
gboolean nda_decrypt_conceals (NdaDecrypt * decrypt);
void nda_decrypt_post_end (NdaDecrypt * decrypt, const NdaOpened * opened);
void nda_decrypt_warn_of_salvage (NdaDecrypt * decrypt);
void nda_decrypt_stop_with (NdaDecrypt * decrypt, GstStreamError code,
    const gchar * text, const gchar * debug);

GST_ELEMENT_REGISTER_DECLARE (ndadecrypt);

G_END_DECLS
