/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Pipelines that are stopped while they start post no error, beside GStreamer's
 * own elements in the same place. NDA_TEST_STARTS says how many times each
 * transition is tried; the soak tries 1000. */

#include "config.h"

#include <gst/check/gstcheck.h>

#define DEFAULT_STARTS 25
/* The longest that a start goes on undisturbed, in yields of the processor */
#define MAX_YIELDS 400

/* Without a filter for caps: capsfilter, as all that GStreamer derives from
 * GstBaseTransform, refuses events when it is being stopped, which its source
 * posts as an error. */
#define SOURCE "audiotestsrc ! "

static const gchar *const pipelines[] = {
  SOURCE "queue ! fakesink",
  SOURCE "ndapybridge plugin=passthrough ! fakesink",
  SOURCE "ndapysink plugin=null_sink",
  "ndapysrc plugin=sine is-live=false ! fakesink",
  SOURCE "ndaresample ! fakesink",
};

static const struct
{
  GstState from, to;
} transitions[] = {
  {GST_STATE_NULL, GST_STATE_READY},
  {GST_STATE_READY, GST_STATE_PAUSED},
  {GST_STATE_READY, GST_STATE_PLAYING},
  {GST_STATE_PAUSED, GST_STATE_PLAYING},
  {GST_STATE_NULL, GST_STATE_PLAYING},
};

static guint
get_n_starts (void)
{
  const gchar *asked = g_getenv ("NDA_TEST_STARTS");

  return asked ? (guint) g_ascii_strtoull (asked, NULL, 10) : DEFAULT_STARTS;
}

static void
fail_on_error (GstBus * bus, const gchar * pipeline)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *debug = NULL;

    gst_message_parse_error (message, &error, &debug);
    fail ("%s: %s (%s)", pipeline, error->message, debug);
  }
}

static void
wait_for_state (GstElement * pipeline, GstState state)
{
  gst_element_set_state (pipeline, state);
  fail_if (gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE)
      == GST_STATE_CHANGE_FAILURE);
}

GST_START_TEST (test_stop_while_it_starts_is_no_error)
{
  const gchar *description = pipelines[__i__ % G_N_ELEMENTS (pipelines)];
  const guint transition = __i__ / G_N_ELEMENTS (pipelines);
  GstElement *pipeline = gst_parse_launch (description, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);

  wait_for_state (pipeline, transitions[transition].from);
  for (guint n = get_n_starts (); n > 0; n--) {
    gst_element_set_state (pipeline, transitions[transition].to);
    for (gint i = g_random_int_range (0, MAX_YIELDS); i > 0; i--)
      g_thread_yield ();
    wait_for_state (pipeline, transitions[transition].from);
    fail_on_error (bus, description);
  }

  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_on_error (bus, description);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
starts_suite (void)
{
  Suite *suite = suite_create ("starts");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_stop_while_it_starts_is_no_error, 0,
      G_N_ELEMENTS (pipelines) * G_N_ELEMENTS (transitions));
  return suite;
}

GST_CHECK_MAIN (starts);
