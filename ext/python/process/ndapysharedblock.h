/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Block calls to a process. A request, its answer and the block lie in memory
 * that both share, sealed against other sizes. A doorbell rings for each call,
 * another for what came of it: one copy in, a ring, a wait, one copy out.
 * Belongs to the block thread.
 *
 * TRUST. The process may write to the memory at any moment. Whatever comes from
 * there is copied out once, and judged afterwards. An answer bears the number
 * of its request. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

/* The head of the memory, in numbers of 32 bits, then text, then audio: as
 * ndapyworker.py has it */
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
  guint32 n_frames;             /* of a call; that came with the last one */
  guint32 n_text;               /* bytes */
} NdaPySharedReply;

typedef struct
{
  gchar *memory;                /* [const] mapped */
  gint bell;                    /* [const] rings for a request */
  gint reply_bell;              /* [const] hears what came of it */
  gboolean can_spin;            /* [const] there is a second processor */
  gboolean is_quick;            /* the last answer came soon */
  guint32 number;               /* of the last request */
  NdaPyFormat format;           /* that the plugin was started with */
  NdaPyCallResult result;       /* of the last request that was answered */
  guint n_last;                 /* frames of a source that ENDED */
  gchar *text;                  /* owned; that came with it */
  guint n_text;                 /* bytes of it */
} NdaPySharedBlock;

/* What became of a request */
typedef enum
{
  NDA_PY_SHARED_ANSWERED,
  NDA_PY_SHARED_LATE,           /* no answer within the time */
  NDA_PY_SHARED_ENDED,          /* the process has */
  NDA_PY_SHARED_LIED,           /* the answer is none to the request */
} NdaPySharedOutcome;

void nda_py_shared_block_init (NdaPySharedBlock * block);
gboolean nda_py_shared_block_open (NdaPySharedBlock * block, gint * memory,
    gint * bell, gint * reply_bell);
void nda_py_shared_block_clear (NdaPySharedBlock * block);

/* Each waits for the answer until @end_fd can be read or the @timeout is over,
 * unless that is 0 */
NdaPySharedOutcome nda_py_shared_block_start (NdaPySharedBlock * block,
    NdaPyRole role, NdaPyFormat * format, gint end_fd, GstClockTime timeout);
NdaPySharedOutcome nda_py_shared_block_call (NdaPySharedBlock * block,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    guint n_shown, gboolean is_gated, gint end_fd, GstClockTime timeout);

NdaPySharedOutcome nda_py_shared_block_reset (NdaPySharedBlock * block,
    gint end_fd, GstClockTime timeout);

/* of a process that has ended: whether it was setting a parameter */
gboolean nda_py_shared_block_was_setting (NdaPySharedBlock * block);

/* that came with the last answer */
gchar *nda_py_shared_block_take_text (NdaPySharedBlock * block);
void nda_py_shared_block_take_texts (NdaPySharedBlock * block,
    gchar * texts[3]);

G_END_DECLS
