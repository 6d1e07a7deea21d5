/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queue between two threads, without an element. */

#include "config.h"

#include "ndablockqueue.h"

#include <gst/check/gstcheck.h>

/* Enough for any thread that may go on to do so */
#define N_YIELDS 2000

static NdaBlockQueue queue;
static NdaBlockQueueLevel level;
static gint n_returned;         /* [atomic] pushing threads that came back */

static void
open_queue (void)
{
  memset (&level, 0, sizeof (level));
  nda_block_queue_init (&queue, &level);
  nda_block_queue_set_max (&queue, 2);
  nda_block_queue_restart (&queue);
  g_atomic_int_set (&n_returned, 0);
}

static void
close_queue (void)
{
  nda_block_queue_stop (&queue, GST_FLOW_FLUSHING);
  nda_block_queue_clear (&queue);
}

static gpointer
push_query (gpointer query)
{
  gboolean answer = nda_block_queue_push_query (&queue, query);

  g_atomic_int_inc (&n_returned);
  return GINT_TO_POINTER (answer);
}

static gpointer
push_blocks (gpointer n_blocks)
{
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint n = GPOINTER_TO_UINT (n_blocks); n && flow == GST_FLOW_OK; n--)
    flow = nda_block_queue_push_block (&queue, gst_buffer_new ());
  return GINT_TO_POINTER (flow);
}

static GstMiniObject *
pop_one (void)
{
  GstMiniObject *item;
  guint n_items;

  fail_unless (nda_block_queue_pop (&queue, &item, 1, &n_items));
  fail_unless_equals_int (n_items, 1);
  return item;
}

GST_START_TEST (test_query_gets_its_answer)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (NULL, FALSE);
  GThread *pusher = g_thread_new ("pusher", push_query, query);

  fail_unless (pop_one () == GST_MINI_OBJECT_CAST (query));
  nda_block_queue_answer (&queue, query, TRUE);

  fail_unless (GPOINTER_TO_INT (g_thread_join (pusher)));
}

GST_END_TEST;

GST_START_TEST (test_query_in_hand_outlives_a_stop)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (NULL, FALSE);
  GThread *pusher = g_thread_new ("pusher", push_query, query);

  fail_unless (pop_one () == GST_MINI_OBJECT_CAST (query));
  nda_block_queue_stop (&queue, GST_FLOW_FLUSHING);
  for (guint i = 0; i < N_YIELDS; i++)
    g_thread_yield ();

  fail_unless_equals_int (g_atomic_int_get (&n_returned), 0);
  nda_block_queue_answer (&queue, query, TRUE);
  g_thread_join (pusher);
}

GST_END_TEST;

GST_START_TEST (test_query_that_nobody_popped_ends_with_a_stop)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (NULL, FALSE);
  GThread *pusher = g_thread_new ("pusher", push_query, query);

  nda_block_queue_stop (&queue, GST_FLOW_FLUSHING);

  fail_if (GPOINTER_TO_INT (g_thread_join (pusher)));
}

GST_END_TEST;

static guint
most_blocks (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue.lock);

  return level.max_n_blocks;
}

GST_START_TEST (test_full_queue_makes_its_pusher_wait)
{
  GThread *pusher = g_thread_new ("pusher", push_blocks,
      GUINT_TO_POINTER (100));

  for (guint n = 0; n < 100; n++) {
    fail_unless (most_blocks () <= 2);
    gst_mini_object_unref (pop_one ());
  }

  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (pusher)),
      GST_FLOW_OK);
  fail_unless_equals_int (level.n_blocks, 0);
}

GST_END_TEST;

GST_START_TEST (test_blocks_come_as_a_run_up_to_an_event)
{
  GstMiniObject *items[8];
  guint n_items;

  nda_block_queue_push_block (&queue, gst_buffer_new ());
  nda_block_queue_push_block (&queue, gst_buffer_new ());
  nda_block_queue_push_event (&queue, gst_event_new_eos ());

  fail_unless (nda_block_queue_pop (&queue, items, 8, &n_items));
  fail_unless_equals_int (n_items, 2);
  gst_mini_object_unref (items[0]);
  gst_mini_object_unref (items[1]);
  fail_unless (nda_block_queue_pop (&queue, items, 8, &n_items));
  fail_unless_equals_int (n_items, 1);
  fail_unless (GST_IS_EVENT (items[0]));
  gst_mini_object_unref (items[0]);
}

GST_END_TEST;

/* --- how many blocks are worth a pop --- */

/* Opens the queue for 8 blocks, @n_blocks of which wait; the pop before was a
 * moment ago, however slow this machine is. */
static void
queue_ahead_of_time (guint n_blocks)
{
  nda_block_queue_set_max (&queue, 8);
  push_blocks (GUINT_TO_POINTER (n_blocks));
  queue.popped_at = G_MAXINT64;
}

static guint
pop_run (void)
{
  GstMiniObject *items[8];
  guint n_items;

  fail_unless (nda_block_queue_pop (&queue, items, 8, &n_items));
  for (guint i = 0; i < n_items; i++)
    gst_mini_object_unref (items[i]);
  return n_items;
}

GST_START_TEST (test_live_block_is_worth_a_pop)
{
  nda_block_queue_set_max (&queue, 8);
  nda_block_queue_push_block (&queue, gst_buffer_new ());
  queue.popped_at = 0;

  fail_unless_equals_int (pop_run (), 1);
  fail_unless_equals_int (queue.n_wanted, 1);
}

GST_END_TEST;

GST_START_TEST (test_half_a_queue_is_worth_a_pop_ahead_of_time)
{
  queue_ahead_of_time (4);

  fail_unless_equals_int (pop_run (), 4);
  fail_unless_equals_int (queue.n_wanted, 4);
  fail_unless_equals_int (queue.n_hasty_pops, 0);
}

GST_END_TEST;

/* Nobody pushes more: only the end of patience ends this pop. */
GST_START_TEST (test_patience_in_vain_makes_pops_hasty)
{
  queue_ahead_of_time (3);

  fail_unless_equals_int (pop_run (), 3);
  fail_unless (queue.n_hasty_pops > 0);

  queue_ahead_of_time (1);
  fail_unless_equals_int (pop_run (), 1);
  fail_unless_equals_int (queue.n_wanted, 1);
}

GST_END_TEST;

GST_START_TEST (test_event_is_worth_a_pop_ahead_of_time)
{
  queue_ahead_of_time (0);
  nda_block_queue_push_event (&queue, gst_event_new_eos ());

  fail_unless_equals_int (pop_run (), 1);
  fail_unless_equals_int (queue.n_hasty_pops, 0);
}

GST_END_TEST;

static Suite *
queue_suite (void)
{
  Suite *s = suite_create ("queue");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, open_queue, close_queue);
  tcase_add_test (tc, test_query_gets_its_answer);
  tcase_add_test (tc, test_query_in_hand_outlives_a_stop);
  tcase_add_test (tc, test_query_that_nobody_popped_ends_with_a_stop);
  tcase_add_test (tc, test_full_queue_makes_its_pusher_wait);
  tcase_add_test (tc, test_blocks_come_as_a_run_up_to_an_event);
  tcase_add_test (tc, test_live_block_is_worth_a_pop);
  tcase_add_test (tc, test_half_a_queue_is_worth_a_pop_ahead_of_time);
  tcase_add_test (tc, test_patience_in_vain_makes_pops_hasty);
  tcase_add_test (tc, test_event_is_worth_a_pop_ahead_of_time);
  return s;
}

GST_CHECK_MAIN (queue);
