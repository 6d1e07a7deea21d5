/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "resample.h"

#include <string.h>

static gint
get_rate (GstHarness * h)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  gint rate = 0;

  gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate);
  return rate;
}

static gchar *
get_format (GstHarness * h)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);

  return g_strdup (gst_structure_get_string (gst_caps_get_structure (caps, 0),
          "format"));
}

/* --- caps --- */

GST_START_TEST (test_output_is_of_48_khz)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);

  fail_if (gst_structure_has_field (gst_caps_get_structure (caps, 0),
          "block-frames"));
  fail_unless_equals_int (get_rate (h), 48000);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_rate_and_format_are_what_was_asked_for)
{
  GstHarness *h = make_harness (NULL);
  g_autofree gchar *format = NULL;

  g_object_set (h->element, "rate", 96000, NULL);
  gst_harness_set_src_caps_str (h, CAPS (GST_AUDIO_NE (S16), "44100"));

  format = get_format (h);
  fail_unless_equals_int (get_rate (h), 96000);
  fail_unless_equals_string (format, GST_AUDIO_NE (S16));
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_downstream_has_the_last_word)
{
  GstHarness *h = make_harness (NULL);
  g_autofree gchar *format = NULL;

  gst_harness_set_sink_caps_str (h, CAPS (F32, "{ 22050, 32000 }"));
  gst_harness_set_src_caps_str (h, CAPS (GST_AUDIO_NE (S16), "44100"));

  format = get_format (h);
  fail_unless_equals_int (get_rate (h), 32000);
  fail_unless_equals_string (format, F32);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_rate_0_keeps_what_comes_in)
{
  GstHarness *h = make_harness (NULL);

  g_object_set (h->element, "rate", 0, NULL);
  gst_harness_set_src_caps_str (h, MONO ("44100"));
  fail_unless_equals_int (get_rate (h), 44100);

  gst_harness_set_sink_caps_str (h, MONO ("{ 16000, 48000 }"));
  gst_harness_set_src_caps_str (h, MONO ("88200"));
  gst_harness_push (h, make_buffer (0, 100, 88200));
  fail_unless_equals_int (get_rate (h), 48000);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_upstream_is_told_what_needs_no_work)
{
  GstHarness *h = make_harness (NULL);
  g_autoptr (GstCaps) caps = NULL;
  GstStructure *preferred;
  gint rate;

  gst_harness_set_sink_caps_str (h, MONO ("48000"));
  caps = gst_pad_peer_query_caps (h->srcpad, NULL);

  preferred = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_get_int (preferred, "rate", &rate));
  fail_unless_equals_int (rate, 48000);
  fail_unless_equals_string (gst_structure_get_string (preferred, "format"),
      F32);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_accepts (const gchar * downstream, const gchar * upstream,
    gboolean expected)
{
  GstHarness *h = make_harness (NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (upstream);

  gst_harness_set_sink_caps_str (h, downstream);
  fail_unless (gst_pad_peer_query_accept_caps (h->srcpad, caps) == expected,
      "%s before %s", upstream, downstream);
  gst_harness_teardown (h);
}

GST_START_TEST (test_only_what_can_be_is_accepted)
{
  const gchar *planar = "audio/x-raw, format = " F32 ", rate = 48000, "
      "channels = 2, layout = non-interleaved";

  check_accepts (MONO ("48000"), CAPS (GST_AUDIO_NE (S24), "8000"), TRUE);
  check_accepts (MONO ("48000"), MONO ("1536000"), TRUE);
  check_accepts (MONO ("48000"), MONO ("999"), FALSE);
  check_accepts (MONO ("48000"), CAPS ("U8", "48000"), FALSE);
  check_accepts (MONO ("48000"), planar, FALSE);
  check_accepts (planar, planar, TRUE);
  /* without dither, no 16 bits */
  check_accepts (CAPS (GST_AUDIO_NE (S16), "48000"), MONO ("44100"), FALSE);
  check_accepts (CAPS (GST_AUDIO_NE (S16), "48000"),
      CAPS (GST_AUDIO_NE (S16), "44100"), TRUE);
}

GST_END_TEST;

/* --- frames --- */

GST_START_TEST (test_equal_rates_pass_the_same_memory)
{
  GstHarness *h = make_harness (MONO ("48000"));
  GstBuffer *in = make_buffer (0, BLOCK, 48000), *out;
  GstMemory *memory = gst_buffer_peek_memory (in, 0);

  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_equal_rates_keep_every_bit)
{
  GstHarness *h = make_harness (CAPS (GST_AUDIO_NE (S16), "48000"));
  guint8 in[1000 * 2], out[1000 * 2];

  for (guint i = 0; i < sizeof (in); i++)
    in[i] = (guint8) (i * 7 + i / 256);
  gst_harness_push (h, gst_buffer_new_memdup (in, sizeof (in)));
  gst_harness_push_event (h, gst_event_new_eos ());

  for (guint n = 0; n < sizeof (in);) {
    GstBuffer *block = gst_harness_pull (h);

    n += gst_buffer_extract (block, 0, out + n, sizeof (out) - n);
    gst_buffer_unref (block);
  }
  fail_if (memcmp (in, out, sizeof (in)));
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_16_bits_become_floats_at_equal_rates)
{
  GstHarness *h = make_harness (NULL);
  gint16 in[BLOCK];
  GstBuffer *block;
  GstMapInfo map;

  for (guint i = 0; i < BLOCK; i++)
    in[i] = (gint16) (i * 127 - 32000);
  gst_harness_set_sink_caps_str (h, MONO ("48000"));
  gst_harness_set_src_caps_str (h, CAPS (GST_AUDIO_NE (S16), "48000"));
  gst_harness_push (h, gst_buffer_new_memdup (in, sizeof (in)));

  block = gst_harness_pull (h);
  gst_buffer_map (block, &map, GST_MAP_READ);
  for (guint i = 0; i < BLOCK; i++)
    fail_unless (((gfloat *) map.data)[i] == in[i] / 32768.0f);
  gst_buffer_unmap (block, &map);
  gst_buffer_unref (block);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_sizes (const gchar * caps, guint in_rate)
{
  static const guint sizes[] = { 0, 1, 511, 513, 4096, 5, 512, 100, 20000 };
  GstHarness *h = make_harness (caps);
  guint64 n_in = 0, n_out;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    fail_unless_equals_int (gst_harness_push (h, make_buffer (n_in,
                sizes[i], in_rate)), GST_FLOW_OK);
    n_in += sizes[i];
  }
  gst_harness_push_event (h, gst_event_new_eos ());

  n_out = gst_util_uint64_scale_round (n_in, 48000, in_rate);
  assert_equals_uint64 (gst_harness_buffers_received (h),
      (n_out + BLOCK - 1) / BLOCK);
  assert_equals_uint64 (count_output (h, 48000), n_out);
  check_stat (h, "num-frames-in", n_in);
  check_stat (h, "num-frames", n_out);
  check_stat (h, "num-blocks", (n_out + BLOCK - 1) / BLOCK);
  gst_harness_teardown (h);
}

GST_START_TEST (test_any_size_comes_out_as_blocks_with_exact_times)
{
  check_sizes (MONO ("44100"), 44100);
  check_sizes (MONO ("8000"), 8000);
  check_sizes (MONO ("192000"), 192000);
  check_sizes (MONO ("48000"), 48000);
}

GST_END_TEST;

GST_START_TEST (test_times_count_from_the_first_buffer)
{
  GstHarness *h = make_harness (MONO ("32000"));
  GstBuffer *buffer;
  guint64 n_out = 0;

  for (guint i = 0; i < 10; i++) {
    buffer = make_buffer (i * 320, 320, 32000);
    /* jitter is none of ours */
    GST_BUFFER_PTS (buffer) += 5 * GST_SECOND + (i % 3) * GST_MSECOND;
    gst_harness_push (h, buffer);
  }
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((buffer = gst_harness_try_pull (h)))
    n_out += check_block (buffer, 5 * GST_SECOND, n_out, 48000);
  assert_equals_uint64 (n_out, 4800);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stats_tell_the_ratio)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstStructure) stats = NULL;
  gdouble ratio, drift;

  g_object_get (h->element, "stats", &stats, NULL);

  fail_unless (gst_structure_get_double (stats, "ratio", &ratio));
  fail_unless (gst_structure_get_double (stats, "drift-ppm", &drift));
  fail_unless (ABS (ratio - 48000.0 / 44100) < 1e-12);
  fail_unless (drift == 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- changes on the way --- */

GST_START_TEST (test_new_format_comes_after_the_rest_of_the_old)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBuffer *buffer;
  guint64 n_out = 0;

  gst_harness_push (h, make_buffer (0, 4410, 44100));
  gst_harness_set_src_caps_str (h, MONO ("48000"));
  gst_harness_push (h, make_buffer (4800, 4800, 48000));
  gst_harness_set_src_caps_str (h, MONO ("8000"));
  gst_harness_push (h, make_buffer (1600, 800, 8000));
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((buffer = gst_harness_try_pull (h))) {
    if (n_out % 4800 == 0)
      fail_unless (n_out == 0 || GST_BUFFER_IS_DISCONT (buffer));
    n_out += check_block (buffer, 0, n_out, 48000);
  }
  assert_equals_uint64 (n_out, 14400);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_same_format_again_cuts_nothing)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstCaps) caps = gst_caps_from_string (MONO ("44100")
      ", extra = (int) 1");

  gst_harness_push (h, make_buffer (0, 441, 44100));
  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  gst_harness_push (h, make_buffer (441, 4410, 44100));
  gst_harness_push_event (h, gst_event_new_eos ());

  assert_equals_uint64 (gst_harness_buffers_received (h), 11);
  assert_equals_uint64 (count_output (h, 48000), 5280);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_rate_and_quality_can_change_while_playing)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBuffer *buffer;
  guint64 n_out = 0;

  gst_harness_push (h, make_buffer (0, 4410, 44100));
  g_object_set (h->element, "quality", 4, NULL);
  gst_harness_push (h, make_buffer (4410, 4410, 44100));
  fail_unless_equals_int (get_rate (h), 48000);
  g_object_set (h->element, "rate", 96000, NULL);
  gst_harness_push (h, make_buffer (8820, 4410, 44100));
  fail_unless_equals_int (get_rate (h), 96000);
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((buffer = gst_harness_try_pull (h))) {
    n_out += count_frames (buffer);
    gst_buffer_unref (buffer);
  }
  assert_equals_uint64 (n_out, 4800 + 4800 + 9600);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- queries --- */

