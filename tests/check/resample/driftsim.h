/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hours of two clocks in seconds: a device whose clock is off, seen late by a
 * thread that is held up now and then, and the drift loop that follows it. What
 * really happens to the sound is known here to the last digit. */

#pragma once

#include "ndadrift.h"

#include <math.h>

G_BEGIN_DECLS

typedef enum
{
  SIM_SOURCE,                   /* blocks of the device, seen as they arrive */
  SIM_SINK,                     /* blocks of the stream, for a device that is
                                 * asked where it is */
} SimSide;

typedef struct _Sim Sim;

/* The frame that @frame has to wait for, where @tick frames come at once; @tick
 * is 0 where each comes by itself. */
static inline gdouble
sim_serve (gdouble frame, gdouble tick)
{
  return tick > 0.0 ? ceil (frame / tick) * tick : frame;
}

/* Called before each block of the stream. */
typedef void (*SimProbe) (Sim * sim, gpointer user_data);

struct _Sim
{
  /* what is to happen; times in s */
  SimSide side;
  gdouble seconds;
  gdouble ppm;                  /* of the device's clock */
  gdouble jitter;               /* rms, of observations */
  gdouble ppm_step, ppm_step_at;        /* added to ppm; at 0: never */
  gdouble tick;                 /* frames; a source is seen when so many more
                                 * have come; 0: at once */
  gdouble wander, wander_period;        /* s; of the pipeline's clock */
  gdouble stall, stall_at;      /* nothing is seen for so long */
  gdouble clock_step, clock_step_at;    /* the pipeline's clock is set */
  gdouble late_after;           /* when max_late_error begins; 0: a minute */
  gboolean is_watching;         /* whether there are two clocks; goes FALSE */
  guint32 seed;
  SimProbe probe;
  gpointer user_data;

  /* how it is going */
  NdaDrift drift;
  GRand *dice;
  gdouble time;                 /* of the stream */
  gdouble done;                 /* frames of the device in the resampler */
  gdouble speed;                /* where the glide has come to */
  gdouble target;               /* and where it goes within the block */
  guint64 n_seen;               /* blocks of the device that have arrived */
  gdouble seen_at;              /* when the last one did */
  gdouble first_delay;          /* of the sound, at the start */
  gdouble error;                /* of the delay, now */

  /* how it went */
  gdouble max_error;            /* of the delay, from the start on */
  gdouble max_late_error;       /* the same, after late_after */
  gdouble locked_at;            /* when it was locked first, or negative */
  guint n_locks, n_losses;
  gdouble min_waiting, max_waiting;     /* frames, device to resampler */
};

void sim_run (Sim * sim);
gdouble sim_device_frame (const Sim * sim, gdouble time);
gdouble sim_device_time (const Sim * sim, gdouble frame);

G_END_DECLS
