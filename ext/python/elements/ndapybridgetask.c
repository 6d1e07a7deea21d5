/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybridgetask.h"

#include "ndablock.h"
#include "ndapylog.h"
#include "ndapyparent.h"

#include <glib/gi18n-lib.h>

/* Garbage is collected when the queue is empty after this many runs, and in
 * any case after the longer one */
#define RUNS_TO_COLLECT 16
#define RUNS_TO_COLLECT_ANYHOW 1024

/* Posts why the stream ends, unless that was done, when upstream has ended and
 * learns of @flow from no push. From any thread. */
void
nda_py_bridge_task_tell_end (NdaPyBridgeTask * self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_NOT_LINKED && flow >= GST_FLOW_EOS)
    return;
  if (g_atomic_int_compare_and_exchange (&self->is_told, FALSE, TRUE))
    GST_ELEMENT_FLOW_ERROR (self->py->element, flow);
}

/* Ends the stream downstream too, which nobody else can do: upstream's EOS is
 * not let in any more. */
static void
stop_stream (NdaPyBridgeTask * self, GstFlowReturn flow)
{
  if (self->has_left)
    return;
  gst_pad_pause_task (self->srcpad);
  nda_block_queue_stop (self->queue, flow);
  if (flow < GST_FLOW_EOS)
    gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

static void
fail_stream (NdaPyBridgeTask * self, const GError * error)
{
  g_atomic_int_set (&self->is_told, TRUE);
  nda_py_shared_post_error (self->py, error);
  stop_stream (self, GST_FLOW_ERROR);
}

/* What downstream returned for a block, when @n_relinks had been counted, ends
 * the task, and upstream gets to know it from its next push, if there is one.
 * At EOS the task goes on, and waits for another stream or segment. */
static void
stop_by_downstream (NdaPyBridgeTask * self, GstFlowReturn flow, gint n_relinks)
{
  GST_DEBUG_OBJECT (self->srcpad, "downstream returned %s",
      gst_flow_get_name (flow));
  if (flow == GST_FLOW_EOS) {
    nda_block_queue_end (self->queue);
    return;
  }
  gst_pad_pause_task (self->srcpad);
  if (nda_block_queue_stop (self->queue, flow)
      && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS)) {
    nda_py_bridge_task_tell_end (self, flow);
    gst_pad_push_event (self->srcpad, gst_event_new_eos ());
    return;
  }
  /* relinked before the queue was stopped, so that nobody else starts it */
  if (g_atomic_int_get (&self->n_relinks) != n_relinks
      && nda_block_queue_relink (self->queue))
    nda_py_bridge_task_start (self);
}

/* --- real time --- */

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

/* Before the first block of a stream: live sound gets priority, below that of
 * the devices. */
static void
quicken (NdaPyBridgeTask * self)
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
    GST_INFO_OBJECT (self->py->element,
        "the plugin's thread stays without real-time priority: %s", problem);
    return;
  }
  self->realtime_thread = thread;
  count_realtime (self, 1);
}

/* When the task has ended */
static void
forget_thread (NdaPyBridgeTask * self)
{
  if (self->realtime_thread != 0) {
    nda_realtime_leave (self->realtime_thread);
    count_realtime (self, 0);
  }
  self->realtime_thread = 0;
  self->has_asked = FALSE;
}

/* --- blocks --- */

static void
count_run (NdaPyBridgeTask * self, guint n_run)
{
  NdaPyBatch *batch = self->batch;
  NdaPyCounters *counters = &self->py->counters;

  g_mutex_lock (&self->queue->lock);
  nda_histogram_record (&counters->gil_wait, batch->gil_wait);
  for (guint i = 0; i < n_run; i++) {
    NdaPyBlock *block = batch->blocks[i];

    nda_histogram_record (&counters->call_time, block->call_time);
    counters->n_late += batch->gil_wait + block->call_time > NDA_BLOCK_DURATION;
    counters->n_failures += !block->ok;
    counters->n_blocks++;
    counters->n_frames += block->n_frames;
  }
  g_mutex_unlock (&self->queue->lock);
}

/* Posts why the block failed that ends the stream. */
static void
post_failure (NdaPyBridgeTask * self, NdaPyBlock * block)
{
  g_autoptr (GError) error = g_error_new_literal (GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_FAILED, block->failure ? block->failure :
      _("The plugin failed again"));

  fail_stream (self, error);
}

