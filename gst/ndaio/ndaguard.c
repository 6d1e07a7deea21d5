/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaguard.h"

#include "ndarestartevent.h"

#include <glib/gi18n-lib.h>

/* THREADS. Upstream's (the sink thread) pushes, and waits while the device is
 * away and what is played is not live; the application's changes the state; and
 * the loss's worker calls the hooks.
 *
 * LOCKS. None of its own; the loss has one.
 *
 * HOW IT STOPS. A flush and the change to READY cancel the wait. */
struct _NdaGuard
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaLoss loss;                 /* has its own lock */
  gint is_cancelled;            /* [atomic] */
  gboolean was_away;            /* [sink thread] nothing has passed since */
  gboolean has_asked;           /* [sink thread] whether what comes is live, */
  gboolean is_live;             /* [sink thread] which a source that is lost,
                                 * too, could not tell */
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

/* While the device is away: whether @buffer is still to be played. */
static gboolean
outlast (NdaGuard * self)
{
  self->was_away = TRUE;
  return !self->is_live && nda_loss_wait (&self->loss, &self->is_cancelled);
}

/* What is linked is told all about the stream, and asked what it can take; not
 * yet, though, for a device that is not there can take nothing. */
static void
relink (NdaGuard * self)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (self->srcpad);

  if (!peer)
    return;
  gst_pad_unlink (self->srcpad, peer);
  gst_pad_link_full (self->srcpad, peer, GST_PAD_LINK_CHECK_NOTHING);
}

static GstFlowReturn
chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  NdaGuard *self = NDA_GUARD (parent);
  GstFlowReturn flow;

  if (G_UNLIKELY (!self->has_asked)) {
    self->is_live = is_upstream_live (self);
    self->has_asked = TRUE;
  }
  if (G_UNLIKELY (nda_loss_get_state (&self->loss) == NDA_LOSS_AWAY)
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
  flow = gst_pad_push (self->srcpad, buffer);
  if (G_LIKELY (flow == GST_FLOW_OK)) {
    self->was_away = FALSE;
    nda_loss_note_buffer (&self->loss);
  } else if (nda_loss_note_failure (&self->loss)) {
    flow = GST_FLOW_OK;
  }
  return flow;
}

static void
cancel (NdaGuard * self, gboolean is_cancelled)
{
  g_atomic_int_set (&self->is_cancelled, is_cancelled);
  nda_loss_wake (&self->loss);
}

/* What is not pushed on is told to the device when it is back. */
static gboolean
keep_event (NdaGuard * self, GstEvent * event)
{
  if (GST_EVENT_IS_STICKY (event))
    gst_pad_store_sticky_event (self->srcpad, event);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaGuard *self = NDA_GUARD (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    cancel (self, TRUE);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    cancel (self, FALSE);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && nda_loss_end (&self->loss)) {
    gst_event_unref (event);
    return TRUE;
  }
  if (nda_loss_get_state (&self->loss) == NDA_LOSS_AWAY
      && GST_EVENT_IS_SERIALIZED (event))
    return keep_event (self, event);
  return gst_pad_push_event (self->srcpad, event);
}

/* While the device is away it takes what it took last. */
static gboolean
answer_caps (NdaGuard * self, GstQuery * query)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);
  g_autoptr (GstCaps) taken = NULL;
  GstCaps *filter;

  if (!caps || nda_loss_get_state (&self->loss) != NDA_LOSS_AWAY)
    return FALSE;
  gst_query_parse_caps (query, &filter);
  taken = filter ? gst_caps_intersect (filter, caps) : gst_caps_ref (caps);
  gst_query_set_caps_result (query, taken);
  return TRUE;
}

static gboolean
sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaGuard *self = NDA_GUARD (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS && answer_caps (self, query))
    return TRUE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS
      && nda_loss_get_state (&self->loss) == NDA_LOSS_AWAY) {
    gst_query_set_accept_caps_result (query, TRUE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* --- a device that is away --- */

static void
count (gpointer user_data)
{
  nda_meter_count_device_loss (NDA_GUARD (user_data)->meter);
}

/* What follows the device's clock has to know that it began anew; and the
 * device's latency may be another. */
static void
resume (gpointer user_data)
{
  NdaGuard *self = NDA_GUARD (user_data);

  gst_pad_push_event (self->sinkpad, nda_restart_event_new ());
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
}

/* In the name of the sink, which would have said so. */
static void
end (gpointer user_data)
{
  NdaGuard *self = NDA_GUARD (user_data);
  GstElement *sink = self->loss.child;

  gst_element_post_message (sink, gst_message_new_eos (GST_OBJECT (sink)));
}

static const NdaLossHooks loss_hooks = {
  .text = N_("The device that sound goes to is gone. Nothing is heard until it "
      "is back."),
  .count = count,
  .resume = resume,
  .end = end,
};

/* --- the element --- */

static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  NdaGuard *self = NDA_GUARD (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    self->was_away = self->has_asked = FALSE;
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

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad, GST_DEBUG_FUNCPTR (chain));
  gst_pad_set_event_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_event));
  gst_pad_set_query_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_query));
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  GST_PAD_SET_PROXY_ALLOCATION (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}

static void
finalize (GObject * object)
{
  nda_loss_clear (&NDA_GUARD (object)->loss);
  G_OBJECT_CLASS (nda_guard_parent_class)->finalize (object);
}

static void
nda_guard_class_init (NdaGuardClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Guard of a device",
      "Filter/Audio", "Keeps upstream going while a device is away",
      "the nda authors");
}

GstElement *
nda_guard_new (const gchar * name, GstElement * bin, NdaMeter * meter)
{
  NdaGuard *self = g_object_new (NDA_TYPE_GUARD, "name", name, NULL);

  self->meter = meter;
  nda_loss_init (&self->loss, bin, &loss_hooks, self);
  return GST_ELEMENT (self);
}

NdaLoss *
nda_guard_get_loss (GstElement * guard)
{
  return &NDA_GUARD (guard)->loss;
}
