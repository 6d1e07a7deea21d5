/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybridgetask.h"

#include "ndablock.h"
#include "ndapylog.h"
#include "ndapyparent.h"

#include <glib/gi18n-lib.h>

/* Runs until garbage is collected: if the queue is empty, and in any case */
#define RUNS_TO_COLLECT 16
#define RUNS_TO_COLLECT_ANYHOW 1024

/* Posts why the stream ends, once, if upstream has ended and no push can tell
 * it @flow. From any thread. */
void
nda_py_bridge_task_tell_end (NdaPyBridgeTask * self, GstFlowReturn flow)
{
  if (flow != GST_FLOW_NOT_LINKED && flow >= GST_FLOW_EOS)
    return;
  if (g_atomic_int_compare_and_exchange (&self->is_told, FALSE, TRUE))
    GST_ELEMENT_FLOW_ERROR (self->py->element, flow);
}

/* Ends the stream downstream too, as upstream's EOS is not accepted any
 * more. */
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

/* Ends the task with @flow, which downstream returned for a block when
 * @n_relinks had been counted. Upstream's next push returns it, if there is
 * one. At EOS the task goes on, and waits for another stream or segment. */
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
  /* relinked before the queue was stopped: nobody else restarts it */
  if (g_atomic_int_get (&self->n_relinks) != n_relinks
      && nda_block_queue_relink (self->queue))
    nda_py_bridge_task_start (self);
}

/* --- blocks --- */

/* Posts the failure of the block that ends the stream. */
static void
post_failure (NdaPyBridgeTask * self, NdaPyBlock * block)
{
  g_autoptr (GError) error = g_error_new_literal (GST_LIBRARY_ERROR,
      GST_LIBRARY_ERROR_FAILED, block->failure ? block->failure :
      _("The plugin failed again"));

  fail_stream (self, error);
}

/* None of the blocks could be run: the plugin is being stopped, or the
 * application has finalised Python. */
static void
give_up (NdaPyBridgeTask * self)
{
  g_autoptr (GError) error = NULL;

  if (nda_py_host_check (self->py->host, &error))
    gst_pad_pause_task (self->srcpad);
  else
    fail_stream (self, error);
}

/* Tells of calls that failed. The one that is to stop the stream, or NULL. */
static NdaPyBlock *
report_failures (NdaPyBridgeTask * self, NdaPyOnError on_error)
{
  for (guint i = 0; i < self->batch->n_calls; i++) {
    NdaPyBlock *block = self->batch->calls[i];

    if (G_LIKELY (block->ok))
      continue;
    if (on_error == NDA_PY_ON_ERROR_STOP)
      return block;
    nda_py_shared_report_failure (self->py, block,
        on_error == NDA_PY_ON_ERROR_SILENCE ?
        _("Silence took the place of the block.") :
        _("The block passed unchanged."));
  }
  return NULL;
}

/* Pushes @item, a block or an event (transfer full). */
static GstFlowReturn
push_item (NdaPyBridgeTask * self, GstMiniObject * item)
{
  if (GST_IS_BUFFER (item))
    return gst_pad_push (self->srcpad, GST_BUFFER_CAST (item));
  gst_pad_push_event (self->srcpad, GST_EVENT_CAST (item));
  return GST_FLOW_OK;
}

/* Pushes what leaves; OK while the stream goes on. */
static GstFlowReturn
push_run (NdaPyBridgeTask * self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gint n_relinks = g_atomic_int_get (&self->n_relinks);
  GstMiniObject *item;

  while (flow == GST_FLOW_OK && !self->has_left
      && (item = nda_py_batch_take (self->batch)))
    flow = push_item (self, item);
  if (self->has_left)
    return GST_FLOW_FLUSHING;
  if (flow != GST_FLOW_OK)
    stop_by_downstream (self, flow, n_relinks);
  return flow;
}

/* Collects garbage between blocks: when no block waits, if that happens. */
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

static NdaPyOnError
get_on_error (NdaPyBridgeTask * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->py->element));

  return self->on_error;
}

