/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The task of ndapybridge's source pad: takes what waits in the queue, runs it
 * through the plugin and pushes it. The GIL is held inside nda_py_host_ calls
 * alone; no lock is held across one of them or across a push.
 *
 * An application may stop the element from the task itself, in a probe or
 * handler that a push of the task called. The task cannot wait for its own end
 * then. It leaves the pad at once, and ends when the push returns. */

#pragma once

#include "ndablockqueue.h"
#include "ndapybatch.h"
#include "ndapyshared.h"
#include "ndarealtime.h"

G_BEGIN_DECLS

typedef struct
{
  GstPad *srcpad;               /* [const] not owned */
  NdaBlockQueue *queue;         /* [const] not owned */
  NdaPyShared *py;              /* [const] not owned */

  GMutex lock;                  /* the task lock */
  gboolean is_active;           /* [task lock] the source pad is active */
  GThread *thread;              /* [atomic] that works now, or NULL */
  gint n_relinks;               /* [atomic] RECONFIGURE events, counted */
  gint is_told;                 /* [atomic] why the stream ended was posted */
  gint is_flushed;              /* [atomic] what is held back is not wanted */
  NdaPyOnError on_error;        /* [object lock] of the element */
  NdaRealtimePolicy realtime;   /* [object lock] of the element */

  /* [task] */
  NdaPyBatch *batch;            /* owned */
  guint n_channels;             /* that the plugin was started with, or 0 */
  gboolean has_run;             /* the plugin was shown sound */
  gboolean is_cut;              /* what comes next does not follow that */
  guint n_runs;                 /* since garbage was collected */
  gboolean has_asked;           /* whether the sound is live */
  gint realtime_thread;         /* the same, if it has priority, or 0 */
  gboolean has_left;            /* the pad, and ends */
} NdaPyBridgeTask;

void nda_py_bridge_task_init (NdaPyBridgeTask * task, GstPad * srcpad,
    NdaBlockQueue * queue, NdaPyShared * py);
void nda_py_bridge_task_clear (NdaPyBridgeTask * task);

/* Any thread, without a lock */
void nda_py_bridge_task_activate (NdaPyBridgeTask * task);
void nda_py_bridge_task_start (NdaPyBridgeTask * task);
void nda_py_bridge_task_flush (NdaPyBridgeTask * task);
gboolean nda_py_bridge_task_stop (NdaPyBridgeTask * task);
void nda_py_bridge_task_relink (NdaPyBridgeTask * task);
void nda_py_bridge_task_tell_end (NdaPyBridgeTask * task, GstFlowReturn flow);

/* ndapybridgerealtime.c: the task, before the first block and when it ends */
void nda_py_bridge_task_quicken (NdaPyBridgeTask * task);
void nda_py_bridge_task_forget_thread (NdaPyBridgeTask * task);

G_END_DECLS
