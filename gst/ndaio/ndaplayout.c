/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaplayout.h"

#include <gst/audio/gstaudiobasesink.h>

gboolean
nda_playout_get_format (GstBaseSink * sink, GstAudioInfo * info)
{
  GstAudioRingBuffer *ring = GST_IS_AUDIO_BASE_SINK (sink) ?
      GST_AUDIO_BASE_SINK (sink)->ringbuffer : NULL;

  if (!ring || !gst_audio_ring_buffer_is_acquired (ring)
      || !ring->spec.info.bpf)
    return FALSE;
  *info = ring->spec.info;
  return TRUE;
}

gboolean
nda_playout_get_held (GstBaseSink * sink, const GstAudioInfo * info,
    GstClockTimeDiff * held)
{
  GstAudioBaseSink *device = GST_AUDIO_BASE_SINK (sink);
  GstClockTime played;

  if (device->next_sample == GST_BUFFER_OFFSET_NONE
      || !GST_IS_AUDIO_CLOCK (device->provided_clock))
    return FALSE;
  played = gst_audio_clock_get_time (GST_AUDIO_CLOCK (device->provided_clock));
  if (!GST_CLOCK_TIME_IS_VALID (played))
    return FALSE;
  *held = GST_CLOCK_DIFF (played, gst_util_uint64_scale (device->next_sample,
          GST_SECOND, info->rate));
  return TRUE;
}

/* The clock (transfer none) of the device of @sink, or NULL where the pipeline
 * goes by that. */
static GstClock *
get_clock_apart (GstBaseSink * sink)
{
  GstClock *own = GST_AUDIO_BASE_SINK (sink)->provided_clock;
  g_autoptr (GstClock) followed = gst_element_get_clock (GST_ELEMENT (sink));

  return own != followed ? own : NULL;
}

/* A sink that follows another's clock takes the late start of its device for a
 * skew of the clocks, and once that has gone through its average it makes it
 * good by silence, for which everything after comes late. What is left out
 * here already is none any more: so its clock learns of it, too. */
void
nda_playout_tell_clock (GstBaseSink * sink, GstClockTime left_out)
{
  GstClock *own = get_clock_apart (sink);
  GstClockTime internal, external, num, denom;

  if (!own)
    return;
  gst_clock_get_calibration (own, &internal, &external, &num, &denom);
  gst_clock_set_calibration (own, internal, external + left_out, num, denom);
}

GstBuffer *
nda_playout_put_silence_before (GstBuffer * buffer, gsize n_frames,
    const GstAudioInfo * audio)
{
  GstBuffer *longer = gst_buffer_new_allocate (NULL, n_frames * audio->bpf,
      NULL);
  GstMapInfo map;

  if (gst_buffer_map (longer, &map, GST_MAP_WRITE)) {
    gst_audio_format_info_fill_silence (audio->finfo, map.data, map.size);
    gst_buffer_unmap (longer, &map);
  }
  gst_buffer_copy_into (longer, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  GST_BUFFER_DURATION (longer) = GST_CLOCK_TIME_NONE;
  return gst_buffer_append (longer, buffer);
}

gboolean
nda_playout_can_go_on (GstBaseSink * sink)
{
  return get_clock_apart (sink) != NULL;
}

/* What the clock of the device and the pipeline's had to do with each other is
 * of no use any more. */
GstBuffer *
nda_playout_go_on (GstBaseSink * sink, GstBuffer * buffer,
    const GstAudioInfo * audio)
{
  const GstAudioRingBufferSpec *spec =
      &GST_AUDIO_BASE_SINK (sink)->ringbuffer->spec;
  GstClock *own = get_clock_apart (sink);
  GstClockTime heard, planned, num, denom;

  heard = gst_clock_get_internal_time (own)
      + gst_util_uint64_scale ((guint64) spec->seglatency * spec->segsize,
      GST_SECOND, (guint64) audio->rate * audio->bpf);
  planned = gst_element_get_base_time (GST_ELEMENT (sink))
      + gst_base_sink_get_latency (sink)
      + gst_segment_to_running_time (&sink->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
  gst_clock_get_calibration (own, NULL, NULL, &num, &denom);
  gst_clock_set_calibration (own, heard, planned, num, denom);
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  return buffer;
}
