/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which converter an ndaresample takes, of those that a build of nda has. */

#include "config.h"

#include "resample.h"

#include "ndapolyphaseconverter.h"
#include "ndaresample.h"

#include <string.h>

/* As a library's might be: it bridges no rates above 96 kHz. */
static NdaConverter *
make_by_library (const GstAudioInfo * format, guint out_rate,
    NdaQuality quality, GError ** error)
{
  if (format->rate <= 96000)
    return nda_polyphase_maker.make (format, out_rate, quality, error);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "the library bridges no %d Hz", format->rate);
  return NULL;
}

static gboolean
takes_f32 (GstAudioFormat format)
{
  return format == GST_AUDIO_FORMAT_F32;
}

static const NdaConverterMaker library = {
  .name = "library",
  .takes_format = takes_f32,
  .make = make_by_library,
};

static const NdaConverterMaker *const without_library[] = {
  &nda_polyphase_maker, NULL
};

static const NdaConverterMaker *const with_library[] = {
  &library, &nda_polyphase_maker, NULL
};

/* An ndaresample of this program, not of the plugin. */
static GstHarness *
make_harness_with (const NdaConverterMaker * const *makers,
    NdaQuality quality, NdaLatency latency)
{
  GstElement *element;
  GstHarness *h;

  nda_resample_set_makers (makers);
  element = g_object_new (NDA_TYPE_RESAMPLE, "quality", quality, "latency",
      latency, NULL);
  h = gst_harness_new_with_element (gst_object_ref_sink (element), "sink",
      "src");
  gst_object_unref (element);
  return h;
}

static void
check_converter (GstHarness * h, const gchar * expected)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless_equals_string (gst_structure_get_string (stats, "converter"),
      expected);
}

/* The first message of @type since @bus was set, or NULL. */
static GstMessage *
take_message (GstHarness * h, GstBus * bus, GstMessageType type)
{
  GstMessage *message = gst_bus_pop_filtered (bus, type);

  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  return message;
}

static GstBus *
listen (GstHarness * h)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  return bus;
}

/* --- without a library --- */

static void
check_filter_serves (NdaQuality quality, NdaLatency latency, gboolean is_live)
{
  const GstClockTime low = NDA_BLOCK_DURATION + 1900 * GST_USECOND;
  GstHarness *h = make_harness_with (without_library, quality, latency);

  gst_harness_set_live (h, is_live);
  gst_harness_set_src_caps_str (h, MONO ("44100"));
  fail_unless (gst_harness_query_latency (h) <= low);
  gst_harness_push (h, make_buffer (0, 44107, 44100));
  gst_harness_push_event (h, gst_event_new_eos ());

  check_converter (h, "polyphase");
  assert_equals_uint64 (count_output (h, 48000),
      gst_util_uint64_scale_round (44107, 48000, 44100));
  gst_harness_teardown (h);
}

GST_START_TEST (test_without_a_library_the_filter_serves_every_setting)
{
  for (NdaQuality quality = 0; quality <= NDA_QUALITY_VERY_HIGH; quality++)
    for (NdaLatency latency = 0; latency <= NDA_LATENCY_BEST; latency++) {
      check_filter_serves (quality, latency, FALSE);
      check_filter_serves (quality, latency, TRUE);
    }
}

GST_END_TEST;

