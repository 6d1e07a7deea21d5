/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Block calls to a process. A block lies in memory that both share, sealed
 * against other sizes. A doorbell (eventfd) rings for each call, another for
 * what came of it: one copy in, a ring, a wait, one copy out. Belongs to the
 * block thread. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

/* The head of the memory, then text, then audio: as ndapyworker.py has it */
typedef struct
{
  guint32 op;
  guint32 n_frames;
  guint32 is_gated;
  guint32 result;
  guint32 rate;
  guint32 n_channels;
  guint32 n_call_frames;
  guint32 n_text;
} NdaPySharedHead;

typedef struct
{
  NdaPySharedHead *head;        /* [const] mapped */
  gint request;                 /* [const] the doorbell */
  gint reply;                   /* [const] and the one that answers */
  gboolean can_spin;            /* [const] there is a second processor */
  gboolean is_quick;            /* the last answer came soon */
  NdaPyFormat format;           /* that the plugin was started with */
  NdaPyCallResult result;       /* of the last request that was answered */
} NdaPySharedBlock;

/* What became of a request */
typedef enum
{
  NDA_PY_SHARED_ANSWERED,
  NDA_PY_SHARED_LATE,           /* no answer within the time */
  NDA_PY_SHARED_ENDED,          /* the process has */
} NdaPySharedOutcome;

void nda_py_shared_block_init (NdaPySharedBlock * block);
gboolean nda_py_shared_block_open (NdaPySharedBlock * block, gint * memory,
    gint * request, gint * reply);
void nda_py_shared_block_clear (NdaPySharedBlock * block);

/* Both wait for the answer until @end_fd can be read or the @timeout is over,
 * unless that is 0 */
NdaPySharedOutcome nda_py_shared_block_start (NdaPySharedBlock * block,
    NdaPyFormat * format, gint end_fd, GstClockTime timeout);
NdaPySharedOutcome nda_py_shared_block_call (NdaPySharedBlock * block,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    guint n_shown, gboolean is_gated, gint end_fd, GstClockTime timeout);

/* that came with the last answer */
gchar *nda_py_shared_block_take_text (NdaPySharedBlock * block);
gchar *nda_py_shared_block_take_texts (NdaPySharedBlock * block);

G_END_DECLS
