/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "driftsim.h"
#include "ndablock.h"
#include "ndapolyphase.h"

#include "../tone.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define HOUR 3600.0
#define MS 1e-3
#define RATE ((gdouble) NDA_BLOCK_RATE)

/* --- hours --- */

/* Runs @sim at both sides of a pipeline, and judges its delay (in s). */
static void
judge (const Sim * plan, gdouble max_error, gdouble max_late_error)
{
  for (SimSide side = SIM_SOURCE; side <= SIM_SINK; side++) {
    Sim sim = *plan;

    sim.side = side;
    sim_run (&sim);

    fail_unless (sim.max_error <= max_error, "side %d, %g ppm: %.3f ms", side,
        sim.ppm, sim.max_error / MS);
    fail_unless (sim.max_late_error <= max_late_error,
        "side %d, %g ppm: %.3f ms after a minute", side, sim.ppm,
        sim.max_late_error / MS);
    fail_unless (sim.locked_at >= 0.0 && sim.locked_at < 15.0,
        "side %d, %g ppm: locked at %.1f s", side, sim.ppm, sim.locked_at);
    fail_unless_equals_int (sim.n_losses, 0);
    fail_unless_equals_int (sim.drift.n_steps, 0);
    /* nothing is ever read that is not there, nor piles up */
    fail_unless (sim.min_waiting >= 0.0);
    fail_unless (sim.max_waiting <= 2 * NDA_BLOCK_FRAMES);
    fail_unless (fabs (nda_drift_get_ppm (&sim.drift) - sim.ppm
            - sim.ppm_step) < 1.0 + sim.jitter / MS * 10.0);
  }
}

