/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The priority of the bridge's task, for live sound. */

#include "config.h"

#include "ndalog.h"
#include "ndapybridgetask.h"

static gboolean
is_upstream_live (NdaPyBridgeTask * self)
{
  g_autoptr (GstPad) sinkpad =
      gst_element_get_static_pad (self->py->element, "sink");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean is_live = FALSE;

  if (gst_pad_peer_query (sinkpad, query))
    gst_query_parse_latency (query, &is_live, NULL, NULL);
  return is_live;
}

static void
count_realtime (NdaPyBridgeTask * self, guint n_threads)
{
  g_mutex_lock (&self->queue->lock);
  self->py->counters.n_realtime_threads = n_threads;
  g_mutex_unlock (&self->queue->lock);
}

/* Called before the first block of a stream. Live sound gets priority, below
 * the priority of the devices. */
void
nda_py_bridge_task_quicken (NdaPyBridgeTask * self)
{
  g_autofree gchar *problem = NULL;
  NdaRealtimePolicy policy;
  gint thread = nda_realtime_get_thread ();

  GST_OBJECT_LOCK (self->py->element);
  policy = self->realtime;
  GST_OBJECT_UNLOCK (self->py->element);

  self->has_asked = TRUE;
  if (policy == NDA_REALTIME_OFF || !is_upstream_live (self))
    return;
  if (nda_realtime_enter (thread, NDA_REALTIME_PLUGIN_PRIORITY, &problem)
      == NDA_REALTIME_NONE) {
    NDA_LOG_INFO (self->py->element,
        "the plugin's thread stays without real-time priority: %s", problem);
    return;
  }
  self->realtime_thread = thread;
  count_realtime (self, 1);
}

/* Called when the task has ended */
void
nda_py_bridge_task_forget_thread (NdaPyBridgeTask * self)
{
  if (self->realtime_thread != 0) {
    nda_realtime_leave (self->realtime_thread);
    count_realtime (self, 0);
  }
  self->realtime_thread = 0;
  self->has_asked = FALSE;
}
