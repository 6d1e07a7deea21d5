/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* States change, and a flush comes, whatever goes on. */

#include "config.h"

#include "bridge.h"

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

static guint
get_max_blocks (GstHarness * h)
{
  guint max_blocks;

  g_object_get (h->element, "max-blocks", &max_blocks, NULL);
  return max_blocks;
}

/* Waits until downstream is blocked, the queue full and upstream in it. */
static void
wait_until_full (GstHarness * h)
{
  while (get_stat (h, "queue-level") < get_max_blocks (h))
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

  wait_until_full (h);
  gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (upstream)),
      GST_FLOW_FLUSHING);
  gst_pad_remove_probe (pad, probe);
  gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));

  gst_harness_push (h, make_buffer (0, BLOCK));
  expect_frames (h, 0, BLOCK);
  assert_equals_uint64 (get_stat (h, "max-queue-level"), get_max_blocks (h));
  gst_object_unref (pad);
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
life_suite (void)
{
  Suite *suite = suite_create ("life");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_flush_frees_whoever_is_blocked);
  tcase_add_test (tc, test_stop_frees_whoever_is_blocked);
  tcase_add_test (tc, test_it_can_be_started_again_and_again);
  tcase_add_test (tc, test_missing_plugin_fails_the_state_change);
  tcase_add_test (tc, test_it_bears_stress);
  return suite;
}

GST_CHECK_MAIN (life);
