/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaframes.h"

#include "ndasamples.h"

#include <string.h>

/* --- any frames --- */

void
nda_frames_point (const GstAudioInfo * info, guint8 * data, gsize n_room,
    gsize offset, gpointer * planes)
{
  const gsize n_bytes = info->bpf / info->channels;

  if (info->layout == GST_AUDIO_LAYOUT_INTERLEAVED) {
    planes[0] = data + offset * info->bpf;
    return;
  }
  for (gint i = 0; i < info->channels; i++)
    planes[i] = data + (i * n_room + offset) * n_bytes;
}

void
nda_frames_convert (const GstAudioInfo * from, gpointer * in,
    const GstAudioInfo * to, gpointer * out, gsize n_frames)
{
  if (from->layout == GST_AUDIO_LAYOUT_INTERLEAVED) {
    nda_samples_convert (from->finfo, in[0], to->finfo, out[0],
        n_frames * from->channels);
    return;
  }
  for (gint i = 0; i < from->channels; i++)
    nda_samples_convert (from->finfo, in[i], to->finfo, out[i], n_frames);
}

/* --- a buffer that is being taken --- */

static void
find_planes (NdaFramesIn * self)
{
  GstAudioMeta *meta = gst_buffer_get_audio_meta (self->buffer);
  const guint n_bytes = self->n_frames * self->info.bpf / self->info.channels;
  gboolean has_offsets = meta && meta->offsets
      && self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;

  for (gint i = 0; i < self->info.channels; i++)
    self->plane[i] = has_offsets ? meta->offsets[i] : i * n_bytes;
}

gboolean
nda_frames_in_open (NdaFramesIn * self, GstBuffer * buffer, guint n_frames)
{
  g_assert (!self->buffer);

  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  self->buffer = buffer;
  self->n_frames = n_frames;
  self->n_used = 0;
  find_planes (self);
  return TRUE;
}

void
nda_frames_in_close (NdaFramesIn * self)
{
  if (!self->buffer)
    return;
  gst_buffer_unmap (self->buffer, &self->map);
  gst_clear_buffer (&self->buffer);
  self->n_frames = self->n_used = 0;
}

void
nda_frames_in_point (NdaFramesIn * self, gpointer * planes)
{
  gboolean is_planar = self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  const gsize n_planes = is_planar ? self->info.channels : 1;
  const gsize offset = self->n_used * (self->info.bpf / n_planes);

  for (gsize i = 0; i < n_planes; i++)
    planes[i] = self->map.data + self->plane[i] + offset;
}

/* --- a block that is being filled --- */

void
nda_frames_out_init (NdaFramesOut * self, GstCaps * caps)
{
  if (!gst_audio_info_from_caps (&self->info, caps))
    g_assert_not_reached ();
  self->pool = nda_block_pool_new (caps, &self->info, NDA_BLOCK_FRAMES);
  if (!self->pool)
    g_error ("no memory for a pool of blocks");
}

void
nda_frames_out_clear (NdaFramesOut * self)
{
  nda_frames_out_drop (self);
  nda_block_pool_clear (&self->pool);
}

void
nda_frames_out_open (NdaFramesOut * self)
{
  if (gst_buffer_pool_acquire_buffer (self->pool, &self->block, NULL)
      != GST_FLOW_OK)
    self->block = nda_block_buffer_new ((gsize) NDA_BLOCK_FRAMES
        * self->info.bpf);
  if (!gst_buffer_map (self->block, &self->map, GST_MAP_WRITE))
    g_error ("system memory of a pool cannot be mapped");
  self->n_filled = 0;
}

void
nda_frames_out_point (NdaFramesOut * self, gpointer * planes)
{
  nda_frames_point (&self->info, self->map.data, NDA_BLOCK_FRAMES,
      self->n_filled, planes);
}

static void
add_planes (NdaFramesOut * self, GstBuffer * block)
{
  const gsize n_bytes = NDA_BLOCK_FRAMES * self->info.bpf / self->info.channels;
  gsize offsets[NDA_BLOCK_MAX_CHANNELS];

  for (gint i = 0; i < self->info.channels; i++)
    offsets[i] = i * n_bytes;
  gst_buffer_add_audio_meta (block, &self->info, self->n_filled, offsets);
}

GstBuffer *
nda_frames_out_close (NdaFramesOut * self, gboolean is_silent)
{
  GstBuffer *block = g_steal_pointer (&self->block);

  if (is_silent)
    memset (self->map.data, 0, self->map.size);
  gst_buffer_unmap (block, &self->map);
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    add_planes (self, block);
  else
    gst_buffer_set_size (block, (gssize) self->n_filled * self->info.bpf);
  self->n_filled = 0;
  return block;
}

void
nda_frames_out_drop (NdaFramesOut * self)
{
  if (self->block)
    gst_buffer_unmap (self->block, &self->map);
  gst_clear_buffer (&self->block);
  self->n_filled = 0;
}
