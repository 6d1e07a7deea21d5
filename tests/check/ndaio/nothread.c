/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the system gives no more threads, an ndasrc says so, and the program
 * goes on. */

#define _GNU_SOURCE             /* RTLD_NEXT */

#include "config.h"

#include "lossrig.h"
#include "microphone.h"

#include <gst/check/gstcheck.h>

#include <dlfcn.h>

typedef GThread *(*TryNew) (const gchar * name, GThreadFunc func, gpointer data,
    GError ** error);

static const gchar *refused;    /* the name of the thread that is not made */

/* Takes the place of GLib's, for the plugins too. */
GThread *
g_thread_try_new (const gchar * name, GThreadFunc func, gpointer data,
    GError ** error)
{
  TryNew next = (TryNew) dlsym (RTLD_NEXT, "g_thread_try_new");

  if (g_strcmp0 (name, refused) != 0)
    return next (name, func, data, error);
  g_set_error (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no more of them");
  return NULL;
}

static gboolean
has_error (Rig * rig, guint n)
{
  return rig->error != NULL;
}

GST_START_TEST (test_a_device_that_nobody_can_wait_for_is_an_error)
{
  Rig rig;

  refused = "nda-loss";
  rig_init (&rig, "ndasrc name=src source=frailsrc ! "
      "fakesink sync=false async=false");
  rig_play_and_lose (&rig, rig_has_sound, 20);
  rig_turn_until (&rig, has_error, 1);

  fail_unless (g_error_matches (rig.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_FAILED));
  fail_unless (strstr (rig.error->message, "gives no thread") != NULL, "%s",
      rig.error->message);
  fail_unless_equals_int (rig.n_lost, 0);
  rig_clear (&rig);
}

GST_END_TEST;

static void
expect_warning (GstElement * pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_autoptr (GError) warning = NULL;

  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &warning, NULL);
  fail_unless (strstr (warning->message, "gives no thread") != NULL, "%s",
      warning->message);
}

GST_START_TEST (test_a_device_that_is_not_watched_plays)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *nda = gst_element_factory_make ("ndasrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstElement *microphone = test_microphone_new ();

  refused = "nda-watch";
  g_object_set (nda, "source", microphone, NULL);
  gst_bin_add_many (GST_BIN (pipeline), nda, sink, NULL);
  fail_unless (gst_element_link (nda, sink));
  fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_FAILURE);
  expect_warning (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
nothread_suite (void)
{
  Suite *suite = suite_create ("nothread");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, frail_register, NULL);
  tcase_add_test (tcase, test_a_device_that_nobody_can_wait_for_is_an_error);
  tcase_add_test (tcase, test_a_device_that_is_not_watched_plays);
  return suite;
}

GST_CHECK_MAIN (nothread);
