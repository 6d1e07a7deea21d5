/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The row before Python's lock, without Python. */

#include "config.h"

#include "ndapycrossing.h"

#include <gst/check/gstcheck.h>

#define NEVER (60 * G_TIME_SPAN_MINUTE)
#define BLOCK_US 10666
#define N_THREADS 8
#define N_TURNS 2000

static NdaPyBaton baton;
static NdaPyCrossings all;
static GArray *order;           /* [the baton] of gint64: what was due */
static guint n_turns;           /* [the baton] */

static void
open_baton (gint64 patience)
{
  memset (&baton, 0, sizeof (baton));
  baton.patience = patience;
}

static gpointer
take_a_turn (gpointer data)
{
  gint64 due = GPOINTER_TO_INT (data);
  guint64 passed, tenure = nda_py_baton_take (&baton, due, &passed);

  g_array_append_val (order, due);
  nda_py_baton_give (&baton, tenure);
  return NULL;
}

static GThread *
line_up (gint64 due)
{
  guint n_before = nda_py_baton_count_waiting (&baton);
  GThread *thread = g_thread_new (NULL, take_a_turn, GINT_TO_POINTER (due));

  while (nda_py_baton_count_waiting (&baton) == n_before)
    g_thread_yield ();
  return thread;
}

GST_START_TEST (test_row_is_in_order_of_what_is_due)
{
  static const gint64 asked[] = { 30, 10, 20, 10 };
  static const gint64 expected[] = { 10, 10, 20, 30 };
  GThread *threads[G_N_ELEMENTS (asked)];
  guint64 passed, tenure;

  open_baton (NEVER);
  order = g_array_new (FALSE, FALSE, sizeof (gint64));
  tenure = nda_py_baton_take (&baton, 0, &passed);
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    threads[i] = line_up (asked[i]);

  nda_py_baton_give (&baton, tenure);
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++)
    g_thread_join (threads[i]);

  fail_unless_equals_int (order->len, G_N_ELEMENTS (expected));
  for (guint i = 0; i < order->len; i++)
    fail_unless_equals_int64 (g_array_index (order, gint64, i), expected[i]);
  g_array_unref (order);
}

GST_END_TEST;

GST_START_TEST (test_holder_that_never_gives_is_passed_by)
{
  guint64 passed, hanging, other, last;

  open_baton (0);
  hanging = nda_py_baton_take (&baton, 0, &passed);
  fail_unless_equals_uint64 (passed, 0);

  other = nda_py_baton_take (&baton, 0, &passed);
  fail_unless_equals_uint64 (passed, hanging);

  /* what it gives back later is nothing: the other still has it */
  nda_py_baton_give (&baton, hanging);
  last = nda_py_baton_take (&baton, 0, &passed);
  fail_unless_equals_uint64 (passed, other);
  nda_py_baton_give (&baton, last);
  nda_py_baton_take (&baton, 0, &passed);
  fail_unless_equals_uint64 (passed, 0);
}

GST_END_TEST;

GST_START_TEST (test_whole_row_gets_by_a_holder_that_hangs)
{
  GThread *threads[N_THREADS];
  guint64 passed;

  open_baton (1);
  order = g_array_new (FALSE, FALSE, sizeof (gint64));
  nda_py_baton_take (&baton, 0, &passed);

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, take_a_turn, GINT_TO_POINTER (i));

  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  fail_unless_equals_int (nda_py_baton_count_waiting (&baton), 0);
  g_array_unref (order);
}

GST_END_TEST;

GST_START_TEST (test_holder_learns_that_it_was_idle)
{
  guint64 passed, holder, other;

  open_baton (0);
  holder = nda_py_baton_take (&baton, 0, &passed);
  other = nda_py_baton_take (&baton, 0, &passed);

  nda_py_baton_tell_idle (&baton, passed);

  fail_unless (nda_py_baton_give (&baton, holder));
  fail_if (nda_py_baton_give (&baton, other));
}

GST_END_TEST;

GST_START_TEST (test_one_thread_watches_the_holder)
{
  GThread *watching, *waiting;
  guint64 passed, tenure;

  if (g_get_num_processors () < 2)
    return;                     /* nobody watches there */
  open_baton (NEVER);
  baton.watch = NEVER;
  order = g_array_new (FALSE, FALSE, sizeof (gint64));
  tenure = nda_py_baton_take (&baton, 0, &passed);
  watching = g_thread_new (NULL, take_a_turn, GINT_TO_POINTER (1));
  while (!g_atomic_int_get (&baton.is_watched))
    g_thread_yield ();
  waiting = line_up (2);
  fail_unless_equals_int (nda_py_baton_count_waiting (&baton), 1);

  nda_py_baton_give (&baton, tenure);
  g_thread_join (watching);
  g_thread_join (waiting);

  fail_unless_equals_int (order->len, 2);
  fail_if (g_atomic_int_get (&baton.is_watched));
  g_array_unref (order);
}

GST_END_TEST;

static gpointer
wait_for_rest (gpointer patience)
{
  nda_py_baton_wait_for_rest (&baton, *(gint64 *) patience);
  return NULL;
}

