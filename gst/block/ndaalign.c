/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaalign.h"

/* GStreamer's own defaults */
#define ALIGNMENT_THRESHOLD (40 * GST_MSECOND)
#define DISCONT_WAIT (1 * GST_SECOND)

void
nda_align_init (NdaAlign * self, guint rate)
{
  nda_align_clear (self);
  self->stream = gst_audio_stream_align_new (rate, ALIGNMENT_THRESHOLD,
      DISCONT_WAIT);
  self->last = GST_CLOCK_TIME_NONE;
}

void
nda_align_clear (NdaAlign * self)
{
  g_clear_pointer (&self->stream, gst_audio_stream_align_free);
}

void
nda_align_forget (NdaAlign * self)
{
  self->last = GST_CLOCK_TIME_NONE;
  if (self->stream)
    gst_audio_stream_align_mark_discont (self->stream);
}

/* Whether a buffer at @time came in a burst with the one before: sooner than
 * half of its length, and sooner than its own frames are due. */
static gboolean
is_in_burst (NdaAlign * self, GstClockTime time)
{
  return GST_CLOCK_TIME_IS_VALID (self->last) && time >= self->last
      && time - self->last < self->duration / 2 && time < self->end;
}

gboolean
nda_align_is_discont (NdaAlign * self, gboolean flagged, GstClockTime time,
    guint n_frames)
{
  gboolean in_burst = !flagged && is_in_burst (self, time);
  GstClockTime start;
  gboolean is_discont;

  /* the start of frame n is rounded down to ns, and that is rounded to frames
   * again */
  is_discont = gst_audio_stream_align_process (self->stream,
      flagged || in_burst, in_burst ? self->end + 1 : time, n_frames, &start,
      &self->duration, NULL);
  self->last = time;
  self->end = start + self->duration;
  return is_discont && !in_burst;
}
