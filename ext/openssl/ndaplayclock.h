/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* At what time a frame of a sender is played, by the receiver's clock. Frames
 * are counted from the one with which the clock began, in the order they were
 * said in.
 *
 * As long as blocks arrive just when their count says, as they do from a file,
 * a frame's time is the first one's plus its count / rate, rounded once. As
 * soon as one does not, they come over a network from a sender whose clock is
 * another, and a frame's time is where the line through all arrivals has it
 * (ndatiming.h). The line takes jitter out, and follows the sender's clock.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include "ndatiming.h"

G_BEGIN_DECLS

typedef struct
{
  guint rate;                   /* 0: not begun */
  GstClockTime base;            /* of frame 0 */
  gboolean is_following;        /* the line has the time */
  NdaTiming line;
} NdaPlayClock;

void nda_play_clock_begin (NdaPlayClock * clock, guint rate,
    GstClockTime base);

/* Frame @frame arrived at @time. TRUE: one of the clocks was set, and what is
 * played next does not follow what was played last. */
gboolean nda_play_clock_observe (NdaPlayClock * clock, GstClockTime time,
    guint64 frame);

GstClockTime nda_play_clock_get_time (const NdaPlayClock * clock,
    guint64 frame);

/* When @n_frames end that begin at @start, and of which @end_frame is the one
 * behind the last: where the clock has that, but so that the blocks there are
 * get hardly longer or shorter. */
GstClockTime nda_play_clock_get_end (const NdaPlayClock * clock,
    GstClockTime start, guint64 end_frame, guint n_frames);

G_END_DECLS
