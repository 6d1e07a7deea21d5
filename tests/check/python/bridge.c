/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablock.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#include <string.h>

#define BLOCK NDA_BLOCK_FRAMES
#define STEREO "audio/x-raw, format = " GST_AUDIO_NE (F32) \
    ", rate = 48000, channels = 2, layout = interleaved, " \
    "channel-mask = (bitmask) 0x3"
#define MONO "audio/x-raw, format = " GST_AUDIO_NE (F32) \
    ", rate = 48000, channels = 1, layout = interleaved"

/* The whole suite is run in each isolation. */
static GstHarness *
make_harness (const gchar * plugin, const gchar * caps)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  const gchar *isolation = g_getenv ("NDA_TEST_ISOLATION");
  GstHarness *h;

  gst_util_set_object_arg (G_OBJECT (element), "isolation",
      isolation ? isolation : "thread");
  g_object_set (element, "plugin", plugin, "deadline", (guint64) 0, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* @n_frames of stereo; sample n of the stream is n. */
static GstBuffer *
make_buffer (guint64 start, guint n_frames)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_frames * 8, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < n_frames * 2; i++)
    ((gfloat *) map.data)[i] = (gfloat) (start * 2 + i);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = nda_block_frames_to_time (start, NDA_BLOCK_RATE);
  return buffer;
}

static guint
check_frames (GstBuffer * buffer, guint64 start)
{
  GstMapInfo map;
  guint n_frames;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  n_frames = map.size / 8;
  for (guint i = 0; i < n_frames * 2; i++)
    fail_unless (((gfloat *) map.data)[i] == (gfloat) (start * 2 + i));
  gst_buffer_unmap (buffer, &map);
  return n_frames;
}

static guint64
get_stat (GstHarness * h, const gchar * field)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *value;

  g_object_get (h->element, "stats", &stats, NULL);
  value = gst_structure_get_value (stats, field);
  return G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value) :
      g_value_get_uint64 (value);
}

GST_START_TEST (test_output_promises_blocks)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) caps = NULL;
  gint n_frames;

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_buffer_unref (gst_harness_pull (h));

  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_structure_get_int (gst_caps_get_structure (caps, 0),
          "block-frames", &n_frames));
  fail_unless_equals_int (n_frames, BLOCK);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_other_formats_are_not_accepted)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  static const gchar *const wrong[] = {
    "audio/x-raw, format = S16LE, rate = 48000, channels = 2, layout = "
        "interleaved, channel-mask = (bitmask) 0x3",
    "audio/x-raw, format = " GST_AUDIO_NE (F32) ", rate = 44100, channels = 1"
        ", layout = interleaved",
    "video/x-raw", NULL
  };

  for (guint i = 0; wrong[i]; i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (wrong[i]);

    fail_if (gst_pad_peer_query_accept_caps (h->srcpad, caps));
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_a_hint_about_sizes_is_accepted_and_not_believed)
{
  GstHarness *h = make_harness ("passthrough", STEREO
      ", block-frames = (int) 512");
  GstBuffer *out;

  gst_harness_push (h, make_buffer (0, 100));
  gst_harness_push (h, make_buffer (100, 412));
  out = gst_harness_pull (h);

  fail_unless_equals_int (check_frames (out, 0), BLOCK);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_aligned_block_is_worked_on_in_place)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;
  GstMemory *memory = gst_buffer_peek_memory (in, 0);

  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_shared_block_is_left_as_it_is)
{
  GstHarness *h = make_harness ("gain", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  g_object_set (h->element, "parameters", "gain=0.5", NULL);
  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);

  fail_unless_equals_int (check_frames (in, 0), BLOCK);
  fail_unless (gst_buffer_peek_memory (out, 0)
      != gst_buffer_peek_memory (in, 0));
  assert_equals_uint64 (GST_BUFFER_PTS (out), GST_BUFFER_PTS (in));
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_any_size_comes_out_as_blocks)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  static const guint sizes[] = { 0, 1, 511, 513, 4096, 5, 512, 100 };
  guint64 n_in = 0, n_out = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    fail_unless_equals_int (gst_harness_push (h, make_buffer (n_in,
                sizes[i])), GST_FLOW_OK);
    n_in += sizes[i];
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while (n_out < n_in) {
    GstBuffer *out = gst_harness_pull (h);
    guint n_frames = check_frames (out, n_out);

    fail_unless (n_frames == BLOCK || n_out + n_frames == n_in);
    assert_equals_uint64 (GST_BUFFER_PTS (out),
        nda_block_frames_to_time (n_out, NDA_BLOCK_RATE));
    n_out += n_frames;
    gst_buffer_unref (out);
  }
  assert_equals_uint64 (n_out, n_in);
  assert_equals_uint64 (get_stat (h, "num-frames"), n_in);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_and_discont_survive)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  fail_unless (GST_BUFFER_IS_DISCONT (out));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_that_got_sound_is_none_any_more)
{
  GstHarness *h = make_harness ("gain", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  g_object_set (h->element, "parameters", "gain=0.5", NULL);
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_GAP);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_if (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The types of the events that came out, in order, since the last call. */
static gchar *
pull_events (GstHarness * h, GstEventType last)
{
  GString *names = g_string_new (NULL);
  GstEventType type;

  do {
    GstEvent *event = gst_harness_pull_event (h);

    type = GST_EVENT_TYPE (event);
    g_string_append_printf (names, "%s ", GST_EVENT_TYPE_NAME (event));
    gst_event_unref (event);
  } while (type != last);
  return g_string_free (names, FALSE);
}

GST_START_TEST (test_events_come_in_order_with_the_data)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autofree gchar *names = NULL;
  GstBuffer *out;

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  gst_harness_push (h, make_buffer (BLOCK, 88));
  gst_harness_push_event (h, gst_event_new_eos ());

  names = pull_events (h, GST_EVENT_EOS);
  fail_unless_equals_string (names, "stream-start caps segment tag eos ");
  gst_buffer_unref (gst_harness_pull (h));
  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, BLOCK), 88);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_segment_in_bytes_becomes_one_in_time)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstEvent *event = NULL;
  GstSegment segment;
  const GstSegment *out;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("bytes"));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_event (h);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT);

  gst_event_parse_segment (event, &out);
  fail_unless_equals_int (out->format, GST_FORMAT_TIME);
  gst_event_unref (event);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_segment_cuts_and_counts_anew)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstSegment segment;
  GstBuffer *out;

  gst_harness_push (h, make_buffer (0, 100));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_buffer (0, BLOCK));

  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), 100);
  gst_buffer_unref (out);
  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), BLOCK);
  assert_equals_uint64 (GST_BUFFER_OFFSET (out), 0);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_format_comes_after_the_rest_of_the_old)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *out;
  g_autofree gchar *names = NULL;

  gst_harness_push (h, make_buffer (0, 100));
  gst_harness_set_src_caps_str (h, MONO);
  gst_harness_push (h, make_buffer (0, BLOCK / 2));     /* a block of mono */
  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), 100);
  gst_buffer_unref (out);
  out = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_get_size (out), BLOCK * 4);
  gst_buffer_unref (out);
  gst_harness_push_event (h, gst_event_new_eos ());
  names = pull_events (h, GST_EVENT_EOS);
  fail_unless (strstr (names, "caps segment caps") != NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_same_format_again_cuts_nothing)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) same = gst_caps_from_string (STEREO ", extra = (int) 1");
  GstBuffer *out;

  gst_harness_push (h, make_buffer (0, 100));
  gst_pad_push_event (h->srcpad, gst_event_new_caps (same));
  gst_harness_push (h, make_buffer (100, 412));

  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), BLOCK);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

