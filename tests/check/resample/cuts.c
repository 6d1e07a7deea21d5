/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "resample.h"

/* 50 ms on. A jump that is not marked is believed after a second: in GStreamer
 * 1.22 from where the sound went on, in 1.26 from where it was expected. By one
 * shorter than a buffer both come to the same. */
#define AFTER_JUMP (4410 + 2205)

GST_START_TEST (test_gap_in_is_gap_out_and_changes_no_length)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GRand) choice = g_rand_new_with_seed (1);
  guint64 n_in = 0, n_out = 0;
  guint n_gaps = 0;
  GstBuffer *block;

  for (guint i = 0; i < 10000; i++) {
    guint n_frames = g_rand_int_range (choice, 1, 800);

    gst_harness_push (h, make_buffer (n_in, n_frames, 44100));
    n_in += n_frames;
    n_frames = g_rand_int_range (choice, 1, 4000);
    gst_harness_push (h, make_gap (n_in, n_frames, 44100));
    n_in += n_frames;
    if (i == 9999)
      gst_harness_push_event (h, gst_event_new_eos ());
    while ((block = gst_harness_try_pull (h))) {
      gfloat sample = 1;

      if (GST_BUFFER_FLAG_IS_SET (block, GST_BUFFER_FLAG_GAP)) {
        gst_buffer_extract (block, 0, &sample, sizeof (sample));
        fail_unless (sample == 0);
        n_gaps++;
      }
      n_out += check_block (block, 0, n_out, 48000);
    }
  }

  assert_equals_uint64 (n_out, gst_util_uint64_scale_round (n_in, 48000,
          44100));
  fail_unless (n_gaps > 5000);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_events_cut_and_change_no_length)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GRand) choice = g_rand_new_with_seed (2);
  guint64 n_in = 0, n_out = 0, position = 0;
  GstBuffer *block;

  for (guint i = 0; i < 1000; i++) {
    guint n_frames = g_rand_int_range (choice, 1, 800);
    GstClockTime base = nda_block_frames_to_time (position, 44100);
    guint64 n_run = 0;

    gst_harness_push (h, make_buffer (position, n_frames, 44100));
    n_in += n_frames;
    position += n_frames;
    n_frames = g_rand_int_range (choice, 1, 800);
    gst_harness_push_event (h, gst_event_new_gap (nda_block_frames_to_time
            (position, 44100), nda_block_frames_to_time (n_frames, 44100)));
    position += n_frames;
    /* all is out before the gap */
    while ((block = gst_harness_try_pull (h)))
      n_run += check_block (block, base, n_run, 48000);
    n_out += n_run;
    assert_equals_uint64 (n_out, gst_util_uint64_scale_round (n_in, 48000,
            44100));
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_discont (gboolean is_marked)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBuffer *buffer;
  guint64 n_out = 0;
  guint n_disconts = 0;

  gst_harness_push (h, make_buffer (0, 4410, 44100));
  for (guint i = 0; i < 20; i++) {
    buffer = make_buffer (AFTER_JUMP + i * 4410, 4410, 44100);
    if (!i && is_marked)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_harness_push (h, buffer);
  }
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((buffer = gst_harness_try_pull (h))) {
    if (n_out && GST_BUFFER_IS_DISCONT (buffer)) {
      n_disconts++;
      /* one that is not marked is believed after a second */
      assert_equals_uint64 (GST_BUFFER_PTS (buffer),
          nda_block_frames_to_time (AFTER_JUMP + (is_marked ? 0 : 10 * 4410),
              44100));
      assert_equals_uint64 (n_out, is_marked ? 4800 : 11 * 4800);
    }
    n_out += count_frames (buffer);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (n_disconts, 1);
  assert_equals_uint64 (n_out, 21 * 4800);
  gst_harness_teardown (h);
}

GST_START_TEST (test_discontinuity_drains_and_starts_anew)
{
  check_discont (TRUE);
}

GST_END_TEST;

GST_START_TEST (test_jump_in_time_is_a_discontinuity_too)
{
  check_discont (FALSE);
}

GST_END_TEST;

GST_START_TEST (test_discontinuity_without_time_goes_on_counting)
{
  GstHarness *h = make_harness (MONO ("24000"));
  GstBuffer *buffer = make_buffer (0, 1000, 24000);
  guint64 n_out = 0;

  gst_harness_push (h, make_buffer (0, 1000, 24000));
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (h, buffer);
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((buffer = gst_harness_try_pull (h)))
    n_out += check_block (buffer, 0, n_out, 48000);
  assert_equals_uint64 (n_out, 4000);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_segment_cuts_and_counts_anew)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstSegment segment;
  GstBuffer *buffer;
  guint64 n_out = 0;

  gst_harness_push (h, make_buffer (0, 441, 44100));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));

  buffer = gst_harness_pull (h);
  fail_unless_equals_int (check_block (buffer, 0, 0, 48000), 480);
  gst_harness_push (h, make_buffer (44100, 4410, 44100));
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h))) {
    assert_equals_uint64 (GST_BUFFER_OFFSET (buffer), n_out);
    n_out += check_block (buffer, GST_SECOND, n_out, 48000);
  }
  assert_equals_uint64 (n_out, 4800);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_segment_at_another_rate_is_refused)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  GstSegment segment;
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = 2;
  gst_harness_push_event (h, gst_event_new_segment (&segment));

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_NOT_IMPLEMENTED));
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_drain_leaves_nothing_inside)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstQuery *query = gst_query_new_drain ();

  gst_harness_push (h, make_buffer (0, 441, 44100));
  gst_pad_peer_query (h->srcpad, query);

  assert_equals_uint64 (count_output (h, 48000), 480);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_flush_forgets_what_is_inside)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstSegment segment;
  GstBuffer *buffer;
  guint64 n_out = 0;

  gst_harness_push (h, make_buffer (0, 400, 44100));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);

  gst_harness_push (h, make_buffer (44100, 4410, 44100));
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (h))) {
    fail_unless (GST_BUFFER_IS_DISCONT (buffer) == (n_out == 0));
    n_out += check_block (buffer, GST_SECOND, n_out, 48000);
  }
  assert_equals_uint64 (n_out, 4800);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Counts the frames that pass in @user_data, up to a tag. */
