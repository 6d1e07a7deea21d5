/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The task of ndapybridge's source pad: takes what waits in the queue, runs it
 * through the plugin and pushes it. The GIL is held inside nda_py_host_ calls
 * alone; no lock is held across one of them or across a push. */

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

  gint saw_eos;                 /* [atomic] upstream has ended */
  NdaPyOnError on_error;        /* [object lock] of the element */
  NdaRealtimePolicy realtime;   /* [object lock] of the element */

  /* [task] */
  NdaPyBatch *batch;            /* owned */
  guint n_channels;             /* that the plugin was started with, or 0 */
  guint n_runs;                 /* since garbage was collected */
  gboolean has_asked;           /* whether the sound is live */
  gint thread;                  /* that has real-time priority, or 0 */
} NdaPyBridgeTask;

void nda_py_bridge_task_init (NdaPyBridgeTask * task, GstPad * srcpad,
    NdaBlockQueue * queue, NdaPyShared * py);
void nda_py_bridge_task_clear (NdaPyBridgeTask * task);

void nda_py_bridge_task_start (NdaPyBridgeTask * task);
gboolean nda_py_bridge_task_stop (NdaPyBridgeTask * task);

G_END_DECLS
