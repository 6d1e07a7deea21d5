/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of ndadecrypt after a record was opened: caps, silence for
 * missing blocks, and the time of each block by its position. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndablock.h"
#include "ndaformat.h"
#include "ndapool.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (nda_decrypt_debug);
#define GST_CAT_DEFAULT nda_decrypt_debug

/* Returns a buffer of at least @n_bytes, mapped, with room for a block header
 * before it. Buffers of the pool are as long as the longest block of authentic
 * records so far, so none has to be resized. A longer record gets a separate
 * buffer, since anybody can send long datagrams. */
GstFlowReturn
nda_decrypt_acquire (NdaDecrypt * self, gsize n_bytes, GstBuffer ** buffer,
    GstMapInfo * map)
{
  NdaDecryptOutput *out = &self->out;

  n_bytes = MAX (n_bytes, 1);   /* empty memory cannot be mapped */
  if (G_UNLIKELY (n_bytes > out->n_pool_bytes))
    return nda_pool_acquire_alone (n_bytes, NDA_BLOCK_HEADER, buffer, map);
  return nda_pool_acquire (out->pool, buffer, map);
}

/* A block of @n_bytes was authentic: others like it will come. */
static void
adapt_pool (NdaDecrypt * self, gsize n_bytes)
{
  NdaDecryptOutput *out = &self->out;

  if (G_LIKELY (n_bytes <= out->n_pool_bytes))
    return;
  g_clear_pointer (&out->pool, nda_pool_free);
  out->pool = nda_pool_new (n_bytes, NDA_BLOCK_HEADER);
  out->n_pool_bytes = n_bytes;
}

/* --- time --- */

/* The frame at @position, as the clock counts */
static guint64
count_frames (const NdaDecryptOutput * out, guint64 position)
{
  return out->n_first + position - out->first;
}

static GstClockTime
get_time (const NdaDecryptOutput * out, guint64 position)
{
  return nda_play_clock_get_time (&out->clock, count_frames (out, position));
}

/* Begins to count: @position is played at @time. */
static void
begin_at (NdaDecryptOutput * out, GstClockTime time, guint64 position,
    guint rate)
{
  nda_play_clock_begin (&out->clock, rate, time);
  out->n_first = 0;
  out->first = position;
  out->next = position;
  out->next_time = GST_CLOCK_TIME_NONE;
  out->needs_base = FALSE;
  out->is_discont = TRUE;
}

/* A session that begins at @position continues at the end of the last one,
 * counted in frames as long as the rate is the same, so rounding errors do not
 * add up. */
static void
follow_session (NdaDecryptOutput * out, guint rate, guint64 position)
{
  if (rate == out->clock.rate)
    out->n_first = count_frames (out, out->next);
  else
    begin_at (out, get_time (out, out->next), 0, rate);
  out->first = 0;
  out->next = position;
  out->is_discont = TRUE;
}

/* Begins a segment. Its first block has the time of its buffer, or without one
 * the segment's start. If the head of a stored stream is missing, the missing
 * part comes first. */
static void
begin_segment (NdaDecrypt * self, const NdaOpened * opened,
    GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  guint64 position = opened->block.position;
  gboolean has_time = GST_CLOCK_TIME_IS_VALID (arrival);

  if (self->is_stream && !has_time && opened->is_new_session
      && !opened->was_joined)
    position = 0;
  if (out->was_sought && opened->kid == self->layout.kid)
    out->start = nda_block_frames_to_time (position, opened->block.format.rate);
  out->was_sought = FALSE;
  begin_at (out, has_time ? arrival : out->start, position,
      opened->block.format.rate);
}

/* Packets of a session without an announcement begin at the arrival of the
 * first one, or continue at the end of the last session. */
static void
begin_at_arrival (NdaDecryptOutput * out, const NdaOpened * opened,
    GstClockTime arrival)
{
  if (!GST_CLOCK_TIME_IS_VALID (arrival))
    arrival = get_time (out, out->next);
  begin_at (out, arrival, opened->block.position, opened->block.format.rate);
}