GST_START_TEST (test_where_rates_are_equal_there_is_no_converter)
{
  GstHarness *h = make_harness_with (without_library, NDA_QUALITY_HIGH,
      NDA_LATENCY_AUTO);

  check_converter (h, "none");
  gst_harness_set_src_caps_str (h, MONO ("44100"));
  check_converter (h, "polyphase");
  gst_harness_set_src_caps_str (h, MONO ("48000"));
  check_converter (h, "none");
  gst_harness_set_sink_caps_str (h, MONO ("48000"));
  gst_harness_set_src_caps_str (h, CAPS (GST_AUDIO_NE (S16), "48000"));
  check_converter (h, "none");
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_warns (const NdaConverterMaker * const *makers, NdaQuality quality,
    NdaLatency latency, const gchar * rate, gboolean expected)
{
  GstHarness *h = make_harness_with (makers, quality, latency);
  GstBus *bus = listen (h);
  g_autofree gchar *caps = g_strdup_printf (MONO ("%s"), rate);
  g_autoptr (GError) warning = NULL;
  GstMessage *message;

  gst_harness_set_src_caps_str (h, caps);
  message = take_message (h, bus, GST_MESSAGE_WARNING);

  fail_unless ((message != NULL) == expected, "quality %d, latency %d, %s Hz",
      quality, latency, rate);
  if (message) {
    gst_message_parse_warning (message, &warning, NULL);
    fail_unless (g_error_matches (warning, GST_CORE_ERROR,
            GST_CORE_ERROR_MISSING_PLUGIN));
    fail_unless (strstr (warning->message, "libsoxr") != NULL);
    gst_message_unref (message);
  }
  gst_harness_teardown (h);
}

GST_START_TEST (test_very_high_quality_without_a_library_warns)
{
  const NdaQuality high = NDA_QUALITY_HIGH, best = NDA_QUALITY_VERY_HIGH;

  check_warns (without_library, best, NDA_LATENCY_AUTO, "44100", TRUE);
  check_warns (without_library, best, NDA_LATENCY_BEST, "44100", TRUE);
  /* what was asked for is there, or nothing is computed */
  check_warns (without_library, best, NDA_LATENCY_LOW, "44100", FALSE);
  check_warns (without_library, high, NDA_LATENCY_BEST, "44100", FALSE);
  check_warns (without_library, best, NDA_LATENCY_AUTO, "48000", FALSE);
  check_warns (with_library, best, NDA_LATENCY_AUTO, "44100", FALSE);
}

GST_END_TEST;

/* --- with one --- */

static void
check_taken (NdaLatency latency, gboolean is_live, const gchar * rate,
    const gchar * expected)
{
  GstHarness *h = make_harness_with (with_library, NDA_QUALITY_HIGH, latency);
  g_autofree gchar *caps = g_strdup_printf (MONO ("%s"), rate);

  gst_harness_set_live (h, is_live);
  gst_harness_set_src_caps_str (h, caps);
  check_converter (h, expected);
  gst_harness_teardown (h);
}

GST_START_TEST (test_a_library_is_taken_unless_latency_counts)
{
  check_taken (NDA_LATENCY_AUTO, FALSE, "44100", "library");
  check_taken (NDA_LATENCY_AUTO, TRUE, "44100", "polyphase");
  check_taken (NDA_LATENCY_BEST, TRUE, "44100", "library");
  check_taken (NDA_LATENCY_LOW, FALSE, "44100", "polyphase");
}

GST_END_TEST;

GST_START_TEST (test_what_a_library_refuses_the_filter_bridges)
{
  check_taken (NDA_LATENCY_BEST, FALSE, "96000", "library");
  check_taken (NDA_LATENCY_BEST, FALSE, "192000", "polyphase");
}

GST_END_TEST;

GST_START_TEST (test_rates_that_nobody_bridges_are_an_error_that_says_why)
{
  GstHarness *h = make_harness_with (with_library, NDA_QUALITY_HIGH,
      NDA_LATENCY_AUTO);
  GstBus *bus = listen (h);
  g_autoptr (GError) error = NULL;
  GstMessage *message;

  g_object_set (h->element, "rate", 4000, NULL);
  gst_harness_set_src_caps_str (h, MONO ("192000"));
  message = take_message (h, bus, GST_MESSAGE_ERROR);

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_SETTINGS));
  fail_unless_equals_string (error->message,
      "the library bridges no 192000 Hz");
  gst_message_unref (message);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
makers_suite (void)
{
  Suite *suite = suite_create ("makers");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_without_a_library_the_filter_serves_every_setting);
  tcase_add_test (tc, test_where_rates_are_equal_there_is_no_converter);
  tcase_add_test (tc, test_very_high_quality_without_a_library_warns);
  tcase_add_test (tc, test_a_library_is_taken_unless_latency_counts);
  tcase_add_test (tc, test_what_a_library_refuses_the_filter_bridges);
  tcase_add_test (tc,
      test_rates_that_nobody_bridges_are_an_error_that_says_why);
  return suite;
}

int
main (int argc, char **argv)
{
  /* The plugin has a type of the same name: it must not be loaded. */
  g_setenv ("GST_PLUGIN_PATH_1_0", "", TRUE);
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (makers_suite (), "makers", __FILE__);
}
