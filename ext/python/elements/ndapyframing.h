/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks that go through a plugin with other frames than theirs. They go
 * through an adapter (ndapyadapter.h), and come out as blocks with the time
 * stamps, flags and metas of the frames in them. An analyser's input goes on
 * unchanged. Belongs to the block thread: no locks. */

#pragma once

#include "ndakeep.h"
#include "ndaframeclock.h"
#include "ndapyadapter.h"
#include "ndapydirect.h"

G_BEGIN_DECLS

typedef struct
{
  GstAudioInfo info;
  GstBufferPool *pool;          /* not owned */
  NdaPyAdapter *adapter;        /* owned; NULL before it is needed */
  gboolean is_analyser;

  gboolean is_begun;            /* there are frames of a run */
  guint64 n_in;                 /* frames of the run that came in */
  guint64 n_out;
  gboolean is_discont;          /* the next block does not follow */
  NdaFrameClock clock;
  NdaKeep keep;
  GArray *gaps;                 /* owned; gaps in the input */

  GstBuffer *passing[NDA_PY_BATCH_MAX]; /* owned; past an analyser */
  guint n_passing;
  guint n_passed;
  NdaPyAdapter *leaving;        /* owned; has what a plugin held that is gone */
} NdaPyFraming;

void nda_py_framing_init (NdaPyFraming * framing);
void nda_py_framing_clear (NdaPyFraming * framing);
void nda_py_framing_set_format (NdaPyFraming * framing,
    const GstAudioInfo * info, GstBufferPool * pool);

/* Begins a run with its first @block, for a plugin that takes @format and
 * reports @facts */
void nda_py_framing_begin (NdaPyFraming * framing, GstBuffer * block,
    const NdaPyFormat * format, const NdaPyFacts * facts);
/* An edited plugin that takes @format and says @facts is in the place of the
 * one before. What that one holds back is left to it; beside an analyser it
 * leaves as it came. */
void nda_py_framing_exchange (NdaPyFraming * framing,
    const NdaPyFormat * format, const NdaPyFacts * facts);
/* Takes @block (transfer full). FALSE: it cannot be read. */
gboolean nda_py_framing_push (NdaPyFraming * framing, GstBuffer * block);
/* FALSE: the plugin is being stopped, or is another by now */
gboolean nda_py_framing_run (NdaPyFraming * framing, NdaPyHost * host,
    NdaPyOnError on_error, GstClockTime * gil_wait);
/* Returns the next block (transfer full), or NULL until more is pushed and
 * run */
GstBuffer *nda_py_framing_take (NdaPyFraming * framing);

/* How many frames of the run came in, and how many of them have left. Frames
 * that nothing holds back have all left: G_MAXUINT64 */
guint64 nda_py_framing_get_n_in (NdaPyFraming * framing);
guint64 nda_py_framing_get_n_left (NdaPyFraming * framing);

/* No more of this run: what it holds back comes out with the next runs, while
 * the framing is_begun */
void nda_py_framing_end (NdaPyFraming * framing);
/* Called after all blocks were taken. If @is_direct, a run with no frames left
 * is over */
void nda_py_framing_settle (NdaPyFraming * framing, gboolean is_direct);
void nda_py_framing_forget (NdaPyFraming * framing);

G_END_DECLS
