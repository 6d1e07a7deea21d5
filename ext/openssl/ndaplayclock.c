/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaplayclock.h"

#include "ndablock.h"

/* By which part of its length a block may be longer or shorter, so that it
 * meets the line without a jump */
#define MAX_PART 64

void
nda_play_clock_begin (NdaPlayClock * self, guint rate, GstClockTime base)
{
  self->rate = rate;
  self->base = base;
  self->is_following = FALSE;
  nda_timing_init (&self->line, rate, FALSE);
}

static GstClockTime
count_time (const NdaPlayClock * self, guint64 frame)
{
  return self->base + nda_block_frames_to_time (frame, self->rate);
}

/* Whether @time is exact: rounding can shift it by a frame, and no more. */
static gboolean
is_exact (const NdaPlayClock * self, GstClockTime time, guint64 frame)
{
  GstClockTimeDiff off = GST_CLOCK_DIFF (count_time (self, frame), time);

  return ABS (off) <= GST_SECOND / self->rate;
}

gboolean
nda_play_clock_observe (NdaPlayClock * self, GstClockTime time, guint64 frame)
{
  NdaTimingResult result = nda_timing_observe (&self->line, time, frame);

  if (!self->is_following)
    self->is_following = !is_exact (self, time, frame);
  return self->is_following && result == NDA_TIMING_STEPPED;
}

GstClockTime
nda_play_clock_get_time (const NdaPlayClock * self, guint64 frame)
{
  const NdaTiming *line = &self->line;
  GstClockTimeDiff since;

  if (!self->is_following)
    return count_time (self, frame);
  since = (line->time + (frame - line->frame) * line->duration) * GST_SECOND;
  return since < 0 && line->origin < (GstClockTime) - since ? 0 :
      line->origin + since;
}

GstClockTime
nda_play_clock_get_end (const NdaPlayClock * self, GstClockTime start,
    guint64 end_frame, guint n_frames)
{
  GstClockTime end = nda_play_clock_get_time (self, end_frame);
  GstClockTime usual;

  if (!self->is_following)
    return end;
  usual = nda_block_frames_to_time (n_frames, self->rate);
  return CLAMP (end, start + usual - usual / MAX_PART,
      start + usual + usual / MAX_PART);
}
