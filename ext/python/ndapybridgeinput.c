/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread: regroups what arrives and queues it, with the events and
 * serialized queries in their places among the data. Never touches Python. */

#include <Python.h>

#include "config.h"

#include "ndapybridge.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

/* Asks for the latency to be computed anew when buffers arrive in other
 * lengths than before. */
static void
announce_latency (NdaPyBridge *self)
{
  GstClockTime latency = nda_regroup_get_latency (self->regroup);

  if (G_LIKELY (latency == self->regroup_latency))
    return;
  self->regroup_latency = latency;
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);
  g_autoptr (GError) error = NULL;
  GstBuffer *block;
  GstFlowReturn flow = GST_FLOW_OK;

  if (!nda_regroup_get_pool (self->regroup)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (!nda_regroup_push (self->regroup, buffer, &error)) {
    nda_py_bridge_post_error (self, error);
    return GST_FLOW_ERROR;
  }
  announce_latency (self);
  while (flow == GST_FLOW_OK && (block = nda_regroup_pop (self->regroup)))
    flow = nda_block_queue_push_block (&self->queue, block);
  if (flow != GST_FLOW_OK)
    nda_regroup_flush (self->regroup);
  return flow;
}

/* Queues what is left of a block before the stream goes on in another way. */
static void
drain (NdaPyBridge *self)
{
  GstBuffer *rest = nda_regroup_drain (self->regroup);

  if (rest)
    nda_block_queue_push_block (&self->queue, rest);
}

static gboolean
sink_caps (NdaPyBridge *self, GstEvent *event)
{
  GstCaps *caps;
  g_autoptr (GstCaps) marked = NULL;
  GstEvent *marked_event;
  GstAudioInfo info;

  gst_event_parse_caps (event, &caps);
  if (!gst_audio_info_from_caps (&info, caps)) {
    GST_WARNING_OBJECT (self, "cannot use caps %" GST_PTR_FORMAT, caps);
    gst_event_unref (event);
    return FALSE;
  }
  if (!nda_regroup_get_pool (self->regroup)
      || !gst_audio_info_is_equal (&info,
          nda_regroup_get_info (self->regroup))) {
    drain (self);
    nda_regroup_set_caps (self->regroup, caps);
  }
  marked = nda_block_caps_mark (gst_caps_copy (caps));
  marked_event = gst_event_new_caps (marked);
  gst_event_set_seqnum (marked_event, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return nda_block_queue_push_event (&self->queue, marked_event);
}

/* A segment in time: one in bytes, as a raw file has it, cannot be passed on
 * with the time stamps that blocks have. */
static GstEvent *
to_time_segment (GstEvent *event)
{
  GstSegment segment;
  GstEvent *in_time;

  gst_event_copy_segment (event, &segment);
  if (segment.format == GST_FORMAT_TIME)
    return event;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  in_time = gst_event_new_segment (&segment);
  gst_event_set_seqnum (in_time, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return in_time;
}

static gboolean
sink_segment (NdaPyBridge *self, GstEvent *event)
{
  const GstSegment *segment;

  drain (self);
  gst_event_parse_segment (event, &segment);
  if (segment->rate != 1.0) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
        (_("Live audio cannot be played at the rate %g. Seek with the rate 1."),
            segment->rate), ("segment %" GST_SEGMENT_FORMAT, segment));
    gst_event_unref (event);
    return FALSE;
  }
  event = to_time_segment (event);
  gst_event_parse_segment (event, &segment);
  nda_regroup_start_segment (self->regroup, segment);
  return nda_block_queue_push_event (&self->queue, event);
}

static gboolean
sink_gap (NdaPyBridge *self, GstEvent *event)
{
  drain (self);
  nda_regroup_mark_gap (self->regroup);
  return nda_block_queue_push_event (&self->queue, event);
}

/* The end of a stretch of data, whose last block may be short. */
static gboolean
sink_cut (NdaPyBridge *self, GstEvent *event)
{
  drain (self);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_atomic_int_set (&self->saw_eos, TRUE);
  return nda_block_queue_push_event (&self->queue, event);
}

static gboolean
sink_flush_start (NdaPyBridge *self, GstEvent *event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  /* the worker's push came back by the event above */
  gst_pad_pause_task (self->srcpad);
  return ok;
}

static gboolean
sink_flush_stop (NdaPyBridge *self, GstEvent *event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_regroup_flush (self->regroup);
  g_atomic_int_set (&self->saw_eos, FALSE);
  nda_block_queue_restart (&self->queue);
  nda_py_bridge_start_worker (self);
  return ok;
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return sink_caps (self, event);
    case GST_EVENT_SEGMENT:
      return sink_segment (self, event);
    case GST_EVENT_GAP:
      return sink_gap (self, event);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      return sink_cut (self, event);
    case GST_EVENT_FLUSH_START:
      return sink_flush_start (self, event);
    case GST_EVENT_FLUSH_STOP:
      return sink_flush_stop (self, event);
    default:
      if (GST_EVENT_IS_SERIALIZED (event))
        return nda_block_queue_push_event (&self->queue, event);
      return gst_pad_event_default (pad, parent, event);
  }
}

/* What we can take: what downstream can, without its promise about sizes. */
static gboolean
query_caps (NdaPyBridge *self, GstPad *pad, GstPad *other, GstQuery *query)
{
  GstCaps *filter;
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) peer = NULL;
  g_autoptr (GstCaps) result = NULL;

  peer = gst_pad_peer_query_caps (other, NULL);
  peer = nda_block_caps_unmark (g_steal_pointer (&peer));
  result = gst_caps_intersect_full (template, peer, GST_CAPS_INTERSECT_FIRST);
  gst_query_parse_caps (query, &filter);
  if (filter) {
    GstCaps *filtered =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);

    gst_caps_replace (&result, filtered);
    gst_caps_unref (filtered);
  }
  gst_query_set_caps_result (query, result);
  return TRUE;
}

/* Any size of buffer is good. No pool is offered: its one size would bind
 * whoever fills it, and what has that size already passes without a copy. */
static gboolean
query_allocation (GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_AUDIO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      return query_caps (self, pad, self->srcpad, query);
    case GST_QUERY_ALLOCATION:
      return query_allocation (query);
    default:
      if (GST_QUERY_IS_SERIALIZED (query))
        return nda_block_queue_push_query (&self->queue, query);
      return gst_pad_query_default (pad, parent, query);
  }
}

static gboolean
sink_activate_mode (GstPad *pad, GstObject *parent, GstPadMode mode,
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
  GST_PAD_STREAM_LOCK (pad);    /* until the sink thread is out of here */
  nda_regroup_free (self->regroup);
  self->regroup = nda_regroup_new (NDA_BLOCK_FRAMES);
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

void
nda_py_bridge_init_input (NdaPyBridge *self)
{
  gst_pad_set_chain_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_chain));
  gst_pad_set_event_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_event));
  gst_pad_set_query_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_query));
  gst_pad_set_activatemode_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (sink_activate_mode));
}
