/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaframeclock.h"

#include "ndablock.h"

/* Begins a segment: no frames counted yet, and no base time. */
void
nda_frame_clock_init (NdaFrameClock * clock, guint rate)
{
  *clock = (NdaFrameClock) {
  .rate = rate,.base = GST_CLOCK_TIME_NONE,.end = GST_CLOCK_TIME_NONE,};
}

/* Counts from @base on, at the start or after a discontinuity. OFFSET goes
 * on: it numbers the frames of the segment. */
void
nda_frame_clock_rebase (NdaFrameClock * clock, GstClockTime base)
{
  clock->base = base;
  clock->n_frames = 0;
  clock->end = GST_CLOCK_TIME_NONE;
}

/* Counts from an earlier @base, if the next frame has one of its times: the
 * present base may be such a time, rounded down. */
void
nda_frame_clock_count_from (NdaFrameClock * clock, GstClockTime base)
{
  GstClockTime now = nda_frame_clock_now (clock);
  guint64 n_frames;

  if (!GST_CLOCK_TIME_IS_VALID (base) || !GST_CLOCK_TIME_IS_VALID (now)
      || base > now)
    return;
  n_frames = gst_util_uint64_scale_round (now - base, clock->rate, GST_SECOND);
  if (base + nda_block_frames_to_time (n_frames, clock->rate) != now)
    return;
  clock->base = base;
  clock->n_frames = n_frames;
}

/* The time of the next frame, or NONE before there is a base. */
GstClockTime
nda_frame_clock_now (const NdaFrameClock * clock)
{
  if (!GST_CLOCK_TIME_IS_VALID (clock->base))
    return GST_CLOCK_TIME_NONE;
  return clock->base + nda_block_frames_to_time (clock->n_frames, clock->rate);
}

/* Stamps @buffer, which is writable and holds the next @n_frames. */
void
nda_frame_clock_stamp (NdaFrameClock * clock, GstBuffer * buffer,
    guint64 n_frames)
{
  if (!GST_CLOCK_TIME_IS_VALID (clock->base))
    nda_frame_clock_rebase (clock, 0);

  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_IS_VALID (clock->end) ? clock->end :
      nda_frame_clock_now (clock);
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = clock->offset;

  clock->n_frames += n_frames;
  clock->offset += n_frames;
  clock->end = nda_frame_clock_now (clock);

  GST_BUFFER_DURATION (buffer) = clock->end - GST_BUFFER_PTS (buffer);
  GST_BUFFER_OFFSET_END (buffer) = clock->offset;
}
