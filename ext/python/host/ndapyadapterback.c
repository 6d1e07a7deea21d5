/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The way back: the plugin's output is handed on, and leaves. */

#include "config.h"

#include "ndapyadapterpriv.h"

#include "ndablock.h"
#include "ndapydelay.h"
#include "ndapymix.h"

#include <string.h>

/* --- from the plugin ------------------------------------------------------ */

static void
push_back (NdaPyAdapter * self, const gfloat * frames, gsize n_frames)
{
  const guint n_channels = self->format.n_channels;
  const gfloat *in[NDA_BLOCK_MAX_CHANNELS];

  for (guint c = 0; c < n_channels; c++)
    in[c] = frames + c;
  nda_polyphase_push (self->back_again, in, n_channels, n_frames);
}

/* Hands @n_frames on, or silence if @frames is NULL. */
static void
hand_on (NdaPyAdapter * self, const gfloat * frames, gsize n_frames)
{
  const gsize n_bytes = n_frames * self->format.n_channels * sizeof (gfloat);
  gfloat *room = nda_py_fifo_add (&self->back, n_frames);

  if (frames)
    memcpy (room, frames, n_bytes);
  else
    memset (room, 0, n_bytes);
  if (self->back_again) {
    push_back (self, room, n_frames);
    nda_py_fifo_drop (&self->back, n_frames);
  }
  self->n_given += n_frames;
}

void
nda_py_adapter_set_latency (NdaPyAdapter * self, guint latency)
{
  self->latency = latency;
  self->delay = self->is_analyser ? 0 :
      nda_py_delay_get (&self->format, latency);
}

/* The total number of frames that the plugin gets until the end. */
guint64
nda_py_adapter_get_n_to_call (NdaPyAdapter * self)
{
  const guint64 n_frames = self->n_leading + self->n_in;
  guint64 n_needed = self->is_analyser ?
      nda_py_adapter_to_plugin (&self->format, n_frames) :
      nda_py_delay_count_needed (&self->format, n_frames) + self->latency;
  guint rest = n_needed % self->format.n_frames;

  return n_needed + (rest ? self->format.n_frames - rest : 0);
}

/* How many frames of the stream have left; to an analyser, were shown. */
guint64
nda_py_adapter_get_n_gone (NdaPyAdapter * self)
{
  guint64 n_called;

  if (!self->is_analyser)
    return self->n_out;
  n_called = gst_util_uint64_scale_int (self->n_called, NDA_BLOCK_RATE,
      self->format.rate);
  return n_called < self->n_leading ? 0 :
      MIN (n_called - self->n_leading, self->n_in);
}

void
nda_py_adapter_change_latency (NdaPyAdapter * self, guint latency)
{
  guint64 n_skipped = self->n_to_skip + latency;

  if (n_skipped < self->latency)
    hand_on (self, NULL, self->latency - n_skipped);
  self->n_to_skip = n_skipped < self->latency ? 0 : n_skipped - self->latency;
  nda_py_adapter_set_latency (self, latency);
}

/* The position in the stream of the next frame that is handed on, counted with
 * the silence before the first. */
static guint64
get_position (NdaPyAdapter * self)
{
  return gst_util_uint64_scale_int_round (self->n_given, NDA_BLOCK_RATE,
      self->format.rate);
}

/* Notes that a call failed: it should have given the frames from @begin up to
 * the next one that is handed on. */
static void
note_failure (NdaPyAdapter * self, guint64 begin, NdaPyAdapterPolicy policy)
{
  Failed failed = { begin, get_position (self), policy };
  Failed *last = self->failed->len == 0 ? NULL :
      &g_array_index (self->failed, Failed, self->failed->len - 1);

  if (last && last->end == begin && last->policy == policy)
    last->end = failed.end;
  else if (failed.end > begin)
    g_array_append_val (self->failed, failed);
}

