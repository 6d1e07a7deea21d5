/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Block calls to a process. A request, its answer and the block are in memory
 * that both processes share, sealed against a change of size. One bell
 * (ndapybell.h) rings for each request, another for each answer. A call is a
 * copy in, a ring, a wait and a copy out. Belongs to the block thread.
 *
 * TRUST. The process may write to the memory at any moment. So this side copies
 * each value out once, and checks the copy. An answer has the number of its
 * request. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

/* The head of the memory is numbers of 32 bits. Text follows it, then audio.
 * ndapyworker.py has the same layout */
typedef struct
{
  guint32 number;
  guint32 op;
  guint32 n;                    /* channels of a start, frames of a call */
  guint32 is_gated;
} NdaPySharedRequest;

typedef struct
{
  guint32 number;               /* of the request */
  guint32 result;
  guint32 rate;
  guint32 n_channels;
  guint32 n_frames;             /* of the last call of a source */
  guint32 n_text;               /* bytes */
} NdaPySharedReply;

typedef struct
{
  gchar *memory;                /* [const] mapped */
  gint bell;                    /* [const] rings for a request */
  gint reply_bell;              /* [const] rings for an answer */
  gboolean can_spin;            /* [const] there is a second processor */
  const gint *excuse;           /* not owned, or NULL; while it is not 0
                                 * [atomic], no answer is late */
  gboolean is_quick;            /* the last answer came soon */
  guint32 number;               /* of the last request */
  NdaPyFormat format;           /* with which the plugin was started */
  NdaPyCallResult result;       /* of the last answered request */
  guint n_last;                 /* frames of a source that ENDED */
  gchar *text;                  /* owned; of that answer */
  guint n_text;                 /* bytes of it */
} NdaPySharedBlock;

/* The outcome of a request */
typedef enum
{
  NDA_PY_SHARED_ANSWERED,
  NDA_PY_SHARED_LATE,           /* no answer within the time */
  NDA_PY_SHARED_ENDED,          /* the process has ended */
  NDA_PY_SHARED_LIED,           /* the answer is not to this request */
} NdaPySharedOutcome;

void nda_py_shared_block_init (NdaPySharedBlock * block);
gboolean nda_py_shared_block_open (NdaPySharedBlock * block, gint * memory,
    gint * bell, gint * reply_bell);
void nda_py_shared_block_clear (NdaPySharedBlock * block);

/* Each call waits for the answer until @end_fd can be read or the @timeout is
 * over. A @timeout of 0 is never over */
NdaPySharedOutcome nda_py_shared_block_start (NdaPySharedBlock * block,
    NdaPyRole role, NdaPyFormat * format, gint end_fd, GstClockTime timeout);
NdaPySharedOutcome nda_py_shared_block_call (NdaPySharedBlock * block,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    guint n_shown, gboolean is_gated, gint end_fd, GstClockTime timeout);

NdaPySharedOutcome nda_py_shared_block_reset (NdaPySharedBlock * block,
    gint end_fd, GstClockTime timeout);

/* Whether a process that has ended was setting a parameter */
gboolean nda_py_shared_block_was_setting (NdaPySharedBlock * block);

/* The text of the last answer */
gchar *nda_py_shared_block_take_text (NdaPySharedBlock * block);
void nda_py_shared_block_take_texts (NdaPySharedBlock * block,
    gchar * texts[3]);

G_END_DECLS
