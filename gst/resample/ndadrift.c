/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadrift.h"

#include <math.h>

/* Bandwidth in rad/s. At first NARROWING / (time since the start); at the end
 * still wide compared with the line's, so that it adds little to the line's
 * reaction to a step */
#define FINAL_BANDWIDTH 0.4
#define NARROWING 5.0
#define WIDEST_BANDWIDTH 8.0
#define LOW_PASS_RATIO 20.0

/* Following begins when the line's error (in s) is below GOOD_LINE, or
 * MAX_LEARNING after the start */
#define GOOD_LINE 0.00015
#define MAX_LEARNING (2 * GST_SECOND)
/* An error (in s) beyond this is not drift: the lead is measured again */
#define MAX_ERROR 0.030
/* Locked: nearer than NEAR_ERROR (in s) for NEAR_TIME (in s). Lost: off by more
 * than FAR_ERROR (in s) */
#define NEAR_ERROR 0.0002
#define NEAR_TIME 1.0
#define FAR_ERROR 0.001
/* The clocks of a sound server run fast or slow by milliseconds at first: the
 * proof of two clocks begins after this time */
#define SETTLING (20 * GST_SECOND)
/* A clock turns if it goes the other way than was proven by at least MIN_TURN
 * (in s a second): a crystal that warms up changes by less. It is given up
 * after TURN_TIME (in s); a sound server's clock wanders back sooner. */
#define MIN_TURN 10e-6
#define TURN_TIME 30.0
/* A pause (in s) counts as at most this, so that no pause is corrected */
#define MAX_INTERVAL 0.1

/* Prepares for a device of @rate frames a second by its own clock. The frames
 * are timed on arrival, if @in_chunks, otherwise by reading that clock. */
void
nda_drift_init (NdaDrift * self, gdouble rate, gboolean in_chunks)
{
  *self = (NdaDrift) {
  .last_time = GST_CLOCK_TIME_NONE};
  nda_timing_init (&self->timing, rate, in_chunks);
}

/* Takes the present lead as the right one, learns where the device is, and then
 * keeps the lead. */
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

/* Called after a device was opened again, or the stream was interrupted. Keeps
 * the device's speed. */
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

/* Computes the lead at the start from the line as it is now. */
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

/* The bandwidth, which shrinks with the time since following began. */
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

/* One turn of the loop, @interval (in s) after the last. */
static void
turn (NdaDrift * self, gdouble error, gdouble bandwidth, gdouble interval)
{
  gdouble part = 1.0 - exp (-LOW_PASS_RATIO * bandwidth * interval);

  self->filtered[0] += part * (error - self->filtered[0]);
  self->filtered[1] += part * (self->filtered[0] - self->filtered[1]);
  error = self->filtered[1];
  self->speed = clamp_speed (self->integral + M_SQRT2 * bandwidth * error);
  /* do not integrate an error that the limit keeps from being corrected */
  if (fabs (self->speed) < NDA_DRIFT_MAX_PPM * 1e-6 || self->speed * error < 0)
    self->integral = clamp_speed (self->integral
        + bandwidth * bandwidth * error * interval);
}

/* Whether the device moves as no proven drift does. */
static gboolean
is_turned (const NdaDrift * self)
{
  gdouble speed = nda_timing_get_speed (&self->timing) - 1.0;

  if (self->proven * speed < 0.0)
    return fabs (speed) >= MIN_TURN;
  return fabs (speed) >= NDA_DRIFT_MAX_PPM * 1e-6;
}

/* Gives the clock up if it has turned for too long. The sound keeps its
 * position and its own speed. */
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

/* How far (in s) the resampler, at @frame at @time, is behind its proper
 * position. FALSE: so far that the lead must be measured again. */
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

/* Starts the proof here; the line starts again too. */
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

/* Adds the device's steps to the lead, since they are no drift. */
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

/* By how much (in ns) the delay of the sound differs from the delay at the
 * start; positive: the resampler is behind. */
GstClockTimeDiff
nda_drift_get_error (const NdaDrift * self)
{
  return (GstClockTimeDiff) (self->filtered[1] * GST_SECOND);
}

/* How much faster the device is than its nominal rate, in millionths; 0.0
 * before it is known. */
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
