/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A plugin's own process that ends at any moment: what other threads do
 * meanwhile, and what is left of it. */

#include "config.h"

#include "bridge.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* What the plugin puts out, whatever comes in */
#define LEVEL 0.5f
/* Few: the pause before the next process doubles each time */
#define N_ROUNDS 4

static GstHarness *
make_mortal (void)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  GstHarness *h;

  gst_util_set_object_arg (G_OBJECT (element), "isolation", "process");
  gst_util_set_object_arg (G_OBJECT (element), "on-error", "silence");
  g_object_set (element, "plugin", MORTAL_PLUGIN, "deadline", (guint64) 0,
      NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, MONO);
  return h;
}

/* The value of the first sample of a block that went through. */
static gfloat
push_and_pull (GstHarness * h)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, NDA_BLOCK_FRAMES
      * sizeof (gfloat), NULL);
  gfloat value;

  gst_buffer_memset (buffer, 0, 0x3f, -1);
  GST_BUFFER_PTS (buffer) = 0;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (h);
  fail_unless (gst_buffer_extract (buffer, 0, &value, sizeof (value))
      == sizeof (value));
  gst_buffer_unref (buffer);
  return value;
}

/* Silence, and nothing else, until the plugin is heard. */
static void
wait_until_heard (GstHarness * h)
{
  gfloat value;

  while ((value = push_and_pull (h)) != LEVEL)
    fail_unless (value == 0.0f);
}

static void
kill_worker (GstHarness * h)
{
  g_autofree gchar *pid = NULL;

  g_signal_emit_by_name (h->element, "get-parameter", "pid", &pid);
  fail_unless (atoi (pid) > 1);
  fail_unless (kill (atoi (pid), SIGKILL) == 0);
}

static void
assert_no_child (void)
{
  fail_unless (waitpid (-1, NULL, WNOHANG) < 0);
}

GST_START_TEST (test_it_is_back_each_time_it_is_killed)
{
  GstHarness *h = make_mortal ();

  for (guint64 n = 0; n < N_ROUNDS; n++) {
    wait_until_heard (h);
    assert_equals_uint64 (get_stat (h, "num-restarts"), n);
    kill_worker (h);
    while (get_stat (h, "num-restarts") == n)
      push_and_pull (h);
  }
  gst_harness_teardown (h);
  assert_no_child ();
}

GST_END_TEST;

GST_START_TEST (test_it_can_be_stopped_while_it_dies)
{
  for (guint n = 0; n < N_ROUNDS; n++) {
    GstHarness *h = make_mortal ();

    wait_until_heard (h);
    kill_worker (h);
    for (guint i = 0; i < n; i++)
      push_and_pull (h);
    gst_harness_teardown (h);
    assert_no_child ();
  }
}

GST_END_TEST;

static gpointer
set_parameters (gpointer data)
{
  GstHarness *h = data;
  gboolean ok;

  for (guint n = 0; n < 100; n++)
    g_signal_emit_by_name (h->element, "set-parameter", "fault", "none", &ok);
  return NULL;
}

GST_START_TEST (test_parameters_can_be_set_while_it_dies)
{
  GstHarness *h = make_mortal ();

  for (guint n = 0; n < N_ROUNDS; n++) {
    GThread *setter;

    wait_until_heard (h);
    kill_worker (h);
    setter = g_thread_new ("setter", set_parameters, h);
    push_and_pull (h);
    g_thread_join (setter);
  }
  wait_until_heard (h);
  gst_harness_teardown (h);
  assert_no_child ();
}

GST_END_TEST;

GST_START_TEST (test_it_is_stopped_in_a_loop_without_an_end)
{
  GstHarness *h = make_mortal ();
  gboolean ok;

  wait_until_heard (h);
  g_signal_emit_by_name (h->element, "set-parameter", "fault", "loop", &ok);
  fail_unless (ok);
  gst_harness_push (h, gst_buffer_new_allocate (NULL, NDA_BLOCK_FRAMES
          * sizeof (gfloat), NULL));

  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_harness_teardown (h);
  assert_no_child ();
}

GST_END_TEST;

GST_START_TEST (test_states_change_without_a_block)
{
  GstHarness *h = make_mortal ();

  for (guint n = 0; n < N_ROUNDS; n++) {
    fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
    assert_no_child ();
    fail_if (gst_element_set_state (h->element, GST_STATE_PLAYING)
        == GST_STATE_CHANGE_FAILURE);
  }
  gst_harness_teardown (h);
  assert_no_child ();
}

GST_END_TEST;

static Suite *
process_suite (void)
{
  Suite *suite = suite_create ("process");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_it_is_back_each_time_it_is_killed);
  tcase_add_test (tc, test_it_can_be_stopped_while_it_dies);
  tcase_add_test (tc, test_parameters_can_be_set_while_it_dies);
  tcase_add_test (tc, test_it_is_stopped_in_a_loop_without_an_end);
  tcase_add_test (tc, test_states_change_without_a_block);
  return suite;
}

GST_CHECK_MAIN (process);
