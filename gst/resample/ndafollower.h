/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells a resampler between a device and the pipeline how fast to go.
 *
 * One side of the resampler is the device's: frames come from it, and are seen
 * when they come, or they go to it, and its clock can be read. The other side
 * keeps the time of the pipeline's clock. The drift loop (ndadrift.h) compares
 * the two; this turns positions in the resampler into what the loop compares,
 * and the loop's answer into a ratio.
 *
 * Belongs to the sink thread: no locks. */

#pragma once

#include "ndadrift.h"

G_BEGIN_DECLS

typedef struct
{
  GstClock *device;             /* owned; of a device that frames go to; NULL:
                                 * they come from one */
  guint in_rate, out_rate;
  NdaDrift drift;
  guint64 n_in;                 /* frames that came since the run began */
  guint64 n_passed;             /* of these, before there was a filter */
  GstClockTime observed;        /* when, by the pipeline's clock, last */
  gboolean is_calibrating;
  GstClockTimeDiff passed;      /* of the stream since the last calibration */
  guint64 n_played;             /* frames of the device that made up for it */
} NdaFollower;

void nda_follower_init (NdaFollower * follower, GstClock * device,
    guint in_rate, guint out_rate);
void nda_follower_clear (NdaFollower * follower);
void nda_follower_restart (NdaFollower * follower);

void nda_follower_observe (NdaFollower * follower, GstClock * clock,
    guint n_frames);

/* As nda_drift_watch () and _steer (), by positions in the run. */
gboolean nda_follower_watch (NdaFollower * follower);
gdouble nda_follower_steer (NdaFollower * follower, gdouble in_frame,
    gdouble out_frame);

/* @n_frames for the device have gone out, which are @duration of the stream.
 * Calibrates its clock, so that a sink that turns time stamps into positions by
 * it finds each frame just behind the last. */
void nda_follower_calibrate (NdaFollower * follower, GstClockTime duration,
    guint n_frames);

G_END_DECLS