static GstClockTime
query_latency (GstHarness * h)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min, max;
  gboolean live;

  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless (max == GST_CLOCK_TIME_NONE || max >= min);
  gst_query_unref (query);
  return min;
}

/* A live source that gives @n_frames at a time: each frame is out again at most
 * as much later as the LATENCY query says, and not much sooner at worst. */
static void
check_latency (guint in_rate, guint n_frames)
{
  g_autofree gchar *rate = g_strdup_printf ("%u", in_rate);
  g_autofree gchar *caps = g_strdup_printf (MONO ("%s"), rate);
  GstHarness *h = make_harness (caps);
  GstClockTime period = nda_block_frames_to_time (n_frames, in_rate);
  GstClockTimeDiff worst = 0;
  GstClockTime reported;
  guint64 n_in = 0;
  GstBuffer *block;

  gst_harness_set_upstream_latency (h, period);
  while (n_in < 10 * in_rate) {
    GstClockTime now;

    gst_harness_push (h, make_buffer (n_in, n_frames, in_rate));
    n_in += n_frames;
    now = nda_block_frames_to_time (n_in, in_rate);
    while ((block = gst_harness_try_pull (h))) {
      worst = MAX (worst, GST_CLOCK_DIFF (GST_BUFFER_PTS (block), now));
      gst_buffer_unref (block);
    }
  }
  reported = query_latency (h);

  fail_unless (worst <= (GstClockTimeDiff) reported + 1, "%u Hz by %u: %"
      G_GINT64_FORMAT " us, not %" G_GINT64_FORMAT, in_rate, n_frames,
      worst / 1000, reported / 1000);
  fail_unless (worst >= (GstClockTimeDiff) (reported - period / 2
          - GST_MSECOND), "%u Hz by %u: %" G_GINT64_FORMAT " us, not %"
      G_GINT64_FORMAT, in_rate, n_frames, worst / 1000, reported / 1000);
  gst_harness_teardown (h);
}

