/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaguard.h"

#include "ndarestartevent.h"

/* THREADS. Upstream's thread (the sink thread) pushes, and waits while the
 * device is away and the sound is not live. The application's thread changes
 * the state. The watch thread asks which buffer the sink has.
 *
 * LOCKS. The object lock guards that buffer's time; the loss has its own lock.
 *
 * HOW IT STOPS. A flush and the change to READY cancel the wait. */
/* A sink may take a buffer this long before its time, and no longer */
#define MAX_AHEAD (1 * GST_SECOND)

struct _NdaGuard
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaLoss *loss;                /* [const] not owned; has its own lock */
  gint is_cancelled;            /* [atomic] */
  gboolean was_away;            /* [sink thread] no buffer since then */
  gboolean has_asked;           /* [sink thread] once, at the first buffer: a
                                 * source that is lost, too, cannot answer */
  gboolean is_live;             /* [sink thread] what upstream answered */
  GstSegment segment;           /* [sink thread] */
  GstClockTime pushed;          /* [object lock] the running time of the buffer
                                 * that the sink has; NONE: it has none */
};

G_DEFINE_FINAL_TYPE (NdaGuard, nda_guard, GST_TYPE_ELEMENT);

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/x-raw"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/x-raw"));

/* --- what passes --- */

static gboolean
is_upstream_live (NdaGuard * self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean is_live = FALSE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_latency (query, &is_live, NULL, NULL);
  return is_live;
}

/* Waits while the device is away. Returns whether the buffer is still to be
 * played. */
static gboolean
outlast (NdaGuard * self)
{
  self->was_away = TRUE;
  return !self->is_live && nda_loss_wait (self->loss, &self->is_cancelled);
}

/* Relinks without caps checks, since a device that is not open yet takes no
 * caps; the sticky events are then sent again. */
static void
relink (NdaGuard * self)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (self->srcpad);

  if (!peer)
    return;
  gst_pad_unlink (self->srcpad, peer);
  gst_pad_link_full (self->srcpad, peer, GST_PAD_LINK_CHECK_NOTHING);
}

static void
set_pushed (NdaGuard * self, GstClockTime running_time)
{
  GST_OBJECT_LOCK (self);
  self->pushed = running_time;
  GST_OBJECT_UNLOCK (self);
}

/* The time when @buffer is to be heard; NONE if unknown. */
static GstClockTime
get_running_time (NdaGuard * self, GstBuffer * buffer)
{
  return self->segment.format == GST_FORMAT_TIME ?
      gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer)) : GST_CLOCK_TIME_NONE;
}

static GstFlowReturn
push (NdaGuard * self, GstBuffer * buffer)
{
  GstFlowReturn flow;

  set_pushed (self, get_running_time (self, buffer));
  flow = gst_pad_push (self->srcpad, buffer);
  set_pushed (self, GST_CLOCK_TIME_NONE);
  return flow;
}

static GstFlowReturn
nda_guard_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  NdaGuard *self = NDA_GUARD (parent);
  GstFlowReturn flow;

  if (G_UNLIKELY (!self->has_asked)) {
    self->is_live = is_upstream_live (self);
    self->has_asked = TRUE;
  }
  if (G_UNLIKELY (nda_loss_get_state (self->loss) == NDA_LOSS_AWAY)
      && !outlast (self)) {
    gst_buffer_unref (buffer);
    return g_atomic_int_get (&self->is_cancelled) ? GST_FLOW_FLUSHING :
        GST_FLOW_OK;
  }
  if (G_UNLIKELY (self->was_away)) {
    relink (self);
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  }
  flow = push (self, buffer);
  if (G_LIKELY (flow == GST_FLOW_OK)) {
    self->was_away = FALSE;
    nda_loss_note_buffer (self->loss);
  } else if (nda_loss_note_failure (self->loss)) {
    flow = GST_FLOW_OK;
  }
  return flow;
}

static void
cancel (NdaGuard * self, gboolean is_cancelled)
{
  g_atomic_int_set (&self->is_cancelled, is_cancelled);
  nda_loss_wake (self->loss);
}

/* Ends a flush while the device is away, which would not let it pass. Only the
 * pad before the device is flushed, and an earlier end of the stream is
 * forgotten. */
