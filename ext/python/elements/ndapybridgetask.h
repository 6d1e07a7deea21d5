/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The task of ndapybridge's source pad: it takes blocks from the queue, runs
 * them through the plugin and pushes them. It holds the GIL only inside
 * nda_py_host_ calls, and no lock across such a call or a push.
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
  GThread *thread;              /* [atomic] of the task, or NULL */
  gint n_relinks;               /* [atomic] number of RECONFIGURE events */
  gint is_told;                 /* [atomic] the end was posted */
  gint is_flushed;              /* [atomic] drop frames held back */
  NdaPyOnError on_error;        /* [object lock] of the element */
  NdaRealtimePolicy realtime;   /* [object lock] of the element */

  /* All fields below: [task] */
  NdaPyBatch *batch;            /* owned */
  guint n_channels;             /* that the plugin was started with, or 0 */
  gboolean has_run;             /* the plugin was shown sound */
  gboolean is_cut;              /* what comes next does not follow that */
  guint n_runs;                 /* since garbage was collected */
  gboolean has_asked;           /* it knows whether sound is live */
  gint realtime_thread;         /* of the task, if prioritised, or 0 */
  gboolean has_left;            /* has left the pad, and ends */
} NdaPyBridgeTask;

void nda_py_bridge_task_init (NdaPyBridgeTask * task, GstPad * srcpad,
    NdaBlockQueue * queue, NdaPyShared * py);
void nda_py_bridge_task_clear (NdaPyBridgeTask * task);

/* For any thread, without a lock */
void nda_py_bridge_task_activate (NdaPyBridgeTask * task);
void nda_py_bridge_task_start (NdaPyBridgeTask * task);
void nda_py_bridge_task_flush (NdaPyBridgeTask * task);
gboolean nda_py_bridge_task_stop (NdaPyBridgeTask * task);
void nda_py_bridge_task_relink (NdaPyBridgeTask * task);
void nda_py_bridge_task_tell_end (NdaPyBridgeTask * task, GstFlowReturn flow);

/* ndapybridgerealtime.c: on the task, before the first block and at its end */
void nda_py_bridge_task_quicken (NdaPyBridgeTask * task);
void nda_py_bridge_task_forget_thread (NdaPyBridgeTask * task);

G_END_DECLS
