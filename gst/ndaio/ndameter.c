/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndameter.h"

#include "ndablock.h"

#include <gst/audio/gstaudioclock.h>
#include <math.h>
#include <string.h>

/* In seconds: at the start devices fill their buffers, and clocks settle */
#define SETTLING_TIME 1.0

void
nda_meter_init (NdaMeter * self)
{
  memset (self, 0, sizeof (*self));
  self->expected = GST_CLOCK_TIME_NONE;
  g_mutex_init (&self->lock);
}

void
nda_meter_clear (NdaMeter * self)
{
  g_mutex_clear (&self->lock);
}

/* Sets all counters to 0. */
void
nda_meter_reset (NdaMeter * self)
{
  g_mutex_lock (&self->lock);
  memset (&self->counters, 0, sizeof (self->counters));
  memset (&self->start, 0, sizeof (self->start));
  memset (&self->steady, 0, sizeof (self->steady));
  nda_pace_restart (&self->pace);
  self->expected = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&self->lock);
}

/* Welford's running means, so that hours of points lose no precision. */
static void
fit_add (NdaLineFit * fit, GstClockTime time, guint64 frame)
{
  gdouble x, y, dx;

  if (!fit->n_points) {
    fit->first_time = time;
    fit->first_frame = frame;
  }
  x = GST_CLOCK_DIFF (fit->first_time, time) / (gdouble) GST_SECOND;
  y = (gdouble) (frame - fit->first_frame);

  fit->n_points++;
  dx = x - fit->mean_x;
  fit->mean_x += dx / fit->n_points;
  fit->mean_y += (y - fit->mean_y) / fit->n_points;
  fit->sum_xx += dx * (x - fit->mean_x);
  fit->sum_xy += dx * (y - fit->mean_y);
  fit->last_x = x;
}

/* The slope, in frames a second; 0 before there is one. */
static gdouble
fit_slope (const NdaLineFit * fit)
{
  return fit->sum_xx > 0.0 ? fit->sum_xy / fit->sum_xx : 0.0;
}

/* How far frames have run ahead of the clock since the first point. */
static gint64
fit_drift (const NdaLineFit * fit)
{
  gdouble slope = fit_slope (fit);

  if (slope <= 0.0)
    return 0;
  return (gint64) llround ((slope / NDA_BLOCK_RATE - 1.0) * fit->last_x
      * GST_SECOND);
}

/* The running time at @element while it plays, or NONE. */
static GstClockTime
playing_time (GstElement * element)
{
  if (GST_STATE (element) != GST_STATE_PLAYING)
    return GST_CLOCK_TIME_NONE;
  return gst_element_get_current_running_time (element);
}

/* Whether @element uses the clock of a device without a pace. A rate measured
 * with such a clock has no meaning. */
static gboolean
runs_away_locked (NdaMeter * self, GstElement * element, GstClockTime now)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);

  if (!GST_IS_AUDIO_CLOCK (clock)
      || !nda_pace_note (&self->pace, now, gst_util_get_timestamp ()))
    return FALSE;
  memset (&self->start, 0, sizeof (self->start));
  memset (&self->steady, 0, sizeof (self->steady));
  return TRUE;
}

static void
count_locked (NdaMeter * self, GstElement * element, GstClockTime now,
    guint64 n_frames)
{
  /* where the frames begin that come now */
  if (GST_CLOCK_TIME_IS_VALID (now) && !runs_away_locked (self, element, now)) {
    fit_add (&self->start, now, self->counters.n_frames);
    if (self->start.last_x >= SETTLING_TIME)
      fit_add (&self->steady, now, self->counters.n_frames);
  }
  self->counters.n_blocks++;
  self->counters.n_frames += n_frames;
}

