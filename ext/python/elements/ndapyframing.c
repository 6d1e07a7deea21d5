/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyframing.h"

#include "ndablock.h"

/* A part of a run that came marked as a gap */
typedef struct
{
  guint64 begin;
  guint64 end;
} Gap;

void
nda_py_framing_init (NdaPyFraming * self)
{
  nda_keep_init (&self->keep);
  self->gaps = g_array_new (FALSE, FALSE, sizeof (Gap));
}

void
nda_py_framing_clear (NdaPyFraming * self)
{
  nda_py_framing_set_format (self, NULL, NULL);
  nda_keep_clear (&self->keep);
  g_clear_pointer (&self->gaps, g_array_unref);
}

/* Forgets the stream, and the plugin's format. */
void
nda_py_framing_set_format (NdaPyFraming * self, const GstAudioInfo * info,
    GstBufferPool * pool)
{
  nda_py_framing_forget (self);
  g_clear_pointer (&self->adapter, nda_py_adapter_free);
  self->pool = pool;
  if (info)
    self->info = *info;
}

/* Forgets the run and drops its frames. */
void
nda_py_framing_forget (NdaPyFraming * self)
{
  while (self->n_passed < self->n_passing)
    gst_clear_buffer (&self->passing[self->n_passed++]);
  self->n_passed = self->n_passing = 0;
  g_clear_pointer (&self->leaving, nda_py_adapter_free);
  nda_keep_forget (&self->keep);
  g_array_set_size (self->gaps, 0);
  self->is_begun = FALSE;
}

/* --- in ------------------------------------------------------------------ */

/* The number of frames of silence before @block, if it is a leading block. */
static guint
count_leading (NdaPyFraming * self, GstBuffer * block)
{
  guint n_frames;

  if (!GST_BUFFER_FLAG_IS_SET (block, NDA_BLOCK_FLAG_LEADING)
      || !nda_block_count_frames (block, &self->info, &n_frames, NULL)
      || n_frames >= NDA_BLOCK_FRAMES)
    return 0;
  return NDA_BLOCK_FRAMES - n_frames;
}

void
nda_py_framing_begin (NdaPyFraming * self, GstBuffer * block,
    const NdaPyFormat * format, const NdaPyFacts * facts)
{
  const GstClockTime base = self->clock.base;

  if (!self->adapter || self->is_analyser != facts->is_analyser) {
    g_clear_pointer (&self->adapter, nda_py_adapter_free);
    self->adapter = nda_py_adapter_new (self->info.channels, format,
        facts->is_analyser);
    self->is_analyser = facts->is_analyser;
  }
  nda_py_adapter_begin (self->adapter, facts->delay, count_leading (self,
          block));
  self->is_begun = TRUE;
  self->n_in = self->n_out = 0;
  self->is_discont = GST_BUFFER_IS_DISCONT (block);
  nda_frame_clock_init (&self->clock, NDA_BLOCK_RATE);
  nda_frame_clock_rebase (&self->clock, GST_BUFFER_PTS (block));
  /* a run that goes on counts from the same base: its stamps are the same */
  if (!self->is_discont)
    nda_frame_clock_count_from (&self->clock, base);
  if (GST_BUFFER_OFFSET_IS_VALID (block))
    self->clock.offset = GST_BUFFER_OFFSET (block);
}

static void
note_gap (NdaPyFraming * self, guint n_frames)
{
  Gap gap = { self->n_in, self->n_in + n_frames };
  Gap *last = self->gaps->len == 0 ? NULL :
      &g_array_index (self->gaps, Gap, self->gaps->len - 1);

  if (last && last->end == gap.begin)
    last->end = gap.end;
  else
    g_array_append_val (self->gaps, gap);
}