void
nda_py_adapter_give_back (NdaPyAdapter * self, guint i,
    NdaPyAdapterPolicy policy)
{
  const NdaPyBlock *block = &self->blocks[i];
  const guint n_skipped = MIN (self->n_to_skip, block->n_frames);
  const gfloat *frames = self->planes[i];
  guint64 begin = get_position (self);

  self->n_called += block->n_frames;
  if (self->is_analyser)
    return;
  self->n_to_skip -= n_skipped;
  frames += (gsize) n_skipped *self->format.n_channels;
  if (!block->ok && policy == NDA_PY_ADAPTER_SILENCE)
    frames = NULL;
  hand_on (self, frames, block->n_frames - n_skipped);
  if (!block->ok)
    note_failure (self, begin, policy);
}

/* --- out ----------------------------------------------------------------- */

/* The total number of frames of the stream that have come back. */
static guint64
get_n_back (NdaPyAdapter * self)
{
  guint64 n_made = nda_py_delay_count_made (&self->format, self->n_given);

  return n_made > self->n_leading ? n_made - self->n_leading : 0;
}

/* How many frames are left until the next block boundary. */
static guint
get_n_of_block (NdaPyAdapter * self)
{
  guint64 n_past = self->n_leading + self->n_out + self->delay;
  guint n_frames = NDA_BLOCK_FRAMES - n_past % NDA_BLOCK_FRAMES;

  if (!self->is_ended)
    return n_frames;
  return MIN (n_frames, self->n_in - self->n_out);
}

guint
nda_py_adapter_get_n_ready (NdaPyAdapter * self)
{
  guint n_frames = self->is_analyser ? 0 : get_n_of_block (self);
  guint64 end = self->n_out + n_frames;

  if (end > get_n_back (self)
      || (!self->is_ended && end + self->delay > self->n_in))
    return 0;
  return n_frames;
}

gboolean
nda_py_adapter_is_leading (NdaPyAdapter * self, guint n_frames)
{
  return n_frames < NDA_BLOCK_FRAMES
      && !(self->is_ended && self->n_out + n_frames == self->n_in);
}

/* Pulls @n_frames, at most a block, out of the resampler of the way back into
 * `mixed`. */
static void
pull_resampled (NdaPyAdapter * self, guint n_frames)
{
  const guint n_channels = self->format.n_channels;
  gfloat *out[NDA_BLOCK_MAX_CHANNELS];
  gsize n_pulled;

  for (guint c = 0; c < n_channels; c++)
    out[c] = self->mixed + c;
  n_pulled = nda_polyphase_pull (self->back_again, out, n_channels, n_frames);
  g_assert (n_pulled == n_frames);
}

/* Returns the next @n_frames that came back, at most a block. They are valid
 * until they are dropped. */
static const gfloat *
get_next (NdaPyAdapter * self, guint n_frames)
{
  if (!self->back_again)
    return nda_py_fifo_at (&self->back, 0);
  pull_resampled (self, n_frames);
  return self->mixed;
}

/* Drops the silence before the first frame. */
static void
cut_leading (NdaPyAdapter * self)
{
  while (self->n_to_cut) {
    guint n_frames = MIN (self->n_to_cut, NDA_BLOCK_FRAMES);

    get_next (self, n_frames);
    nda_py_fifo_drop (&self->back, n_frames);
    self->n_to_cut -= n_frames;
  }
}

/* Puts the replacement for a failed call's frames into @out, from @offset
 * on. */
static void
replace (NdaPyAdapter * self, const NdaPyAudio * out, gsize offset,
    gsize n_frames, NdaPyAdapterPolicy policy)
{
  const gfloat *frames = nda_py_fifo_at (&self->past, self->n_old + offset);

  if (policy == NDA_PY_ADAPTER_SILENCE) {
    memset (self->mixed, 0, n_frames * sizeof (gfloat));
    nda_py_mix_store (self->mixed, 1, out, offset, n_frames);
  } else {
    nda_py_mix_store (frames, self->n_channels, out, offset, n_frames);
  }
}

