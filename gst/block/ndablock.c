/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablock.h"

/* the numbers that the caps spell out */
G_STATIC_ASSERT (NDA_BLOCK_FRAMES == 512);
G_STATIC_ASSERT (NDA_BLOCK_RATE == 48000);
G_STATIC_ASSERT (NDA_BLOCK_MAX_CHANNELS == 64);

/* Says in @caps (transfer full) that every buffer is one block. */
GstCaps *
nda_block_caps_mark (GstCaps * caps)
{
  caps = gst_caps_make_writable (caps);
  gst_caps_set_simple (caps, NDA_BLOCK_CAPS_FIELD, G_TYPE_INT,
      NDA_BLOCK_FRAMES, NULL);
  return caps;
}

/* Takes the promise about sizes out of @caps (transfer full). */
GstCaps *
nda_block_caps_unmark (GstCaps * caps)
{
  caps = gst_caps_make_writable (caps);
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    gst_structure_remove_field (gst_caps_get_structure (caps, i),
        NDA_BLOCK_CAPS_FIELD);
  return caps;
}

/* How long @n_frames at @rate last, rounded down once. */
GstClockTime
nda_block_frames_to_time (guint64 n_frames, guint rate)
{
  return gst_util_uint64_scale (n_frames, GST_SECOND, rate);
}

/* A pool, active, of buffers for blocks of @n_frames (transfer full); NULL when
 * there is no memory for it. */
GstBufferPool *
nda_block_pool_new (GstCaps * caps, const GstAudioInfo * info, guint n_frames)
{
  g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, n_frames * info->bpf, 2, 0);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    return NULL;
  return g_steal_pointer (&pool);
}
