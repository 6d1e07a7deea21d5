/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Computes when a frame of a sender is played, by the receiver's clock. Frames
 * are counted from the first one, in the sender's order.
 *
 * As long as blocks arrive exactly when their count says, as from a file, a
 * frame's time is the first one's plus its count / rate, rounded once. When a
 * block arrives at another time, the blocks come over a network from a sender
 * with another clock. From then on the line through all arrivals gives a
 * frame's time (ndatiming.h). The line removes jitter, and follows the sender's
 * clock.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include "ndatiming.h"

G_BEGIN_DECLS

typedef struct
{
  guint rate;                   /* 0: not begun */
  GstClockTime base;            /* of frame 0 */
  gboolean is_following;        /* the line gives the time */
  NdaTiming line;
} NdaPlayClock;

void nda_play_clock_begin (NdaPlayClock * clock, guint rate,
    GstClockTime base);

/* Notes that frame @frame arrived at @time. TRUE: one of the clocks was set,
 * and the next frame does not follow the last one. */
gboolean nda_play_clock_observe (NdaPlayClock * clock, GstClockTime time,
    guint64 frame);

GstClockTime nda_play_clock_get_time (const NdaPlayClock * clock,
    guint64 frame);

/* The end of a block of @n_frames that begins at @start; @end_frame is the
 * frame after it. It is the clock's time of that frame, but the block may
 * become only a little longer or shorter. */
GstClockTime nda_play_clock_get_end (const NdaPlayClock * clock,
    GstClockTime start, guint64 end_frame, guint n_frames);

G_END_DECLS