/* Replaces the frames of failed calls in the next @n_frames. */
static void
replace_failed (NdaPyAdapter * self, const NdaPyAudio * out, guint n_frames)
{
  const guint64 begin = self->n_leading + self->n_out, end = begin + n_frames;
  guint n_done = 0;

  for (guint i = 0; i < self->failed->len; i++) {
    const Failed *failed = &g_array_index (self->failed, Failed, i);
    guint64 from = MAX (failed->begin, begin), to = MIN (failed->end, end);

    if (from < to)
      replace (self, out, from - begin, to - from, failed->policy);
    n_done += failed->end <= end;
  }
  if (n_done)
    g_array_remove_range (self->failed, 0, n_done);
}

/* Whether the first @n_frames of @audio, which may lie in planes, are the
 * first that have not left. */
static gboolean
is_past (NdaPyAdapter * self, const NdaPyAudio * audio, guint n_frames)
{
  const guint32 *past =
      (const guint32 *) nda_py_fifo_at (&self->past, self->n_old);

  for (guint c = 0; c < self->n_channels; c++) {
    const guint32 *samples = audio->is_planar ? audio->planes[c] :
        (const guint32 *) audio->planes[0] + c;
    gsize step = audio->is_planar ? 1 : self->n_channels;

    for (gsize i = 0; i < n_frames; i++)
      if (samples[i * step] != past[i * self->n_channels + c])
        return FALSE;
  }
  return TRUE;
}

/* Counts @n_frames as left, and keeps some for a plugin that takes over. */
static void
leave (NdaPyAdapter * self, guint n_frames)
{
  self->n_out += n_frames;
  self->n_old += n_frames;
  if (self->n_old <= NDA_PY_ADAPTER_HISTORY)
    return;
  nda_py_fifo_drop (&self->past, self->n_old - NDA_PY_ADAPTER_HISTORY);
  self->n_old = NDA_PY_ADAPTER_HISTORY;
}

void
nda_py_adapter_pull (NdaPyAdapter * self, const NdaPyAudio * out,
    guint n_frames, gboolean * is_same)
{
  g_assert (n_frames <= NDA_BLOCK_FRAMES);
  cut_leading (self);
  nda_py_mix_store (get_next (self, n_frames), self->format.n_channels, out, 0,
      n_frames);
  if (!self->back_again)
    nda_py_fifo_drop (&self->back, n_frames);
  if (G_UNLIKELY (self->failed->len))
    replace_failed (self, out, n_frames);
  if (is_same)
    *is_same = is_past (self, out, n_frames);
  leave (self, n_frames);
}

guint
nda_py_adapter_get_n_untouched (NdaPyAdapter * self)
{
  guint n_frames =
      NDA_BLOCK_FRAMES - (self->n_leading + self->n_out) % NDA_BLOCK_FRAMES;

  return MIN (n_frames, self->past.n_frames - self->n_old);
}

void
nda_py_adapter_pull_untouched (NdaPyAdapter * self, const NdaPyAudio * out,
    guint n_frames)
{
  nda_py_mix_store (nda_py_fifo_at (&self->past, self->n_old), self->n_channels,
      out, 0, n_frames);
  leave (self, n_frames);
}

gboolean
nda_py_adapter_is_empty (NdaPyAdapter * self)
{
  return !self->is_analyser && self->delay == 0 && self->n_out == self->n_in
      && self->calls.n_frames == 0 && self->n_to_skip == 0;
}

gboolean
nda_py_adapter_is_drained (NdaPyAdapter * self)
{
  if (!self->is_ended)
    return FALSE;
  if (self->n_in == 0)
    return TRUE;
  if (self->is_analyser)
    return self->n_called >= nda_py_adapter_get_n_to_call (self);
  return self->n_out == self->n_in;
}
