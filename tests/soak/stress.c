/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Runs an element between two pads, with everything at once: blocks of two
 * formats and two lengths, with gaps, ends and queries among them; flushes;
 * queries and events from downstream, and properties; and changes of state.
 * None of it may abort the program or hang, and afterwards a new stream must
 * pass.
 *
 *     soak-stress --cycles N | --seconds N   DESCRIPTION...
 *
 * Each DESCRIPTION of an element gets N changes of state, or N seconds of them.
 * With seconds, the program ends itself if it hangs; with cycles, the caller
 * limits the time.
 *
 * THREADS. The feeder pushes, the flusher flushes, the asker asks; the main
 * thread changes the state. */

#include <gst/audio/audio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE 48000
#define STREAM_BUFFERS 300
/* The longest that a thread waits for nothing, in yields of the processor */
#define MAX_YIELDS 300
/* How long the end of one run may take, in seconds */
#define PATIENCE 120

typedef struct
{
  GstElement *element;          /* [const] */
  GstBus *bus;                  /* [const] */
  GstPad *source;               /* [const] in front of it */
  GstPad *sink;                 /* [const] behind it */
  gint is_over;                 /* [atomic] */
  gint n_out;                   /* [atomic] buffers that came out */
  gint n_flushes;               /* [atomic] */

  guint frame_bytes;            /* [feeder] */
  GstClockTime time;            /* [feeder] */
} Stress;

static GstStaticPadTemplate source_template = GST_STATIC_PAD_TEMPLATE ("source",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void
yield_a_while (void)
{
  for (gint i = g_random_int_range (0, MAX_YIELDS); i > 0; i--)
    g_thread_yield ();
}

static gboolean
is_over (Stress * self)
{
  return g_atomic_int_get (&self->is_over);
}

/* --- downstream --- */

static GstFlowReturn
count_buffer (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  Stress *self = gst_pad_get_element_private (pad);

  g_atomic_int_inc (&self->n_out);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
drop_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  gst_event_unref (event);
  return TRUE;
}

/* --- the feeder --- */

static void
begin_stream (Stress * self, gboolean is_stereo)
{
  g_autoptr (GstCaps) caps = NULL;
  GstAudioInfo info;
  GstSegment segment;

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, RATE,
      is_stereo ? 2 : 1, NULL);
  caps = gst_audio_info_to_caps (&info);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (self->source, gst_event_new_stream_start ("stress"));
  gst_pad_push_event (self->source, gst_event_new_caps (caps));
  gst_pad_push_event (self->source, gst_event_new_segment (&segment));
  self->frame_bytes = info.bpf;
  self->time = 0;
}

static GstFlowReturn
push_frames (Stress * self, guint n_frames)
{
  gsize n_bytes = n_frames * self->frame_bytes;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_bytes, NULL);

  gst_buffer_memset (buffer, 0, 0, n_bytes);
  GST_BUFFER_PTS (buffer) = self->time;
  self->time += GST_FRAMES_TO_CLOCK_TIME (n_frames, RATE);
  return gst_pad_push (self->source, buffer);
}

static void
ask_downstream (Stress * self, GstQuery * query)
{
  gst_pad_peer_query (self->source, query);
  gst_query_unref (query);
}

static void
push_what_is_rare (Stress * self, guint n)
{
  g_autoptr (GstCaps) caps = NULL;

  if (n % 11 == 0)
    gst_pad_push_event (self->source, gst_event_new_gap (self->time,
            GST_MSECOND));
  if (n % 50 == 0)
    ask_downstream (self, gst_query_new_drain ());
  if (n % 997 == 0)
    gst_pad_push_event (self->source, gst_event_new_eos ());
  if (n % 37)
    return;
  caps = gst_pad_get_current_caps (self->source);
  ask_downstream (self, gst_query_new_allocation (caps, FALSE));
}

static gpointer
feed (gpointer user_data)
{
  Stress *self = user_data;
  GstFlowReturn flow = GST_FLOW_EOS;

  for (guint n = 0; !is_over (self); n++) {
    if (flow != GST_FLOW_OK || n % STREAM_BUFFERS == 0)
      begin_stream (self, n / STREAM_BUFFERS % 2);
    flow = push_frames (self, n % 7 ? 480 : 512);
    push_what_is_rare (self, n);
    if (flow != GST_FLOW_OK)
      yield_a_while ();
  }
  return NULL;
}

/* --- the others --- */

static void
flush (Stress * self)
{
  gst_pad_push_event (self->source, gst_event_new_flush_start ());
  yield_a_while ();
  gst_pad_push_event (self->source, gst_event_new_flush_stop (TRUE));
}

static gpointer
flush_often (gpointer user_data)
{
  Stress *self = user_data;

  while (!is_over (self)) {
    yield_a_while ();
    flush (self);
    g_atomic_int_inc (&self->n_flushes);
  }
  return NULL;
}

