/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Time stamps by counting frames. 512 frames at 48 kHz are 10 2/3 ms, which
 * nanoseconds cannot hold, so durations are never added up: every time stamp
 * is the base plus the frame counter, scaled and rounded down once. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  guint rate;                   /* frames per second */
  GstClockTime base;            /* time of frame 0, or NONE before the first */
  guint64 n_frames;             /* frames stamped since base */
  GstClockTime end;             /* of the last of them, or NONE */
  guint64 offset;               /* frames stamped since the segment began */
} NdaFrameClock;

void nda_frame_clock_init (NdaFrameClock * clock, guint rate);
void nda_frame_clock_rebase (NdaFrameClock * clock, GstClockTime base);
void nda_frame_clock_count_from (NdaFrameClock * clock, GstClockTime base);
GstClockTime nda_frame_clock_now (const NdaFrameClock * clock);
void nda_frame_clock_stamp (NdaFrameClock * clock, GstBuffer * buffer,
    guint64 n_frames);

G_END_DECLS
