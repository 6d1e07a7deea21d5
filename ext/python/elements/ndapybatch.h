/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A run of blocks on its way through a plugin, under one acquisition of the
 * GIL. If the plugin takes whole blocks, they go to it as they are
 * (ndapydirect.h). Otherwise they are regrouped to its own frames, and some
 * frames wait for the next block (ndapyframing.h). Events wait behind the
 * frames that came before them.
 *
 * Belongs to the block thread: no locks. */

#pragma once

#include "ndaheldevents.h"
#include "ndapyframing.h"

G_BEGIN_DECLS

typedef struct
{
  GstAudioInfo info;
  GstBufferPool *pool;          /* owned; NULL before there is a format */
  NdaPyFormat format;           /* with which the plugin was started */

  NdaPyDirect direct;
  NdaPyFraming framing;
  gboolean is_ready;            /* for blocks of the caps */
  gboolean is_framed;           /* the last run was */
  NdaHeldEvents events;         /* owned; behind frames that are held back */

  /* Of the last run: */
  NdaPyBlock *const *calls;
  guint n_calls;
  guint64 n_frames;             /* of the stream, put in */
  GstClockTime gil_wait;
} NdaPyBatch;

void nda_py_batch_init (NdaPyBatch * batch);
void nda_py_batch_clear (NdaPyBatch * batch);
void nda_py_batch_clear_stream (NdaPyBatch * batch);
/* Sets the format of the stream; FALSE if there is no such format. The second
 * function sets the plugin's format; FALSE if sound cannot be converted to
 * it. */
gboolean nda_py_batch_set_caps (NdaPyBatch * batch, GstCaps * caps);
gboolean nda_py_batch_set_format (NdaPyBatch * batch,
    const NdaPyFormat * format, GError ** error);
void nda_py_batch_forget (NdaPyBatch * batch);

/* Whether sound behind @event does not follow that before it */
gboolean nda_py_batch_is_cut_by (NdaPyBatch * batch, GstEvent * event);
/* Whether @block does not follow what came before it */
gboolean nda_py_batch_is_cut (GstMiniObject * block);
/* How many of @buffers, from the first on, follow each other */
guint nda_py_batch_count_run (GstMiniObject ** buffers, guint n_buffers);

/* Runs @buffers (transfer full) through the plugin; without buffers, runs the
 * frames held back. FALSE: the plugin is being stopped, and all is dropped.
 * With an @error a buffer was no valid block, and all blocks before it were
 * run. */
gboolean nda_py_batch_run (NdaPyBatch * batch, NdaPyHost * host,
    GstMiniObject ** buffers, guint n_buffers, NdaPyOnError on_error,
    GError ** error);
/* The next block that leaves, or event (transfer full), or NULL */
GstMiniObject *nda_py_batch_take (NdaPyBatch * batch);
/* Takes @event (transfer full), behind all frames that were run */
void nda_py_batch_add_event (NdaPyBatch * batch, GstEvent * event);
/* Drops the events that wait and do not survive a flush */
void nda_py_batch_flush_events (NdaPyBatch * batch);
/* Ends the run, whose blocks were taken, or are not wanted */
void nda_py_batch_settle (NdaPyBatch * batch);
/* Whether frames are held back */
gboolean nda_py_batch_is_holding (NdaPyBatch * batch);

G_END_DECLS
