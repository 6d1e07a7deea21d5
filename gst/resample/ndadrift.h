/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The control loop that keeps the delay through a device constant: it computes
 * how fast the device has to be fed, or emptied, at any speed of its clock.
 *
 * A resampler whose ratio can change converts sound of the stream, in the time
 * of the pipeline's clock, to frames of the device, or the reverse. One line
 * (ndatiming.h) gives the device's position at any time. The distance between
 * the resampler's position and the device's must stay as it was at the start.
 * This distance is called the lead:
 *
 *     error = device (t) - resampler (t) - lead
 *
 * The error is held at zero by the proportional and integral loop of
 * F. Adriaensen, “Controlling adaptive resampling” (Linux Audio Conference
 * 2012): for a bandwidth w, the integral of w^2 error gives the speed of the
 * device, and 2 z w error, with z = 1 / sqrt (2), corrects the rest. Before
 * that the error passes two low-pass filters at 20 w, so that jitter does not
 * modulate the sound. w is wide at first and shrinks with time.
 *
 *                  observations             device (t)      +----------+
 *     device's clock ----------> [ line ] --------> (+) --> | 2 x low- |
 *                                            lead --^ ^     |   pass   |
 *                                                     |     +----------+
 *                         resampler (t)               |          |
 *     stream --> [ resampler ] ----------------------(-)         v
 *                     ^                                     [ P + I ]
 *                     +--------- speed ---------------------------+
 *
 * The line gives the lead at the start. As long as the line is still being
 * fitted, the lead is computed from it again.
 *
 * A clock that was watched and then followed may still be the pipeline's own,
 * which wanders so slowly that a part of the wander is as straight as drift.
 * Such a clock turns back, and two pieces of hardware do not. So a clock that
 * goes the other way, or faster than can be followed, for half a minute is
 * given up.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include "ndaproof.h"
#include "ndatiming.h"

G_BEGIN_DECLS

/* How far from its nominal rate a device is followed */
#define NDA_DRIFT_MAX_PPM 1500.0

typedef enum
{
  NDA_DRIFT_LEARNING,           /* the device's position is unknown yet */
  NDA_DRIFT_LOCKING,            /* followed, but not yet near for long */
  NDA_DRIFT_LOCKED,
  NDA_DRIFT_GIVEN_UP,           /* not drift: never followed again */
} NdaDriftState;

typedef struct
{
  NdaTiming timing;
  NdaDriftState state;
  gboolean has_start;
  gboolean has_settled;         /* when watched: the proof has begun */
  NdaProof proof;
  GstClockTimeDiff ahead;       /* the clock's time less the stream's */
  GstClockTime start_time;      /* of the stream, when the lead was taken, */
  gdouble start_frame;          /* and the resampler's frame then */
  gdouble lead;                 /* frames, device less resampler */
  gdouble stepped;              /* frames, sum of its steps since then */
  GstClockTime locking_since;   /* when following began */
  GstClockTime last_time;       /* of the last steering, or NONE */
  gdouble filtered[2];          /* s, the error behind each low-pass */
  gdouble integral;             /* speed less 1 */
  gdouble speed;                /* as returned last, less 1 */
  gdouble calm;                 /* s, for how long the error has been small */
  guint64 n_steps;              /* how often a clock was set */
  gdouble proven;               /* the proven speed less 1, or 0.0 if not
                                 * watched */
  gdouble turned;               /* s, how long that has been wrong */
} NdaDrift;

void nda_drift_init (NdaDrift * drift, gdouble rate, gboolean in_chunks);
void nda_drift_restart (NdaDrift * drift);

/* Notes that at @time by the pipeline's clock the device had passed @frame. */
void nda_drift_observe (NdaDrift * drift, GstClockTime time, gdouble frame);

/* The sound of @time in the stream is the device's @frame in the resampler.
 * Returns how many frames of the device make a nominal one from now on. Time in
 * the stream may begin anywhere. */
gdouble nda_drift_steer (NdaDrift * drift, GstClockTime time, gdouble frame);

/* Does the same while there is no resampler, because there may be only one
 * clock. TRUE: two clocks are proven; from then on, steer. The lead is the one
 * of 20 s after the start, when clocks have settled, plus the device's steps
 * since then, which are not drift. */
gboolean nda_drift_watch (NdaDrift * drift, GstClockTime time, gdouble frame);

GstClockTimeDiff nda_drift_get_error (const NdaDrift * drift);
gdouble nda_drift_get_ppm (const NdaDrift * drift);
const gchar *nda_drift_state_get_nick (NdaDriftState state);

G_END_DECLS
