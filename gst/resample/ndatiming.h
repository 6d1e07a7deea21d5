/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a device is at any time: a straight line through observations of it
 * that come early and late.
 *
 * This is the delay-locked loop of F. Adriaensen, “Using a DLL to filter time”
 * (Linux Audio Conference 2005): a prediction for the next observation, whose
 * error corrects the time by a part b and the duration of a frame by a part c
 * of it. For a loop of bandwidth w (in rad/s), critically observed every T
 * seconds, b = sqrt (2) w T and c = (w T)^2.
 *
 * A loop that begins with its final bandwidth takes minutes to find a rate. So
 * b and c are at first those of a growing window, which make this the line of
 * least squares through all observations so far. When they have fallen to those
 * of the final bandwidth, they stay there.
 *
 * A thread that was held up observes late, then several times at once: what is
 * too far off the line is left out. What stays there is a step of one of the
 * clocks, and the line begins anew.
 *
 * A source is observed by when its frames come, and they come in chunks: a
 * sound server looks at a pace of its own whether one is complete. The two
 * paces slide along each other. For seconds or minutes chunks come earlier and
 * earlier, or later and later, until they are off by a whole chunk and jump
 * back. Only an average over longer than such a slide tells it from drift. So
 * the bandwidth becomes narrower the more of the error is left after a second's
 * average.
 *
 * Belongs to one thread: no locks. Frames are counted as doubles, which hold a
 * 1000th of one for 500 years. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_TIMING_IGNORED,           /* too far off, or too soon */
  NDA_TIMING_OBSERVED,
  NDA_TIMING_STEPPED,           /* a clock was set: the line begins anew */
} NdaTimingResult;

typedef struct
{
  gdouble rate;                 /* [const] nominal, of the device, frames/s */
  gboolean in_chunks;           /* [const] frames are seen when they come */
  guint n_observed;             /* since the line began */
  gboolean is_fitting;          /* still the line of least squares */
  GstClockTime origin;          /* what time and first count from */
  gdouble first_frame;          /* where the line began */
  gdouble frame;                /* of the last observation */
  gdouble time;                 /* s, when it was, by the line */
  gdouble duration;             /* s, of a frame */
  gdouble usual_frames;         /* from one observation to the next */
  gdouble variance;             /* s^2, of what observations are off */
  gdouble slow_error;           /* s, what they are off on average of late */
  gdouble slow_variance;        /* s^2, of that */
  guint n_off;                  /* observations left out in a row */
  gdouble off_since;            /* s */
} NdaTiming;

void nda_timing_init (NdaTiming * timing, gdouble rate, gboolean in_chunks);
void nda_timing_restart (NdaTiming * timing);
NdaTimingResult nda_timing_observe (NdaTiming * timing, GstClockTime time,
    gdouble frame);

GstClockTime nda_timing_get_time (const NdaTiming * timing);
gdouble nda_timing_get_frame (const NdaTiming * timing, GstClockTime time);
gdouble nda_timing_get_speed (const NdaTiming * timing);
gdouble nda_timing_get_error (const NdaTiming * timing);

/* How long (in s) the frames are that come at once; 0.0 where that is not how
 * the device is seen. */
gdouble nda_timing_get_chunk (const NdaTiming * timing);

G_END_DECLS