/* None of the blocks could be run: the plugin is being stopped, or Python was
 * finalised by the application. */
static void
give_up (NdaPyBridgeTask * self)
{
  g_autoptr (GError) error = NULL;

  if (nda_py_host_check (self->py->host, &error))
    gst_pad_pause_task (self->srcpad);
  else
    fail_stream (self, error);
}

/* FALSE when the stream has ended. */
static gboolean
push_run (NdaPyBridgeTask * self, guint n_run, NdaPyOnError on_error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gint n_relinks = g_atomic_int_get (&self->n_relinks);

  for (guint i = 0; i < n_run && flow == GST_FLOW_OK && !self->has_left; i++) {
    NdaPyBlock *block = self->batch->blocks[i];

    if (G_UNLIKELY (!block->ok)) {
      if (on_error == NDA_PY_ON_ERROR_STOP) {
        post_failure (self, block);
        return FALSE;
      }
      nda_py_shared_report_failure (self->py, block,
          on_error == NDA_PY_ON_ERROR_SILENCE ?
          _("Silence took the place of the block.") :
          _("The block passed unchanged."));
    }
    flow = gst_pad_push (self->srcpad, nda_py_batch_take (self->batch, i));
  }
  if (flow != GST_FLOW_OK && !self->has_left)
    stop_by_downstream (self, flow, n_relinks);
  return flow == GST_FLOW_OK && !self->has_left;
}

/* Garbage is collected beside the blocks: when none waits, if that happens. */
static void
collect_garbage (NdaPyBridgeTask * self)
{
  if (++self->n_runs < RUNS_TO_COLLECT)
    return;
  if (self->n_runs < RUNS_TO_COLLECT_ANYHOW
      && !nda_block_queue_is_empty (self->queue))
    return;
  nda_py_host_collect (self->py->host);
  self->n_runs = 0;
}

/* FALSE: the stream does not go on. */
static gboolean
work_on_blocks (NdaPyBridgeTask * self, GstMiniObject ** blocks, guint n_blocks)
{
  NdaPyOnError on_error;
  guint n_run;
  gboolean goes_on;
  g_autoptr (GError) error = NULL;

  if (G_UNLIKELY (!self->has_asked))
    quicken (self);
  GST_OBJECT_LOCK (self->py->element);
  on_error = self->on_error;
  GST_OBJECT_UNLOCK (self->py->element);

  n_run = nda_py_batch_run (self->batch, self->py->host, blocks, n_blocks,
      on_error, &error);
  if (G_UNLIKELY (!n_run && !error)) {
    nda_py_batch_drop (self->batch);
    give_up (self);
    return FALSE;
  }
  if (n_run)
    count_run (self, n_run);
  goes_on = push_run (self, n_run, on_error);
  nda_py_batch_drop (self->batch);
  if (!goes_on)
    return FALSE;
  if (G_UNLIKELY (error))
    fail_stream (self, error);
  else
    collect_garbage (self);
  return !error;
}

/* Parameters that follow control bindings change with each block. */
static void
work_on_controlled_blocks (NdaPyBridgeTask * self, GstMiniObject ** blocks,
    guint n_blocks)
{
  gboolean goes_on = TRUE;

  for (guint i = 0; i < n_blocks; i++) {
    if (!goes_on) {
      gst_mini_object_unref (blocks[i]);
      continue;
    }
    nda_py_parent_sync_to (self->py, self->srcpad, GST_BUFFER_PTS (blocks[i]));
    goes_on = work_on_blocks (self, blocks + i, 1);
  }
}

/* --- events and queries --- */

/* The plugin is started here, on the thread of its block calls, and started
 * anew when the number of channels changes. */
static void
work_on_caps (NdaPyBridgeTask * self, GstEvent * event)
{
  GstCaps *caps;
  NdaPyFormat format = { 0 };
  g_autoptr (GError) error = NULL;

  gst_event_parse_caps (event, &caps);
  if (!nda_py_batch_set_caps (self->batch, caps)) {
    gst_event_unref (event);
    stop_stream (self, GST_FLOW_NOT_NEGOTIATED);
    return;
  }
  format.n_channels = self->batch->info.channels;
  if (format.n_channels == self->n_channels
      || nda_py_host_start (self->py->host, &format, &error)) {
    self->n_channels = format.n_channels;
    gst_pad_push_event (self->srcpad, event);
    return;
  }
  gst_event_unref (event);
  if (error)
    fail_stream (self, error);
  else
    give_up (self);
}

