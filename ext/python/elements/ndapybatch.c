/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybatch.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

#include <string.h>

GType
nda_py_on_error_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_ON_ERROR_STOP, "Stop the stream with an error", "stop"},
    {NDA_PY_ON_ERROR_SILENCE, "Play silence instead of the block", "silence"},
    {NDA_PY_ON_ERROR_PASSTHROUGH, "Pass the block on as it came",
        "passthrough"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPyOnError", values));
  return type;
}

GParamSpec *
nda_py_on_error_param (NdaPyOnError on_error)
{
  return g_param_spec_enum ("on-error", "On error",
      "What becomes of the stream when the plugin fails on a block: stop "
      "with an error, silence instead of the block, or the block's "
      "untouched input. Only stop is safe for a plugin that encrypts",
      NDA_TYPE_PY_ON_ERROR, on_error, G_PARAM_READWRITE
      | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
}

/* Takes a format; FALSE if there is none such. */
gboolean
nda_py_batch_set_caps (NdaPyBatch * self, GstCaps * caps)
{
  nda_py_batch_clear (self);
  if (!gst_audio_info_from_caps (&self->info, caps))
    return FALSE;
  self->pool = nda_block_pool_new (caps, &self->info, NDA_BLOCK_FRAMES);
  return self->pool != NULL;
}

void
nda_py_batch_clear (NdaPyBatch * self)
{
  nda_py_batch_drop (self);
  nda_block_pool_clear (&self->pool);
  gst_audio_info_init (&self->info);
}

static gboolean
is_planar (NdaPyBatch * self)
{
  return self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
}

/* Whether the plugin's output may overwrite @buffer. One that is marked as a
 * gap is kept, to see whether it still is one afterwards. */
static gboolean
is_own (GstBuffer * buffer)
{
  return gst_buffer_is_writable (buffer)
      && gst_buffer_is_all_memory_writable (buffer)
      && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
}

/* A buffer like @in to write the output to. */
static GstBuffer *
make_output (NdaPyBatch * self, GstBuffer * in, guint n_frames)
{
  GstBuffer *out = NULL;
  GstAudioMeta *meta;

  if (gst_buffer_pool_acquire_buffer (self->pool, &out, NULL) != GST_FLOW_OK)
    return NULL;
  gst_buffer_set_size (out, (gssize) n_frames * self->info.bpf);
  gst_buffer_copy_into (out, in, GST_BUFFER_COPY_METADATA, 0, -1);
  if (!is_planar (self))
    return out;
  meta = gst_buffer_get_audio_meta (out);
  if (meta)
    gst_buffer_remove_meta (out, &meta->meta);
  gst_buffer_add_audio_meta (out, &self->info, n_frames, NULL);
  return out;
}

static void
describe (NdaPyBatch * self, NdaPyAudio * audio, const GstAudioBuffer * map)
{
  audio->planes = map->planes;
  audio->n_channels = self->info.channels;
  audio->is_planar = is_planar (self);
}

static gboolean
map_in_place (NdaPyBatch * self, NdaPyBatchItem * item)
{
  if (!gst_audio_buffer_map (&item->out_map, &self->info, item->out,
          GST_MAP_READWRITE))
    return FALSE;
  describe (self, &item->block.in, &item->out_map);
  item->block.n_frames = item->out_map.n_samples;
  return TRUE;
}

static gboolean
map_apart (NdaPyBatch * self, NdaPyBatchItem * item)
{
  item->in = g_steal_pointer (&item->out);
  if (!gst_audio_buffer_map (&item->in_map, &self->info, item->in,
          GST_MAP_READ)) {
    gst_clear_buffer (&item->in);
    return FALSE;
  }
  item->block.n_frames = item->in_map.n_samples;
  item->out = make_output (self, item->in, item->block.n_frames);
  if (!item->out || !gst_audio_buffer_map (&item->out_map, &self->info,
          item->out, GST_MAP_WRITE)) {
    gst_audio_buffer_unmap (&item->in_map);
    gst_clear_buffer (&item->in);
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  describe (self, &item->block.in, &item->in_map);
  return TRUE;
}

static void
unmap_item (NdaPyBatchItem * item)
{
  gst_audio_buffer_unmap (&item->out_map);
  if (item->in)
    gst_audio_buffer_unmap (&item->in_map);
}

/* Maps @buffer (transfer full) as the next item. FALSE: it cannot be read, or
 * is no block of the format, or there is no memory. */
static gboolean
add_buffer (NdaPyBatch * self, GstBuffer * buffer)
{
  NdaPyBatchItem *item = &self->items[self->n_items];

  item->in = NULL;
  item->out = buffer;
  item->block.is_gated = FALSE;
  item->block.ok = FALSE;
  item->block.failure = NULL;
  if (!self->pool || !(is_own (buffer) ? map_in_place (self, item) :
          map_apart (self, item))) {
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  if (item->block.n_frames > NDA_BLOCK_FRAMES) {
    unmap_item (item);
    gst_clear_buffer (&item->in);
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  describe (self, &item->block.out, &item->out_map);
  self->blocks[self->n_items++] = &item->block;
  return TRUE;
}

static gsize
plane_bytes (const GstAudioBuffer * map)
{
  return GST_AUDIO_BUFFER_PLANE_SIZE (map);
}

static gboolean
is_same (const GstAudioBuffer * a, const GstAudioBuffer * b)
{
  for (gint i = 0; i < a->n_planes; i++)
    if (memcmp (a->planes[i], b->planes[i], plane_bytes (a)))
      return FALSE;
  return TRUE;
}

static void
silence (NdaPyBatchItem * item)
{
  for (gint i = 0; i < item->out_map.n_planes; i++)
    memset (item->out_map.planes[i], 0, plane_bytes (&item->out_map));
  GST_BUFFER_FLAG_SET (item->out, GST_BUFFER_FLAG_GAP);
}

/* Unmaps @item, whose output is then what goes out: a gap no longer, if the
 * plugin put sound into it, for a sink would mute that. */
static void
finish_item (NdaPyBatchItem * item, NdaPyOnError on_error)
{
  if (!item->block.ok && on_error == NDA_PY_ON_ERROR_SILENCE)
    silence (item);
  else if (item->block.ok && item->in
      && GST_BUFFER_FLAG_IS_SET (item->in, GST_BUFFER_FLAG_GAP)
      && !is_same (&item->in_map, &item->out_map))
    GST_BUFFER_FLAG_UNSET (item->out, GST_BUFFER_FLAG_GAP);

  unmap_item (item);
  if (!item->in)
    return;
  if (!item->block.ok && on_error == NDA_PY_ON_ERROR_PASSTHROUGH)
    gst_buffer_replace (&item->out, item->in);
  gst_clear_buffer (&item->in);
}

/* Maps @buffers (transfer full) up to one that cannot be; drops the others. */
static void
add_buffers (NdaPyBatch * self, GstMiniObject ** buffers, guint n_buffers,
    GError ** error)
{
  gboolean ok = TRUE;

  for (guint i = 0; i < n_buffers; i++) {
    if (ok)
      ok = add_buffer (self, GST_BUFFER_CAST (buffers[i]));
    else
      gst_mini_object_unref (buffers[i]);
  }
  if (!ok)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        _("A buffer of audio cannot be read, or there is no memory for one. "
            "Check what feeds this element."));
}

/* Runs @buffers (transfer full) through the plugin. Returns how many were
 * run, the one included that failed with NDA_PY_ON_ERROR_STOP; those behind it
 * are dropped. None without an @error: the plugin is being stopped. With an
 * @error all blocks before a buffer that is none were run. */
guint
nda_py_batch_run (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint n_buffers, NdaPyOnError on_error, GError ** error)
{
  guint n_run = 0;

  add_buffers (self, buffers, n_buffers, error);
  if (self->n_items)
    n_run = nda_py_host_process (host, self->blocks, self->n_items,
        on_error == NDA_PY_ON_ERROR_STOP, &self->gil_wait);
  if (self->n_items && !n_run)
    g_clear_error (error);
  for (guint i = 0; i < self->n_items; i++)
    finish_item (&self->items[i], on_error);
  return n_run;
}

/* The output (transfer full) of the block @i of the last run. */
GstBuffer *
nda_py_batch_take (NdaPyBatch * self, guint i)
{
  return g_steal_pointer (&self->items[i].out);
}

/* Drops what was not taken of the last run. */
void
nda_py_batch_drop (NdaPyBatch * self)
{
  for (guint i = 0; i < self->n_items; i++) {
    gst_clear_buffer (&self->items[i].out);
    g_clear_pointer (&self->items[i].block.failure, g_free);
  }
  self->n_items = 0;
}
