/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadrift.h"

#include <math.h>

/* rad/s. At first N / (time since then); in the end still wide beside that of
 * the line, so that it adds little to what the line makes of a step. */
#define FINAL_BANDWIDTH 0.4
#define NARROWING 5.0
#define WIDEST_BANDWIDTH 8.0
#define LOW_PASS_RATIO 20.0

/* Following begins when the line is known as well as this (in s), or so long
 * after the start */
#define GOOD_LINE 0.00015
#define MAX_LEARNING (2 * GST_SECOND)
/* An error (in s) beyond this is not drift: the lead is taken anew */
#define MAX_ERROR 0.030
/* Locked: nearer than NEAR_ERROR (in s) for NEAR_TIME (in s). Lost: off by more
 * than FAR_ERROR (in s) */
#define NEAR_ERROR 0.0002
#define NEAR_TIME 1.0
#define FAR_ERROR 0.001
/* The clocks of a sound server run fast or slow by milliseconds at first: what
 * is to prove that they are two begins to count after so long */
#define SETTLING (20 * GST_SECOND)
/* A clock goes the other way than was proven when it does by so much (in s a
 * second): a crystal that warms up changes by less. Given up after so long (in
 * s); a sound server's clock wanders back sooner. */
#define MIN_TURN 10e-6
#define TURN_TIME 30.0
/* A pause (in s) counts as no more than this, so that none is made up for */
#define MAX_INTERVAL 0.1

/* For a device of @rate frames a second by its own clock, which are seen when
 * they come, if @in_chunks, or else by asking that clock. */
void
nda_drift_init (NdaDrift * self, gdouble rate, gboolean in_chunks)
{
  *self = (NdaDrift) {
  .last_time = GST_CLOCK_TIME_NONE};
  nda_timing_init (&self->timing, rate, in_chunks);
}

/* The lead is what it is: learn where the device is, and keep it so. */
static void
learn (NdaDrift * self)
{
  if (self->state == NDA_DRIFT_GIVEN_UP)
    return;
  self->state = NDA_DRIFT_LEARNING;
  self->has_start = self->has_settled = FALSE;
  self->last_time = GST_CLOCK_TIME_NONE;
  self->filtered[0] = self->filtered[1] = 0.0;
  self->speed = self->integral;
  self->calm = self->stepped = 0.0;
}

/* After a device was opened anew, or the stream broke off. What is known of the
 * device's speed is kept. */
void
nda_drift_restart (NdaDrift * self)
{
  nda_timing_restart (&self->timing);
  learn (self);
}

void
nda_drift_observe (NdaDrift * self, GstClockTime time, gdouble frame)
{
  gdouble since = GST_CLOCK_DIFF (self->start_time, time)
      / (gdouble) GST_SECOND;

  if (self->has_settled)
    nda_proof_observe (&self->proof, since, frame / self->timing.rate - since);
  if (nda_timing_observe (&self->timing, time, frame) == NDA_TIMING_STEPPED) {
    self->n_steps++;
    learn (self);
  }
}

static gdouble
clamp_speed (gdouble speed)
{
  const gdouble max = NDA_DRIFT_MAX_PPM * 1e-6;

  return CLAMP (speed, -max, max);
}

/* Where the device is at @time of the stream. */
static gdouble
device_at (const NdaDrift * self, GstClockTime time)
{
  return nda_timing_get_frame (&self->timing, time + self->ahead);
}

/* The lead there was at the start, by what the line says of it now. */
static void
take_lead (NdaDrift * self)
{
  self->lead = device_at (self, self->start_time) - self->start_frame
      + self->stepped;
}

static void
try_following (NdaDrift * self, GstClockTime time, gdouble frame)
{
  if (!self->timing.n_observed)
    return;
  if (!self->has_start) {
    self->has_start = TRUE;
    self->ahead = GST_CLOCK_DIFF (time, nda_timing_get_time (&self->timing));
    self->start_time = time;
    self->start_frame = frame;
  }
  if (nda_timing_get_error (&self->timing) > GOOD_LINE
      && time < self->start_time + MAX_LEARNING)
    return;
  self->state = NDA_DRIFT_LOCKING;
  self->locking_since = self->last_time = time;
  self->integral = clamp_speed (nda_timing_get_speed (&self->timing) - 1.0);
  self->speed = self->integral;
  take_lead (self);
}

/* Narrows with the time since following began. */
static gdouble
bandwidth_at (const NdaDrift * self, GstClockTime time)
{
  gdouble since = GST_CLOCK_DIFF (self->locking_since, time)
      / (gdouble) GST_SECOND;

  return CLAMP (NARROWING / MAX (since, 0.001), FINAL_BANDWIDTH,
      WIDEST_BANDWIDTH);
}

static void
judge_lock (NdaDrift * self, gdouble interval)
{
  gdouble error = fabs (self->filtered[1]);

  self->calm = error < NEAR_ERROR ? self->calm + interval : 0.0;
  if (self->state == NDA_DRIFT_LOCKING && self->calm >= NEAR_TIME)
    self->state = NDA_DRIFT_LOCKED;
  else if (self->state == NDA_DRIFT_LOCKED && error > FAR_ERROR)
    self->state = NDA_DRIFT_LOCKING;
}