GST_START_TEST (test_latency_is_what_is_held)
{
  check_latency (44100, 1);
  check_latency (44100, 64);
  check_latency (44100, 512);
  check_latency (44100, 441);
  check_latency (16000, 160);
  check_latency (8000, 80);
  check_latency (192000, 1024);
  check_latency (48000, 512);
  check_latency (48000, 480);
}

GST_END_TEST;

GST_START_TEST (test_latency_is_announced_when_it_changes)
{
  GstHarness *h = make_harness (NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, MONO ("44100"));

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  fail_unless (message != NULL);
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_allocation_is_answered_without_binding_sizes)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstCaps) caps = gst_caps_from_string (MONO ("44100"));
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  fail_unless (gst_pad_peer_query (h->srcpad, query));

  fail_unless (gst_query_find_allocation_meta (query, GST_AUDIO_META_API_TYPE,
          NULL));
  assert_equals_uint64 (gst_query_get_n_allocation_pools (query), 0);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- life --- */

GST_START_TEST (test_it_can_be_started_again_and_again)
{
  GstHarness *h = make_harness (MONO ("44100"));

  for (guint i = 0; i < 3; i++) {
    gst_harness_push (h, make_buffer (0, 441, 44100));
    gst_harness_push_event (h, gst_event_new_eos ());
    assert_equals_uint64 (count_output (h, 48000), 480);
    check_stat (h, "num-frames-in", 441);
    gst_element_set_state (h->element, GST_STATE_NULL);
    gst_harness_play (h);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, MONO ("44100"));
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_half_a_frame_is_an_error_that_says_so)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBus *bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  fail_unless_equals_int (gst_harness_push (h, gst_buffer_new_allocate (NULL,
              7, NULL)), GST_FLOW_ERROR);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_FORMAT));
  fail_unless (strstr (error->message, "7 bytes") != NULL);
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_no_buffer_passes_before_there_is_a_format)
{
  GstHarness *h = make_harness (NULL);

  gst_harness_push_event (h, gst_event_new_stream_start ("none"));
  ASSERT_WARNING (fail_unless_equals_int (gst_pad_push (h->srcpad,
              make_buffer (0, 100, 44100)), GST_FLOW_NOT_NEGOTIATED));
  gst_harness_teardown (h);
}

