/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablockinput.h"

#include "ndablock.h"
#include "ndalog.h"

#include <glib/gi18n-lib.h>

void
nda_block_input_init (NdaBlockInput * self, GstElement * element,
    const NdaBlockOutput * output)
{
  self->element = element;
  self->output = output;
  self->owner = element;
  self->regroup = nda_regroup_new (NDA_BLOCK_FRAMES);
  nda_held_events_init (&self->held);
  self->n_left = 0;
  self->latency = 0;
  self->refused = 0;
}

void
nda_block_input_set_owner (NdaBlockInput * self, gpointer owner)
{
  self->owner = owner;
}

/* Makes blocks of another length, for elements whose user may choose it. Called
 * before there is a stream. */
void
nda_block_input_set_block_frames (NdaBlockInput * self, guint n_frames)
{
  nda_regroup_free (self->regroup);
  self->regroup = nda_regroup_new (n_frames);
}

void
nda_block_input_clear (NdaBlockInput * self)
{
  g_clear_pointer (&self->regroup, nda_regroup_free);
  nda_held_events_clear (&self->held);
}

/* Forgets the stream, when the pad is deactivated. */
void
nda_block_input_reset (NdaBlockInput * self)
{
  nda_regroup_reset (self->regroup);
  nda_held_events_clear (&self->held);
  self->latency = 0;
  self->refused = 0;
}

/* Asks for a new computation of the latency if buffers now come in other
 * lengths. */
static void
announce_latency (NdaBlockInput * self)
{
  GstClockTime latency = nda_regroup_get_latency (self->regroup);

  if (G_LIKELY (latency == self->latency))
    return;
  self->latency = latency;
  gst_element_post_message (self->element,
      gst_message_new_latency (GST_OBJECT (self->element)));
}

/* --- events between frames ---------------------------------------------- */

/* Pushes @event (transfer full), once @n_frames more are, and the events that
 * came before it. */
static GstFlowReturn
push_behind (NdaBlockInput * self, GstEvent * event, guint n_frames)
{
  if (n_frames == 0 && nda_held_events_is_empty (&self->held))
    return self->output->push_event (self->owner, event);
  nda_held_events_add (&self->held, event, self->n_left + n_frames);
  return GST_FLOW_OK;
}

/* Pushes @event (transfer full), once the frames before it are. */
static GstFlowReturn
push_in_order (NdaBlockInput * self, GstEvent * event)
{
  return push_behind (self, event, nda_regroup_get_n_waiting (self->regroup));
}

/* Pushes the events behind the first @n_left frames. */
static void
push_held (NdaBlockInput * self, guint64 n_left)
{
  GstEvent *event;

  while ((event = nda_held_events_take (&self->held, n_left)))
    self->output->push_event (self->owner, event);
}

/* Pushes the events that have no frames before them any more. */
static void
push_due (NdaBlockInput * self)
{
  push_held (self, self->n_left);
}

/* Pushes @block (transfer full), and the events that it kept waiting. */
static GstFlowReturn
push_block (NdaBlockInput * self, GstBuffer * block)
{
  GstFlowReturn flow;
  guint n_frames = 0;

  if (G_LIKELY (nda_held_events_is_empty (&self->held)))
    return self->output->push_block (self->owner, block);
  nda_block_count_frames (block, nda_regroup_get_info (self->regroup),
      &n_frames, NULL);
  self->n_left += n_frames;
  flow = self->output->push_block (self->owner, block);
  push_due (self);
  return flow;
}

/* Forgets the frames that wait, and the events behind them that do not survive
 * a flush. The others are pushed before the next event or block. */
void
nda_block_input_flush (NdaBlockInput * self)
{
  nda_regroup_flush (self->regroup);
  nda_held_events_flush (&self->held);
}

/* --- what comes ----------------------------------------------------------- */

