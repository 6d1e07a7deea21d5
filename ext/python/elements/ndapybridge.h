/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element, for its own files alone: ndapybridge.c is what an application
 * sees, ndapybridgeinput.c the thread that feeds it, ndapybridgeworker.c the
 * one that calls Python. The paragraph on threads stands in ndapybridge.c. */

#pragma once

#include "ndablockinput.h"
#include "ndablockqueue.h"
#include "ndapybatch.h"
#include "ndapyelement.h"

G_BEGIN_DECLS

struct _NdaPyBridge
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaPyElement py;              /* its counters lock is the queue lock */

  guint max_blocks;             /* [object lock] */
  NdaPyOnError on_error;        /* [object lock] */

  NdaBlockQueue queue;          /* has its own lock, the queue lock */
  gint saw_eos;                 /* [atomic] upstream has ended */

  /* [sink thread] */
  NdaBlockInput input;          /* its latency: any thread */

  /* [worker] */
  NdaPyBatch *batch;            /* owned */
  guint n_channels;             /* that the plugin was started with, or 0 */
  guint n_runs;                 /* since garbage was collected */
};

#define NDA_TYPE_PY_BRIDGE (nda_py_bridge_get_type ())
G_DECLARE_FINAL_TYPE (NdaPyBridge, nda_py_bridge, NDA, PY_BRIDGE, GstElement)

GST_ELEMENT_REGISTER_DECLARE (ndapybridge);

/* ndapybridgeinput.c: the sink pad's functions */
void nda_py_bridge_init_input (NdaPyBridge * self);

/* ndapybridgeworker.c: the source pad's task */
void nda_py_bridge_start_worker (NdaPyBridge * self);

G_END_DECLS
