/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of ndadecrypt, from an opened record on: caps, silence where
 * blocks are missing, and the time of each block by its position. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndablock.h"
#include "ndaformat.h"
#include "ndapool.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (nda_decrypt_debug);
#define GST_CAT_DEFAULT nda_decrypt_debug

/* A buffer of at least @n_bytes, mapped, with room for a block header before
 * it. Longer ones than before make a new pool, of buffers just as long: then
 * none has to be resized as long as the sender's blocks are. */
GstFlowReturn
nda_decrypt_acquire (NdaDecrypt * self, gsize n_bytes, GstBuffer ** buffer,
    GstMapInfo * map)
{
  NdaDecryptOutput *out = &self->out;

  n_bytes = MAX (n_bytes, 1);   /* no memory is mapped that has nothing */
  if (G_UNLIKELY (n_bytes > out->n_pool_bytes)) {
    g_clear_pointer (&out->pool, nda_pool_free);
    out->pool = nda_pool_new (n_bytes, NDA_BLOCK_HEADER);
    out->n_pool_bytes = n_bytes;
  }
  return nda_pool_acquire (out->pool, buffer, map);
}

/* --- time --- */

/* The frame at @position, counted since the base */
static guint64
count_frames (const NdaDecryptOutput * out, guint64 position)
{
  return out->n_base + position - out->first;
}

static GstClockTime
get_time (const NdaDecryptOutput * out, guint64 position)
{
  return out->base + nda_block_frames_to_time (count_frames (out, position),
      out->format.rate);
}

/* A stored stream goes on where its last session ended. Counted in frames as
 * long as the rate stays, so that no rounding adds up. */
static void
follow_session (NdaDecryptOutput * out, guint rate)
{
  if (rate == out->format.rate) {
    out->n_base = count_frames (out, out->next);
  } else {
    out->base = out->frame_bytes ? get_time (out, out->next) : 0;
    out->n_base = 0;
  }
  out->first = 0;
  out->next = 0;
}

/* Packets begin when the first of them came. */
static void
begin_at_arrival (NdaDecryptOutput * out, guint64 position,
    GstClockTime arrival)
{
  if (!GST_CLOCK_TIME_IS_VALID (arrival))
    arrival = out->frame_bytes ? get_time (out, out->next) : 0;
  out->base = arrival;
  out->n_base = 0;
  out->first = position;
  out->next = position;
}