static GstPadProbeReturn
block_buffers (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  return GST_PAD_PROBE_OK;
}

static gpointer
push_forever (gpointer user_data)
{
  GstHarness *h = user_data;
  guint64 n = 0;
  GstFlowReturn flow;

  do {
    flow = gst_harness_push (h, make_buffer (n, BLOCK));
    n += BLOCK;
  } while (flow == GST_FLOW_OK);
  return GINT_TO_POINTER (flow);
}

/* Waits until downstream is blocked, the queue full and upstream in it. */
static void
wait_until_full (GstHarness * h)
{
  while (get_stat (h, "queue-level") < 4)
    g_thread_yield ();
}

GST_START_TEST (test_flush_frees_whoever_is_blocked)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstPad *pad = gst_element_get_static_pad (h->element, "src");
  gulong probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK
      | GST_PAD_PROBE_TYPE_BUFFER, block_buffers, NULL, NULL);
  GThread *upstream = g_thread_new ("upstream", push_forever, h);
  GstSegment segment;
  GstBuffer *out;

  wait_until_full (h);
  gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (upstream)),
      GST_FLOW_FLUSHING);
  gst_pad_remove_probe (pad, probe);
  gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));

  gst_harness_push (h, make_buffer (0, BLOCK));
  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), BLOCK);
  gst_buffer_unref (out);
  assert_equals_uint64 (get_stat (h, "max-queue-level"), 4);
  gst_object_unref (pad);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_format_outlives_a_flush)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  GstSegment segment;

  /* flushed before or after the worker saw the format, as it happens */
  for (guint i = 0; i < 200; i++) {
    gst_harness_set_src_caps_str (h, i % 2 ? STEREO : MONO);
    gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
    gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
    fail_unless_equals_int (gst_harness_push (h, make_buffer (0, BLOCK)),
        GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (h));
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stop_frees_whoever_is_blocked)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstPad *pad = gst_element_get_static_pad (h->element, "src");
  GThread *upstream;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK
      | GST_PAD_PROBE_TYPE_BUFFER, block_buffers, NULL, NULL);
  upstream = g_thread_new ("upstream", push_forever, h);
  wait_until_full (h);

  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (upstream)),
      GST_FLOW_FLUSHING);
  gst_object_unref (pad);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_latency_is_regrouping_and_at_most_the_queue)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min, max, regrouping = nda_block_frames_to_time (480, 48000);
  gboolean live;

  gst_harness_set_upstream_latency (h, 10 * GST_MSECOND);
  g_object_set (h->element, "max-blocks", 3, NULL);
  for (guint i = 0; i < 16; i++)
    gst_harness_push (h, make_buffer (i * 480, 480));
  fail_unless (gst_pad_peer_query (h->sinkpad, query));

  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  assert_equals_uint64 (min, 10 * GST_MSECOND + regrouping);
  fail_unless (max == GST_CLOCK_TIME_NONE || max == min
      + nda_block_frames_to_time (3 * BLOCK, 48000));
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_allocation_is_answered_without_binding_sizes)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  fail_unless (gst_pad_peer_query (h->srcpad, query));

  fail_unless (gst_query_find_allocation_meta (query, GST_AUDIO_META_API_TYPE,
          NULL));
  assert_equals_uint64 (gst_query_get_n_allocation_pools (query), 0);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_serialized_query_waits_its_turn)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstQuery *query = gst_query_new_drain ();

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_pad_peer_query (h->srcpad, query);

  /* the block went out before the answer came back */
  assert_equals_uint64 (gst_harness_buffers_received (h), 1);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_it_can_be_started_again_and_again)
{
  GstHarness *h = make_harness ("passthrough", STEREO);

  for (guint i = 0; i < 3; i++) {
    gst_harness_push (h, make_buffer (0, BLOCK));
    gst_buffer_unref (gst_harness_pull (h));
    gst_element_set_state (h->element, GST_STATE_NULL);
    gst_harness_play (h);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, STEREO);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_missing_plugin_fails_the_state_change)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "plugin", "nosuch", NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

