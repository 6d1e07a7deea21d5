/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndafollower.h"

#define CALIBRATION_INTERVAL GST_SECOND
/* The rate of a clock is a fraction of this */
#define RATE_DENOMINATOR G_GUINT64_CONSTANT (1000000000)

/* Prepares for a conversion from @in_rate to @out_rate, one of which is the
 * device's. */
void
nda_follower_init (NdaFollower * self, GstClock * device, guint in_rate,
    guint out_rate)
{
  self->device = device ? gst_object_ref (device) : NULL;
  self->in_rate = in_rate;
  self->out_rate = out_rate;
  self->n_in = self->n_played = self->n_passed = 0;
  self->passed = 0;
  self->is_calibrating = FALSE;
  nda_drift_init (&self->drift, device ? out_rate : in_rate, device == NULL);
}

void
nda_follower_clear (NdaFollower * self)
{
  gst_clear_object (&self->device);
}

/* The run of frames has ended; another begins. */
void
nda_follower_restart (NdaFollower * self)
{
  self->n_in = self->n_played = self->n_passed = 0;
  self->passed = 0;
  self->is_calibrating = FALSE;
  nda_drift_restart (&self->drift);
}

/* Notes that @n_frames have come, at the time of @clock, the pipeline's. */
void
nda_follower_observe (NdaFollower * self, GstClock * clock, guint n_frames)
{
  gdouble frame;

  self->n_in += n_frames;
  if (self->device)
    frame = gst_clock_get_internal_time (self->device) * (gdouble)
        self->out_rate / GST_SECOND;
  else
    frame = self->n_in;
  self->observed = gst_clock_get_time (clock);
  nda_drift_observe (&self->drift, self->observed, frame);
}

static GstClockTime
to_time (gdouble frame, guint rate)
{
  return (GstClockTime) (MAX (frame, 0.0) * GST_SECOND / rate);
}

gboolean
nda_follower_watch (NdaFollower * self)
{
  self->n_passed = self->n_in;
  return nda_drift_watch (&self->drift, to_time (self->n_in, self->in_rate),
      self->n_in);
}

gdouble
nda_follower_steer (NdaFollower * self, gdouble in_frame, gdouble out_frame)
{
  in_frame += self->n_passed;
  out_frame += self->n_passed;
  if (self->device)
    return nda_drift_steer (&self->drift, to_time (in_frame, self->in_rate),
        out_frame);
  return 1.0 / nda_drift_steer (&self->drift, to_time (out_frame,
          self->out_rate), in_frame);
}

/* Moves the fixed point of the calibration along its line, from the start of
 * the sink to now: a change of rate must not move the sound that is played
 * now. */
static void
move_calibration (NdaFollower * self)
{
  GstClockTime internal, external, numerator, denominator;

  gst_clock_get_calibration (self->device, &internal, &external, &numerator,
      &denominator);
  internal = gst_clock_unadjust_with_calibration (NULL, self->observed,
      internal, external, numerator, denominator);
  gst_clock_set_calibration (self->device, internal, self->observed, numerator,
      denominator);
  self->is_calibrating = TRUE;
}

void
nda_follower_calibrate (NdaFollower * self, GstClockTime duration,
    guint n_frames)
{
  GstClockTime internal, external;

  if (!self->is_calibrating)
    move_calibration (self);
  self->passed += duration;
  self->n_played += n_frames;
  if (self->passed < CALIBRATION_INTERVAL)
    return;
  gst_clock_get_calibration (self->device, &internal, &external, NULL, NULL);
  gst_clock_set_calibration (self->device,
      internal + gst_util_uint64_scale (self->n_played, GST_SECOND,
          self->out_rate), external + self->passed, RATE_DENOMINATOR,
      (GstClockTime) (RATE_DENOMINATOR * (1.0 + self->drift.speed)));
  self->passed = 0;
  self->n_played = 0;
}