static void
stamp (NdaDecryptOutput * out, GstBuffer * buffer, guint64 position,
    guint n_frames)
{
  GstClockTime end = get_time (out, position + n_frames);

  /* the end of one block is the beginning of the next: scaled once */
  GST_BUFFER_PTS (buffer) = position == out->next
      && GST_CLOCK_TIME_IS_VALID (out->next_time) ? out->next_time :
      get_time (out, position);
  GST_BUFFER_DURATION (buffer) = end - GST_BUFFER_PTS (buffer);
  GST_BUFFER_OFFSET (buffer) = count_frames (out, position);
  GST_BUFFER_OFFSET_END (buffer) = count_frames (out, position + n_frames);
  if (out->is_discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  out->is_discont = FALSE;
  out->next = position + n_frames;
  out->next_time = end;
}

/* --- caps and segment --- */

static gboolean
push_caps (NdaDecrypt * self, const NdaRecordFormat * format)
{
  g_autoptr (GstCaps) caps = nda_format_to_caps (format);
  GstPad *srcpad = NDA_CRYPTO (self)->srcpad;

  GST_INFO_OBJECT (self, "output is %" GST_PTR_FORMAT, caps);
  return gst_pad_push_event (srcpad, gst_event_new_caps (caps));
}

static void
push_segment (NdaDecrypt * self)
{
  if (self->out.segment)
    gst_pad_push_event (NDA_CRYPTO (self)->srcpad,
        g_steal_pointer (&self->out.segment));
}

static GstFlowReturn
begin_session (NdaDecrypt * self, const NdaOpened * opened,
    GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  const NdaRecordFormat *format = &opened->block.format;
  gboolean is_known = out->frame_bytes
      && nda_record_format_equal (format, &out->format);

  GST_INFO_OBJECT (self, "session of KID %016" G_GINT64_MODIFIER "x",
      opened->kid);
  if (self->is_stream)
    follow_session (out, format->rate);
  else
    begin_at_arrival (out, opened->block.position, arrival);
  out->format = *format;
  out->frame_bytes = nda_record_frame_bytes (format);
  out->is_discont = TRUE;
  out->next_time = GST_CLOCK_TIME_NONE;
  if (!is_known && !push_caps (self, format))
    return GST_PAD_IS_FLUSHING (NDA_CRYPTO (self)->srcpad) ?
        GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  push_segment (self);
  return GST_FLOW_OK;
}

/* --- data --- */

static void
count_silence (NdaDecrypt * self, guint n_frames)
{
  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  self->counters.n_blocks++;
  self->counters.n_frames += n_frames;
  self->counters.n_concealed += n_frames;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
}

static GstFlowReturn
push_silent_block (NdaDecrypt * self, guint n_frames)
{
  NdaDecryptOutput *out = &self->out;
  gsize n_bytes = (gsize) n_frames * out->frame_bytes;
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  GstFlowReturn flow = nda_decrypt_acquire (self, n_bytes, &buffer, &map);

  if (flow != GST_FLOW_OK)
    return flow;
  /* zero is silence in all formats that there are */
  memset (map.data, 0, n_bytes);
  nda_pool_unmap (&map, n_bytes);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  stamp (out, buffer, out->next, n_frames);
  count_silence (self, n_frames);
  return gst_pad_push (NDA_CRYPTO (self)->srcpad, buffer);
}

static gboolean
can_conceal (NdaDecrypt * self, guint64 n_frames)
{
  guint64 n_max = gst_util_uint64_scale (self->rules.max_conceal,
      self->out.format.rate, GST_SECOND);

  return nda_decrypt_conceals (self) && n_frames <= n_max;
}

/* Fills @n_frames that are missing, in blocks like the sender's, or says that
 * they are. */
static GstFlowReturn
fill_gap (NdaDecrypt * self, guint64 n_frames)
{
  NdaDecryptOutput *out = &self->out;
  guint n_block = out->block_frames ? out->block_frames : NDA_BLOCK_FRAMES;
  GstFlowReturn flow = GST_FLOW_OK;

  if (!can_conceal (self, n_frames)) {
    GST_DEBUG_OBJECT (self, "cut of %" G_GUINT64_FORMAT " frames", n_frames);
    out->next += n_frames;
    out->is_discont = TRUE;
    return GST_FLOW_OK;
  }
  while (n_frames && flow == GST_FLOW_OK) {
    guint n = MIN (n_frames, n_block);

    flow = push_silent_block (self, n);
    n_frames -= n;
  }
  return flow;
}

/* Pushes @buffer (transfer full), which has the samples of @opened. */
GstFlowReturn
nda_decrypt_push (NdaDecrypt * self, GstBuffer * buffer,
    const NdaOpened * opened, GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  const NdaBlockHeader *block = &opened->block;
  GstFlowReturn flow = GST_FLOW_OK;

  if (opened->is_new_session)
    flow = begin_session (self, opened, arrival);
  if (flow == GST_FLOW_OK && block->position > out->next)
    flow = fill_gap (self, block->position - out->next);
  if (flow != GST_FLOW_OK || block->type != NDA_RECORD_AUDIO) {
    gst_buffer_unref (buffer);
    return flow;
  }
  stamp (out, buffer, block->position, block->n_frames);
  out->block_frames = MAX (out->block_frames, block->n_frames);
  return gst_pad_push (NDA_CRYPTO (self)->srcpad, buffer);
}

/* Forgets all output. */
void
nda_decrypt_reset_output (NdaDecrypt * self)
{
  g_clear_pointer (&self->out.pool, nda_pool_free);
  gst_clear_event (&self->out.segment);
  self->out = (NdaDecryptOutput) {
  .pool = NULL};
}
