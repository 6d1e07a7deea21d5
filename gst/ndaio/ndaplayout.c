/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaplayout.h"

#include "ndablock.h"

void
nda_playout_init (NdaPlayout * self, GstBaseSink * sink)
{
  self->sink = sink;
  self->kind = nda_device_kind_get (GST_ELEMENT (sink));
}

gboolean
nda_playout_get_format (const NdaPlayout * self, GstAudioInfo * info)
{
  return self->kind->get_format
      && self->kind->get_format (GST_ELEMENT (self->sink), info);
}

gboolean
nda_playout_get_held (const NdaPlayout * self, const GstAudioInfo * info,
    GstClockTimeDiff * held)
{
  return self->kind->get_held
      && self->kind->get_held (GST_ELEMENT (self->sink), info, held);
}

gboolean
nda_playout_get_end (const NdaPlayout * self, guint64 * frame)
{
  return self->kind->get_end
      && self->kind->get_end (GST_ELEMENT (self->sink), frame);
}

GstClockTime
nda_playout_get_ahead (const NdaPlayout * self, const GstAudioInfo * info)
{
  return self->kind->get_ahead ?
      self->kind->get_ahead (GST_ELEMENT (self->sink), info) : 0;
}

/* Returns the clock (transfer full) of the device, or NULL if it is the
 * pipeline's clock. */
static GstClock *
get_clock_apart (const NdaPlayout * self)
{
  g_autoptr (GstClock) own = self->kind->get_clock ?
      self->kind->get_clock (GST_ELEMENT (self->sink)) : NULL;
  g_autoptr (GstClock) followed =
      gst_element_get_clock (GST_ELEMENT (self->sink));

  return own != followed ? g_steal_pointer (&own) : NULL;
}

/* A sink that is slaved to another clock takes the late start of its device for
 * a difference of the clocks. When its average shows the difference, it inserts
 * silence to correct it, and all later sound comes late. The frames that are
 * left out here correct the start already, so the clock has to know about
 * them. */
void
nda_playout_tell_clock (const NdaPlayout * self, GstClockTimeDiff left_out)
{
  g_autoptr (GstClock) own = get_clock_apart (self);
  GstClockTime internal, external, num, denom;

  if (!own)
    return;
  gst_clock_get_calibration (own, &internal, &external, &num, &denom);
  /* neither time may become negative */
  if (left_out < 0)
    internal -= left_out;
  else
    external += left_out;
  gst_clock_set_calibration (own, internal, external, num, denom);
}

GstBuffer *
nda_playout_put_silence_before (GstBuffer * buffer, gsize n_frames,
    const GstAudioInfo * info)
{
  GstBuffer *longer = nda_block_buffer_new (n_frames * info->bpf);
  GstMapInfo map;

  if (gst_buffer_map (longer, &map, GST_MAP_WRITE)) {
    gst_audio_format_info_fill_silence (info->finfo, map.data, map.size);
    gst_buffer_unmap (longer, &map);
  }
  gst_buffer_copy_into (longer, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  GST_BUFFER_DURATION (longer) = GST_CLOCK_TIME_NONE;
  return gst_buffer_append (longer, buffer);
}

gboolean
nda_playout_can_go_on (const NdaPlayout * self)
{
  g_autoptr (GstClock) own = get_clock_apart (self);

  return own != NULL;
}

/* The time by the pipeline's clock when the sink should give @buffer to its
 * device. */
static GstClockTime
get_planned_time (const NdaPlayout * self, GstBuffer * buffer)
{
  return gst_element_get_base_time (GST_ELEMENT (self->sink))
      + gst_base_sink_get_latency (self->sink)
      + gst_base_sink_get_ts_offset (self->sink)
      + gst_segment_to_running_time (&self->sink->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
}

/* The clocks are calibrated again, since their old relation is wrong now. */
GstBuffer *
nda_playout_go_on (const NdaPlayout * self, GstBuffer * buffer,
    const GstAudioInfo * info)
{
  g_autoptr (GstClock) own = get_clock_apart (self);
  GstClockTime heard, num, denom;

  heard = gst_clock_get_internal_time (own)
      + self->kind->get_latency (GST_ELEMENT (self->sink), info);
  gst_clock_get_calibration (own, NULL, NULL, &num, &denom);
  gst_clock_set_calibration (own, heard, get_planned_time (self, buffer), num,
      denom);
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}
