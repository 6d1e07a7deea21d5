/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds a device's position at any time: a straight line through observations
 * of the device that come early and late.
 *
 * This is the delay-locked loop of F. Adriaensen, “Using a DLL to filter time”
 * (Linux Audio Conference 2005): a prediction for the next observation. Its
 * error corrects the time by a part b of the error, and the duration of a frame
 * by a part c. For a loop of bandwidth w (in rad/s), critically damped and
 * observed every T seconds, b = sqrt (2) w T and c = (w T)^2.
 *
 * A loop that begins with its final bandwidth takes minutes to find a rate. So
 * b and c begin as those of a growing window, which make this the line of least
 * squares through all observations so far. When they have fallen to the values
 * of the final bandwidth, they stay there.
 *
 * A thread that was held up observes late, then several times at once. So an
 * observation that is too far off the line is left out. If observations stay
 * off the line, one of the clocks has made a step, and the line begins again.
 *
 * A source is observed by the arrival of its frames, and they come in chunks: a
 * sound server checks at its own pace whether a chunk is complete. The two
 * paces slide along each other. For seconds or minutes chunks come earlier and
 * earlier, or later and later, until the difference is a whole chunk; then they
 * jump back. Only an average over longer than such a slide tells it from drift.
 * So the bandwidth shrinks the more of the error is left in a one-second
 * average.
 *
 * Belongs to one thread: no locks. Frames are counted as doubles, which are
 * exact to a 1000th of a frame for 500 years. */

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
  gboolean in_chunks;           /* [const] frames are timed on arrival */
  guint n_observed;             /* since the line began */
  gboolean is_fitting;          /* still a fit by least squares */
  GstClockTime origin;          /* zero of time and first_frame */
  gdouble first_frame;          /* where the line began */
  gdouble frame;                /* of the last observation */
  gdouble time;                 /* s, of the last observation, by the line */
  gdouble duration;             /* s, of a frame */
  gdouble usual_frames;         /* from one observation to the next */
  gdouble variance;             /* s^2, of the observations' errors */
  gdouble slow_error;           /* s, recent average of the errors */
  gdouble slow_variance;        /* s^2, of that average */
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

/* How long a chunk is (in s); 0.0 if frames do not come in chunks. */
gdouble nda_timing_get_chunk (const NdaTiming * timing);

G_END_DECLS
