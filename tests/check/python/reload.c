/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plugins that are loaded anew while blocks go through, and while states
 * change. */

#include "config.h"

#include "bridge.h"

#define N_RELOADS 10

/* Pushes a block of @number, and asserts that it comes out. */
static void
push_and_pull (GstHarness * h, guint32 number)
{
  const gsize n_bytes = NDA_BLOCK_FRAMES * sizeof (gfloat);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_bytes, NULL);

  gst_buffer_memset (buffer, 0, 0, n_bytes);
  gst_buffer_fill (buffer, 0, &number, sizeof (number));
  GST_BUFFER_PTS (buffer) = 0;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (h);
  fail_unless (gst_buffer_get_size (buffer) == n_bytes);
  fail_unless (gst_buffer_memcmp (buffer, 0, &number, sizeof (number)) == 0);
  gst_buffer_unref (buffer);
}

static gpointer
reload_often (gpointer element)
{
  gboolean ok;

  for (guint i = 0; i < N_RELOADS; i++)
    g_signal_emit_by_name (element, "reload", &ok);
  return NULL;
}

GST_START_TEST (test_reload_loses_no_block)
{
  GstHarness *h = make_harness ("passthrough", MONO);
  GThread *thread = NULL;
  guint32 n_blocks = 0;

  /* the last of them may wait for a block */
  while (n_blocks < 16 || get_stat (h, "num-reloads") == 0) {
    push_and_pull (h, n_blocks++);
    if (!thread)
      thread = g_thread_new ("reload", reload_often, h->element);
  }
  g_thread_join (thread);
  push_and_pull (h, n_blocks++);
  assert_equals_uint64 (get_stat (h, "num-failures"), 0);
  assert_equals_uint64 (get_stat (h, "num-blocks"), n_blocks);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_states_change_while_it_is_reloaded)
{
  GstHarness *h = make_harness ("passthrough", MONO);
  GThread *thread = g_thread_new ("reload", reload_often, h->element);

  for (guint i = 0; i < 5; i++) {
    fail_if (gst_element_set_state (h->element, i % 2 ? GST_STATE_READY :
            GST_STATE_NULL) == GST_STATE_CHANGE_FAILURE);
    gst_harness_play (h);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, MONO);
    push_and_pull (h, i);
  }
  g_thread_join (thread);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
reload_suite (void)
{
  Suite *suite = suite_create ("reload");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_reload_loses_no_block);
  tcase_add_test (tc, test_states_change_while_it_is_reloaded);
  return suite;
}

GST_CHECK_MAIN (reload);