GST_START_TEST (test_an_hour_of_drift)
{
  static const gdouble rates[] = { 200.0, -150.0 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    judge (&(Sim) {
        .seconds = HOUR,.ppm = rates[i],.jitter = 0.3 * MS,.seed = i}
        , 1.0 * MS, 0.1 * MS);
    judge (&(Sim) {
        .seconds = HOUR / 4,.ppm = rates[i],.jitter = 0.05 * MS,.seed = i}
        , 0.2 * MS, 0.015 * MS);
    judge (&(Sim) {
        .seconds = HOUR / 4,.ppm = rates[i],.jitter = 2.0 * MS,.seed = i}
        , 1.2 * MS, 0.5 * MS);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_thousand_ppm)
{
  judge (&(Sim) {
      .seconds = HOUR / 4,.ppm = 1000.0,.jitter = 0.3 * MS}
      , 1.0 * MS, 0.1 * MS);
  judge (&(Sim) {
      .seconds = HOUR / 4,.ppm = -1000.0,.jitter = 0.3 * MS}
      , 1.0 * MS, 0.1 * MS);
}

GST_END_TEST;

GST_START_TEST (test_a_clock_that_changes_its_pace)
{
  judge (&(Sim) {
      .seconds = HOUR / 4,.ppm = 50.0,.jitter = 0.3 * MS,.ppm_step =
        100.0,.ppm_step_at = 300.0}
      , 1.0 * MS, 1.0 * MS);
}

GST_END_TEST;

GST_START_TEST (test_a_thread_that_is_held_up)
{
  judge (&(Sim) {
      .seconds = 300.0,.ppm = 100.0,.jitter = 0.3 * MS,.stall =
        0.09,.stall_at = 100.0}
      , 1.0 * MS, 0.1 * MS);
}

GST_END_TEST;

/* A sound server that looks after its devices at a pace of its own */
GST_START_TEST (test_chunks_that_slide)
{
  static const gdouble ticks[] = { 441.0, 480.0, 510.0, 511.5, 512.3, 1024.0 };

  for (guint i = 0; i < G_N_ELEMENTS (ticks); i++) {
    Sim sim = {.side = SIM_SOURCE,.seconds = HOUR / 3,.ppm = 66.0,
      .jitter = 0.1 * MS,.tick = ticks[i],.late_after = 300.0
    };

    sim_run (&sim);

    /* it cannot be told from drift before it has jumped back by a chunk */
    fail_unless (sim.max_error <= 11.5 * MS, "%g frames: %.3f ms", ticks[i],
        sim.max_error / MS);
    fail_unless (sim.max_late_error <= 1.0 * MS, "%g frames: %.3f ms after "
        "five minutes", ticks[i], sim.max_late_error / MS);
    fail_unless_equals_int (sim.drift.state, NDA_DRIFT_LOCKED);
    fail_unless_equals_uint64 (sim.drift.n_steps, 0);
    fail_unless (sim.min_waiting >= 0.0);
    fail_unless (sim.max_waiting <= 2 * NDA_BLOCK_FRAMES);
  }
}

GST_END_TEST;

/* What a sound server says the time is, between the times when it knows */
GST_START_TEST (test_a_clock_that_wanders)
{
  static const gdouble periods[] = { 5.0, 7.0, 15.0 };

  for (guint i = 0; i < G_N_ELEMENTS (periods); i++)
    for (SimSide side = SIM_SOURCE; side <= SIM_SINK; side++) {
      Sim sim = {.side = side,.seconds = HOUR / 3,.ppm = 66.0,
        .jitter = 0.1 * MS,.wander = 2.5 * MS,.wander_period = periods[i],
        .late_after = 300.0
      };

      sim_run (&sim);

      fail_unless (sim.max_late_error <= 0.6 * MS, "side %d, %g s: %.3f ms",
          side, periods[i], sim.max_late_error / MS);
      fail_unless_equals_int (sim.drift.state, NDA_DRIFT_LOCKED);
      fail_unless_equals_uint64 (sim.drift.n_steps, 0);
    }
}

GST_END_TEST;

/* --- what is no drift --- */

GST_START_TEST (test_a_clock_that_is_set_is_followed_from_there)
{
  Sim sim = {.seconds = 300.0,.ppm = 100.0,.jitter = 0.3 * MS,
    .clock_step = 3600.0,.clock_step_at = 100.0
  };

  sim_run (&sim);

  /* the lead is taken anew; meanwhile the device is fed at the known speed */
  fail_unless_equals_uint64 (sim.drift.n_steps, 1);
  fail_unless_equals_int (sim.n_losses, 1);
  fail_unless_equals_int (sim.n_locks, 2);
  fail_unless (sim.max_error < 1.0 * MS);
}

GST_END_TEST;

GST_START_TEST (test_a_device_that_is_opened_anew_keeps_its_speed)
{
  Sim sim = {.seconds = 60.0,.ppm = -80.0,.jitter = 0.3 * MS };
  gdouble known;

  sim_run (&sim);
  known = nda_drift_get_ppm (&sim.drift);
  nda_drift_restart (&sim.drift);

  fail_unless_equals_int (sim.drift.state, NDA_DRIFT_LEARNING);
  fail_unless (fabs (known + 80.0) < 5.0);
  fail_unless_equals_float (nda_drift_steer (&sim.drift, 0, 0.0),
      1.0 + known * 1e-6);
}

GST_END_TEST;

GST_START_TEST (test_a_device_that_is_too_far_off_is_followed_to_the_limit)
{
  Sim sim = {.seconds = 30.0,.ppm = 5000.0 };

  sim_run (&sim);

  fail_unless (sim.max_error > 10.0 * MS);
  fail_unless (sim.target <= 1.0 + NDA_DRIFT_MAX_PPM * 1e-6);
  fail_unless_equals_float (nda_drift_get_ppm (&sim.drift), NDA_DRIFT_MAX_PPM);
  fail_unless (sim.drift.state != NDA_DRIFT_LOCKED);
}

GST_END_TEST;

/* --- what is followed no longer --- */

/* 8 ms of it may be as straight as drift; then it is followed, and given up. */
GST_START_TEST (test_a_clock_that_turns_back_is_given_up)
{
  static const gdouble periods[] = { 600.0, 900.0, 1200.0 };
  guint n_given_up = 0;

  for (guint i = 0; i < G_N_ELEMENTS (periods); i++)
    for (gint sign = -1; sign <= 1; sign += 2) {
      Sim sim = {.side = SIM_SINK,.seconds = HOUR / 3,.jitter = 0.3 * MS,
        .wander = sign * 15.0 * MS,.wander_period = periods[i],
        .is_watching = TRUE
      };

      sim_run (&sim);

      if (sim.is_watching)
        continue;
      n_given_up++;
      fail_unless_equals_int (sim.drift.state, NDA_DRIFT_GIVEN_UP);
      fail_unless_equals_float (sim.target, 1.0);
      fail_unless_equals_float (nda_drift_get_ppm (&sim.drift), 0.0);
      /* and no restart takes it up again */
      nda_drift_restart (&sim.drift);
      fail_unless_equals_int (sim.drift.state, NDA_DRIFT_GIVEN_UP);
    }

  fail_unless (n_given_up >= 2, "%u", n_given_up);
}

GST_END_TEST;

GST_START_TEST (test_a_clock_that_runs_away_is_given_up)
{
  Sim sim = {.side = SIM_SINK,.seconds = HOUR / 4,.ppm = 150.0,
    .jitter = 0.3 * MS,.ppm_step = 2000.0,.ppm_step_at = 300.0,
    .is_watching = TRUE
  };

  sim_run (&sim);

  fail_unless (sim.n_locks > 0);
  fail_unless_equals_int (sim.drift.state, NDA_DRIFT_GIVEN_UP);
  fail_unless_equals_float (sim.target, 1.0);
}

GST_END_TEST;

GST_START_TEST (test_true_drift_is_not_given_up)
{
  static const gdouble paces[] = { 20.0, -60.0, -200.0, 1000.0 };

  for (guint i = 0; i < G_N_ELEMENTS (paces); i++)
    for (SimSide side = SIM_SOURCE; side <= SIM_SINK; side++) {
      Sim sim = {.side = side,.seconds = HOUR / 3,.ppm = paces[i],
        .jitter = i % 2 ? 0.3 * MS : 2.0 * MS,.is_watching = TRUE
      };

      sim_run (&sim);

      fail_if (sim.is_watching, "%g ppm", paces[i]);
      fail_unless_equals_int (sim.drift.state, NDA_DRIFT_LOCKED);
    }
}

GST_END_TEST;

/* --- the line --- */

GST_START_TEST (test_the_line_is_exact_without_jitter)
{
  NdaTiming timing;

  nda_timing_init (&timing, RATE, FALSE);
  for (guint i = 0; i < 10000; i++)
    nda_timing_observe (&timing, (GstClockTime) ((7.0 + i * 0.01) * GST_SECOND),
        i * 480.048);

  fail_unless (fabs (nda_timing_get_speed (&timing) - 1.0001) < 1e-9);
  fail_unless (fabs (nda_timing_get_frame (&timing, 57 * GST_SECOND)
          - 5000 * 480.048) < 1e-3);
}

GST_END_TEST;

GST_START_TEST (test_observations_far_off_are_left_out)
{
  NdaTiming timing;

  nda_timing_init (&timing, RATE, FALSE);
  for (guint i = 0; i < 1000; i++)
    nda_timing_observe (&timing, i * 10 * GST_MSECOND, i * 480.0);

  fail_unless_equals_int (nda_timing_observe (&timing,
          10090 * GST_MSECOND, 1000 * 480.0), NDA_TIMING_IGNORED);
  fail_unless_equals_int (nda_timing_observe (&timing,
          10091 * GST_MSECOND, 1001 * 480.0), NDA_TIMING_IGNORED);
  fail_unless_equals_int (nda_timing_observe (&timing,
          10020 * GST_MSECOND, 1002 * 480.0), NDA_TIMING_OBSERVED);
  fail_unless (fabs (nda_timing_get_speed (&timing) - 1.0) < 1e-9);
}

GST_END_TEST;

/* --- sound --- */

#define N_TONES 3
#define N_WINDOW 32768
#define NOTCH 20.0

static const gdouble tones[N_TONES] = { 1000.0, 10000.0, 19000.0 };
static const gdouble least[N_TONES] = { 130.0, 125.0, 118.0 };

typedef struct
{
  NdaPolyphase *polyphase;
  gdouble n_pushed;
  gfloat in[N_TONES][NDA_BLOCK_FRAMES];
  gfloat out[N_TONES][N_WINDOW + NDA_BLOCK_FRAMES];
  gsize n_out;
  gdouble worst[N_TONES];
} Sound;

/* The next frames of the device: tones of the world, by its clock. */
static void
capture (Sim * sim, Sound * sound)
{
  const gfloat *in[N_TONES];

  for (guint t = 0; t < N_TONES; t++) {
    in[t] = sound->in[t];
    for (guint i = 0; i < NDA_BLOCK_FRAMES; i++)
      sound->in[t][i] = 0.5 * sin (2.0 * G_PI
          * fmod (tones[t] * sim_device_time (sim, sound->n_pushed + i), 1.0));
  }
  nda_polyphase_push (sound->polyphase, in, 1, NDA_BLOCK_FRAMES);
  sound->n_pushed += NDA_BLOCK_FRAMES;
}

static void
measure (Sound * sound)
{
  for (guint t = 0; t < N_TONES; t++)
    sound->worst[t] = MIN (sound->worst[t],
        tone_thd_n (sound->out[t], N_WINDOW, tones[t], NOTCH, RATE));
}

/* Does in sound what the simulator does in numbers. */
static void
convert_block (Sim * sim, gpointer user_data)
{
  Sound *sound = user_data;
  gfloat *out[N_TONES];
  gsize n = 0;

  fail_unless (fabs (sound->n_pushed
          - nda_polyphase_get_pending (sound->polyphase) - sim->done) < 1e-3);
  for (guint t = 0; t < N_TONES; t++)
    out[t] = sound->out[t] + sound->n_out;
  nda_polyphase_glide (sound->polyphase, 1.0 / sim->target, NDA_BLOCK_FRAMES);
  while (n < NDA_BLOCK_FRAMES) {
    gfloat *at[N_TONES] = { out[0] + n, out[1] + n, out[2] + n };
    gsize n_more = nda_polyphase_pull (sound->polyphase, at, 1,
        NDA_BLOCK_FRAMES - n);

    if (!n_more)
      capture (sim, sound);
    n += n_more;
  }
  sound->n_out += n;
  if (sound->n_out < N_WINDOW)
    return;
  if (sim->time > 60.0)
    measure (sound);
  sound->n_out = 0;
}

GST_START_TEST (test_what_is_heard_of_drift)
{
  static const gdouble rates[] = { 200.0, -150.0 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    Sound *sound = g_new0 (Sound, 1);
    Sim sim = {.seconds = 120.0,.ppm = rates[i],.jitter = 0.3 * MS,.seed = i,
      .probe = convert_block,.user_data = sound
    };

    sound->polyphase = nda_polyphase_new (N_TONES, NDA_BLOCK_RATE,
        NDA_BLOCK_RATE, NDA_POLYPHASE_GLIDING);
    for (guint t = 0; t < N_TONES; t++)
      sound->worst[t] = G_MAXDOUBLE;
    sim_run (&sim);

    for (guint t = 0; t < N_TONES; t++) {
      GST_INFO ("%g ppm, %g Hz: %.1f dB", rates[i], tones[t], sound->worst[t]);
      fail_unless (sound->worst[t] >= least[t], "%g ppm, %g Hz: %.1f dB",
          rates[i], tones[t], sound->worst[t]);
    }
    nda_polyphase_free (sound->polyphase);
    g_free (sound);
  }
}

GST_END_TEST;

static Suite *
drift_suite (void)
{
  Suite *suite = suite_create ("ndadrift");
  TCase *tcase = tcase_create ("drift");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_an_hour_of_drift);
  tcase_add_test (tcase, test_a_thousand_ppm);
  tcase_add_test (tcase, test_a_clock_that_changes_its_pace);
  tcase_add_test (tcase, test_a_thread_that_is_held_up);
  tcase_add_test (tcase, test_chunks_that_slide);
  tcase_add_test (tcase, test_a_clock_that_wanders);
  tcase_add_test (tcase, test_a_clock_that_is_set_is_followed_from_there);
  tcase_add_test (tcase, test_a_device_that_is_opened_anew_keeps_its_speed);
  tcase_add_test (tcase,
      test_a_device_that_is_too_far_off_is_followed_to_the_limit);
  tcase_add_test (tcase, test_a_clock_that_turns_back_is_given_up);
  tcase_add_test (tcase, test_a_clock_that_runs_away_is_given_up);
  tcase_add_test (tcase, test_true_drift_is_not_given_up);
  tcase_add_test (tcase, test_the_line_is_exact_without_jitter);
  tcase_add_test (tcase, test_observations_far_off_are_left_out);
  tcase_add_test (tcase, test_what_is_heard_of_drift);
  return suite;
}

GST_CHECK_MAIN (drift);
