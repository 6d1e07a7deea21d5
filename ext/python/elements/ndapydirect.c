/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapydirect.h"

#include "ndablock.h"

#include <string.h>

static gboolean
is_planar (const GstAudioInfo * info)
{
  return info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
}

/* How many calls a block makes at most */
static guint
calls_of_block (NdaPyDirect * self)
{
  return NDA_BLOCK_FRAMES / self->n_call_frames;
}

void
nda_py_direct_init (NdaPyDirect * self, const GstAudioInfo * info,
    GstBufferPool * pool, guint n_call_frames)
{
  guint n_most;

  nda_py_direct_clear (self);
  self->info = *info;
  self->pool = pool;
  self->n_call_frames = n_call_frames;
  n_most = NDA_PY_BATCH_MAX * calls_of_block (self);
  self->blocks = g_new0 (NdaPyBlock, n_most);
  self->calls = g_new (NdaPyBlock *, n_most);
  if (calls_of_block (self) > 1)
    self->planes = g_new (gpointer, (gsize) n_most * 2
        * (is_planar (info) ? info->channels : 1));
}

void
nda_py_direct_clear (NdaPyDirect * self)
{
  nda_py_direct_drop (self);
  g_clear_pointer (&self->blocks, g_free);
  g_clear_pointer (&self->calls, g_free);
  g_clear_pointer (&self->planes, g_free);
  self->n_call_frames = 0;
  self->pool = NULL;
}

/* --- items --------------------------------------------------------------- */

/* Whether the plugin's output may overwrite @buffer. A buffer that is marked as
 * a gap is kept, to see afterwards whether it is still silent. */
static gboolean
is_own (GstBuffer * buffer)
{
  return gst_buffer_is_writable (buffer)
      && gst_buffer_is_all_memory_writable (buffer)
      && !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
}

GstBuffer *
nda_py_direct_make_buffer (GstBufferPool * pool, const GstAudioInfo * info,
    GstBuffer * in, guint n_frames)
{
  GstBuffer *out = NULL;
  GstAudioMeta *meta;

  if (gst_buffer_pool_acquire_buffer (pool, &out, NULL) != GST_FLOW_OK)
    return NULL;
  gst_buffer_set_size (out, (gssize) n_frames * info->bpf);
  if (in)
    gst_buffer_copy_into (out, in, GST_BUFFER_COPY_METADATA, 0, -1);
  if (!is_planar (info))
    return out;
  meta = gst_buffer_get_audio_meta (out);
  if (meta)
    gst_buffer_remove_meta (out, &meta->meta);
  gst_buffer_add_audio_meta (out, info, n_frames, NULL);
  return out;
}

void
nda_py_direct_describe (const GstAudioInfo * info, NdaPyAudio * audio,
    const GstAudioBuffer * map)
{
  audio->planes = map->planes;
  audio->n_channels = info->channels;
  audio->is_planar = is_planar (info);
}

