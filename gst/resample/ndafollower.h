/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells a resampler between a device and the pipeline how fast to go.
 *
 * One side of the resampler belongs to the device: frames come from it, and are
 * timed on arrival, or they go to it, and its clock can be read. The other side
 * keeps the time of the pipeline's clock. The drift loop (ndadrift.h) compares
 * the two. The follower converts positions in the resampler to times for the
 * loop, and the loop's answer to a ratio.
 *
 * Belongs to the sink thread: no locks. */

#pragma once

#include "ndadrift.h"

G_BEGIN_DECLS

typedef struct
{
  GstClock *device;             /* owned; of a device that plays; NULL: the
                                 * device records */
  guint in_rate, out_rate;
  NdaDrift drift;
  guint64 n_in;                 /* frames that came since the run began */
  guint64 n_passed;             /* of these, before the filter started */
  GstClockTime observed;        /* last time, by the pipeline's clock */
  gboolean is_calibrating;
  GstClockTimeDiff passed;      /* stream time since the last calibration */
  guint64 n_played;             /* device frames in that time */
} NdaFollower;

void nda_follower_init (NdaFollower * follower, GstClock * device,
    guint in_rate, guint out_rate);
void nda_follower_clear (NdaFollower * follower);
void nda_follower_restart (NdaFollower * follower);

void nda_follower_observe (NdaFollower * follower, GstClock * clock,
    guint n_frames);

/* Do what nda_drift_watch () and nda_drift_steer () do, with positions in the
 * run. */
gboolean nda_follower_watch (NdaFollower * follower);
gdouble nda_follower_steer (NdaFollower * follower, gdouble in_frame,
    gdouble out_frame);

/* @n_frames for the device have gone out, which are @duration of the stream.
 * Calibrates the device's clock, so that a sink that converts time stamps to
 * positions by it puts each frame just after the last. */
void nda_follower_calibrate (NdaFollower * follower, GstClockTime duration,
    guint n_frames);

G_END_DECLS
