/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How an ndaresample whose property adaptive is set follows a device's clock.
 *
 * Where rates and formats are equal, frames pass untouched at first, and the
 * only question is whether the device's clock and the pipeline's are two at
 * all: it watches. When that is proven, a resampler whose ratio glides takes
 * over between two blocks, without a gap: it begins with the block that passed
 * last. Where rates or formats differ, that resampler is there from the start.
 *
 * The owner passes the frames, holds the resampler, and tells what there is to
 * tell. Belongs to its sink thread: no locks. nda_adaptive_restart_later ()
 * alone may be called from any thread. */

#pragma once

#include "ndafollower.h"
#include "ndaresampler.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *state;           /* watching, learning, locking or locked */
  gdouble drift_ppm;
  guint64 delay;                /* ns */
  gint64 delay_error;           /* ns */
  guint64 n_clock_steps;
} NdaAdaptiveFacts;

typedef struct
{
  gboolean is_on;               /* a clock is followed, or watched */
  GstAudioInfo in;              /* when on */
  GstAudioInfo out;             /* when on */
  NdaFollower follower;         /* when on */
  GstBuffer *last_block;        /* owned; a copy of what passed last, as long as
                                 * it watches */
  gboolean is_proven;           /* that there are two clocks */
  gboolean was_locked;          /* when nda_adaptive_take_news () was called */
  gdouble factor;               /* frames out, beside what the rates give, as
                                 * the follower said last */
  gdouble held;                 /* s, for how long sound was held then */
  gint must_restart;            /* [atomic] before the next buffer */
} NdaAdaptive;

/* Begins to follow @device, which plays what goes out, or if that is NULL the
 * device that frames come from. FALSE where the rates are too far apart. */
gboolean nda_adaptive_start (NdaAdaptive * adaptive, const GstAudioInfo * in,
    const GstAudioInfo * out, GstClock * device);
void nda_adaptive_stop (NdaAdaptive * adaptive);

/* The run of frames has ended; or will have, before the next buffer, because
 * the device began anew. */
void nda_adaptive_restart (NdaAdaptive * adaptive);
void nda_adaptive_restart_later (NdaAdaptive * adaptive);

/* Whether frames pass, for now. */
gboolean nda_adaptive_is_watching (const NdaAdaptive * adaptive);
/* Before a buffer passes: whether two clocks are proven. */
gboolean nda_adaptive_watch (NdaAdaptive * adaptive);
/* Copies @block, which passes, if it watches. */
void nda_adaptive_keep (NdaAdaptive * adaptive, GstBuffer * block);

/* The resampler that follows (transfer full). It ends the watching, and begins
 * with what passed last. It must not outlive @adaptive. */
NdaResampler *nda_adaptive_take_over (NdaAdaptive * adaptive,
    GstCaps * out_caps);

/* @n_frames have come. @clock: the pipeline's, or NULL. */
void nda_adaptive_observe (NdaAdaptive * adaptive, GstClock * clock,
    guint n_frames);
/* Of what the resampler gave, @n_frames, @duration long, go to the device. */
void nda_adaptive_calibrate (NdaAdaptive * adaptive, GstClockTime duration,
    guint n_frames);

/* The clock of the device that plays what goes out (transfer none), or NULL. */
GstClock *nda_adaptive_get_device (const NdaAdaptive * adaptive);
/* When on */
NdaAdaptiveFacts nda_adaptive_get_facts (const NdaAdaptive * adaptive);
/* Whether the lock was gained or lost since this was asked last. */
gboolean nda_adaptive_take_news (NdaAdaptive * adaptive);
gboolean nda_adaptive_is_locked (const NdaAdaptive * adaptive);

G_END_DECLS
