/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread: regroups what arrives and queues it, with the events and
 * serialized queries in their places among the data. Never touches Python. */

#include "config.h"

#include "ndapybridge.h"

#include "ndablock.h"

static GstFlowReturn
queue_block (gpointer owner, GstBuffer * block)
{
  return nda_block_queue_push_block (&NDA_PY_BRIDGE (owner)->queue, block);
}

static gboolean
queue_event (gpointer owner, GstEvent * event)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (owner);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_atomic_int_set (&self->saw_eos, TRUE);
  return nda_block_queue_push_event (&self->queue, event);
}

static const NdaBlockOutput to_queue = {
  .push_block = queue_block,
  .push_event = queue_event,
};

static GstFlowReturn
sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_block_input_chain (&NDA_PY_BRIDGE (parent)->input, buffer);
}

static gboolean
flush_start (NdaPyBridge * self, GstEvent * event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  /* the worker's push came back by the event above */
  gst_pad_pause_task (self->srcpad);
  return ok;
}

static gboolean
flush_stop (NdaPyBridge * self, GstEvent * event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_regroup_flush (self->input.regroup);
  g_atomic_int_set (&self->saw_eos, FALSE);
  nda_block_queue_restart (&self->queue);
  nda_py_bridge_start_worker (self);
  return ok;
}

static gboolean
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    return flush_start (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return flush_stop (self, event);
  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&self->input, event);
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (nda_block_answer_query (pad, self->srcpad, query))
    return TRUE;
  if (GST_QUERY_IS_SERIALIZED (query))
    return nda_block_queue_push_query (&self->queue, query);
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
sink_activate_mode (GstPad * pad, GstObject * parent, GstPadMode mode,
    gboolean active)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    g_atomic_int_set (&self->saw_eos, FALSE);
    nda_block_queue_restart (&self->queue);
    return TRUE;
  }
  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  nda_block_queue_forget (&self->queue);
  GST_PAD_STREAM_LOCK (pad);    /* until the sink thread is out of here */
  nda_block_input_reset (&self->input);
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

void
nda_py_bridge_init_input (NdaPyBridge * self)
{
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_queue);
  gst_pad_set_chain_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_chain));
  gst_pad_set_event_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_event));
  gst_pad_set_query_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_query));
  gst_pad_set_activatemode_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (sink_activate_mode));
}
