/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Follows a device's clock for an ndaresample with the property adaptive.
 *
 * If rates and formats are equal, frames pass untouched at first, and this only
 * watches whether the device's clock and the pipeline's are two clocks. When
 * that is proven, a resampler whose ratio glides (changes smoothly) takes over
 * between two blocks, without a gap: it begins with the block that passed last.
 * If rates or formats differ, that resampler works from the start.
 *
 * The owner passes the frames, holds the resampler, and posts the messages.
 * Belongs to its sink thread: no locks. Only nda_adaptive_restart_later () may
 * be called from any thread. */

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
  GstBuffer *last_block;        /* owned; a copy of the last block that
                                 * passed, while watching */
  gboolean is_proven;           /* two clocks are proven */
  gboolean was_locked;          /* when nda_adaptive_take_news () was called */
  gdouble factor;               /* frames out, as a factor of the nominal
                                 * number, as the follower said last */
  gdouble held;                 /* s, how long sound was held then */
  gint must_restart;            /* [atomic] before the next buffer */
} NdaAdaptive;

/* Begins to follow @device, which plays the output; NULL: the device that the
 * input comes from. FALSE: the rates are too far apart. */
gboolean nda_adaptive_start (NdaAdaptive * adaptive, const GstAudioInfo * in,
    const GstAudioInfo * out, GstClock * device);
void nda_adaptive_stop (NdaAdaptive * adaptive);

/* The run of frames has ended. The second function ends it before the next
 * buffer, because the device has started again. */
void nda_adaptive_restart (NdaAdaptive * adaptive);
void nda_adaptive_restart_later (NdaAdaptive * adaptive);

/* Whether frames pass, for now. */
gboolean nda_adaptive_is_watching (const NdaAdaptive * adaptive);
/* Called before a buffer passes: whether two clocks are proven. */
gboolean nda_adaptive_watch (NdaAdaptive * adaptive);
/* Copies @block, which passes, while watching. */
void nda_adaptive_keep (NdaAdaptive * adaptive, GstBuffer * block);

/* Returns the resampler that follows (transfer full). Ends the watching, and
 * begins with the block that passed last. The resampler must not outlive
 * @adaptive. */
NdaResampler *nda_adaptive_take_over (NdaAdaptive * adaptive,
    GstCaps * out_caps);

/* Notes that @n_frames have come. @clock: the pipeline's, or NULL. */
void nda_adaptive_observe (NdaAdaptive * adaptive, GstClock * clock,
    guint n_frames);
/* @n_frames of the resampler's output, @duration long, go to the device. */
void nda_adaptive_calibrate (NdaAdaptive * adaptive, GstClockTime duration,
    guint n_frames);

/* The clock of the device that plays the output (transfer none), or NULL. */
GstClock *nda_adaptive_get_device (const NdaAdaptive * adaptive);
/* When on */
NdaAdaptiveFacts nda_adaptive_get_facts (const NdaAdaptive * adaptive);
/* Whether the lock was gained or lost since the last call. */
gboolean nda_adaptive_take_news (NdaAdaptive * adaptive);
gboolean nda_adaptive_is_locked (const NdaAdaptive * adaptive);

G_END_DECLS