/* Runs @blocks (transfer full) and pushes the output; without blocks, a part of
 * the frames held back. OK while the stream goes on. */
static GstFlowReturn
work_on_run (NdaPyBridgeTask * self, GstMiniObject ** blocks, guint n_blocks)
{
  NdaPyOnError on_error = get_on_error (self);
  GstFlowReturn flow;
  NdaPyBlock *failed;
  g_autoptr (GError) error = NULL;

  if (!nda_py_batch_run (self->batch, self->py->host, blocks, n_blocks,
          on_error, &error)) {
    nda_py_batch_forget (self->batch);
    give_up (self);
    return GST_FLOW_FLUSHING;
  }
  nda_py_shared_count_calls (self->py, self->batch->calls, self->batch->n_calls,
      self->batch->n_frames, self->batch->gil_wait, &self->batch->format);
  failed = report_failures (self, on_error);
  flow = push_run (self);
  if (flow == GST_FLOW_OK && G_UNLIKELY (failed || error)) {
    if (failed)
      post_failure (self, failed);
    else
      fail_stream (self, error);
    flow = GST_FLOW_ERROR;
  }
  nda_py_batch_settle (self->batch);
  if (flow != GST_FLOW_OK)
    nda_py_batch_forget (self->batch);
  return flow;
}

/* Brings out all that is held back: what comes next does not follow it. */
static GstFlowReturn
end_run (NdaPyBridgeTask * self)
{
  GstFlowReturn flow = GST_FLOW_OK;

  self->is_cut = TRUE;
  while (flow == GST_FLOW_OK && nda_py_batch_is_holding (self->batch))
    flow = work_on_run (self, NULL, 0);
  return flow;
}

/* Tells the plugin of a cut, if there was one and it has got sound before. */
static void
tell_cut (NdaPyBridgeTask * self)
{
  if (G_UNLIKELY (self->is_cut && self->has_run))
    nda_py_host_reset (self->py->host);
  self->is_cut = FALSE;
  self->has_run = TRUE;
}

/* FALSE: the stream has ended. */
static gboolean
work_on_blocks (NdaPyBridgeTask * self, GstMiniObject ** blocks, guint n_blocks)
{
  GstFlowReturn flow = GST_FLOW_OK;
  guint n = 0;

  if (G_UNLIKELY (!self->has_asked))
    nda_py_bridge_task_quicken (self);
  while (flow == GST_FLOW_OK && n < n_blocks) {
    guint n_run = nda_py_batch_count_run (blocks + n, n_blocks - n);

    if (G_UNLIKELY (nda_py_batch_is_cut (blocks[n])))
      flow = end_run (self);
    if (flow != GST_FLOW_OK)
      break;
    tell_cut (self);
    flow = work_on_run (self, blocks + n, n_run);
    n += n_run;
  }
  while (n < n_blocks)
    gst_mini_object_unref (blocks[n++]);
  if (flow == GST_FLOW_OK)
    collect_garbage (self);
  return flow == GST_FLOW_OK;
}

/* Runs the blocks one by one: parameters with control bindings change with each
 * block. */
static void
work_on_controlled_blocks (NdaPyBridgeTask * self, GstMiniObject ** blocks,
    guint n_blocks)
{
  gboolean goes_on = TRUE;
  guint i = 0;

  while (goes_on && i < n_blocks) {
    nda_py_parent_sync_to (self->py, self->srcpad, GST_BUFFER_PTS (blocks[i]));
    goes_on = work_on_blocks (self, blocks + i++, 1);
  }
  while (i < n_blocks)
    gst_mini_object_unref (blocks[i++]);
}

/* --- events and queries --- */

/* Starts the plugin on the thread of its block calls; again when the number of
 * channels changes. FALSE, without an @error: it is being stopped. */