static gboolean
map_apart (NdaPyDirect * self, NdaPyDirectItem * item)
{
  item->in = g_steal_pointer (&item->out);
  if (!gst_audio_buffer_map (&item->in_map, &self->info, item->in,
          GST_MAP_READ)) {
    gst_clear_buffer (&item->in);
    return FALSE;
  }
  item->out = nda_py_direct_make_buffer (self->pool, &self->info, item->in,
      item->in_map.n_samples);
  if (!item->out || !gst_audio_buffer_map (&item->out_map, &self->info,
          item->out, GST_MAP_WRITE)) {
    gst_audio_buffer_unmap (&item->in_map);
    gst_clear_buffer (&item->in);
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  return TRUE;
}

static gboolean
map_item (NdaPyDirect * self, NdaPyDirectItem * item)
{
  if (!is_own (item->out))
    return map_apart (self, item);
  return gst_audio_buffer_map (&item->out_map, &self->info, item->out,
      GST_MAP_READWRITE);
}

static void
unmap_item (NdaPyDirectItem * item)
{
  if (!item->is_mapped)
    return;
  item->is_mapped = FALSE;
  gst_audio_buffer_unmap (&item->out_map);
  if (item->in)
    gst_audio_buffer_unmap (&item->in_map);
}

/* Makes @audio begin @n_frames later, with its own @planes. */
static void
move_on (NdaPyAudio * audio, gpointer * planes, guint n_frames)
{
  guint n_planes = audio->is_planar ? audio->n_channels : 1;
  guint n_samples = audio->is_planar ? n_frames : n_frames * audio->n_channels;

  for (guint i = 0; i < n_planes; i++)
    planes[i] = (gfloat *) audio->planes[i] + n_samples;
  audio->planes = planes;
}

/* Makes the call @i of @item, for the frames from @first on. */
static void
make_call (NdaPyDirect * self, NdaPyDirectItem * item, guint i, guint first)
{
  NdaPyBlock *block = &self->blocks[i];
  guint n_planes = is_planar (&self->info) ? self->info.channels : 1;
  guint n_left = item->out_map.n_samples - first;

  nda_py_direct_describe (&self->info, &block->in,
      item->in ? &item->in_map : &item->out_map);
  nda_py_direct_describe (&self->info, &block->out, &item->out_map);
  block->n_frames = MIN (n_left, self->n_call_frames);
  block->is_gated = FALSE;
  block->ok = FALSE;
  block->failure = NULL;
  self->calls[i] = block;
  if (!self->planes)
    return;
  move_on (&block->in, self->planes + (gsize) 2 * i * n_planes, first);
  move_on (&block->out, self->planes + (gsize) (2 * i + 1) * n_planes, first);
}

gboolean
nda_py_direct_add (NdaPyDirect * self, GstBuffer * buffer)
{
  NdaPyDirectItem *item = &self->items[self->n_items];
  guint n_frames;

  item->in = NULL;
  item->out = buffer;
  if (!map_item (self, item)) {
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  item->is_mapped = TRUE;
  n_frames = item->out_map.n_samples;
  if (n_frames > NDA_BLOCK_FRAMES) {
    unmap_item (item);
    gst_clear_buffer (&item->in);
    gst_clear_buffer (&item->out);
    return FALSE;
  }
  item->first_call = self->n_calls;
  for (guint first = 0; first < n_frames; first += self->n_call_frames)
    make_call (self, item, self->n_calls++, first);
  item->n_calls = self->n_calls - item->first_call;
  self->n_items++;
  return TRUE;
}

guint
nda_py_direct_undo (NdaPyDirect * self, GstMiniObject ** buffers)
{
  guint n_items = self->n_items;

  for (guint i = 0; i < n_items; i++) {
    NdaPyDirectItem *item = &self->items[i];

    unmap_item (item);
    if (item->in)
      gst_clear_buffer (&item->out);
    buffers[i] = GST_MINI_OBJECT_CAST (item->in ? item->in : item->out);
    item->in = item->out = NULL;
  }
  self->n_items = self->n_calls = 0;
  return n_items;
}

/* --- what the calls made ------------------------------------------------- */

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

/* Replaces a call's output by silence, or by its input. */
static void
replace (NdaPyBlock * block, NdaPyOnError on_error)
{
  const NdaPyAudio *out = &block->out;
  guint n_planes = out->is_planar ? out->n_channels : 1;
  gsize n_bytes = block->n_frames * sizeof (gfloat)
      * (out->is_planar ? 1 : out->n_channels);

  for (guint i = 0; i < n_planes; i++)
    if (on_error == NDA_PY_ON_ERROR_SILENCE)
      memset (out->planes[i], 0, n_bytes);
    else if (out->planes[i] != block->in.planes[i])
      memcpy (out->planes[i], block->in.planes[i], n_bytes);
}

static gboolean
is_silenced (NdaPyDirect * self, NdaPyDirectItem * item, NdaPyOnError on_error)
{
  return on_error == NDA_PY_ON_ERROR_SILENCE && item->n_calls == 1
      && !self->blocks[item->first_call].ok;
}

/* Unmaps @item. Its output goes out without the gap flag if the plugin put
 * sound into it, since a sink would mute a gap. */
static void
finish_item (NdaPyDirect * self, NdaPyDirectItem * item, NdaPyOnError on_error)
{
  for (guint i = 0; i < item->n_calls; i++) {
    NdaPyBlock *block = &self->blocks[item->first_call + i];

    if (G_UNLIKELY (!block->ok))
      replace (block, on_error);
  }
  if (is_silenced (self, item, on_error))
    GST_BUFFER_FLAG_SET (item->out, GST_BUFFER_FLAG_GAP);
  else if (item->in && GST_BUFFER_FLAG_IS_SET (item->in, GST_BUFFER_FLAG_GAP)
      && !is_same (&item->in_map, &item->out_map))
    GST_BUFFER_FLAG_UNSET (item->out, GST_BUFFER_FLAG_GAP);
  unmap_item (item);
  gst_clear_buffer (&item->in);
}

/* Finds the items whose calls were all made, and that do not stop the
 * stream. */
static void
find_done (NdaPyDirect * self, guint n_run, NdaPyOnError on_error)
{
  if (n_run && !self->blocks[n_run - 1].ok && on_error == NDA_PY_ON_ERROR_STOP)
    n_run--;
  self->n_done = 0;
  while (self->n_done < self->n_items && self->items[self->n_done].first_call
      + self->items[self->n_done].n_calls <= n_run)
    self->n_done++;
}

guint
nda_py_direct_run (NdaPyDirect * self, NdaPyHost * host, NdaPyOnError on_error,
    GstClockTime * gil_wait)
{
  guint n_run;

  n_run = nda_py_host_process (host, self->calls, self->n_calls,
      on_error == NDA_PY_ON_ERROR_STOP, gil_wait);
  if (!n_run)
    return 0;
  find_done (self, n_run, on_error);
  for (guint i = 0; i < self->n_items; i++)
    finish_item (self, &self->items[i], on_error);
  self->n_calls = n_run;
  return n_run;
}

GstBuffer *
nda_py_direct_take (NdaPyDirect * self)
{
  if (self->n_taken == self->n_done)
    return NULL;
  return g_steal_pointer (&self->items[self->n_taken++].out);
}

/* Drops the outputs of the last run that were not taken, and items that were
 * not run. */
void
nda_py_direct_drop (NdaPyDirect * self)
{
  for (guint i = 0; i < self->n_items; i++) {
    NdaPyDirectItem *item = &self->items[i];

    unmap_item (item);
    gst_clear_buffer (&item->in);
    gst_clear_buffer (&item->out);
  }
  for (guint i = 0; i < self->n_calls; i++)
    g_clear_pointer (&self->blocks[i].failure, g_free);
  self->n_items = self->n_done = self->n_taken = self->n_calls = 0;
}
