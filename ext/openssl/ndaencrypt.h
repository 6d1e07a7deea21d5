/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndablockinput.h"
#include "ndacrypto.h"
#include "ndasealer.h"

G_BEGIN_DECLS

#define NDA_TYPE_ENCRYPT (nda_encrypt_get_type ())
G_DECLARE_FINAL_TYPE (NdaEncrypt, nda_encrypt, NDA, ENCRYPT, NdaCrypto)

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_records;
  guint64 n_sessions;
} NdaEncryptCounters;

struct _NdaEncrypt
{
  NdaCrypto parent;

  guint block_frames;           /* [object lock] */
  guint session_records;        /* [object lock] */
  gchar *state_file;            /* [object lock] owned */
  guint64 kid;                  /* [counters lock] of the current session */
  NdaEncryptCounters counters;  /* [counters lock] */
  gint wants_session;           /* [atomic] from rekey () */

  /* [sink thread] */
  NdaBlockInput input;          /* its latency: any thread */
  NdaSealer *sealer;            /* [const] owned */
  NdaSendState *state;          /* owned; while started, or NULL */
  GstBufferPool *pool;          /* owned; of the longest records */
  GstCaps *caps;                /* owned; what downstream was told */
  gboolean has_no_caps;         /* and it was told */
  gboolean is_stream;
  gboolean needs_preamble;
  gboolean has_ended;           /* END is out, and nothing may follow it */
  gboolean has_segment;         /* downstream has one */
  NdaKeyUse use;
  NdaRecordFormat format;
  guint frame_bytes;
  guint max_records;            /* of a session */
  guint n_max_frames;           /* of a block */
  GstClockTime end;             /* of the last block, or NONE */
};

/* ndaencryptstream.c */
void nda_encrypt_init_stream (NdaEncrypt * encrypt);
void nda_encrypt_start_stream (NdaEncrypt * encrypt, guint block_frames,
    guint session_records);
void nda_encrypt_stop_stream (NdaEncrypt * encrypt);

/* ndaencryptcaps.c */
gboolean nda_encrypt_negotiate (NdaEncrypt * encrypt);
GstBuffer *nda_encrypt_make_preamble (guint suite);

/* ndaencryptrecord.c */
void nda_encrypt_ask_for_room (GstQuery * query);
void nda_encrypt_make_pool (NdaEncrypt * encrypt);
GstFlowReturn nda_encrypt_begin_record (NdaEncrypt * encrypt,
    GstBuffer ** buffer, GstMapInfo * map, guint8 ** record);
void nda_encrypt_finish_record (NdaEncrypt * encrypt, GstMapInfo * map,
    gsize n_record);
GstFlowReturn nda_encrypt_seal_block (NdaEncrypt * encrypt, GstBuffer ** block,
    gsize * n_record);

GST_ELEMENT_REGISTER_DECLARE (ndaencrypt);

G_END_DECLS
