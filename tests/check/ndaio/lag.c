/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames that a device lost without a word, and what only looks like it. */

#include "config.h"

#include "ndablock.h"
#include "ndalag.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define MS ((GstClockTimeDiff) GST_MSECOND)
#define PERIOD ((GstClockTimeDiff) NDA_BLOCK_DURATION)
#define USUAL (12 * MS)
#define JITTER (3 * MS)
#define MANY 1000

typedef struct
{
  NdaLag lag;
  GRand *dice;                  /* owned */
  GstClockTimeDiff found;       /* all of it */
  guint n_found;
} Fixture;

static void
setup (Fixture * f)
{
  f->dice = g_rand_new_with_seed (1);
  f->found = 0;
  f->n_found = 0;
  nda_lag_forget (&f->lag);
}

static void
teardown (Fixture * f)
{
  g_rand_free (f->dice);
}

static void
note_both (Fixture * f, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system)
{
  GstClockTimeDiff more = nda_lag_note (&f->lag, by_pipeline, by_system);

  f->found += more;
  f->n_found += more != 0;
}

static void
note (Fixture * f, GstClockTimeDiff age)
{
  note_both (f, age, age);
}

/* By the pipeline's clock, which jumps, while the system's does not */
static void
note_many_of_clock (Fixture * f, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system)
{
  for (guint n = 0; n < MANY; n++)
    note_both (f, by_pipeline, by_system);
}

static void
note_many (Fixture * f, GstClockTimeDiff age)
{
  for (guint n = 0; n < MANY; n++)
    note (f, age + g_rand_double_range (f->dice, 0.0, JITTER));
}

/* What waited for @age comes at once. */
static void
note_backlog (Fixture * f, GstClockTimeDiff age, GstClockTimeDiff least)
{
  for (; age > least; age -= PERIOD)
    note (f, age);
}

GST_START_TEST (test_lost_frames_are_found_once)
{
  const GstClockTimeDiff lost = 208 * MS;
  Fixture f;

  setup (&f);
  note_many (&f, USUAL);
  note_backlog (&f, 400 * MS, USUAL + lost);
  note_many (&f, USUAL + lost);
  fail_unless_equals_int (f.n_found, 1);
  fail_unless (ABS (f.found - lost) < 2 * JITTER);
  teardown (&f);
}

GST_END_TEST
GST_START_TEST (test_a_backlog_is_no_loss)
{
  Fixture f;

  setup (&f);
  for (guint n = 0; n < 20; n++) {
    note_many (&f, USUAL);
    note_backlog (&f, 190 * MS, USUAL);
  }
  note_many (&f, USUAL);
  fail_unless_equals_int (f.n_found, 0);
  teardown (&f);
}

GST_END_TEST
/* As that of PulseAudio, whose periods slide besides */
GST_START_TEST (test_a_clock_that_wanders_is_no_loss)
{
  Fixture f;

  setup (&f);
  for (guint n = 0; n < 100 * MANY; n++)
    note (&f, USUAL + 8 * MS * sin (n / 100.0) + PERIOD * (n % MANY) / MANY);
  fail_unless_equals_int (f.n_found, 0);
  teardown (&f);
}

GST_END_TEST
GST_START_TEST (test_what_was_only_late_is_taken_back)
{
  Fixture f;

  setup (&f);
  note_many (&f, USUAL);
  note_backlog (&f, 200 * MS, USUAL + 100 * MS);
  note_many (&f, USUAL + 100 * MS);
  note_many (&f, USUAL);
  fail_unless_equals_int (f.n_found, 2);
  fail_unless (ABS (f.found) < 2 * JITTER);
  teardown (&f);
}

GST_END_TEST
/* As PipeWire's does in its first seconds, by its PulseAudio protocol */
GST_START_TEST (test_a_clock_that_jumps_is_no_loss)
{
  Fixture f;

  setup (&f);
  for (guint n = 0; n < 10; n++) {
    note_many_of_clock (&f, USUAL, USUAL);
    note_many_of_clock (&f, USUAL + 52 * MS, USUAL);
    note_many_of_clock (&f, USUAL - 97 * MS, USUAL);
  }
  fail_unless_equals_int (f.n_found, 0);
  teardown (&f);
}