/* The loop: one turn, @interval (in s) after the last. */
static void
turn (NdaDrift * self, gdouble error, gdouble bandwidth, gdouble interval)
{
  gdouble part = 1.0 - exp (-LOW_PASS_RATIO * bandwidth * interval);

  self->filtered[0] += part * (error - self->filtered[0]);
  self->filtered[1] += part * (self->filtered[0] - self->filtered[1]);
  error = self->filtered[1];
  self->speed = clamp_speed (self->integral + M_SQRT2 * bandwidth * error);
  /* what the limit keeps from being made up for is not to be learned from */
  if (fabs (self->speed) < NDA_DRIFT_MAX_PPM * 1e-6 || self->speed * error < 0)
    self->integral = clamp_speed (self->integral
        + bandwidth * bandwidth * error * interval);
}

/* Whether the device goes as no drift does that was proven. */
static gboolean
is_turned (const NdaDrift * self)
{
  gdouble speed = nda_timing_get_speed (&self->timing) - 1.0;

  if (self->proven * speed < 0.0)
    return fabs (speed) >= MIN_TURN;
  return fabs (speed) >= NDA_DRIFT_MAX_PPM * 1e-6;
}

/* The sound stays where it is, at the speed that it has by itself. */
static void
judge_turn (NdaDrift * self, gdouble interval)
{
  if (self->proven == 0.0)
    return;
  self->turned = is_turned (self) ? self->turned + interval : 0.0;
  if (self->turned < TURN_TIME)
    return;
  self->state = NDA_DRIFT_GIVEN_UP;
  self->speed = self->integral = 0.0;
}

/* How far (in s) the resampler, at @frame at @time, is behind where it should
 * be. FALSE when it is so far that the lead has to be taken anew. */
static gboolean
get_error (NdaDrift * self, GstClockTime time, gdouble frame, gdouble * error)
{
  *error = (device_at (self, time) - self->lead - frame) / self->timing.rate;
  if (fabs (*error) <= MAX_ERROR)
    return TRUE;
  self->n_steps++;
  learn (self);
  return FALSE;
}

/* Since the last time (in s). */
static gdouble
take_interval (NdaDrift * self, GstClockTime time)
{
  gdouble interval = GST_CLOCK_DIFF (self->last_time, time)
      / (gdouble) GST_SECOND;

  self->last_time = time;
  return CLAMP (interval, 0.0, MAX_INTERVAL);
}

gdouble
nda_drift_steer (NdaDrift * self, GstClockTime time, gdouble frame)
{
  gdouble error, interval;

  if (self->state == NDA_DRIFT_GIVEN_UP)
    return 1.0;
  if (self->state == NDA_DRIFT_LEARNING) {
    try_following (self, time, frame);
    return 1.0 + self->speed;
  }
  if (self->timing.is_fitting)
    take_lead (self);
  if (get_error (self, time, frame, &error)) {
    interval = take_interval (self, time);
    turn (self, error, bandwidth_at (self, time), interval);
    judge_lock (self, interval);
    judge_turn (self, interval);
  }
  return 1.0 + self->speed;
}

/* Counts from here on; the line, too, begins anew. */
static void
settle (NdaDrift * self, GstClockTime time, gdouble frame)
{
  self->has_settled = TRUE;
  self->stepped = 0.0;
  self->start_time = time;
  self->start_frame = frame;
  nda_timing_restart (&self->timing);
  nda_proof_init (&self->proof, nda_timing_get_chunk (&self->timing));
}

/* What the device has stepped is no drift: the lead goes with it. */
static void
take_steps (NdaDrift * self)
{
  self->stepped = self->proof.steps * self->timing.rate;
  self->filtered[0] -= self->proof.steps;
  self->filtered[1] -= self->proof.steps;
  take_lead (self);
}

gboolean
nda_drift_watch (NdaDrift * self, GstClockTime time, gdouble frame)
{
  gdouble distance, first, since;

  if (self->state == NDA_DRIFT_LEARNING) {
    try_following (self, time, frame);
    return FALSE;
  }
  if (!self->has_settled) {
    if (time >= self->locking_since + SETTLING)
      settle (self, time, frame);
    return FALSE;
  }
  if (!self->timing.n_observed)
    return FALSE;
  if (self->timing.is_fitting)
    take_lead (self);
  distance = (device_at (self, time) - frame) / self->timing.rate;
  first = self->lead / self->timing.rate;
  since = GST_CLOCK_DIFF (self->start_time, time) / (gdouble) GST_SECOND;
  self->filtered[0] = self->filtered[1] = distance - first;
  self->integral = clamp_speed (nda_timing_get_speed (&self->timing) - 1.0);
  if (!nda_proof_add (&self->proof, since, distance, first))
    return FALSE;
  self->proven = (distance - self->proof.steps - first) / since;
  take_steps (self);
  self->locking_since = self->last_time = time;
  self->calm = 0.0;
  return TRUE;
}

/* How far (in ns) sound is from taking the time that it took at the start;
 * positive: the resampler lies behind. */
GstClockTimeDiff
nda_drift_get_error (const NdaDrift * self)
{
  return (GstClockTimeDiff) (self->filtered[1] * GST_SECOND);
}

/* How much faster the device is than it should be, in millionths; 0.0 before
 * it is known. */
gdouble
nda_drift_get_ppm (const NdaDrift * self)
{
  return self->integral * 1e6;
}

const gchar *
nda_drift_state_get_nick (NdaDriftState state)
{
  static const gchar *const nicks[] = { "learning", "locking", "locked",
    "given-up"
  };

  return nicks[state];
}
