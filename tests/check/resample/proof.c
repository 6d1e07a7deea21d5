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
  gdouble slip;                 /* frames, by which the device falls behind */
  gdouble every;                /* s, from one slip to the next */
  gboolean is_random;           /* or anywhere in that time, on average */
  gdouble settling;             /* s, that the estimate is off at first, and by
                                 * a third of that after 20 s */
  gdouble wander_period, wander_phase;  /* s, and part of it */
} Way;

/* How many times the device has slipped by @time. */
static guint
count_slips (const Way * way, GRand * dice, gdouble time, guint n_slips)
{
  if (way->every <= 0.0)
    return 0;
  if (!way->is_random)
    return time / way->every;
  return n_slips + (g_rand_double (dice) < NDA_BLOCK_FRAMES / RATE
      / way->every);
}

static gdouble
get_wander (const Way * way, gdouble time)
{
  return way->wander * (way->wander_period > 0.0 ? sin (2.0 * G_PI
          * (time / way->wander_period +
              way->wander_phase)) : sin (time * 0.1));
}

/* When, in frames, it is proven that there are two clocks, and what @drift
 * makes of them then; 0 if it is not. */
static guint64
prove (const Way * way, NdaDrift * drift)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (1);
  guint n_slips = 0;

  nda_drift_init (drift, RATE, way->tick > 0.0);
  for (guint64 n = 0; n < way->seconds * RATE; n += NDA_BLOCK_FRAMES) {
    gdouble come = sim_serve (n, way->tick);
    gdouble seen = 1.0 + come / RATE / (1.0 + way->ppm * 1e-6)
        + g_rand_double (dice) * way->jitter + get_wander (way, n / RATE)
        + (n > 60 * RATE ? way->step : 0.0)
        + way->settling * pow (3.0, -(n / RATE) / 20.0);

    n_slips = count_slips (way, dice, n / RATE, n_slips);
    seen += n_slips * way->slip / RATE;
    nda_drift_observe (drift, (GstClockTime) (seen * GST_SECOND), n);
    if (nda_drift_watch (drift, nda_block_frames_to_time (n, RATE), n))
      return n;
  }
  return 0;
}