GST_END_TEST
/* Behind a long stall: what is too late by a clock that stands still is not too
 * late for the sink that goes by it. */
GST_START_TEST (test_a_loss_counts_when_the_clock_sees_it)
{
  const GstClockTimeDiff lost = 208 * MS;
  Fixture f;

  setup (&f);
  note_many_of_clock (&f, USUAL, USUAL);
  for (GstClockTimeDiff age = 400 * MS; age > USUAL + lost; age -= PERIOD)
    note_both (&f, USUAL, age);
  note_many_of_clock (&f, USUAL, USUAL + lost);
  fail_unless_equals_int (f.n_found, 0);
  note_many_of_clock (&f, USUAL + lost, USUAL + lost);
  fail_unless_equals_int (f.n_found, 1);
  fail_unless_equals_int64 (f.found, lost);
  teardown (&f);
}

GST_END_TEST
/* The clock of PipeWire's PulseAudio protocol, by which a device goes on for
 * some time while it stands still, and which then finds back gradually */
    static void
find_back (Fixture * f, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system)
{
  for (; by_pipeline > USUAL; by_pipeline -= MS / 4)
    note_both (f, by_pipeline, by_system);
  note_many_of_clock (f, USUAL + 5 * MS, by_system);
}

/* Its server's graph loses nine cycles of 512 frames. */
GST_START_TEST (test_a_device_that_stands_still_has_lost_nothing)
{
  const GstClockTimeDiff slip = 96 * MS;
  Fixture f;

  setup (&f);
  note_many (&f, USUAL);
  for (guint n = 0; n < 100; n++)
    note (&f, USUAL + slip);
  find_back (&f, USUAL + slip, USUAL + slip);
  fail_unless_equals_int (f.n_found, 0);
  teardown (&f);
}

GST_END_TEST
/* Nobody reads meanwhile either. */
GST_START_TEST (test_a_clock_that_finds_back_gradually_takes_all_back)
{
  const GstClockTimeDiff slip = 96 * MS;
  Fixture f;

  setup (&f);
  note_many (&f, USUAL);
  note_backlog (&f, 200 * MS, USUAL + slip);
  for (guint n = 0; n < 100; n++)
    note (&f, USUAL + slip);
  fail_unless_equals_int (f.n_found, 1);
  find_back (&f, USUAL + slip, USUAL + slip);
  fail_unless_equals_int64 (f.found, 0);
  fail_unless_equals_int64 (f.lag.missing, 0);
  teardown (&f);
}

GST_END_TEST
/* The count of frames may begin anywhere. */
GST_START_TEST (test_a_restart_forgets_what_was_usual)
{
  Fixture f;

  setup (&f);
  note_many (&f, USUAL);
  nda_lag_restart (&f.lag);
  note_many (&f, 3600 * GST_SECOND);
  fail_unless_equals_int (f.n_found, 0);
  teardown (&f);
}

GST_END_TEST static Suite *
lag_suite (void)
{
  Suite *suite = suite_create ("lag");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_lost_frames_are_found_once);
  tcase_add_test (tc, test_a_backlog_is_no_loss);
  tcase_add_test (tc, test_a_clock_that_wanders_is_no_loss);
  tcase_add_test (tc, test_what_was_only_late_is_taken_back);
  tcase_add_test (tc, test_a_clock_that_jumps_is_no_loss);
  tcase_add_test (tc, test_a_loss_counts_when_the_clock_sees_it);
  tcase_add_test (tc, test_a_device_that_stands_still_has_lost_nothing);
  tcase_add_test (tc, test_a_clock_that_finds_back_gradually_takes_all_back);
  tcase_add_test (tc, test_a_restart_forgets_what_was_usual);
  return suite;
}

GST_CHECK_MAIN (lag);
