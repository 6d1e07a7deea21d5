/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasilence.h"

#include "ndablock.h"

/* The error of a device's time stamps */
#define JITTER (NDA_BLOCK_DURATION / 2)

void
nda_silence_init (NdaSilence * self, GstElement * bin, GstPad * pad)
{
  self->bin = bin;
  self->pad = gst_object_ref (pad);
  self->next = GST_CLOCK_TIME_NONE;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  gst_audio_info_init (&self->info);
}

void
nda_silence_clear (NdaSilence * self)
{
  gst_clear_object (&self->pad);
}

void
nda_silence_note_event (NdaSilence * self, GstEvent * event)
{
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      if (!gst_audio_info_from_caps (&self->info, caps))
        gst_audio_info_init (&self->info);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &self->segment);
      break;
    case GST_EVENT_STREAM_START:
      self->next = GST_CLOCK_TIME_NONE;
      break;
    default:
      break;
  }
}

void
nda_silence_note_buffer (NdaSilence * self, GstBuffer * buffer)
{
  self->next = GST_CLOCK_TIME_NONE;
  if (GST_BUFFER_PTS_IS_VALID (buffer) && GST_BUFFER_DURATION_IS_VALID (buffer))
    self->next = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
}

gboolean
nda_silence_overlaps (NdaSilence * self, GstBuffer * buffer)
{
  GstClockTime begin = GST_BUFFER_PTS (buffer);

  return GST_CLOCK_TIME_IS_VALID (begin)
      && GST_CLOCK_TIME_IS_VALID (self->next) && begin < self->next + JITTER;
}

/* How many of the source's frames last as long as a block. */
static guint
count_frames (NdaSilence * self)
{
  return MAX (1, gst_util_uint64_scale_round (NDA_BLOCK_FRAMES,
          self->info.rate, NDA_BLOCK_RATE));
}

static GstBuffer *
make_silence (NdaSilence * self)
{
  guint n_frames = count_frames (self);
  GstBuffer *buffer = nda_block_buffer_new ((gsize) n_frames * self->info.bpf);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    gst_audio_format_info_fill_silence (self->info.finfo, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta (buffer, &self->info, n_frames, NULL);
  GST_BUFFER_PTS (buffer) = self->next;
  GST_BUFFER_DURATION (buffer) = nda_block_frames_to_time (n_frames,
      self->info.rate);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  return buffer;
}

/* Whether another buffer is due. */
static gboolean
is_due (NdaSilence * self, GstClockTime now)
{
  GstClockTime end;

  if (!GST_AUDIO_INFO_IS_VALID (&self->info)
      || !GST_CLOCK_TIME_IS_VALID (self->next)
      || self->segment.format != GST_FORMAT_TIME)
    return FALSE;
  end = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME,
      self->next + nda_block_frames_to_time (count_frames (self),
          self->info.rate));
  return GST_CLOCK_TIME_IS_VALID (end)
      && end + gst_element_get_base_time (self->bin) <= now;
}

void
nda_silence_push (NdaSilence * self, GstClock * clock)
{
  GstClockTime now = gst_clock_get_time (clock);
  GstFlowReturn flow = GST_FLOW_OK;

  GST_PAD_STREAM_LOCK (self->pad);
  self->is_own = TRUE;
  while (flow == GST_FLOW_OK && is_due (self, now))
    flow = gst_pad_chain (self->pad, make_silence (self));
  self->is_own = FALSE;
  GST_PAD_STREAM_UNLOCK (self->pad);
}

void
nda_silence_push_eos (NdaSilence * self)
{
  GST_PAD_STREAM_LOCK (self->pad);
  self->is_own = TRUE;
  gst_pad_send_event (self->pad, gst_event_new_eos ());
  self->is_own = FALSE;
  GST_PAD_STREAM_UNLOCK (self->pad);
}