static void
work_on_event (NdaPyBridgeTask * self, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    work_on_caps (self, event);
    return;
  }
  gst_pad_push_event (self->srcpad, event);
}

static void
work_on_query (NdaPyBridgeTask * self, GstQuery * query)
{
  gboolean ok = gst_pad_peer_query (self->srcpad, query);

  nda_block_queue_answer (self->queue, query, ok);
}

static void
forget_stream (NdaPyBridgeTask * self)
{
  nda_py_batch_clear (self->batch);
  self->n_channels = 0;
  forget_thread (self);
}

static void
nda_py_bridge_task_work (gpointer user_data)
{
  NdaPyBridgeTask *self = user_data;
  GstMiniObject *items[NDA_PY_BATCH_MAX];
  guint n_items;

  g_atomic_pointer_set (&self->thread, g_thread_self ());
  if (!nda_block_queue_pop (self->queue, items, NDA_PY_BATCH_MAX, &n_items))
    gst_pad_pause_task (self->srcpad);
  else if (GST_IS_BUFFER (items[0])
      && nda_py_parent_has_controls (self->py))
    work_on_controlled_blocks (self, items, n_items);
  else if (GST_IS_BUFFER (items[0]))
    work_on_blocks (self, items, n_items);
  else if (GST_IS_EVENT (items[0]))
    work_on_event (self, GST_EVENT_CAST (items[0]));
  else
    work_on_query (self, GST_QUERY_CAST (items[0]));
  g_atomic_pointer_set (&self->thread, NULL);

  if (G_UNLIKELY (self->has_left))
    forget_stream (self);
  self->has_left = FALSE;
}

/* --- life --- */

void
nda_py_bridge_task_init (NdaPyBridgeTask * self, GstPad * srcpad,
    NdaBlockQueue * queue, NdaPyShared * py)
{
  self->srcpad = srcpad;
  self->queue = queue;
  self->py = py;
  g_mutex_init (&self->lock);
  self->batch = g_new0 (NdaPyBatch, 1);
}

void
nda_py_bridge_task_clear (NdaPyBridgeTask * self)
{
  nda_py_batch_clear (self->batch);
  g_clear_pointer (&self->batch, g_free);
  g_mutex_clear (&self->lock);
}

/* The source pad is active: the task may be started from now on. */
void
nda_py_bridge_task_activate (NdaPyBridgeTask * self)
{
  g_mutex_lock (&self->lock);
  self->is_active = TRUE;
  g_mutex_unlock (&self->lock);
}

/* Starts the task, unless the pad is being deactivated: the end of a flush may
 * come at the same time. */
void
nda_py_bridge_task_start (NdaPyBridgeTask * self)
{
  g_mutex_lock (&self->lock);
  if (self->is_active) {
    g_atomic_int_set (&self->is_told, FALSE);
    gst_pad_start_task (self->srcpad, nda_py_bridge_task_work, self, NULL);
  }
  g_mutex_unlock (&self->lock);
}

/* Takes the task, on whose thread this is, from the pad. The element lives
 * until the task has ended. */
static void
leave_pad (NdaPyBridgeTask * self)
{
  GstTask *task;

  GST_OBJECT_LOCK (self->srcpad);
  task = GST_PAD_TASK (self->srcpad);
  GST_PAD_TASK (self->srcpad) = NULL;
  GST_OBJECT_UNLOCK (self->srcpad);

  self->has_left = TRUE;
  if (!task)
    return;
  gst_task_stop (task);
  g_object_set_data_full (G_OBJECT (task), "nda-element",
      gst_object_ref (self->py->element), gst_object_unref);
  gst_object_unref (task);
}

/* Waits until the task has ended, and forgets its stream. The queue and the
 * host are stopped before. */
gboolean
nda_py_bridge_task_stop (NdaPyBridgeTask * self)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  self->is_active = FALSE;
  g_mutex_unlock (&self->lock);

  if (g_atomic_pointer_get (&self->thread) == g_thread_self ()) {
    leave_pad (self);
    return TRUE;
  }
  ok = gst_pad_stop_task (self->srcpad);
  forget_stream (self);
  return ok;
}

/* Downstream is linked again. */
void
nda_py_bridge_task_relink (NdaPyBridgeTask * self)
{
  g_atomic_int_inc (&self->n_relinks);
  if (nda_block_queue_relink (self->queue))
    nda_py_bridge_task_start (self);
}