static void
use_properties (GstElement * element, guint n)
{
  GObjectClass *class = G_OBJECT_GET_CLASS (element);
  g_autoptr (GstStructure) stats = NULL;

  if (g_object_class_find_property (class, "max-blocks"))
    g_object_set (element, "max-blocks", 1 + n % 64, NULL);
  if (g_object_class_find_property (class, "stats"))
    g_object_get (element, "stats", &stats, NULL);
}

static gpointer
ask_often (gpointer user_data)
{
  Stress *self = user_data;

  for (guint n = 0; !is_over (self); n++) {
    GstQuery *query = gst_query_new_latency ();
    GstCaps *caps = gst_pad_peer_query_caps (self->sink, NULL);

    gst_pad_peer_query (self->sink, query);
    gst_query_unref (query);
    gst_clear_caps (&caps);
    gst_pad_push_event (self->sink, gst_event_new_reconfigure ());
    gst_pad_push_event (self->sink, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW,
            1.0, 1, 1));
    gst_pad_push_event (self->sink, gst_event_new_latency (5));
    use_properties (self->element, n);
    yield_a_while ();
  }
  return NULL;
}

/* --- the run --- */

static void
change_state (Stress * self)
{
  GstMessage *message;

  yield_a_while ();
  gst_element_set_state (self->element, GST_STATE_READY);
  yield_a_while ();
  gst_element_set_state (self->element, GST_STATE_PLAYING);
  while ((message = gst_bus_pop (self->bus)))
    gst_message_unref (message);
}

static void
set_up (Stress * self, const gchar * description)
{
  GstPad *sinkpad, *srcpad;

  memset (self, 0, sizeof (*self));
  self->element = gst_parse_launch (description, NULL);
  if (!self->element)
    g_error ("There is no “%s”.", description);
  gst_object_ref_sink (self->element);
  self->bus = gst_bus_new ();
  gst_element_set_bus (self->element, self->bus);
  self->source = gst_pad_new_from_static_template (&source_template, "source");
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_element_private (self->sink, self);
  gst_pad_set_chain_function (self->sink, count_buffer);
  gst_pad_set_event_function (self->sink, drop_event);

  sinkpad = gst_element_get_static_pad (self->element, "sink");
  srcpad = gst_element_get_static_pad (self->element, "src");
  gst_pad_link (self->source, sinkpad);
  gst_pad_link (srcpad, self->sink);
  gst_object_unref (sinkpad);
  gst_object_unref (srcpad);
  gst_pad_set_active (self->sink, TRUE);
  gst_element_set_state (self->element, GST_STATE_PLAYING);
  gst_pad_set_active (self->source, TRUE);
}

static void
tear_down (Stress * self)
{
  gst_element_set_bus (self->element, NULL);
  gst_element_set_state (self->element, GST_STATE_NULL);
  gst_pad_set_active (self->source, FALSE);
  gst_pad_set_active (self->sink, FALSE);
  gst_object_unref (self->element);
  gst_object_unref (self->source);
  gst_object_unref (self->sink);
  gst_object_unref (self->bus);
}

/* Frees whoever waits, and sees that blocks pass again. */
static void
end (Stress * self, GThread ** threads, guint n_threads)
{
  gint n_before;

  g_atomic_int_set (&self->is_over, TRUE);
  flush (self);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);

  flush (self);
  n_before = g_atomic_int_get (&self->n_out);
  begin_stream (self, TRUE);
  while (g_atomic_int_get (&self->n_out) == n_before) {
    GstFlowReturn flow = push_frames (self, 512);

    if (flow != GST_FLOW_OK)
      g_error ("A new stream is refused: %s.", gst_flow_get_name (flow));
  }
}

static void
run (const gchar * description, guint n_cycles, guint n_seconds)
{
  gint64 until = g_get_monotonic_time () + n_seconds * G_USEC_PER_SEC;
  Stress self;
  GThread *threads[3];
  guint n = 0;

  set_up (&self, description);
  threads[0] = g_thread_new ("feeder", feed, &self);
  threads[1] = g_thread_new ("flusher", flush_often, &self);
  threads[2] = g_thread_new ("asker", ask_often, &self);
  if (n_seconds)
    alarm (n_seconds + PATIENCE);
  while (n_seconds ? g_get_monotonic_time () < until : n < n_cycles) {
    change_state (&self);
    n++;
  }
  end (&self, threads, G_N_ELEMENTS (threads));
  alarm (0);
  g_print ("%-36s %14s %14u  ok\n", description, "no hang", n);
  g_printerr ("%s: %u changes of state, %d flushes, %d buffers out\n",
      description, n, self.n_flushes, self.n_out);
  tear_down (&self);
}

int
main (int argc, char **argv)
{
  guint n;

  gst_init (&argc, &argv);
  if (argc < 4 || (strcmp (argv[1], "--cycles")
          && strcmp (argv[1], "--seconds"))) {
    g_printerr ("usage: soak-stress --cycles N | --seconds N  ELEMENT...\n");
    return 2;
  }
  n = (guint) g_ascii_strtoull (argv[2], NULL, 10);
  for (gint i = 3; i < argc; i++)
    run (argv[i], argv[1][2] == 'c' ? n : 0, argv[1][2] == 's' ? n : 0);
  return 0;
}
