/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The control loop that keeps the delay through a device constant: it tells how
 * fast the device has to be fed, or emptied, however fast its clock goes.
 *
 * Sound of the stream, in the time of the pipeline's clock, becomes frames of
 * the device, or the other way round, in a resampler whose ratio can glide. One
 * line (ndatiming.h) tells the device's position at any time. The resampler's
 * position must stay as far from it as it was at the start:
 *
 *     error = device (t) - resampler (t) - lead
 *
 * and that is held at zero by the proportional and integral loop of
 * F. Adriaensen, “Controlling adaptive resampling” (Linux Audio Conference
 * 2012): for a bandwidth w, the integral of w^2 error gives the speed of the
 * device, and 2 z w error, with z = 1 / sqrt (2), brings the rest back. Before
 * that the error passes two low-pass filters at 20 w, so that jitter does not
 * modulate the sound. w is wide at first and narrows with time.
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
 * The lead is what the line says about the start; as long as the line is still
 * being fitted, it says so ever better.
 *
 * What was watched before it was followed may be one clock all the same, which
 * wanders so slowly that a part of it is as straight as drift. Such a clock
 * turns back, and two pieces of hardware do not. So one that goes the other
 * way, or faster than can be followed, for half a minute is given up.
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
  NDA_DRIFT_LEARNING,           /* where the device is is not known yet */
  NDA_DRIFT_LOCKING,            /* followed, but not near enough for long */
  NDA_DRIFT_LOCKED,
  NDA_DRIFT_GIVEN_UP,           /* it was no drift: never followed again */
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
  gdouble stepped;              /* frames, by which it has stepped since */
  GstClockTime locking_since;   /* when following began */
  GstClockTime last_time;       /* of the last steering, or NONE */
  gdouble filtered[2];          /* s, the error behind each low-pass */
  gdouble integral;             /* speed less 1 */
  gdouble speed;                /* that was told last, less 1 */
  gdouble calm;                 /* s, for how long the error has been small */
  guint64 n_steps;              /* times that a clock was set */
  gdouble proven;               /* the speed less 1 that watching found, or 0.0
                                 * where nobody watched */
  gdouble turned;               /* s, for how long that has been wrong */
} NdaDrift;

void nda_drift_init (NdaDrift * drift, gdouble rate, gboolean in_chunks);
void nda_drift_restart (NdaDrift * drift);

/* At @time by the pipeline's clock the device had passed @frame. */
void nda_drift_observe (NdaDrift * drift, GstClockTime time, gdouble frame);

/* The sound of @time in the stream is the device's @frame in the resampler.
 * Returns how many frames of the device to a nominal one from now on. Time in
 * the stream may begin anywhere. */
gdouble nda_drift_steer (NdaDrift * drift, GstClockTime time, gdouble frame);

/* The same while there is no resampler, because both clocks may well be one.
 * TRUE when it is proven that they are not: from then on, steer. The lead is
 * what it was 20 s after the start, when clocks have settled, and steps of the
 * device since then: those are no drift. */
gboolean nda_drift_watch (NdaDrift * drift, GstClockTime time, gdouble frame);

GstClockTimeDiff nda_drift_get_error (const NdaDrift * drift);
gdouble nda_drift_get_ppm (const NdaDrift * drift);
const gchar *nda_drift_state_get_nick (NdaDriftState state);

G_END_DECLS
