/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When all sound counts as permanently late for its device. */

#include "config.h"

#include "ndabalance.h"
#include "ndablock.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define MS ((GstClockTimeDiff) GST_MSECOND)
#define FOREVER 10000

/* Blocks come, each of them @left before its time, which becomes @later with
 * each of them. Returns the number of blocks until all count as late. */
static guint
count_until_behind (NdaBalance * balance, GstClockTimeDiff left,
    GstClockTimeDiff later)
{
  for (guint n = 0; n < FOREVER; n++, left += later)
    if (nda_balance_is_behind (balance, left, n * NDA_BLOCK_DURATION))
      return n;
  return FOREVER;
}

static NdaBalance
make_balance (gboolean is_estimated)
{
  NdaBalance balance = { 0 };

  nda_balance_set_estimated (&balance, is_estimated);
  nda_balance_restart (&balance);
  return balance;
}

/* A second of sound is in time. */
static void
note_in_time (NdaBalance * balance)
{
  for (guint n = 0; n < 100; n++)
    fail_if (nda_balance_is_behind (balance, 10 * MS, 0));
}

/* PipeWire's quantum changes when the device begins. */
GST_START_TEST (test_sound_that_was_never_in_time_is_moved_soon)
{
  NdaBalance balance = make_balance (TRUE);

  fail_unless (count_until_behind (&balance, -12 * MS, 0) < 15);
}

GST_END_TEST
GST_START_TEST (test_late_sound_is_moved_soon)
{
  NdaBalance balance = make_balance (FALSE);

  fail_unless (count_until_behind (&balance, -30 * MS, 0) < 15);
}

GST_END_TEST
/* PipeWire's graph has lost ten cycles of 512 frames: by the estimate the
 * device went on, and it finds back by 50 ms each second. */
GST_START_TEST (test_an_estimate_that_finds_back_moves_no_sound)
{
  NdaBalance balance = make_balance (TRUE);

  note_in_time (&balance);
  fail_unless_equals_int (count_until_behind (&balance, -107 * MS, MS / 2),
      FOREVER);
}

GST_END_TEST
GST_START_TEST (test_late_sound_is_moved_by_an_estimate_too)
{
  NdaBalance balance = make_balance (TRUE);
  guint n;

  note_in_time (&balance);
  n = count_until_behind (&balance, -30 * MS, 0);
  fail_unless (n * NDA_BLOCK_DURATION >= 4 * GST_SECOND);
  fail_unless (n * NDA_BLOCK_DURATION < 5 * GST_SECOND);
}

GST_END_TEST
/* --- steps of a clock that is never quite level --- */
#define SECONDS(n) ((n) * NDA_BLOCK_RATE / NDA_BLOCK_FRAMES)
/* Sound is heard @late, to which a wander of 2.5 ms is added. Returns what was
 * moved; the lateness is less by it from then on. */
static GstClockTimeDiff
note_many (NdaBalance * balance, guint n_blocks, GstClockTimeDiff late,
    GstClockTimeDiff by_system, GstClockTimeDiff held)
{
  GstClockTimeDiff moved = 0;

  for (guint n = 0; n < n_blocks; n++) {
    GstClockTimeDiff wander = 5 * MS / 2 * sin (n / (gdouble) SECONDS (1));

    moved += nda_balance_note (balance, late - moved + wander,
        by_system - moved, held);
  }
  return moved;
}

/* Sound waits before a device whose buffer is full, as three cycles of
 * PipeWire's graph leave it. */
GST_START_TEST (test_a_surplus_before_a_full_device_is_moved_once)
{
  NdaBalance balance = make_balance (TRUE);
  GstClockTimeDiff moved;

  fail_unless_equals_int64 (note_many (&balance, SECONDS (30), 14 * MS, 0,
          35 * MS), 0);
  moved = note_many (&balance, SECONDS (60), 47 * MS, 33 * MS, 40 * MS);
  fail_unless (moved > 30 * MS && moved < 36 * MS, "%" G_GINT64_FORMAT, moved);
}

GST_END_TEST
/* Its device's clock stands still for a while: what was seen before tells
 * nothing about an underrun. */
GST_START_TEST (test_a_surplus_after_an_underrun_is_moved_too)
{
  NdaBalance balance = make_balance (TRUE);
  GstClockTimeDiff moved;

  note_many (&balance, SECONDS (30), 14 * MS, 0, 35 * MS);
  nda_balance_is_behind (&balance, -30 * MS, 0);
  note_many (&balance, SECONDS (9), 90 * MS, 96 * MS, 60 * MS);
  moved = note_many (&balance, SECONDS (60), 47 * MS, 129 * MS, 40 * MS);
  fail_unless (moved > 30 * MS && moved < 36 * MS, "%" G_GINT64_FORMAT, moved);
}

GST_END_TEST
GST_START_TEST (test_a_step_of_the_pipelines_clock_moves_nothing)
{
  NdaBalance balance = make_balance (TRUE);

  note_many (&balance, SECONDS (30), 14 * MS, 0, 35 * MS);
  fail_unless_equals_int64 (note_many (&balance, SECONDS (60), 47 * MS, 0,
          35 * MS), 0);
  fail_unless_equals_int64 (note_many (&balance, SECONDS (60), -30 * MS, 0,
          35 * MS), 0);
}

GST_END_TEST static Suite *
balance_suite (void)
{
  Suite *suite = suite_create ("balance");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_sound_that_was_never_in_time_is_moved_soon);
  tcase_add_test (tc, test_late_sound_is_moved_soon);
  tcase_add_test (tc, test_an_estimate_that_finds_back_moves_no_sound);
  tcase_add_test (tc, test_late_sound_is_moved_by_an_estimate_too);
  tcase_add_test (tc, test_a_surplus_before_a_full_device_is_moved_once);
  tcase_add_test (tc, test_a_surplus_after_an_underrun_is_moved_too);
  tcase_add_test (tc, test_a_step_of_the_pipelines_clock_moves_nothing);
  return suite;
}

GST_CHECK_MAIN (balance);
