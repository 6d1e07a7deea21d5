/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What downstream returns stops the bridge, and lets it go on again, as it does
 * GStreamer's queue. What cannot be read ends the stream with an error. */

#include "config.h"

#include "bridge.h"

/* What downstream returns, and how much it got */
static gint flow;               /* [atomic] */
static gint n_refused;          /* [atomic] */
static gint n_taken;            /* [atomic] */
static gint n_ended;            /* [atomic] EOS events */

static GstFlowReturn
take_or_refuse (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstFlowReturn result = g_atomic_int_get (&flow);

  gst_buffer_unref (buffer);
  g_atomic_int_inc (result == GST_FLOW_OK ? &n_taken : &n_refused);
  return result;
}

static GstPadProbeReturn
count_eos (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    g_atomic_int_inc (&n_ended);
  return GST_PAD_PROBE_OK;
}

/* Of queue or of the bridge, which have to behave alike; downstream returns
 * @result. */
static GstHarness *
make_pair (guint which, GstFlowReturn result, GstBus ** bus)
{
  GstHarness *h = which ? make_harness ("passthrough", NULL) :
      gst_harness_new ("queue");

  g_atomic_int_set (&flow, result);
  g_atomic_int_set (&n_refused, 0);
  g_atomic_int_set (&n_taken, 0);
  g_atomic_int_set (&n_ended, 0);
  gst_pad_set_chain_function (h->sinkpad, take_or_refuse);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      count_eos, NULL, NULL);
  *bus = gst_bus_new ();
  gst_element_set_bus (h->element, *bus);
  gst_harness_set_src_caps_str (h, STEREO);
  return h;
}

static void
teardown_pair (GstHarness * h, GstBus * bus)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  gst_object_unref (bus);
}

static GstFlowReturn
push_block (GstHarness * h, guint n)
{
  return gst_harness_push (h, make_buffer (n * BLOCK, BLOCK));
}

static void
wait_for (gint * count, gint at_least)
{
  while (g_atomic_int_get (count) < at_least)
    g_thread_yield ();
}

/* Pushes until downstream's refusal has come back. */
static void
push_until (GstHarness * h, GstFlowReturn result)
{
  GstFlowReturn returned;
  guint n = 0;

  do {
    returned = push_block (h, n++);
    g_thread_yield ();
  } while (returned == GST_FLOW_OK);
  fail_unless_equals_int (returned, result);
}

GST_START_TEST (test_relinking_lets_blocks_through_again)
{
  GstBus *bus;
  GstHarness *h = make_pair (__i__, GST_FLOW_NOT_LINKED, &bus);

  push_until (h, GST_FLOW_NOT_LINKED);
  g_atomic_int_set (&flow, GST_FLOW_OK);
  gst_pad_push_event (h->sinkpad, gst_event_new_reconfigure ());

  fail_unless_equals_int (push_block (h, 100), GST_FLOW_OK);
  wait_for (&n_taken, 1);
  fail_if (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  teardown_pair (h, bus);
}

GST_END_TEST;

static void
begin_stream (GstHarness * h)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (h->srcpad, gst_event_new_stream_start ("next"));
  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
}

