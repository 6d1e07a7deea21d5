/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the neighbours are told, and what is taken from them. */

#include "config.h"

#include "bridge.h"

GST_START_TEST (test_caps_pass_as_they_are)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) expected = gst_caps_from_string (STEREO);
  g_autoptr (GstCaps) caps = NULL;

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_buffer_unref (gst_harness_pull (h));

  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected));
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

GST_START_TEST (test_a_promise_about_sizes_is_accepted_and_not_believed)
{
  GstHarness *h = make_harness ("passthrough", STEREO
      ", block-frames = (int) 512");

  gst_harness_push (h, make_buffer (0, 100));
  gst_harness_push (h, make_buffer (100, 412));
  expect_frames (h, 0, BLOCK);
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

static Suite *
negotiation_suite (void)
{
  Suite *suite = suite_create ("negotiation");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_caps_pass_as_they_are);
  tcase_add_test (tc, test_other_formats_are_not_accepted);
  tcase_add_test (tc, test_a_promise_about_sizes_is_accepted_and_not_believed);
  tcase_add_test (tc, test_latency_is_regrouping_and_at_most_the_queue);
  tcase_add_test (tc, test_allocation_is_answered_without_binding_sizes);
  return suite;
}

GST_CHECK_MAIN (negotiation);