/* Takes @buffer (transfer full). */
GstFlowReturn
nda_block_input_chain (NdaBlockInput * self, GstBuffer * buffer)
{
  g_autoptr (GError) error = NULL;
  GstBuffer *block;
  GstFlowReturn flow = GST_FLOW_OK;

  if (!nda_regroup_get_pool (self->regroup)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (!nda_regroup_push (self->regroup, buffer, &error)) {
    GST_ELEMENT_ERROR (self->element, STREAM, FORMAT, ("%s", error->message),
        ("no whole number of frames"));
    return GST_FLOW_ERROR;
  }
  announce_latency (self);
  push_due (self);
  while (flow == GST_FLOW_OK && (block = nda_regroup_pop (self->regroup)))
    flow = push_block (self, block);
  if (flow != GST_FLOW_OK)
    nda_block_input_flush (self);
  return flow;
}

/* Pushes the rest of a block before the stream goes on in another way. */
void
nda_block_input_drain (NdaBlockInput * self)
{
  GstBuffer *rest = nda_regroup_drain (self->regroup);

  if (rest)
    push_block (self, rest);
  push_held (self, G_MAXUINT64);
}

/* The flow for an event of @type, which got through @srcpad if @ok. */
GstFlowReturn
nda_block_event_flow (GstPad * srcpad, GstEventType type, gboolean ok)
{
  if (ok)
    return GST_FLOW_OK;
  if (GST_PAD_IS_FLUSHING (srcpad))
    return GST_FLOW_FLUSHING;
  if (GST_PAD_IS_EOS (srcpad))
    return GST_FLOW_EOS;
  return type == GST_EVENT_CAPS ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;
}

/* Pushes @event (transfer full). */
GstFlowReturn
nda_block_push_event (GstPad * srcpad, GstEvent * event)
{
  GstEventType type = GST_EVENT_TYPE (event);

  return nda_block_event_flow (srcpad, type, gst_pad_push_event (srcpad,
          event));
}

static GstFlowReturn
take_caps (NdaBlockInput * self, GstEvent * event)
{
  GstCaps *caps;
  GstAudioInfo info;
  const GstAudioInfo *known;

  gst_event_parse_caps (event, &caps);
  if (!gst_audio_info_from_caps (&info, caps)) {
    NDA_LOG_WARNING (self->element, "cannot use caps %" GST_PTR_FORMAT, caps);
    gst_event_unref (event);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  /* the same format again is no reason to cut a block short */
  known = nda_regroup_get_info (self->regroup);
  if (!nda_regroup_get_pool (self->regroup)
      || !gst_audio_info_is_equal (&info, known)) {
    nda_block_input_drain (self);
    nda_regroup_set_caps (self->regroup, caps);
  }
  return push_in_order (self, event);
}

/* A segment in time: one in bytes, as a raw file has it, cannot be passed on
 * with the time stamps that blocks have. */
static GstEvent *
to_time_segment (GstEvent * event)
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

/* Posts once that a segment is refused: upstream pushes it again before the
 * next buffer. */
static void
tell_refusal (NdaBlockInput * self, GstEvent * event,
    const GstSegment * segment)
{
  guint32 seqnum = gst_event_get_seqnum (event);

  if (seqnum == self->refused)
    return;
  self->refused = seqnum;
  GST_ELEMENT_ERROR (self->element, STREAM, NOT_IMPLEMENTED,
      (_("Live audio cannot be played at the rate %g. Seek with the rate 1."),
          segment->rate), ("segment %" GST_SEGMENT_FORMAT, segment));
}

static GstFlowReturn
take_segment (NdaBlockInput * self, GstEvent * event)
{
  const GstSegment *segment;

  nda_block_input_drain (self);
  gst_event_parse_segment (event, &segment);
  if (segment->rate != 1.0) {
    tell_refusal (self, event, segment);
    gst_event_unref (event);
    return GST_FLOW_ERROR;
  }
  event = to_time_segment (event);
  gst_event_parse_segment (event, &segment);
  nda_regroup_start_segment (self->regroup, segment);
  return self->output->push_event (self->owner, event);
}

/* Takes a serialized event (transfer full). */
GstFlowReturn
nda_block_input_event (NdaBlockInput * self, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_STOP)
    push_due (self);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_SEGMENT:
      return take_segment (self, event);
    case GST_EVENT_GAP:
      nda_block_input_drain (self);
      nda_regroup_mark_gap (self->regroup);
      break;
    case GST_EVENT_FLUSH_STOP:
      nda_block_input_flush (self);
      return self->output->push_event (self->owner, event);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      nda_block_input_drain (self);
      break;
    default:
      break;
  }
  return push_in_order (self, event);
}