static void
await_polite (void)
{
  guint n_polite;

  do {
    g_thread_yield ();
    g_mutex_lock (&baton.lock);
    n_polite = baton.n_polite;
    g_mutex_unlock (&baton.lock);
  } while (!n_polite);
}

GST_START_TEST (test_rest_comes_after_holder_and_row)
{
  gint64 patience = NEVER;
  guint64 passed, tenure;
  GThread *waiting, *polite;

  open_baton (NEVER);
  order = g_array_new (FALSE, FALSE, sizeof (gint64));
  tenure = nda_py_baton_take (&baton, 0, &passed);
  waiting = line_up (1);
  polite = g_thread_new (NULL, wait_for_rest, &patience);
  await_polite ();

  nda_py_baton_give (&baton, tenure);
  g_thread_join (polite);

  fail_unless_equals_int (order->len, 1);
  g_thread_join (waiting);
  g_array_unref (order);
}

GST_END_TEST;

GST_START_TEST (test_wait_for_rest_ends)
{
  guint64 passed, tenure;

  open_baton (NEVER);
  nda_py_baton_wait_for_rest (&baton, NEVER);   /* nobody has it */
  tenure = nda_py_baton_take (&baton, 0, &passed);
  nda_py_baton_wait_for_rest (&baton, 0);       /* not for ever */
  nda_py_baton_give (&baton, tenure);
}

GST_END_TEST;

static gpointer
take_turns (gpointer unused)
{
  for (guint i = 0; i < N_TURNS; i++) {
    guint64 passed, tenure = nda_py_baton_take (&baton, i, &passed);

    n_turns++;
    nda_py_baton_give (&baton, tenure);
  }
  return NULL;
}

GST_START_TEST (test_one_at_a_time)
{
  GThread *threads[N_THREADS];

  open_baton (NEVER);
  n_turns = 0;
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new (NULL, take_turns, NULL);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  fail_unless_equals_int (n_turns, N_THREADS * N_TURNS);
}

GST_END_TEST;

/* --- crossings --- */

static void
open_crossings (void)
{
  static const NdaPyCrossings initial = NDA_PY_CROSSINGS_INIT;

  all = initial;
}

/* A crossing of so many us */
static void
cross (NdaPyCrossing * self, gint64 length)
{
  nda_py_crossing_begin (self, &all, 0);
  nda_py_crossing_enter (self, 0);
  nda_py_crossing_end (self, &all, length);
}

static NdaPyCrossing
make_crossing (void)
{
  NdaPyCrossing crossing = { 0 };

  cross (&crossing, 0);
  return crossing;
}

GST_START_TEST (test_long_plugin_is_moved_aside_and_comes_back)
{
  NdaPyCrossing crossing;

  open_crossings ();
  crossing = make_crossing ();

  cross (&crossing, BLOCK_US);
  cross (&crossing, 10);
  cross (&crossing, BLOCK_US);
  fail_unless_equals_int (crossing.kind, NDA_PY_CROSSING_IN_TURN);
  cross (&crossing, BLOCK_US);
  fail_unless_equals_int (crossing.kind, NDA_PY_CROSSING_ASIDE_BUSY);

  for (guint i = 0; i < NDA_PY_CROSSING_N_QUICK; i++) {
    fail_unless_equals_int (crossing.kind, NDA_PY_CROSSING_ASIDE_BUSY);
    cross (&crossing, 10);
  }
  fail_unless_equals_int (crossing.kind, NDA_PY_CROSSING_IN_TURN);
  fail_unless_equals_int (all.n_busy, 0);
}

GST_END_TEST;

GST_START_TEST (test_one_aside_holds_nobody_up)
{
  NdaPyCrossing slow, other;

  open_crossings ();
  all.blocks.patience = NEVER;
  slow = make_crossing ();
  other = make_crossing ();
  cross (&slow, BLOCK_US);
  cross (&slow, BLOCK_US);

  nda_py_crossing_begin (&slow, &all, 0);
  nda_py_crossing_begin (&other, &all, 0);

  fail_unless (slow.baton == NULL);
  fail_unless (other.baton == &all.blocks);
  fail_unless_equals_uint64 (other.passed, 0);
}

GST_END_TEST;

GST_START_TEST (test_few_that_compute_are_aside_at_a_time)
{
  NdaPyCrossing crossings[NDA_PY_CROSSING_MAX_BUSY + 1];

  open_crossings ();
  for (guint i = 0; i < G_N_ELEMENTS (crossings); i++) {
    crossings[i] = make_crossing ();
    cross (&crossings[i], BLOCK_US);
    cross (&crossings[i], BLOCK_US);
  }
  fail_unless_equals_int (crossings[NDA_PY_CROSSING_MAX_BUSY].kind,
      NDA_PY_CROSSING_IN_TURN);

  /* one thread ends */
  nda_py_crossing_clear (&crossings[0], &all);
  cross (&crossings[NDA_PY_CROSSING_MAX_BUSY], BLOCK_US);

  fail_unless_equals_int (crossings[NDA_PY_CROSSING_MAX_BUSY].kind,
      NDA_PY_CROSSING_ASIDE_BUSY);
}

