/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaincoming.h"

static guint64
count_frames (NdaIncoming * self, GstBuffer * buffer)
{
  GstAudioMeta *meta = gst_buffer_get_audio_meta (buffer);

  if (meta)
    return meta->samples;
  return self->info.bpf ? gst_buffer_get_size (buffer) / self->info.bpf : 0;
}

static GstPadProbeReturn
nda_incoming_on_buffer (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  NdaIncoming *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  nda_meter_count_frames (self->meter, self->bin, count_frames (self, buffer),
      self->has_started && GST_BUFFER_IS_DISCONT (buffer));
  self->has_started = TRUE;
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
nda_incoming_on_event (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  NdaIncoming *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (!gst_audio_info_from_caps (&self->info, caps))
      gst_audio_info_init (&self->info);
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    self->has_started = FALSE;
  return GST_PAD_PROBE_OK;
}

void
nda_incoming_watch (NdaIncoming * self, GstElement * first, GstElement * bin,
    NdaMeter * meter)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (first, "sink");

  self->bin = bin;
  self->meter = meter;
  gst_audio_info_init (&self->info);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, nda_incoming_on_buffer,
      self, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      nda_incoming_on_event, self, NULL);
}
