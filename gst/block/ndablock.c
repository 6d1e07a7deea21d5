/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

/* the numbers that the caps spell out */
G_STATIC_ASSERT (NDA_BLOCK_FRAMES == 512);
G_STATIC_ASSERT (NDA_BLOCK_RATE == 48000);
G_STATIC_ASSERT (NDA_BLOCK_MAX_CHANNELS == 64);

/* How long @n_frames at @rate last, rounded down once. */
GstClockTime
nda_block_frames_to_time (guint64 n_frames, guint rate)
{
  return gst_util_uint64_scale (n_frames, GST_SECOND, rate);
}

/* How many frames of @info @buffer has; FALSE when that is no whole number. */
gboolean
nda_block_count_frames (GstBuffer * buffer, const GstAudioInfo * info,
    guint * n_frames, GError ** error)
{
  gsize n_bytes = gst_buffer_get_size (buffer);
  g_autofree gchar *size = NULL;
  GstAudioMeta *meta =
      info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED ?
      gst_buffer_get_audio_meta (buffer) : NULL;

  if (meta) {
    *n_frames = meta->samples;
    return TRUE;
  }
  if (n_bytes % info->bpf) {
    size = g_strdup_printf ("%" G_GSIZE_FORMAT, n_bytes);
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        _("A buffer of %s bytes holds no whole number of %d-byte audio frames. "
            "Check what feeds this element."), size, info->bpf);
    return FALSE;
  }
  *n_frames = n_bytes / info->bpf;
  return TRUE;
}

GstBuffer *
nda_block_buffer_new (gsize n_bytes)
{
  g_autoptr (GstAllocator) allocator =
      gst_allocator_find (GST_ALLOCATOR_SYSMEM);

  return gst_buffer_new_allocate (allocator, n_bytes, NULL);
}

/* A pool, active, of buffers for blocks of @n_frames (transfer full), in system
 * memory too; NULL: there is none. */
GstBufferPool *
nda_block_pool_new (GstCaps * caps, const GstAudioInfo * info, guint n_frames)
{
  g_autoptr (GstAllocator) allocator =
      gst_allocator_find (GST_ALLOCATOR_SYSMEM);
  g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, n_frames * info->bpf, 2, 0);
  gst_buffer_pool_config_set_allocator (config, allocator, NULL);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    return NULL;
  return g_steal_pointer (&pool);
}

/* Drops *@pool, if there is one; buffers still in use outlive it. */
void
nda_block_pool_clear (GstBufferPool ** pool)
{
  if (*pool)
    gst_buffer_pool_set_active (*pool, FALSE);
  gst_clear_object (pool);
}