gboolean
nda_py_framing_push (NdaPyFraming * self, GstBuffer * block)
{
  GstAudioBuffer map;
  NdaPyAudio audio;

  if (!gst_audio_buffer_map (&map, &self->info, block, GST_MAP_READ)) {
    gst_buffer_unref (block);
    return FALSE;
  }
  nda_py_direct_describe (&self->info, &audio, &map);
  nda_py_adapter_push (self->adapter, &audio, map.n_samples);
  if (self->is_analyser) {
    self->passing[self->n_passing++] = gst_buffer_ref (block);
  } else {
    if (GST_BUFFER_FLAG_IS_SET (block, GST_BUFFER_FLAG_GAP))
      note_gap (self, map.n_samples);
    nda_keep_add (&self->keep, block, self->n_in, self->n_in + map.n_samples);
  }
  self->n_in += map.n_samples;
  gst_audio_buffer_unmap (&map);
  gst_buffer_unref (block);
  return TRUE;
}

void
nda_py_framing_end (NdaPyFraming * self)
{
  if (self->is_begun)
    nda_py_adapter_end (self->adapter);
}

gboolean
nda_py_framing_run (NdaPyFraming * self, NdaPyHost * host,
    NdaPyOnError on_error, GstClockTime * gil_wait)
{
  static const NdaPyAdapterPolicy policies[] = {
    [NDA_PY_ON_ERROR_STOP] = NDA_PY_ADAPTER_STOP,
    [NDA_PY_ON_ERROR_SILENCE] = NDA_PY_ADAPTER_SILENCE,
    [NDA_PY_ON_ERROR_PASSTHROUGH] = NDA_PY_ADAPTER_UNTOUCHED,
  };

  return nda_py_adapter_run (self->adapter, host, policies[on_error], gil_wait);
}

void
nda_py_framing_settle (NdaPyFraming * self, gboolean is_direct)
{
  if (!self->is_begun)
    return;
  self->n_passed = self->n_passing = 0;
  if (nda_py_adapter_is_drained (self->adapter)
      || (is_direct && nda_py_adapter_is_empty (self->adapter)))
    nda_py_framing_forget (self);
}

/* --- out ----------------------------------------------------------------- */

/* Whether the next @n_frames came in as a gap. */
static gboolean
is_gap (NdaPyFraming * self, guint n_frames)
{
  guint64 end = self->n_out + n_frames;
  gboolean is_within = FALSE;
  guint n_done = 0;

  for (guint i = 0; i < self->gaps->len; i++) {
    const Gap *gap = &g_array_index (self->gaps, Gap, i);

    is_within |= gap->begin <= self->n_out && gap->end >= end;
    n_done += gap->end <= end;
  }
  if (n_done)
    g_array_remove_range (self->gaps, 0, n_done);
  return is_within;
}

/* Puts the next @n_frames into @block. FALSE: it cannot be written to. */
static gboolean
fill (NdaPyFraming * self, GstBuffer * block, guint n_frames)
{
  gboolean was_gap = self->gaps->len && is_gap (self, n_frames);
  gboolean is_same = FALSE;
  GstAudioBuffer map;
  NdaPyAudio audio;

  if (!gst_audio_buffer_map (&map, &self->info, block, GST_MAP_WRITE))
    return FALSE;
  nda_py_direct_describe (&self->info, &audio, &map);
  nda_py_adapter_pull (self->adapter, &audio, n_frames,
      was_gap ? &is_same : NULL);
  gst_audio_buffer_unmap (&map);
  if (is_same)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_GAP);
  return TRUE;
}

static void
label (NdaPyFraming * self, GstBuffer * block, guint n_frames,
    gboolean is_leading)
{
  if (self->is_discont)
    GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_DISCONT);
  self->is_discont = FALSE;
  if (is_leading)
    GST_BUFFER_FLAG_SET (block, NDA_BLOCK_FLAG_LEADING);
  nda_frame_clock_stamp (&self->clock, block, n_frames);
  nda_keep_give (&self->keep, block, self->n_out, self->n_out + n_frames,
      NDA_BLOCK_RATE);
  self->n_out += n_frames;
}