GST_START_TEST (test_another_stream_passes_after_an_end_downstream)
{
  GstBus *bus;
  GstHarness *h = make_pair (__i__, GST_FLOW_EOS, &bus);

  push_until (h, GST_FLOW_EOS);
  g_atomic_int_set (&flow, GST_FLOW_OK);
  begin_stream (h);

  fail_unless_equals_int (push_block (h, 0), GST_FLOW_OK);
  wait_for (&n_taken, 1);
  teardown_pair (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_another_segment_passes_after_an_end_downstream)
{
  GstBus *bus;
  GstHarness *h = make_pair (__i__, GST_FLOW_EOS, &bus);
  GstSegment segment;

  push_until (h, GST_FLOW_EOS);
  g_atomic_int_set (&flow, GST_FLOW_OK);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));

  fail_unless_equals_int (push_block (h, 0), GST_FLOW_OK);
  wait_for (&n_taken, 1);
  teardown_pair (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_end_passes_after_an_end_downstream)
{
  GstBus *bus;
  GstHarness *h = make_pair (__i__, GST_FLOW_EOS, &bus);

  push_until (h, GST_FLOW_EOS);
  fail_unless (gst_pad_push_event (h->srcpad, gst_event_new_eos ()));

  wait_for (&n_ended, 1);
  teardown_pair (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_stream_may_begin_again_after_its_end)
{
  GstBus *bus;
  GstHarness *h = make_pair (__i__, GST_FLOW_OK, &bus);

  push_block (h, 0);
  gst_pad_push_event (h->srcpad, gst_event_new_eos ());
  wait_for (&n_ended, 1);
  begin_stream (h);

  fail_unless_equals_int (push_block (h, 0), GST_FLOW_OK);
  wait_for (&n_taken, 2);
  teardown_pair (h, bus);
}

GST_END_TEST;

/* Nobody pushes any more, who could be told by a flow return: whether the end
 * is known before the refusal or after it. */
GST_START_TEST (test_refusal_of_the_last_block_is_posted)
{
  static const GstFlowReturn refusals[] = {
    GST_FLOW_NOT_LINKED, GST_FLOW_ERROR
  };
  GstBus *bus;
  GstHarness *h = make_pair (__i__ % 2, refusals[__i__ / 2 % 2], &bus);
  gboolean waits = __i__ / 4 % 2;
  GstMessage *message;

  push_block (h, 0);
  if (waits)
    wait_for (&n_refused, 1);
  gst_pad_push_event (h->srcpad, gst_event_new_eos ());

  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR);
  gst_message_unref (message);
  teardown_pair (h, bus);
}

GST_END_TEST;

/* --- buffers that are none --- */

static gpointer
refuse_map (GstMemory * memory, gsize size, GstMapFlags flags)
{
  return NULL;
}

static void
free_memory (GstAllocator * allocator, GstMemory * memory)
{
  g_free (memory);
}

static GstBuffer *
make_unreadable_buffer (GstAllocator * allocator)
{
  GstMemory *memory = g_new0 (GstMemory, 1);
  GstBuffer *buffer = gst_buffer_new ();

  gst_memory_init (memory, 0, allocator, NULL, BLOCK * 8, 0, 0, BLOCK * 8);
  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_PTS (buffer) = nda_block_frames_to_time (BLOCK, NDA_BLOCK_RATE);
  return buffer;
}

typedef GstAllocator TestAllocator;
typedef GstAllocatorClass TestAllocatorClass;
GType test_allocator_get_type (void);
G_DEFINE_TYPE (TestAllocator, test_allocator, GST_TYPE_ALLOCATOR);

static void
test_allocator_init (TestAllocator * self)
{
  self->mem_type = "unreadable";
  self->mem_map = refuse_map;
}

static void
test_allocator_class_init (TestAllocatorClass * class)
{
  class->free = free_memory;
}

GST_START_TEST (test_unreadable_buffer_ends_the_stream_with_an_error)
{
  GstBus *bus;
  GstHarness *h = make_pair (1, GST_FLOW_OK, &bus);
  GstAllocator *allocator = g_object_new (test_allocator_get_type (), NULL);
  GstMessage *message;
  g_autoptr (GError) error = NULL;

  push_block (h, 0);
  gst_harness_push (h, make_unreadable_buffer (allocator));

  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_READ));
  fail_unless_equals_int (g_atomic_int_get (&n_taken), 1);
  wait_for (&n_ended, 1);
  gst_message_unref (message);
  teardown_pair (h, bus);
  gst_object_unref (allocator);
}

GST_END_TEST;

#define PLANAR "audio/x-raw, format = " GST_AUDIO_NE (F32) ", rate = 48000, " \
    "channels = 2, layout = non-interleaved, channel-mask = (bitmask) 0x3"

