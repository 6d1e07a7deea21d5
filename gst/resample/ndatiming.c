/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndatiming.h"

#include <math.h>

/* In rad/s. With this bandwidth, observations with an error of 0.3 ms, 94 times
 * a second, move the line by 0.01 ms. After a step of 100 ppm the line's error
 * reaches 0.5 ms before it falls again. */
#define FINAL_BANDWIDTH 0.10
/* Observations nearer to each other (in s) tell no more than one */
#define MIN_INTERVAL 0.004
/* Once there is a line, an observation is left out if its error is this large
 * (in s, and in chunks), and as many standard deviations */
#define MAX_ERROR 0.008
#define MAX_CHUNKS 1.5
#define MAX_DEVIATIONS 6.0
#define N_FOR_A_LINE 8
/* How long (in s, and observations) observations have to stay off the line
 * before they mean that a clock was set */
#define MIN_STEP_TIME 0.5
#define MIN_STEP_OBSERVATIONS 12
/* The usual values are averaged over so many observations */
#define USUAL_WINDOW 256
/* The slow average is taken over SLOW_TIME, and its variance over SLOW_WINDOW
 * (in s) */
#define SLOW_TIME 1.0
#define SLOW_WINDOW 60.0
/* In s: the slow error up to which the bandwidth stays as it is; and the
 * smallest part of the bandwidth that is used for a larger error */
#define FINE_SLOW_ERROR 0.0004
#define LEAST_PART 0.1

void
nda_timing_init (NdaTiming * self, gdouble rate, gboolean in_chunks)
{
  *self = (NdaTiming) {
  .rate = rate,.in_chunks = in_chunks,.duration = 1.0 / rate};
}

/* Forgets the device's position, but not its speed. */
void
nda_timing_restart (NdaTiming * self)
{
  self->n_observed = self->n_off = 0;
  self->variance = self->slow_error = self->slow_variance = 0.0;
}

static void
begin (NdaTiming * self, GstClockTime time, gdouble frame)
{
  nda_timing_restart (self);
  self->origin = time;
  self->time = 0.0;
  self->frame = self->first_frame = frame;
  self->n_observed = 1;
  self->is_fitting = TRUE;
}

static gdouble
to_seconds (const NdaTiming * self, GstClockTime time)
{
  return GST_CLOCK_DIFF (self->origin, time) / (gdouble) GST_SECOND;
}

/* Whether an observation with this @error should not count. */
static gboolean
is_off (const NdaTiming * self, gdouble error)
{
  gdouble max_error = MAX (MAX_ERROR, MAX_CHUNKS * nda_timing_get_chunk (self));

  return self->n_observed >= N_FOR_A_LINE && fabs (error) > max_error
      && fabs (error) > MAX_DEVIATIONS * sqrt (self->variance);
}

/* Whether so many observations were left out that a clock must have been
 * set. */
static gboolean
has_stepped (NdaTiming * self, gdouble time)
{
  if (self->n_off++ == 0)
    self->off_since = time;
  return self->n_off >= MIN_STEP_OBSERVATIONS
      && fabs (time - self->off_since) >= MIN_STEP_TIME;
}

/* Averages the error of the observations over some time, and the size of that
 * average. */
static void
note_slow_error (NdaTiming * self, gdouble error)
{
  gdouble interval = self->usual_frames / self->rate;
  gdouble since = self->n_observed * interval;

  self->slow_error += (error - self->slow_error) * MIN (1.0,
      interval / MIN (since, SLOW_TIME));
  self->slow_variance += (self->slow_error * self->slow_error
      - self->slow_variance) * MIN (1.0, interval / MIN (since, SLOW_WINDOW));
}

/* The final bandwidth. An average over a second contains no jitter. If it has
 * an error that comes and goes over seconds, a smaller bandwidth is needed to
 * average that out. */
static gdouble
get_final_bandwidth (const NdaTiming * self)
{
  gdouble off = sqrt (self->slow_variance);

  return FINAL_BANDWIDTH * CLAMP (FINE_SLOW_ERROR / MAX (off, 1e-9),
      LEAST_PART, 1.0);
}

/* Corrects the line by @error. Uses the usual number of frames between
 * observations: the actual number has the same jitter as the error, and the
 * product of both would not be zero on average. */
static void
correct (NdaTiming * self, gdouble error)
{
  gdouble n = self->n_observed, n_frames = self->usual_frames;
  gdouble w = get_final_bandwidth (self) * n_frames / self->rate;
  gdouble b = M_SQRT2 * w, c = w * w;
  gdouble fitting_b = 2.0 * (2.0 * n + 1.0) / ((n + 1.0) * (n + 2.0));
  gdouble fitting_c = 6.0 / ((n + 1.0) * (n + 2.0));

  self->is_fitting = self->is_fitting && fitting_b > b;
  if (self->is_fitting) {
    b = fitting_b;
    c = fitting_c;
  }
  self->time += b * error;
  self->duration += c * error / n_frames;
  self->variance += (error * error - self->variance) / MIN (n, USUAL_WINDOW);
  note_slow_error (self, error);
}

/* Notes that at @time the device had passed @frame, with some error. */
NdaTimingResult
nda_timing_observe (NdaTiming * self, GstClockTime time, gdouble frame)
{
  gdouble n_frames = frame - self->frame, predicted, error;

  if (!self->n_observed) {
    begin (self, time, frame);
    return NDA_TIMING_OBSERVED;
  }
  if (n_frames >= 0.0 && n_frames < MIN_INTERVAL * self->rate)
    return NDA_TIMING_IGNORED;
  predicted = self->time + n_frames * self->duration;
  error = to_seconds (self, time) - predicted;
  if (n_frames < 0.0 || is_off (self, error)) {
    if (!has_stepped (self, to_seconds (self, time)))
      return NDA_TIMING_IGNORED;
    begin (self, time, frame);
    return NDA_TIMING_STEPPED;
  }
  self->n_off = 0;
  self->frame = frame;
  self->time = predicted;
  self->usual_frames += (n_frames - self->usual_frames)
      / MIN (self->n_observed, USUAL_WINDOW);
  correct (self, error);
  self->n_observed++;
  return NDA_TIMING_OBSERVED;
}

/* The time of the last observation, by the line. */
GstClockTime
nda_timing_get_time (const NdaTiming * self)
{
  return self->origin + (GstClockTimeDiff) (self->time * GST_SECOND);
}

/* The device's position at @time. Not before the first observation. */
gdouble
nda_timing_get_frame (const NdaTiming * self, GstClockTime time)
{
  return self->frame + (to_seconds (self, time) - self->time) / self->duration;
}

/* The device's speed: 1.0 is its nominal speed. */
gdouble
nda_timing_get_speed (const NdaTiming * self)
{
  return 1.0 / (self->duration * self->rate);
}

/* The possible error (in s) of the line while it is fitted. */
gdouble
nda_timing_get_error (const NdaTiming * self)
{
  return self->n_observed < N_FOR_A_LINE ? G_MAXDOUBLE :
      2.0 * sqrt (self->variance / self->n_observed);
}

gdouble
nda_timing_get_chunk (const NdaTiming * self)
{
  return self->in_chunks ? self->usual_frames / self->rate : 0.0;
}