GST_END_TEST;

static GstBuffer *
next_stress_buffer (GstHarness * h, gpointer data)
{
  return make_buffer (0, 480, 44100);
}

GST_START_TEST (test_it_bears_stress)
{
  GstHarness *h = make_harness (MONO ("44100"));
  g_autoptr (GstCaps) caps = gst_caps_from_string (MONO ("44100"));
  GstSegment segment;
  GstHarnessThread *threads[4];
  g_autoptr (GstEvent) reconfigure = gst_event_new_reconfigure ();
  GValue rate = G_VALUE_INIT;

  gst_harness_set_drop_buffers (h, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_value_init (&rate, G_TYPE_UINT);
  g_value_set_uint (&rate, 32000);
  threads[0] = gst_harness_stress_push_buffer_with_cb_start (h, caps,
      &segment, next_stress_buffer, NULL, NULL);
  threads[1] = gst_harness_stress_property_start (h, "rate", &rate);
  threads[2] = gst_harness_stress_send_upstream_event_start (h, reconfigure);
  threads[3] = gst_harness_stress_statechange_start (h);
  while (gst_harness_buffers_received (h) < 200)
    g_thread_yield ();
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    gst_harness_stress_thread_stop (threads[i]);
  g_value_unset (&rate);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
resample_suite (void)
{
  Suite *suite = suite_create ("resample");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_output_is_of_48_khz);
  tcase_add_test (tc, test_rate_and_format_are_what_was_asked_for);
  tcase_add_test (tc, test_downstream_has_the_last_word);
  tcase_add_test (tc, test_rate_0_keeps_what_comes_in);
  tcase_add_test (tc, test_upstream_is_told_what_needs_no_work);
  tcase_add_test (tc, test_only_what_can_be_is_accepted);
  tcase_add_test (tc, test_equal_rates_pass_the_same_memory);
  tcase_add_test (tc, test_equal_rates_keep_every_bit);
  tcase_add_test (tc, test_16_bits_become_floats_at_equal_rates);
  tcase_add_test (tc, test_any_size_comes_out_as_blocks_with_exact_times);
  tcase_add_test (tc, test_times_count_from_the_first_buffer);
  tcase_add_test (tc, test_stats_tell_the_ratio);
  tcase_add_test (tc, test_new_format_comes_after_the_rest_of_the_old);
  tcase_add_test (tc, test_same_format_again_cuts_nothing);
  tcase_add_test (tc, test_rate_and_quality_can_change_while_playing);
  tcase_add_test (tc, test_latency_is_what_is_held);
  tcase_add_test (tc, test_latency_is_announced_when_it_changes);
  tcase_add_test (tc, test_allocation_is_answered_without_binding_sizes);
  tcase_add_test (tc, test_it_can_be_started_again_and_again);
  tcase_add_test (tc, test_half_a_frame_is_an_error_that_says_so);
  tcase_add_test (tc, test_no_buffer_passes_before_there_is_a_format);
  tcase_add_test (tc, test_it_bears_stress);
  return suite;
}

GST_CHECK_MAIN (resample);