static void
begin_session (NdaDecrypt * self, const NdaOpened * opened,
    GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  const NdaBlockHeader *block = &opened->block;

  GST_INFO_OBJECT (self, "session of KID %016" G_GINT64_MODIFIER "x",
      opened->kid);
  out->format = block->format;
  out->frame_bytes = nda_record_frame_bytes (&block->format);
  if (out->needs_base)
    return;
  if (self->is_stream)
    follow_session (out, block->format.rate, 0);
  else if (opened->was_announced)
    follow_session (out, block->format.rate, block->position);
  else
    begin_at_arrival (out, opened, arrival);
}

/* Follows the sender's clock by the arrivals of packets. */
static void
follow_sender (NdaDecrypt * self, const NdaBlockHeader * block,
    GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;

  if (self->is_stream || !GST_CLOCK_TIME_IS_VALID (arrival)
      || !nda_play_clock_observe (&out->clock, arrival,
          count_frames (out, block->position)))
    return;
  GST_INFO_OBJECT (self, "a clock was set: time begins anew at %"
      GST_TIME_FORMAT, GST_TIME_ARGS (arrival));
  out->is_discont = TRUE;
  out->next_time = GST_CLOCK_TIME_NONE;
}

static void
stamp (NdaDecryptOutput * out, GstBuffer * buffer, guint64 position,
    guint n_frames)
{
  guint64 end_frame = count_frames (out, position + n_frames);
  GstClockTime start = position == out->next
      && GST_CLOCK_TIME_IS_VALID (out->next_time) ? out->next_time :
      get_time (out, position);
  /* the end of one block is the beginning of the next: scaled once */
  GstClockTime end = nda_play_clock_get_end (&out->clock, start, end_frame,
      n_frames);

  GST_BUFFER_PTS (buffer) = start;
  GST_BUFFER_DURATION (buffer) = end - start;
  GST_BUFFER_OFFSET (buffer) = count_frames (out, position);
  GST_BUFFER_OFFSET_END (buffer) = end_frame;
  if (out->is_discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  out->is_discont = FALSE;
  out->next = position + n_frames;
  out->next_time = end;
}

/* --- caps and segment --- */

static gboolean
push_caps (NdaDecrypt * self)
{
  NdaDecryptOutput *out = &self->out;
  g_autoptr (GstCaps) caps = nda_format_to_caps (&out->format);

  GST_INFO_OBJECT (self, "output is %" GST_PTR_FORMAT, caps);
  out->caps_format = out->format;
  out->has_caps = TRUE;
  return gst_pad_push_event (NDA_CRYPTO (self)->srcpad,
      gst_event_new_caps (caps));
}

static void
push_segment (NdaDecrypt * self)
{
  if (self->out.segment)
    gst_pad_push_event (NDA_CRYPTO (self)->srcpad,
        g_steal_pointer (&self->out.segment));
}

/* Sends the caps of the format and a segment, before data. */
static GstFlowReturn
prepare_pad (NdaDecrypt * self)
{
  NdaDecryptOutput *out = &self->out;
  gboolean is_known = out->has_caps
      && nda_record_format_equal (&out->format, &out->caps_format);

  if (G_UNLIKELY (!is_known) && !push_caps (self)) {
    out->has_caps = FALSE;
    return GST_PAD_IS_FLUSHING (NDA_CRYPTO (self)->srcpad) ?
        GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  push_segment (self);
  return GST_FLOW_OK;
}

/* --- data --- */

/* Pushes @buffer (transfer full). If downstream has enough, the rest of
 * upstream does not count as lost. */
static GstFlowReturn
push_block (NdaDecrypt * self, GstBuffer * buffer)
{
  GstFlowReturn flow = GST_FLOW_EOS;

  if (GST_BUFFER_PTS (buffer) < self->out.stop)
    flow = gst_pad_push (NDA_CRYPTO (self)->srcpad, buffer);
  else
    gst_buffer_unref (buffer);
  if (G_UNLIKELY (flow == GST_FLOW_EOS))
    self->out.is_enough = TRUE;
  return flow;
}

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
  /* zero is silence in every format */
  memset (map.data, 0, n_bytes);
  nda_pool_unmap (&map, n_bytes);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  stamp (out, buffer, out->next, n_frames);
  count_silence (self, n_frames);
  return push_block (self, buffer);
}

static gboolean
can_conceal (NdaDecrypt * self, guint64 n_frames)
{
  guint64 n_max = gst_util_uint64_scale (self->rules.max_conceal,
      self->out.format.rate, GST_SECOND);

  return nda_decrypt_conceals (self) && n_frames <= n_max;
}

/* Fills @n_frames that are missing, in blocks like the sender's, or marks the
 * gap. */
static GstFlowReturn
fill_gap (NdaDecrypt * self, guint64 n_frames)
{
  NdaDecryptOutput *out = &self->out;
  guint n_block = out->block_frames ? out->block_frames : NDA_BLOCK_FRAMES;
  GstFlowReturn flow = GST_FLOW_OK;

  if (!can_conceal (self, n_frames)) {
    GST_DEBUG_OBJECT (self, "cut of %" G_GUINT64_FORMAT " frames", n_frames);
    out->next += n_frames;
    out->next_time = GST_CLOCK_TIME_NONE;
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

/* Pushes all that comes before the samples of @opened: silence, caps and
 * segment */
static GstFlowReturn
push_before (NdaDecrypt * self, const NdaOpened * opened, GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  const NdaBlockHeader *block = &opened->block;
  GstFlowReturn flow = GST_FLOW_OK;

  if (out->needs_base) {
    if (block->type != NDA_RECORD_AUDIO)
      return GST_FLOW_OK;
    begin_segment (self, opened, arrival);
    if (self->is_stream)
      nda_decrypt_note_layout (self, opened);
  }
  follow_sender (self, block, arrival);
  if (block->type == NDA_RECORD_AUDIO || block->position > out->next)
    flow = prepare_pad (self);
  if (flow == GST_FLOW_OK && block->position > out->next)
    flow = fill_gap (self, block->position - out->next);
  return flow;
}

/* Pushes @buffer (transfer full), which has the samples of @opened. */
GstFlowReturn
nda_decrypt_push (NdaDecrypt * self, GstBuffer * buffer,
    const NdaOpened * opened, GstClockTime arrival)
{
  NdaDecryptOutput *out = &self->out;
  const NdaBlockHeader *block = &opened->block;
  GstFlowReturn flow;

  if (opened->is_new_session)
    begin_session (self, opened, arrival);
  adapt_pool (self, nda_opened_n_sample_bytes (opened));
  flow = push_before (self, opened, arrival);
  if (flow != GST_FLOW_OK || block->type != NDA_RECORD_AUDIO) {
    gst_buffer_unref (buffer);
    return flow;
  }
  stamp (out, buffer, block->position, block->n_frames);
  out->block_frames = MAX (out->block_frames, block->n_frames);
  return push_block (self, buffer);
}

/* The next block begins a new segment, at @start if nothing else gives its
 * time. */
void
nda_decrypt_expect_segment (NdaDecrypt * self, GstClockTime start,
    GstClockTime stop)
{
  self->out.needs_base = TRUE;
  self->out.start = start;
  self->out.stop = stop;
  self->out.is_enough = FALSE;
  self->out.next_time = GST_CLOCK_TIME_NONE;
  self->out.is_discont = TRUE;
}

/* Forgets all output. */
void
nda_decrypt_reset_output (NdaDecrypt * self)
{
  g_clear_pointer (&self->out.pool, nda_pool_free);
  gst_clear_event (&self->out.segment);
  self->out = (NdaDecryptOutput) {
  .stop = GST_CLOCK_TIME_NONE,.needs_base = TRUE};
}
