/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element, for its own files alone: ndapybridge.c is what an application
 * sees, ndapybridgestate.c what its changes of state do, ndapybridgeinput.c the
 * thread that feeds it, ndapybridgeworker.c the one that calls Python. The
 * paragraph on threads stands in ndapybridge.c. */

#pragma once

#include "ndablockinput.h"
#include "ndablockqueue.h"
#include "ndahistogram.h"
#include "ndapybatch.h"
#include "ndastats.h"

G_BEGIN_DECLS

/* What the application asked for */
typedef struct
{
  gchar *plugin;                /* owned */
  gchar *plugin_path;           /* owned */
  gchar *parameters;            /* owned */
  guint max_blocks;
  NdaPyOnError on_error;
} NdaPyBridgeSettings;

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_failures;
  guint64 n_late;               /* GIL wait and call longer than the block */
  guint64 n_retries;
  guint64 n_reloads;
  guint64 n_restarts;
  NdaBlockQueueLevel level;
  NdaHistogram call_time;
  NdaHistogram gil_wait;
} NdaPyBridgeCounters;

struct _NdaPyBridge
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaPyHost *host;              /* [const] owned; has its own lock */

  NdaPyBridgeSettings settings; /* [object lock] */
  gboolean is_stale;            /* [object lock] another plugin was named */

  NdaBlockQueue queue;          /* has its own lock, the queue lock */
  NdaPyBridgeCounters counters; /* [queue lock] */
  gint saw_eos;                 /* [atomic] upstream has ended */

  /* [sink thread] */
  NdaBlockInput input;          /* its latency: any thread */

  /* [worker] */
  NdaPyBatch *batch;            /* owned */
  guint n_channels;             /* that the plugin was started with, or 0 */
  guint n_runs;                 /* since garbage was collected */
  NdaReportLimit report;        /* of failures that do not end the stream */
  gchar *failure;               /* owned; what the last burst began with */
};

#define NDA_TYPE_PY_BRIDGE (nda_py_bridge_get_type ())
G_DECLARE_FINAL_TYPE (NdaPyBridge, nda_py_bridge, NDA, PY_BRIDGE, GstElement)

GST_ELEMENT_REGISTER_DECLARE (ndapybridge);

/* any thread, without a lock and without the GIL */
void nda_py_bridge_post_error (NdaPyBridge * self, const GError * error);

/* ndapybridgeinput.c: the sink pad's functions */
void nda_py_bridge_init_input (NdaPyBridge * self);

/* ndapybridgestate.c: the life of the plugin */
extern const NdaPyHostEvents nda_py_bridge_host_events;
GstStateChangeReturn nda_py_bridge_change_state (GstElement * element,
    GstStateChange transition);

/* ndapybridgeworker.c: the source pad's task */
void nda_py_bridge_start_worker (NdaPyBridge * self);

G_END_DECLS