GST_END_TEST;

/* @waiter passes @holder by and gets Python's lock @late us after it asked. */
static void
pass_by (NdaPyCrossing * holder, NdaPyCrossing * waiter, gint64 late)
{
  all.blocks.patience = 0;
  nda_py_crossing_begin (holder, &all, 0);
  nda_py_crossing_enter (holder, 0);
  nda_py_crossing_begin (waiter, &all, 0);
  fail_unless_equals_uint64 (waiter->passed, holder->tenure);
  nda_py_crossing_enter (waiter, waiter->asked + late);
  nda_py_crossing_end (waiter, &all, waiter->entered);
  nda_py_crossing_end (holder, &all, 0);
}

GST_START_TEST (test_plugin_that_waits_is_aside_at_once)
{
  NdaPyCrossing holder, waiter;

  open_crossings ();
  holder = make_crossing ();
  waiter = make_crossing ();

  pass_by (&holder, &waiter, NDA_PY_CROSSING_AT_ONCE);
  fail_unless_equals_int (holder.kind, NDA_PY_CROSSING_IN_TURN);
  pass_by (&holder, &waiter, 1);

  fail_unless_equals_int (holder.kind, NDA_PY_CROSSING_ASIDE);
  fail_unless_equals_int (waiter.kind, NDA_PY_CROSSING_IN_TURN);
  fail_unless_equals_int (all.n_busy, 0);
}

GST_END_TEST;

GST_START_TEST (test_start_and_blocks_have_rows_of_their_own)
{
  NdaPyCrossing starting = { 0 }, playing;

  open_crossings ();
  all.blocks.patience = all.first_calls.patience = NEVER;
  playing = make_crossing ();

  nda_py_crossing_begin (&starting, &all, 0);
  nda_py_crossing_begin (&playing, &all, 0);

  fail_unless (starting.baton == &all.first_calls);
  fail_unless (playing.baton == &all.blocks);
}

GST_END_TEST;

GST_START_TEST (test_pause_lets_others_go_on)
{
  NdaPyCrossing pausing, other;

  open_crossings ();
  all.blocks.patience = NEVER;
  pausing = make_crossing ();
  other = make_crossing ();
  nda_py_crossing_begin (&pausing, &all, 0);
  nda_py_crossing_enter (&pausing, 0);

  nda_py_crossing_pause (&pausing);
  nda_py_crossing_begin (&other, &all, 0);
  fail_unless_equals_uint64 (other.passed, 0);
  nda_py_crossing_end (&pausing, &all, 0);

  /* the other still has it */
  fail_unless_equals_uint64 (all.blocks.tenure, other.tenure);
}

GST_END_TEST;

GST_START_TEST (test_live_stream_is_due_a_block_after_it_was)
{
  /* when it asks, and when it is due: in time, late, early, after a pause */
  static const gint64 times[][2] = {
    {1000000, 1000000 - BLOCK_US}, {1000000, 1000000},
    {1015000, 1000000 + BLOCK_US}, {1021332, 1000000 + 2 * BLOCK_US},
    {1022000, 1022000}, {9000000, 9000000 - BLOCK_US},
  };
  NdaPyCrossing crossing;

  open_crossings ();
  crossing = make_crossing ();
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    nda_py_crossing_begin (&crossing, &all, times[i][0]);
    nda_py_crossing_end (&crossing, &all, times[i][0]);

    fail_unless_equals_int64 (crossing.due, times[i][1]);
  }
}

GST_END_TEST;

static Suite *
baton_suite (void)
{
  Suite *suite = suite_create ("baton");
  TCase *chain = tcase_create ("general");

  suite_add_tcase (suite, chain);
  tcase_add_test (chain, test_row_is_in_order_of_what_is_due);
  tcase_add_test (chain, test_holder_that_never_gives_is_passed_by);
  tcase_add_test (chain, test_whole_row_gets_by_a_holder_that_hangs);
  tcase_add_test (chain, test_holder_learns_that_it_was_idle);
  tcase_add_test (chain, test_one_thread_watches_the_holder);
  tcase_add_test (chain, test_rest_comes_after_holder_and_row);
  tcase_add_test (chain, test_wait_for_rest_ends);
  tcase_add_test (chain, test_one_at_a_time);
  tcase_add_test (chain, test_long_plugin_is_moved_aside_and_comes_back);
  tcase_add_test (chain, test_one_aside_holds_nobody_up);
  tcase_add_test (chain, test_few_that_compute_are_aside_at_a_time);
  tcase_add_test (chain, test_plugin_that_waits_is_aside_at_once);
  tcase_add_test (chain, test_start_and_blocks_have_rows_of_their_own);
  tcase_add_test (chain, test_pause_lets_others_go_on);
  tcase_add_test (chain, test_live_stream_is_due_a_block_after_it_was);
  return suite;
}

GST_CHECK_MAIN (baton);