static gboolean
start_plugin (NdaPyBridgeTask * self, GError ** error)
{
  const guint n_channels = self->batch->info.channels;
  NdaPyFormat format = { NDA_BLOCK_RATE, n_channels, NDA_BLOCK_FRAMES };

  if (n_channels == self->n_channels)
    return nda_py_batch_set_format (self->batch, &self->batch->format, error);
  if (!nda_py_host_start (self->py->host, &format, error))
    return FALSE;
  self->n_channels = n_channels;
  self->has_run = FALSE;
  return nda_py_batch_set_format (self->batch, &format, error);
}

static void
work_on_caps (NdaPyBridgeTask * self, GstEvent * event)
{
  GstCaps *caps;
  g_autoptr (GError) error = NULL;

  gst_event_parse_caps (event, &caps);
  if (!nda_py_batch_set_caps (self->batch, caps)) {
    gst_event_unref (event);
    stop_stream (self, GST_FLOW_NOT_NEGOTIATED);
    return;
  }
  if (start_plugin (self, &error)) {
    gst_pad_push_event (self->srcpad, event);
    return;
  }
  gst_event_unref (event);
  if (error)
    fail_stream (self, error);
  else
    give_up (self);
}

/* Pushes the events that no frames are before any more. */
static void
push_events (NdaPyBridgeTask * self)
{
  GstMiniObject *item;

  while (!self->has_left && (item = nda_py_batch_take (self->batch)))
    push_item (self, item);
}

static void
work_on_event (NdaPyBridgeTask * self, GstEvent * event)
{
  gboolean is_cut = nda_py_batch_is_cut_by (self->batch, event);
  GstFlowReturn flow = is_cut ? end_run (self) : GST_FLOW_OK;

  /* downstream may want the next stream or segment */
  if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS) {
    gst_event_unref (event);
    return;
  }
  if (is_cut)
    push_events (self);
  if (is_cut && GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    work_on_caps (self, event);
    return;
  }
  nda_py_batch_add_event (self->batch, event);
  push_events (self);
}

static void
work_on_query (NdaPyBridgeTask * self, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    end_run (self);
  nda_block_queue_answer (self->queue, query,
      gst_pad_peer_query (self->srcpad, query));
}

static void
forget_stream (NdaPyBridgeTask * self)
{
  nda_py_batch_clear_stream (self->batch);
  self->n_channels = 0;
  self->has_run = self->is_cut = FALSE;
  nda_py_bridge_task_forget_thread (self);
}

/* Called after a flush */
static void
forget_run (NdaPyBridgeTask * self)
{
  nda_py_batch_forget (self->batch);
  nda_py_batch_flush_events (self->batch);
  push_events (self);
  self->is_cut = TRUE;
}

static void
nda_py_bridge_task_work (gpointer user_data)
{
  NdaPyBridgeTask *self = user_data;
  GstMiniObject *items[NDA_PY_BATCH_MAX];
  guint n_items;

  g_atomic_pointer_set (&self->thread, g_thread_self ());
  if (G_UNLIKELY (g_atomic_int_compare_and_exchange (&self->is_flushed, TRUE,
              FALSE)))
    forget_run (self);
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

/* A flush: the frames held back are dropped. From any thread; the task is
 * paused. */
void
nda_py_bridge_task_flush (NdaPyBridgeTask * self)
{
  g_atomic_int_set (&self->is_flushed, TRUE);
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
  nda_py_batch_init (self->batch);
}

void
nda_py_bridge_task_clear (NdaPyBridgeTask * self)
{
  nda_py_batch_clear (self->batch);
  g_clear_pointer (&self->batch, g_free);
  g_mutex_clear (&self->lock);
}

/* The source pad is active: from now on the task may be started. */
void
nda_py_bridge_task_activate (NdaPyBridgeTask * self)
{
  g_mutex_lock (&self->lock);
  self->is_active = TRUE;
  g_mutex_unlock (&self->lock);
}

/* Starts the task, unless the pad is being deactivated, perhaps at the same
 * time. */
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

/* Takes the task from the pad; this runs on the task's thread. The element
 * lives until the task has ended. */
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
 * host are stopped. */
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