GstFlowReturn
nda_block_input_event_behind (NdaBlockInput * self, GstEvent * event,
    guint n_frames)
{
  push_due (self);
  return push_behind (self, event,
      nda_regroup_get_n_waiting (self->regroup) + n_frames);
}

/* The latency of regrouping. From any thread. */
GstClockTime
nda_block_input_get_latency (NdaBlockInput * self)
{
  return nda_regroup_get_latency (self->regroup);
}

/* Answers a LATENCY query at the other side of @sinkpad: upstream's latency
 * plus the element's @added, and @queued more at the maximum. */
gboolean
nda_block_answer_latency (GstPad * sinkpad, GstQuery * query,
    GstClockTime added, GstClockTime queued)
{
  GstClockTime min, max;
  gboolean live;

  if (!gst_pad_peer_query (sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += added + queued;
  gst_query_set_latency (query, live, min + added, max);
  return TRUE;
}

/* Returns those of @caps (transfer full) that @filter has, in its order; all of
 * them if it is NULL. */
GstCaps *
nda_block_filter_caps (GstCaps * caps, GstCaps * filter)
{
  g_autoptr (GstCaps) all = caps;

  if (!filter)
    return g_steal_pointer (&all);
  return gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
}

/* Answers the caps that @pad can have: those of its template that the peer of
 * @other can have. */
static void
answer_caps (GstPad * pad, GstPad * other, GstQuery * query)
{
  GstCaps *filter;
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) peer = gst_pad_peer_query_caps (other, template);
  g_autoptr (GstCaps) result = gst_caps_intersect_full (peer, template,
      GST_CAPS_INTERSECT_FIRST);

  gst_query_parse_caps (query, &filter);
  result = nda_block_filter_caps (g_steal_pointer (&result), filter);
  gst_query_set_caps_result (query, result);
}

/* Answers the queries at @pad that all elements of blocks answer in the same
 * way: about caps, where @other is the pad on the other side, and at a sink pad
 * about allocation. Any size of buffer is good, and no pool is offered: a pool
 * has one size, and buffers of that size pass without a copy anyway. FALSE:
 * another kind of query. */
gboolean
nda_block_answer_query (GstPad * pad, GstPad * other, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS) {
    answer_caps (pad, other, query);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION && GST_PAD_IS_SINK (pad)) {
    gst_query_add_allocation_meta (query, GST_AUDIO_META_API_TYPE, NULL);
    return TRUE;
  }
  return FALSE;
}

/* Passes an @event (transfer full) that is not serialized with the frames */
GstFlowReturn
nda_block_pass_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  return gst_pad_event_default (pad, parent, event) ? GST_FLOW_OK :
      GST_FLOW_ERROR;
}

gboolean
nda_block_sink_query (GstPad * pad, GstPad * srcpad, GstQuery * query)
{
  return nda_block_answer_query (pad, srcpad, query)
      || gst_pad_query_default (pad, GST_OBJECT_PARENT (pad), query);
}

/* For an element that has @added so much to the latency */
gboolean
nda_block_src_query (GstPad * pad, GstPad * sinkpad, GstClockTime added,
    GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return nda_block_answer_latency (sinkpad, query, added, 0);
  return nda_block_answer_query (pad, sinkpad, query)
      || gst_pad_query_default (pad, GST_OBJECT_PARENT (pad), query);
}