/* An application that forgets the meta has its planes one behind the other. */
GST_START_TEST (test_planes_without_a_meta_are_taken_in_any_length)
{
  static const guint lengths[] = { BLOCK, 480, 2 * BLOCK };
  const guint n_frames = lengths[__i__];
  GstHarness *h = make_harness ("passthrough", PLANAR);
  GstBuffer *buffer = make_buffer (0, n_frames), *out;
  GstAudioBuffer map;
  GstAudioInfo info;
  g_autoptr (GstCaps) caps = gst_caps_from_string (PLANAR);

  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());

  out = gst_harness_pull (h);
  gst_audio_info_from_caps (&info, caps);
  fail_unless (gst_audio_buffer_map (&map, &info, out, GST_MAP_READ));
  fail_unless (((gfloat *) map.planes[1])[0] == (gfloat) n_frames);
  gst_audio_buffer_unmap (&map);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- an effect is taken out --- */

static GstPadProbeReturn
stop_element (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstHarness *h = user_data;

  if (GST_IS_EVENT (info->data)
      && GST_EVENT_TYPE (info->data) != GST_EVENT_EOS)
    return GST_PAD_PROBE_OK;
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  g_atomic_int_inc (&n_ended);
  return GST_PAD_PROBE_DROP;
}

/* As the chapter on dynamic pipelines of GStreamer's manual does it: the
 * element is stopped from a probe, that is from its own task; here at the end
 * of the stream, in the middle of a run of blocks, and to play on at once. */
GST_START_TEST (test_its_own_task_may_stop_it)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstPad *pad = gst_element_get_static_pad (h->element, "src");
  gboolean at_eos = __i__ % 2;

  g_atomic_int_set (&n_ended, 0);
  gst_pad_add_probe (pad, at_eos ? GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM :
      GST_PAD_PROBE_TYPE_BUFFER, stop_element, h, NULL);
  push_block (h, 0);
  push_block (h, 1);
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (&n_ended, 1);
  gst_object_unref (pad);

  if (__i__ / 2) {
    gst_harness_play (h);
    begin_stream (h);
    fail_unless_equals_int (push_block (h, 0), GST_FLOW_OK);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
wait_until_paused (GstPad * pad)
{
  while (gst_pad_get_task_state (pad) != GST_TASK_PAUSED)
    g_thread_yield ();
}

/* In READY the plugin cannot be started. Its pads are active all the same, as
 * for a moment in each change of state, and a flush starts the task again. */
GST_START_TEST (test_blocks_for_a_plugin_that_was_not_started_are_dropped)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  g_autoptr (GstPad) src = gst_element_get_static_pad (h->element, "src");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (h->element, "sink");
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless (gst_pad_set_active (src, TRUE) && gst_pad_set_active (sink,
          TRUE));
  gst_pad_push_event (h->srcpad, gst_event_new_stream_start ("again"));
  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  wait_until_paused (src);
  gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
  gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
  gst_pad_push (h->srcpad, make_buffer (0, BLOCK));
  wait_until_paused (src);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
flows_suite (void)
{
  Suite *suite = suite_create ("flows");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_relinking_lets_blocks_through_again, 0, 2);
  tcase_add_loop_test (tc, test_another_stream_passes_after_an_end_downstream,
      0, 2);
  tcase_add_loop_test (tc, test_another_segment_passes_after_an_end_downstream,
      0, 2);
  tcase_add_loop_test (tc, test_end_passes_after_an_end_downstream, 0, 2);
  tcase_add_loop_test (tc, test_stream_may_begin_again_after_its_end, 0, 2);
  tcase_add_loop_test (tc, test_refusal_of_the_last_block_is_posted, 0, 8);
  tcase_add_test (tc,
      test_blocks_for_a_plugin_that_was_not_started_are_dropped);
  tcase_add_test (tc, test_unreadable_buffer_ends_the_stream_with_an_error);
  tcase_add_loop_test (tc, test_planes_without_a_meta_are_taken_in_any_length,
      0, 3);
  tcase_add_loop_test (tc, test_its_own_task_may_stop_it, 0, 4);
  return suite;
}

GST_CHECK_MAIN (flows);