GST_END_TEST;

static GstBuffer *
next_stress_buffer (GstHarness * h, gpointer data)
{
  return make_buffer (0, 480);
}

GST_START_TEST (test_it_bears_stress)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstSegment segment;
  g_autoptr (GstEvent) event = gst_event_new_reconfigure ();
  GstHarnessThread *threads[4];
  GValue parameters = G_VALUE_INIT;

  gst_harness_set_drop_buffers (h, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_value_init (&parameters, G_TYPE_STRING);
  g_value_set_static_string (&parameters, "a=1,b=2");
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (h, caps,
      &segment, next_stress_buffer, NULL, NULL);
  threads[1] = gst_harness_stress_property_start (h, "parameters", &parameters);
  threads[2] = gst_harness_stress_send_upstream_event_start (h, event);
  threads[3] = gst_harness_stress_statechange_start (h);
  while (gst_harness_buffers_received (h) < 200)
    g_thread_yield ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    gst_harness_stress_thread_stop (threads[i]);
  g_value_unset (&parameters);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
bridge_suite (void)
{
  Suite *suite = suite_create ("bridge");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_output_promises_blocks);
  tcase_add_test (tc, test_other_formats_are_not_accepted);
  tcase_add_test (tc, test_a_hint_about_sizes_is_accepted_and_not_believed);
  tcase_add_test (tc, test_aligned_block_is_worked_on_in_place);
  tcase_add_test (tc, test_shared_block_is_left_as_it_is);
  tcase_add_test (tc, test_any_size_comes_out_as_blocks);
  tcase_add_test (tc, test_gap_and_discont_survive);
  tcase_add_test (tc, test_gap_that_got_sound_is_none_any_more);
  tcase_add_test (tc, test_events_come_in_order_with_the_data);
  tcase_add_test (tc, test_segment_in_bytes_becomes_one_in_time);
  tcase_add_test (tc, test_new_segment_cuts_and_counts_anew);
  tcase_add_test (tc, test_new_format_comes_after_the_rest_of_the_old);
  tcase_add_test (tc, test_same_format_again_cuts_nothing);
  tcase_add_test (tc, test_flush_frees_whoever_is_blocked);
  tcase_add_test (tc, test_format_outlives_a_flush);
  tcase_add_test (tc, test_stop_frees_whoever_is_blocked);
  tcase_add_test (tc, test_latency_is_regrouping_and_at_most_the_queue);
  tcase_add_test (tc, test_allocation_is_answered_without_binding_sizes);
  tcase_add_test (tc, test_serialized_query_waits_its_turn);
  tcase_add_test (tc, test_it_can_be_started_again_and_again);
  tcase_add_test (tc, test_missing_plugin_fails_the_state_change);
  tcase_add_test (tc, test_it_bears_stress);
  return suite;
}

GST_CHECK_MAIN (bridge);
