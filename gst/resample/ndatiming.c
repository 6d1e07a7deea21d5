/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndatiming.h"

#include <math.h>

/* rad/s. Observations that are 0.3 ms off, 94 times a second, move the line by
 * 0.01 ms. After a step of 100 ppm it goes 0.5 ms off before it turns. */
#define FINAL_BANDWIDTH 0.10
/* Observations nearer to each other (in s) say no more than one */
#define MIN_INTERVAL 0.004
/* Once there is a line, an observation is left out that is off by as much as
 * this (in s, and in chunks), and by as many deviations */
#define MAX_ERROR 0.008
#define MAX_CHUNKS 1.5
#define MAX_DEVIATIONS 6.0
#define N_FOR_A_LINE 8
/* How long (in s, and observations) a clock has to stay off the line to have
 * been set */
#define MIN_STEP_TIME 0.5
#define MIN_STEP_OBSERVATIONS 12
/* What is usual is averaged over so many observations */
#define USUAL_WINDOW 256
/* The average of late is taken over so long, and its variance (in s) */
#define SLOW_TIME 1.0
#define SLOW_WINDOW 60.0
/* s; as much of it as leaves the bandwidth as it is, and the least part of that
 * bandwidth that is used where there is more */
#define FINE_SLOW_ERROR 0.0004
#define LEAST_PART 0.1

void
nda_timing_init (NdaTiming * self, gdouble rate, gboolean in_chunks)
{
  *self = (NdaTiming) {
  .rate = rate,.in_chunks = in_chunks,.duration = 1.0 / rate};
}

/* Forgets where the device was, but not its speed. */
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

/* Whether an observation that is @error off should not count. */
static gboolean
is_off (const NdaTiming * self, gdouble error)
{
  gdouble max_error = MAX (MAX_ERROR, MAX_CHUNKS * nda_timing_get_chunk (self));

  return self->n_observed >= N_FOR_A_LINE && fabs (error) > max_error
      && fabs (error) > MAX_DEVIATIONS * sqrt (self->variance);
}

/* Whether those left out are so many by now that a clock must have been set. */
static gboolean
has_stepped (NdaTiming * self, gdouble time)
{
  if (self->n_off++ == 0)
    self->off_since = time;
  return self->n_off >= MIN_STEP_OBSERVATIONS
      && fabs (time - self->off_since) >= MIN_STEP_TIME;
}

/* Averages what observations are off over some time, and how much that is. */
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

/* An average over a second has no jitter left. The error in it comes and goes
 * over seconds, and takes a narrower line to average out. */
static gdouble
get_final_bandwidth (const NdaTiming * self)
{
  gdouble off = sqrt (self->slow_variance);

  return FINAL_BANDWIDTH * CLAMP (FINE_SLOW_ERROR / MAX (off, 1e-9),
      LEAST_PART, 1.0);
}

/* Corrects the line by @error. Frames from one observation to the next are
 * taken to be as many as usual: how many they are now has the same jitter as
 * the error, and the product of both would not be zero on average. */
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

/* At @time the device had passed @frame, more or less. */
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

/* When the last observation was, by the line. */
GstClockTime
nda_timing_get_time (const NdaTiming * self)
{
  return self->origin + (GstClockTimeDiff) (self->time * GST_SECOND);
}

/* Where the device was, or will be, at @time. Not before the first
 * observation. */
gdouble
nda_timing_get_frame (const NdaTiming * self, GstClockTime time)
{
  return self->frame + (to_seconds (self, time) - self->time) / self->duration;
}

/* How fast the device is: 1.0 when as fast as it should be. */
gdouble
nda_timing_get_speed (const NdaTiming * self)
{
  return 1.0 / (self->duration * self->rate);
}

/* How far (in s) the line, while it is fitted, may well be off. */
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