static GstBuffer *
take_block (NdaPyFraming * self, guint n_frames)
{
  gboolean is_leading = nda_py_adapter_is_leading (self->adapter, n_frames);
  GstBuffer *block = nda_py_direct_make_buffer (self->pool, &self->info, NULL,
      n_frames);

  if (!block || !fill (self, block, n_frames))
    g_error ("no memory for a block, or it cannot be mapped");
  label (self, block, n_frames, is_leading);
  return block;
}

/* The next block of what a plugin held that an analyser has taken the place of,
 * as it came; NULL when all has left. */
static GstBuffer *
take_untouched (NdaPyFraming * self)
{
  guint n_frames = nda_py_adapter_get_n_untouched (self->leaving);
  GstBuffer *block;
  GstAudioBuffer map;
  NdaPyAudio audio;

  if (n_frames == 0) {
    g_clear_pointer (&self->leaving, nda_py_adapter_free);
    return NULL;
  }
  block = nda_py_direct_make_buffer (self->pool, &self->info, NULL, n_frames);
  if (!block || !gst_audio_buffer_map (&map, &self->info, block, GST_MAP_WRITE))
    g_error ("no memory for a block, or it cannot be mapped");
  nda_py_direct_describe (&self->info, &audio, &map);
  nda_py_adapter_pull_untouched (self->leaving, &audio, n_frames);
  gst_audio_buffer_unmap (&map);
  label (self, block, n_frames, n_frames < NDA_BLOCK_FRAMES);
  return block;
}

GstBuffer *
nda_py_framing_take (NdaPyFraming * self)
{
  GstBuffer *block;
  guint n_frames;

  if (!self->is_begun)
    return NULL;
  if (self->leaving && (block = take_untouched (self)))
    return block;
  if (self->is_analyser)
    return self->n_passed == self->n_passing ? NULL :
        g_steal_pointer (&self->passing[self->n_passed++]);
  n_frames = nda_py_adapter_get_n_ready (self->adapter);
  return n_frames ? take_block (self, n_frames) : NULL;
}

guint64
nda_py_framing_get_n_in (NdaPyFraming * self)
{
  return self->is_begun ? self->n_in : 0;
}

guint64
nda_py_framing_get_n_left (NdaPyFraming * self)
{
  if (!self->is_begun || (self->is_analyser && !self->leaving))
    return G_MAXUINT64;
  return self->n_out;
}

/* --- another plugin ------------------------------------------------------- */

/* The blocks beside an analyser that have not left are the first of a run. */
static void
begin_with_passing (NdaPyFraming * self, const NdaPyFormat * format,
    const NdaPyFacts * facts)
{
  const GstClockTime base = self->clock.base;
  GstBuffer *blocks[NDA_PY_BATCH_MAX];
  guint n_blocks = 0;

  while (self->n_passed < self->n_passing)
    blocks[n_blocks++] = g_steal_pointer (&self->passing[self->n_passed++]);
  nda_py_framing_forget (self);
  if (n_blocks) {
    nda_py_framing_begin (self, blocks[0], format, facts);
    nda_frame_clock_count_from (&self->clock, base);
  }
  for (guint i = 0; i < n_blocks; i++)
    nda_py_framing_push (self, blocks[i]);
}

void
nda_py_framing_exchange (NdaPyFraming * self, const NdaPyFormat * format,
    const NdaPyFacts * facts)
{
  g_autoptr (NdaPyAdapter) before = g_steal_pointer (&self->adapter);

  if (!self->is_begun)
    return;
  if (self->is_analyser && !facts->is_analyser) {
    begin_with_passing (self, format, facts);
    return;
  }
  self->adapter = nda_py_adapter_new (self->info.channels, format,
      facts->is_analyser);
  nda_py_adapter_take_over (self->adapter, before, facts->delay);
  if (!self->is_analyser && facts->is_analyser)
    self->leaving = g_steal_pointer (&before);
  self->is_analyser = facts->is_analyser;
}