static gboolean
stop_flushing (NdaGuard * self, GstEvent * event)
{
  cancel (self, FALSE);
  nda_loss_forget_end (self->loss);
  gst_pad_push_event (self->srcpad, event);
  return TRUE;
}

/* Keeps @event for the device, which gets it when it is back. */
static gboolean
keep_event (NdaGuard * self, GstEvent * event)
{
  if (GST_EVENT_IS_STICKY (event))
    gst_pad_store_sticky_event (self->srcpad, event);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
nda_guard_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaGuard *self = NDA_GUARD (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (event, &self->segment);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    cancel (self, TRUE);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return stop_flushing (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && nda_loss_end (self->loss)) {
    gst_event_unref (event);
    return TRUE;
  }
  if (nda_loss_get_state (self->loss) == NDA_LOSS_AWAY
      && GST_EVENT_IS_SERIALIZED (event))
    return keep_event (self, event);
  return gst_pad_push_event (self->srcpad, event);
}

/* While the device is away, the answer is the format that it took last. */
static gboolean
answer_caps (NdaGuard * self, GstQuery * query)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  g_autoptr (GstCaps) taken = NULL;
  GstCaps *filter;

  if (!caps || nda_loss_get_state (self->loss) != NDA_LOSS_AWAY)
    return FALSE;
  gst_query_parse_caps (query, &filter);
  taken = filter ? gst_caps_intersect (filter, caps) : gst_caps_ref (caps);
  gst_query_set_caps_result (query, taken);
  return TRUE;
}

static gboolean
nda_guard_sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaGuard *self = NDA_GUARD (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS && answer_caps (self, query))
    return TRUE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS
      && nda_loss_get_state (self->loss) == NDA_LOSS_AWAY) {
    gst_query_set_accept_caps_result (query, TRUE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* --- the element --- */

static GstStateChangeReturn
nda_guard_change_state (GstElement * element, GstStateChange transition)
{
  NdaGuard *self = NDA_GUARD (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    self->was_away = self->has_asked = FALSE;
    gst_segment_init (&self->segment, GST_FORMAT_TIME);
    cancel (self, FALSE);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    cancel (self, TRUE);
  }
  return GST_ELEMENT_CLASS (nda_guard_parent_class)->change_state (element,
      transition);
}

static void
nda_guard_init (NdaGuard * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->pushed = GST_CLOCK_TIME_NONE;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_guard_chain));
  gst_pad_set_event_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_guard_sink_event));
  gst_pad_set_query_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_guard_sink_query));
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  GST_PAD_SET_PROXY_ALLOCATION (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
nda_guard_class_init (NdaGuardClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  element_class->change_state = GST_DEBUG_FUNCPTR (nda_guard_change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Guard of a device",
      "Filter/Audio", "Keeps upstream going while a device is away",
      "the nda authors");
}

GstElement *
nda_guard_new (const gchar * name, NdaLoss * loss)
{
  NdaGuard *self = g_object_new (NDA_TYPE_GUARD, "name", name, NULL);

  self->loss = loss;
  return GST_ELEMENT (self);
}

gboolean
nda_guard_send_event (GstElement * guard, GstEvent * event)
{
  return gst_pad_push_event (NDA_GUARD (guard)->sinkpad, event);
}

gboolean
nda_guard_query (GstElement * guard, GstQuery * query)
{
  return gst_pad_peer_query (NDA_GUARD (guard)->sinkpad, query);
}

void
nda_guard_announce_restart (GstElement * guard)
{
  gst_pad_push_event (NDA_GUARD (guard)->sinkpad, nda_restart_event_new ());
}

gboolean
nda_guard_is_overdue (GstElement * guard)
{
  NdaGuard *self = NDA_GUARD (guard);
  GstClockTime now = gst_element_get_current_running_time (guard);
  GstClockTime pushed;

  GST_OBJECT_LOCK (self);
  pushed = self->pushed;
  GST_OBJECT_UNLOCK (self);
  return GST_CLOCK_TIME_IS_VALID (pushed) && GST_CLOCK_TIME_IS_VALID (now)
      && pushed <= now + MAX_AHEAD;
}
