/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A source that may be followed is timed by when its frames arrive, so nothing
 * downstream may keep the thread that times them. */

#include "config.h"

#include "microphone.h"

#include <gst/check/gstcheck.h>

#define N_PERIODS 6

typedef struct
{
  GstElement *pipeline;         /* owned */
  GstElement *src;              /* in the pipeline */
  GstElement *microphone;       /* owned, in the source */

  GMutex lock;
  GCond changed;
  /* [lock] */
  guint n_seen;                 /* buffers before the resampler */
  gboolean is_kept;             /* the first block downstream is */
} Fixture;

static GstPadProbeReturn
note_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer fixture)
{
  Fixture *f = fixture;

  g_mutex_lock (&f->lock);
  f->n_seen++;
  g_cond_signal (&f->changed);
  g_mutex_unlock (&f->lock);
  return GST_PAD_PROBE_OK;
}

/* Keeps the thread, since the probe blocks. */
static GstPadProbeReturn
keep (GstPad * pad, GstPadProbeInfo * info, gpointer fixture)
{
  Fixture *f = fixture;

  g_mutex_lock (&f->lock);
  f->is_kept = TRUE;
  g_cond_signal (&f->changed);
  g_mutex_unlock (&f->lock);
  return GST_PAD_PROBE_OK;
}

static GstElement *
find_child (Fixture * f, const gchar * name)
{
  return gst_bin_get_by_name (GST_BIN (f->src), name);
}

static void
setup (Fixture * f, const gchar * compensation)
{
  GstElement *sink = gst_check_setup_element ("fakesink");
  g_autoptr (GstElement) resample = NULL;
  g_autoptr (GstPad) pad = NULL;

  memset (f, 0, sizeof (*f));
  g_mutex_init (&f->lock);
  g_cond_init (&f->changed);
  f->pipeline = gst_pipeline_new (NULL);
  f->src = gst_check_setup_element ("ndasrc");
  f->microphone = gst_object_ref_sink (test_microphone_new ());
  g_object_set (f->src, "source", f->microphone, NULL);
  gst_util_set_object_arg (G_OBJECT (f->src), "drift-compensation",
      compensation);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (f->pipeline), f->src, sink, NULL);
  fail_unless (gst_element_link (f->src, sink));

  resample = find_child (f, "resample");
  pad = gst_element_get_static_pad (resample, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_buffer, f, NULL);
}

static void
teardown (Fixture * f)
{
  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  gst_object_unref (f->pipeline);
  gst_object_unref (f->microphone);
  g_mutex_clear (&f->lock);
  g_cond_clear (&f->changed);
}

/* It holds no sound back, and what it may hold is bounded. */
static void
check_latency (GstPad * pad)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min, max;

  fail_unless (gst_pad_query (pad, query));
  gst_query_parse_latency (query, NULL, &min, &max);
  fail_unless_equals_uint64 (min / GST_MSECOND, 10);
  fail_unless (GST_CLOCK_TIME_IS_VALID (max));
  fail_unless (max > 16 * 10 * GST_MSECOND);
}

GST_START_TEST (test_what_is_kept_downstream_keeps_no_device_s_thread)
{
  g_autoptr (GstElement) queue = NULL;
  g_autoptr (GstPad) pad = NULL;
  Fixture f;
  gulong id;

  setup (&f, "auto");
  pad = gst_element_get_static_pad (f.src, "src");
  id = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK
      | GST_PAD_PROBE_TYPE_BUFFER, keep, &f, NULL);
  gst_element_set_state (f.pipeline, GST_STATE_PLAYING);
  queue = find_child (&f, "resample-queue");
  fail_unless (queue != NULL);

  test_microphone_give (TEST_MICROPHONE (f.microphone), N_PERIODS);
  g_mutex_lock (&f.lock);
  while (!f.is_kept || f.n_seen < N_PERIODS)
    g_cond_wait (&f.changed, &f.lock);
  g_mutex_unlock (&f.lock);
  check_latency (pad);

  gst_pad_remove_probe (pad, id);
  teardown (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_device_that_is_not_followed_needs_no_thread)
{
  g_autoptr (GstElement) queue = NULL;
  Fixture f;

  setup (&f, "off");
  gst_element_set_state (f.pipeline, GST_STATE_PLAYING);
  queue = find_child (&f, "resample-queue");
  fail_unless (queue == NULL);
  teardown (&f);
}

GST_END_TEST;

static Suite *
hop_suite (void)
{
  Suite *suite = suite_create ("hop");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_what_is_kept_downstream_keeps_no_device_s_thread);
  tcase_add_test (tc, test_a_device_that_is_not_followed_needs_no_thread);
  return suite;
}

GST_CHECK_MAIN (hop);
