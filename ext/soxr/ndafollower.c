/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndafollower.h"

/* From @in_rate to @out_rate, one of them that of the device. */
void
nda_follower_init (NdaFollower * self, GstClock * device, guint in_rate,
    guint out_rate)
{
  self->device = device ? gst_object_ref (device) : NULL;
  self->in_rate = in_rate;
  self->out_rate = out_rate;
  self->n_in = 0;
  nda_drift_init (&self->drift, device ? out_rate : in_rate);
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
  self->n_in = 0;
  nda_drift_restart (&self->drift);
}

/* @n_frames have come; see what @clock, the pipeline's, says of it. */
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
  nda_drift_observe (&self->drift, gst_clock_get_time (clock), frame);
}

static GstClockTime
to_time (gdouble frame, guint rate)
{
  return (GstClockTime) (MAX (frame, 0.0) * GST_SECOND / rate);
}

gboolean
nda_follower_watch (NdaFollower * self)
{
  return nda_drift_watch (&self->drift, to_time (self->n_in, self->in_rate),
      self->n_in);
}

gdouble
nda_follower_steer (NdaFollower * self, gdouble in_frame, gdouble out_frame)
{
  if (self->device)
    return nda_drift_steer (&self->drift, to_time (in_frame, self->in_rate),
        out_frame);
  return 1.0 / nda_drift_steer (&self->drift, to_time (out_frame,
          self->out_rate), in_frame);
}