static GstPadProbeReturn
count_to_tag (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  guint64 *n_frames = user_data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    *n_frames += count_frames (GST_PAD_PROBE_INFO_BUFFER (info));
  else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_TAG)
    return GST_PAD_PROBE_REMOVE;
  return GST_PAD_PROBE_OK;
}

/* The filter holds some of the sound before it back, and a block the rest. */
GST_START_TEST (test_tag_leaves_behind_the_sound_that_came_before_it)
{
  const guint rate = ((const guint[]) { 44100, 96000, 8000 })[__i__];
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstPad) pad = gst_element_get_static_pad (h->element, "src");
  g_autofree gchar *caps = g_strdup_printf (CAPS (F32, "%u"), rate);
  const guint n_before = rate / 10 + 7, n_wanted = n_before * 48000.0 / rate;
  guint64 n_frames = 0;

  gst_harness_set_src_caps_str (h, caps);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count_to_tag, &n_frames, NULL);
  gst_harness_push (h, make_buffer (0, n_before, rate));
  gst_harness_push_event (h,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "next", NULL)));
  for (guint i = 0; i < 10; i++)
    gst_harness_push (h, make_buffer (n_before + i * rate / 100, rate / 100,
            rate));
  gst_harness_push_event (h, gst_event_new_eos ());

  fail_unless (n_frames >= n_wanted && n_frames < n_wanted + NDA_BLOCK_FRAMES,
      "%u frames instead of %u", (guint) n_frames, n_wanted);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
cuts_suite (void)
{
  Suite *suite = suite_create ("cuts");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_gap_in_is_gap_out_and_changes_no_length);
  tcase_add_test (tc, test_gap_events_cut_and_change_no_length);
  tcase_add_test (tc, test_discontinuity_drains_and_starts_anew);
  tcase_add_test (tc, test_jump_in_time_is_a_discontinuity_too);
  tcase_add_test (tc, test_discontinuity_without_time_goes_on_counting);
  tcase_add_test (tc, test_new_segment_cuts_and_counts_anew);
  tcase_add_test (tc, test_segment_at_another_rate_is_refused);
  tcase_add_test (tc, test_drain_leaves_nothing_inside);
  tcase_add_test (tc, test_flush_forgets_what_is_inside);
  tcase_add_loop_test (tc,
      test_tag_leaves_behind_the_sound_that_came_before_it, 0, 3);
  return suite;
}

GST_CHECK_MAIN (cuts);
