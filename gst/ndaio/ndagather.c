/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndagather.h"

#include "ndablock.h"

#include <gst/audio/audio.h>

/* One for each pad; a probe on the pad owns it. Fields that are not [const]
 * belong to the streaming thread, or to a flush, which waits for that. */
typedef struct
{
  gint (*get_frames) (void);    /* [const] */
  GstAudioInfo info;            /* of the input */
  GstBuffer *gathered;          /* owned; or NULL */
  gboolean is_passing;          /* what has been gathered */
} Gather;

/* How many frames are gathered, at the rate of the input. */
static gsize
get_wanted (Gather * self)
{
  gint n_frames = self->get_frames ();

  return self->info.bpf && n_frames > 0 ?
      gst_util_uint64_scale (n_frames, self->info.rate, NDA_BLOCK_RATE) : 0;
}

static gsize
count_frames (Gather * self)
{
  return gst_buffer_get_size (self->gathered) / self->info.bpf;
}

/* Sends on what has been gathered, before something else. The result shows when
 * the next buffer comes. */
static void
pass (Gather * self, GstPad * pad)
{
  if (!self->gathered)
    return;
  self->is_passing = TRUE;
  gst_pad_chain (pad, g_steal_pointer (&self->gathered));
  self->is_passing = FALSE;
}

/* Adds @buffer (transfer full) to what has been gathered. */
static void
add (Gather * self, GstBuffer * buffer)
{
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  if (!self->gathered) {
    self->gathered = gst_buffer_make_writable (buffer);
    return;
  }
  self->gathered = gst_buffer_append (self->gathered, buffer);
  if (GST_CLOCK_TIME_IS_VALID (duration)
      && GST_BUFFER_DURATION_IS_VALID (self->gathered))
    GST_BUFFER_DURATION (self->gathered) += duration;
}

static GstPadProbeReturn
take_buffer (Gather * self, GstPad * pad, GstPadProbeInfo * info)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gsize n_wanted = get_wanted (self);

  if (self->is_passing || (n_wanted == 0 && !self->gathered))
    return GST_PAD_PROBE_OK;
  if (GST_BUFFER_IS_DISCONT (buffer))
    pass (self, pad);
  add (self, buffer);
  info->data = NULL;
  if (count_frames (self) < n_wanted)
    return GST_PAD_PROBE_HANDLED;
  info->data = g_steal_pointer (&self->gathered);
  return GST_PAD_PROBE_OK;
}

static void
take_event (Gather * self, GstPad * pad, GstEvent * event)
{
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP
      || GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START)
    gst_clear_buffer (&self->gathered);
  else if (GST_EVENT_IS_SERIALIZED (event))
    pass (self, pad);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (!gst_audio_info_from_caps (&self->info, caps))
      gst_audio_info_init (&self->info);
  }
}

static GstPadProbeReturn
nda_gather_on_data (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER)
    return take_buffer (user_data, pad, info);
  take_event (user_data, pad, GST_PAD_PROBE_INFO_EVENT (info));
  return GST_PAD_PROBE_OK;
}

static void
nda_gather_free (gpointer data)
{
  Gather *self = data;

  gst_clear_buffer (&self->gathered);
  g_free (self);
}

void
nda_gather_add (GstPad * pad, gint (*get_frames) (void))
{
  Gather *self = g_new0 (Gather, 1);

  self->get_frames = get_frames;
  gst_audio_info_init (&self->info);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      nda_gather_on_data, self, nda_gather_free);
}