/* Counts @n_frames that pass @element. They may not follow the last ones. */
void
nda_meter_count_frames (NdaMeter * self, GstElement * element, guint64 n_frames,
    gboolean is_discontinuity)
{
  GstClockTime now = playing_time (element);

  g_mutex_lock (&self->lock);
  count_locked (self, element, now, n_frames);
  self->counters.n_discontinuities += is_discontinuity;
  g_mutex_unlock (&self->lock);
}

/* Counts one of our blocks. The source has had @n_discontinuities before it. If
 * it went on after more than a block without DISCONT, it had an underrun. */
void
nda_meter_count_block (NdaMeter * self, GstElement * element, GstBuffer * block,
    guint64 n_discontinuities)
{
  GstClockTime now = playing_time (element);
  GstClockTime begin = GST_BUFFER_PTS (block);

  g_mutex_lock (&self->lock);
  count_locked (self, element, now, (guint64) (GST_BUFFER_OFFSET_END (block)
          - GST_BUFFER_OFFSET (block)));
  if (n_discontinuities > self->counters.n_discontinuities
      && GST_CLOCK_TIME_IS_VALID (self->expected) && !self->pace.has_run_away
      && begin > self->expected + NDA_BLOCK_DURATION)
    self->counters.n_underruns++;
  self->counters.n_discontinuities = n_discontinuities;
  self->expected = begin + GST_BUFFER_DURATION (block);
  g_mutex_unlock (&self->lock);
}

void
nda_meter_count_overrun (NdaMeter * self)
{
  g_mutex_lock (&self->lock);
  self->counters.n_overruns++;
  g_mutex_unlock (&self->lock);
}

void
nda_meter_count_device_loss (NdaMeter * self)
{
  g_mutex_lock (&self->lock);
  self->counters.n_device_losses++;
  g_mutex_unlock (&self->lock);
}

/* For an owner that counts overruns itself. */
void
nda_meter_set_overruns (NdaMeter * self, guint64 n_overruns)
{
  g_mutex_lock (&self->lock);
  self->counters.n_overruns = n_overruns;
  g_mutex_unlock (&self->lock);
}

/* Counts a buffer that reached the sink inside and is heard @latency after its
 * time stamp; it may be too late for the pipeline's latency. */
void
nda_meter_count_arrival (NdaMeter * self, GstClockTime latency,
    gboolean is_late)
{
  g_mutex_lock (&self->lock);
  nda_histogram_record (&self->counters.latency, latency);
  self->counters.n_underruns += is_late;
  g_mutex_unlock (&self->lock);
}

/* Counts frames that were left out to bring a device back to its latency. */
void
nda_meter_count_skipped (NdaMeter * self, guint64 n_frames)
{
  g_mutex_lock (&self->lock);
  self->counters.n_frames_skipped += n_frames;
  g_mutex_unlock (&self->lock);
}

/* Counts frames that a device played without sound. */
void
nda_meter_count_silent (NdaMeter * self, guint64 n_frames)
{
  g_mutex_lock (&self->lock);
  self->counters.n_frames_silent += n_frames;
  g_mutex_unlock (&self->lock);
}

gboolean
nda_meter_has_run_away (NdaMeter * self)
{
  gboolean has_run_away;

  g_mutex_lock (&self->lock);
  has_run_away = self->pace.has_run_away;
  g_mutex_unlock (&self->lock);
  return has_run_away;
}

/* The statistics as a structure called @name. */
GstStructure *
nda_meter_snapshot (NdaMeter * self, const gchar * name,
    const NdaStatsField * fields)
{
  const NdaLineFit *fit;

  g_mutex_lock (&self->lock);
  fit = self->steady.last_x >= SETTLING_TIME ? &self->steady : &self->start;
  self->counters.rate = fit_slope (fit) / NDA_BLOCK_FRAMES;
  self->counters.drift = fit_drift (fit);
  g_mutex_unlock (&self->lock);
  return nda_stats_snapshot (name, fields, &self->lock, &self->counters,
      sizeof (self->counters));
}