static gboolean
is_proven (const Way * way)
{
  NdaDrift drift;

  return prove (way, &drift) > 0;
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

/* A graph of so many frames a cycle that is late now and then */
GST_START_TEST (test_a_staircase_is_no_second_clock)
{
  static const gdouble quanta[] = { 256.0, 512.0, 1024.0, 2048.0 };
  static const gdouble paces[] = { 4.0, 7.0, 20.0, 45.0, 120.0 };

  for (guint i = 0; i < G_N_ELEMENTS (quanta); i++)
    for (guint j = 0; j < G_N_ELEMENTS (paces); j++)
      for (guint k = 0; k < 4; k++) {
        Way way = {.seconds = HOUR / 2,.jitter = 0.3 * MS,
          .slip = k & 2 ? -quanta[i] : quanta[i],.every = paces[j],
          .is_random = k & 1
        };

        fail_if (is_proven (&way), "%g frames every %g s, %u", quanta[i],
            paces[j], k);
      }
}

GST_END_TEST;

/* Of both ends, each with its own quantum: the difference slips both ways. */
GST_START_TEST (test_two_staircases_are_no_second_clock)
{
  Way way = {.seconds = HOUR,.jitter = 0.3 * MS,.slip = 1024.0,.every = 11.0,
    .wander = 10.7 * MS,.wander_period = 5.0
  };

  fail_if (is_proven (&way));
}

GST_END_TEST;

GST_START_TEST (test_an_estimate_that_settles_is_no_second_clock)
{
  static const gdouble errors[] = { 10.0, -20.0, 40.0, -100.0 };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++) {
    Way way = {.seconds = HOUR / 4,.jitter = 0.3 * MS,
      .settling = errors[i] * MS
    };

    fail_if (is_proven (&way), "%g ms", errors[i]);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_clock_that_wanders_far_is_one_clock)
{
  static const gdouble periods[] = { 5.0, 10.0, 20.0, 30.0, 40.0 };

  for (guint i = 0; i < G_N_ELEMENTS (periods); i++)
    for (guint phase = 0; phase < 8; phase++) {
      Way way = {.seconds = HOUR / 2,.jitter = 0.3 * MS,.wander = 15.0 * MS,
        .wander_period = periods[i],.wander_phase = phase / 8.0
      };

      fail_if (is_proven (&way), "%g s, phase %u", periods[i], phase);
    }
}

GST_END_TEST;

/* In us, that clocks go apart before they are two, a little more */
static gdouble
get_way (gdouble ppm)
{
  return ppm > 210.0 ? 33e3 : 9.5e3;
}

/* So slowly that its way is straight for longer than 8 ms */
GST_START_TEST (test_a_slow_wander_is_one_clock)
{
  static const gdouble periods[] = { 60.0, 90.0, 120.0, 180.0, 240.0, 300.0 };

  for (guint i = 0; i < G_N_ELEMENTS (periods); i++)
    for (guint phase = 0; phase < 32; phase++) {
      Way way = {.seconds = HOUR / 2,.jitter = 0.3 * MS,.wander = 15.0 * MS,
        .wander_period = periods[i],.wander_phase = phase / 32.0
      };

      fail_if (is_proven (&way), "%g s, phase %u", periods[i], phase);
    }
}

GST_END_TEST;

/* Proven in the time that it takes to go off by 9.5 ms, or by 33 ms where it
 * is faster than any two cards, behind the first 20 s and 5 s more */
GST_START_TEST (test_true_drift_is_proven_in_time)
{
  static const gdouble paces[] = { 20.0, 60.0, 100.0, 200.0, 500.0, 1000.0 };

  for (guint i = 0; i < G_N_ELEMENTS (paces); i++)
    for (gint sign = -1; sign <= 1; sign += 2) {
      Way way = {.seconds = 25.0 + get_way (paces[i]) / paces[i],
        .ppm = sign * paces[i],.jitter = 0.3 * MS
      };

      fail_unless (is_proven (&way), "%g ppm", way.ppm);
    }
}

GST_END_TEST;

/* A period of 5.3 ms is lost as often as the drift makes 6 ms, either way.
 * Proven behind the first 25 s in the time that the drift takes for 25 ms, or
 * for 100 ms where it is faster than any two cards. */
GST_START_TEST (test_true_drift_with_slips_is_proven)
{
  static const gdouble paces[] = { 60.0, 200.0, 500.0, 1000.0 };

  for (guint i = 0; i < G_N_ELEMENTS (paces); i++)
    for (gint sign = -1; sign <= 1; sign += 2) {
      Way way = {.seconds = 25.0 + (paces[i] > 210.0 ? 100e3 : 25e3) / paces[i],
        .ppm = sign * paces[i],.jitter = 0.3 * MS,.slip = 256.0,
        .every = 6e3 / paces[i]
      };
      NdaDrift drift;
      guint64 n = prove (&way, &drift);
      gdouble drifted = way.ppm * 1e-6 * (n / RATE - 20.0);

      fail_unless (n > 0, "%g ppm", way.ppm);
      /* the slips are not made up for once more */
      fail_unless (fabs (nda_drift_get_error (&drift) / (gdouble) GST_SECOND
              - drifted) < 5.0 * MS, "%g ppm: %g ms off, %g ms drifted",
          way.ppm, nda_drift_get_error (&drift) / 1e6, drifted / MS);
    }
}

GST_END_TEST;

GST_START_TEST (test_two_clocks_are_proven)
{
  static const Way ways[] = {
    {.seconds = 170.0,.ppm = 60.0,.jitter = 0.3 * MS},
    {.seconds = 75.0,.ppm = -200.0,.jitter = 3.0 * MS},
    {.seconds = 58.0,.ppm = 1000.0,.jitter = 0.3 * MS},
    {.seconds = 47.0,.ppm = -1500.0,.jitter = 0.3 * MS},
    {.seconds = 1700.0,.ppm = 5.0,.jitter = 0.3 * MS},
    {.seconds = 300.0,.ppm = 60.0,.jitter = 0.3 * MS,.wander = 0.7 * MS},
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
  tcase_add_test (tcase, test_a_staircase_is_no_second_clock);
  tcase_add_test (tcase, test_two_staircases_are_no_second_clock);
  tcase_add_test (tcase, test_an_estimate_that_settles_is_no_second_clock);
  tcase_add_test (tcase, test_a_clock_that_wanders_far_is_one_clock);
  tcase_add_test (tcase, test_a_slow_wander_is_one_clock);
  tcase_add_test (tcase, test_true_drift_is_proven_in_time);
  tcase_add_test (tcase, test_true_drift_with_slips_is_proven);
  tcase_add_test (tcase, test_two_clocks_are_proven);
  return suite;
}

GST_CHECK_MAIN (proof);
