/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an ndasrc says of a default microphone that does not play. */

#include "config.h"

#include "frail.h"

#include <gst/check/gstcheck.h>

/* The first error (transfer full) of a pipeline that plays @description, with
 * the frail microphone as the default one in @health. */
static GError *
play (const gchar * description, FrailHealth health)
{
  GstElement *pipeline = gst_parse_launch (description, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  GError *error = NULL;

  frail_set_health (health);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return error;
}

GST_START_TEST (test_a_microphone_that_is_gone_is_missing)
{
  g_autoptr (GError) error = play ("ndasrc ! fakesink", FRAIL_GONE);

  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  fail_unless (strstr (error->message, "There is no microphone") != NULL);
}

GST_END_TEST;

GST_START_TEST (test_a_microphone_whose_sound_is_not_wanted_is_not_missing)
{
  g_autoptr (GError) error = play ("ndasrc ! audio/x-raw, channels=9, "
      "channel-mask=(bitmask)0 ! fakesink", FRAIL_WELL);

  fail_unless (g_error_matches (error, GST_STREAM_ERROR,
          GST_STREAM_ERROR_FORMAT), "%s", error->message);
  fail_unless (strstr (error->message, "What comes behind ndasrc") != NULL);
}

GST_END_TEST;

static Suite *
words_suite (void)
{
  Suite *suite = suite_create ("ndawords");
  TCase *tcase = tcase_create ("words");

  frail_register ();
  frail_set_rank ("frailsrc", GST_RANK_PRIMARY + 1000);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_a_microphone_that_is_gone_is_missing);
  tcase_add_test (tcase,
      test_a_microphone_whose_sound_is_not_wanted_is_not_missing);
  return suite;
}

GST_CHECK_MAIN (words);
