/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What proves that two clocks are two, and what does not. */

#include "config.h"

#include "driftsim.h"
#include "ndablock.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define HOUR 3600.0
#define MS 1e-3
#define RATE ((gdouble) NDA_BLOCK_RATE)

/* How the frames of a device come that may have a clock of its own; what is not
 * said is 0. */
typedef struct
{
  gdouble seconds, ppm;
  gdouble jitter;               /* s */
  gdouble wander;               /* s, in half a minute, and back */
  gdouble step;                 /* s, after a minute */
  gdouble tick;                 /* frames that come at once */
} Way;

/* Whether it is long enough to prove that there are two clocks. */
static gboolean
is_proven (const Way * way)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (1);
  NdaDrift drift;

  nda_drift_init (&drift, RATE, way->tick > 0.0);
  for (guint64 n = 0; n < way->seconds * RATE; n += NDA_BLOCK_FRAMES) {
    gdouble come = sim_serve (n, way->tick);
    gdouble seen = 1.0 + come / RATE / (1.0 + way->ppm * 1e-6)
        + g_rand_double (dice) * way->jitter +
        way->wander * sin (n / RATE * 0.1)
        + (n > 60 * RATE ? way->step : 0.0);

    nda_drift_observe (&drift, (GstClockTime) (seen * GST_SECOND), n);
    if (nda_drift_watch (&drift, nda_block_frames_to_time (n, RATE), n))
      return TRUE;
  }
  return FALSE;
}

GST_START_TEST (test_one_clock_is_never_taken_for_two)
{
  static const Way ways[] = {
    {.seconds = HOUR,.jitter = 0.3 * MS},
    {.seconds = HOUR,.jitter = 3.0 * MS},
    {.seconds = HOUR,.jitter = 0.3 * MS,.wander = 3.0 * MS},
  };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    fail_if (is_proven (&ways[i]), "way %u", i);
}

GST_END_TEST;

/* What a sound server does to its clock when it was held up */
GST_START_TEST (test_one_clock_that_steps_is_one_clock)
{
  static const gdouble steps[] = { 7.0, -7.9, 20.0, -100.0 };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    Way way = {.seconds = HOUR / 4,.jitter = 0.3 * MS,.step = steps[i] * MS };

    fail_if (is_proven (&way), "%g ms", steps[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_chunks_that_slide_are_no_second_clock)
{
  static const gdouble ticks[] = { 480.0, 510.0, 511.5, 511.9, 512.3, 1024.0 };

  for (guint i = 0; i < G_N_ELEMENTS (ticks); i++) {
    Way one = {.seconds = HOUR,.jitter = 0.1 * MS,.tick = ticks[i] };
    Way two = {.seconds = HOUR / 6,.ppm = 67.0,.jitter = 0.1 * MS,
      .tick = ticks[i]
    };

    fail_if (is_proven (&one), "%g frames", ticks[i]);
    fail_unless (is_proven (&two), "%g frames", ticks[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_two_clocks_are_proven)
{
  static const Way ways[] = {
    {.seconds = 170.0,.ppm = 60.0,.jitter = 0.3 * MS},
    {.seconds = 75.0,.ppm = -200.0,.jitter = 3.0 * MS},
    {.seconds = 30.0,.ppm = 1000.0,.jitter = 0.3 * MS},
    {.seconds = 30.0,.ppm = -1500.0,.jitter = 0.3 * MS},
    {.seconds = 1700.0,.ppm = 5.0,.jitter = 0.3 * MS},
    {.seconds = 220.0,.ppm = 60.0,.jitter = 0.3 * MS,.wander = 0.7 * MS},
  };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    fail_unless (is_proven (&ways[i]), "%g ppm", ways[i].ppm);
}

GST_END_TEST;

static Suite *
proof_suite (void)
{
  Suite *suite = suite_create ("proof");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_one_clock_is_never_taken_for_two);
  tcase_add_test (tcase, test_one_clock_that_steps_is_one_clock);
  tcase_add_test (tcase, test_chunks_that_slide_are_no_second_clock);
  tcase_add_test (tcase, test_two_clocks_are_proven);
  return suite;
}

GST_CHECK_MAIN (proof);
