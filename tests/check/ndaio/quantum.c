/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sinks of PipeWire's own plan two quanta of the graph, which sources of the
 * same program see. Other elements stand for both. */

#include "config.h"

#include "ndablock.h"
#include "ndapipewire.h"

#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>

#define PLANNED (5 * GST_MSECOND)

static GstElement *
make_sink (guint64 delay)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  g_object_set (sink, "render-delay", delay, NULL);
  nda_pipewire_sink_use_periods (gst_object_ref_sink (sink), 0);
  return sink;
}

/* A source plays a few buffers of a graph with this quantum. */
static void
play (guint quantum)
{
  GstElement *pipeline = gst_parse_launch ("audiotestsrc name=src "
      "num-buffers=3 ! audio/x-raw, rate=48000 ! fakesink", NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  GstBus *bus = gst_element_get_bus (pipeline);

  g_object_set (src, "samplesperbuffer", quantum, NULL);
  nda_pipewire_source_use_periods (src, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
          GST_MESSAGE_EOS));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (src);
  gst_object_unref (pipeline);
}

static void
assert_plans (GstElement * sink, guint64 n_frames)
{
  guint64 delay;

  g_object_get (sink, "render-delay", &delay, NULL);
  fail_unless_equals_uint64 (delay, gst_util_uint64_scale (n_frames, GST_SECOND,
          NDA_BLOCK_RATE) - PLANNED);
}

GST_START_TEST (test_a_sink_plans_two_blocks_until_a_quantum_is_seen)
{
  GstElement *sink = make_sink (0);

  assert_plans (sink, 2 * NDA_BLOCK_FRAMES);
  gst_object_unref (sink);
}

GST_END_TEST
GST_START_TEST (test_sinks_learn_the_quantum_from_a_source)
{
  GstElement *early = make_sink (0), *late;

  play (1024);
  assert_plans (early, 2048);
  late = make_sink (0);
  assert_plans (late, 2048);
  play (256);
  assert_plans (early, 512);
  assert_plans (late, 512);
  gst_object_unref (early);
  gst_object_unref (late);
}

GST_END_TEST
GST_START_TEST (test_a_delay_of_the_application_stays)
{
  guint64 delay;
  GstElement *sink = make_sink (GST_MSECOND);

  play (1024);
  g_object_get (sink, "render-delay", &delay, NULL);
  fail_unless_equals_uint64 (delay, GST_MSECOND);
  gst_object_unref (sink);
}

GST_END_TEST
GST_START_TEST (test_a_sink_that_is_gone_is_not_told)
{
  GstElement *sink = make_sink (0);

  gst_object_unref (make_sink (0));
  play (1024);
  play (256);
  assert_plans (sink, 512);
  gst_object_unref (sink);
}

GST_END_TEST
/* --- blocks that are too many for one cycle --- */
#define N_BLOCKS 10
    static void
note_size (GstElement * sink, GstBuffer * buffer, GstPad * pad, GString * heard)
{
  guint64 frame = gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer),
      NDA_BLOCK_RATE, GST_SECOND);

  g_string_append_printf (heard, "%" G_GUINT64_FORMAT "+%" G_GSIZE_FORMAT " ",
      frame, gst_buffer_get_size (buffer) / sizeof (gfloat));
}

/* Ten blocks go into a sink of a graph with this quantum. Returns (transfer
 * full) where each buffer begins, and its frames. */
static gchar *
play_blocks (gint quantum)
{
  GstElement *pipeline = gst_parse_launch ("audiotestsrc num-buffers=10 "
      "samplesperbuffer=512 ! audio/x-raw, rate=48000, channels=1, format="
      GST_AUDIO_NE (F32) " ! fakesink name=sink signal-handoffs=true", NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstBus *bus = gst_element_get_bus (pipeline);
  GString *heard = g_string_new (NULL);

  play (quantum);
  nda_pipewire_sink_use_periods (sink, 0);
  g_signal_connect (sink, "handoff", G_CALLBACK (note_size), heard);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
          GST_MESSAGE_EOS));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  return g_string_free (heard, FALSE);
}

GST_START_TEST (test_a_sink_gets_a_long_quantum_in_one_buffer)
{
  g_autofree gchar *heard = play_blocks (2048);

  fail_unless_equals_string (heard, "0+2048 2048+2048 4096+1024 ");
}

GST_END_TEST
GST_START_TEST (test_a_sink_gets_blocks_of_a_short_quantum)
{
  g_autofree gchar *heard = play_blocks (1024);
  gchar **each = g_strsplit (heard, " ", -1);

  fail_unless_equals_int (g_strv_length (each), N_BLOCKS + 1);
  g_strfreev (each);
}

GST_END_TEST static Suite *
quantum_suite (void)
{
  Suite *suite = suite_create ("quantum");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_a_sink_plans_two_blocks_until_a_quantum_is_seen);
  tcase_add_test (tc, test_sinks_learn_the_quantum_from_a_source);
  tcase_add_test (tc, test_a_delay_of_the_application_stays);
  tcase_add_test (tc, test_a_sink_that_is_gone_is_not_told);
  tcase_add_test (tc, test_a_sink_gets_a_long_quantum_in_one_buffer);
  tcase_add_test (tc, test_a_sink_gets_blocks_of_a_short_quantum);
  return suite;
}

GST_CHECK_MAIN (quantum);
