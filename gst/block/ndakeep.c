/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndakeep.h"

#include <gst/audio/audio.h>

#define KEPT_FLAGS (GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER \
    | GST_BUFFER_FLAG_DROPPABLE)

typedef struct
{
  GstBuffer *buffer;            /* owned */
  gdouble start;
  gdouble end;
} Kept;

/* The arguments of a transfer to a block */
typedef struct
{
  GstBuffer *block;
  gboolean has_first;           /* the block has the buffer's first frame */
  GstClockTime offset;          /* time of that frame in the block */
} Gift;

static void
clear_kept (gpointer kept)
{
  gst_buffer_unref (((Kept *) kept)->buffer);
}

void
nda_keep_init (NdaKeep * self)
{
  self->buffers = g_array_new (FALSE, FALSE, sizeof (Kept));
  g_array_set_clear_func (self->buffers, clear_kept);
}

void
nda_keep_clear (NdaKeep * self)
{
  g_clear_pointer (&self->buffers, g_array_unref);
}

/* Forgets all buffers. */
void
nda_keep_forget (NdaKeep * self)
{
  if (self->buffers->len)
    g_array_set_size (self->buffers, 0);
}

/* Whether a meta survives, by audioresample's rule: it has no tags, or only
 * audio's. */
static gboolean
survives (const GstMetaInfo * info)
{
  const gchar *const *tags = gst_meta_api_type_get_tags (info->api);

  if (!tags || !tags[0])
    return TRUE;
  return !tags[1]
      && gst_meta_api_type_has_tag (info->api,
      g_quark_from_static_string (GST_META_TAG_AUDIO_STR));
}

static gboolean
has_something_to_say (GstBuffer * buffer)
{
  gpointer state = NULL;
  GstMeta *meta;

  if (GST_BUFFER_FLAGS (buffer) & KEPT_FLAGS)
    return TRUE;
  while ((meta = gst_buffer_iterate_meta (buffer, &state)))
    if (survives (meta->info))
      return TRUE;
  return FALSE;
}

void
nda_keep_add (NdaKeep * self, GstBuffer * buffer, gdouble start, gdouble end)
{
  Kept kept = {.start = start,.end = end };

  if (!has_something_to_say (buffer))
    return;
  kept.buffer = gst_buffer_ref (buffer);
  g_array_append_val (self->buffers, kept);
}

static void
give_reference (const GstReferenceTimestampMeta * meta, const Gift * gift)
{
  GstClockTime time = meta->timestamp;

  if (!gift->has_first)
    return;
  if (GST_CLOCK_TIME_IS_VALID (time))
    time -= MIN (gift->offset, time);
  gst_buffer_add_reference_timestamp_meta (gift->block, meta->reference, time,
      meta->duration);
}

static gboolean
nda_keep_give_meta (GstBuffer * buffer, GstMeta ** meta, gpointer user_data)
{
  GstMetaTransformCopy all = {.region = FALSE,.offset = 0,.size = -1 };
  const GstMetaInfo *info = (*meta)->info;
  const Gift *gift = user_data;

  if (info->api == GST_REFERENCE_TIMESTAMP_META_API_TYPE)
    give_reference ((GstReferenceTimestampMeta *) * meta, gift);
  else if (survives (info) && info->transform_func)
    info->transform_func (gift->block, *meta, buffer, _gst_meta_transform_copy,
        &all);
  return TRUE;
}

static void
give (const Kept * kept, GstBuffer * block, gdouble start, guint rate)
{
  Gift gift = {.block = block,.has_first = kept->start >= start };

  if (gift.has_first)
    gift.offset = (GstClockTime) ((kept->start - start) * GST_SECOND / rate);
  gst_buffer_foreach_meta (kept->buffer, nda_keep_give_meta, &gift);
  GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAGS (kept->buffer)
      & (GST_BUFFER_FLAG_CORRUPTED | (gift.has_first ?
              GST_BUFFER_FLAG_MARKER : 0)));
}

void
nda_keep_give (NdaKeep * self, GstBuffer * block, gdouble start, gdouble end,
    guint rate)
{
  gdouble n_droppable = 0.0;
  guint n_done = 0;

  if (G_LIKELY (!self->buffers->len))
    return;
  for (guint i = 0; i < self->buffers->len; i++) {
    const Kept *kept = &g_array_index (self->buffers, Kept, i);

    n_done += kept->end <= end;
    if (kept->start >= end || kept->end <= start)
      continue;
    give (kept, block, start, rate);
    if (GST_BUFFER_FLAG_IS_SET (kept->buffer, GST_BUFFER_FLAG_DROPPABLE))
      n_droppable += MIN (kept->end, end) - MAX (kept->start, start);
  }
  /* positions between two frames are no exact numbers */
  if (n_droppable > end - start - 0.5)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_DROPPABLE);
  g_array_remove_range (self->buffers, 0, n_done);
}
