/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A frame travels in these steps: it is mixed to the plugin's channels,
 * resampled to its rate, and collected in `calls` until there are enough frames
 * for a call. The plugin changes it. Then it is handed on (ndapyadapterback.c):
 * into `back`, or into the resampler of the way back, from which
 * nda_py_adapter_pull () takes it.
 *
 * POSITIONS. The plugin's delay is taken out where its frames are handed on:
 * the first `latency` frames of a run are skipped. After that the n-th frame
 * handed on belongs at position n, at the plugin's rate. Frames of the stream
 * are counted from the beginning of the run; `n_leading` frames of silence come
 * before the first.
 *
 * If the latency grows, the plugin repeats frames that it gave already, and
 * these are skipped. If it shrinks, the plugin leaves frames out, and silence
 * replaces them.
 *
 * ANOTHER PLUGIN. `past` has what came and did not leave. A plugin that takes
 * the place of one before is shown that, and goes on with its first frame.
 *
 * FAILURES. What a failed call should have given is replaced on its way out, by
 * silence or by what came. */

#include "config.h"

#include "ndapyadapterpriv.h"

#include "ndablock.h"
#include "ndapydelay.h"
#include "ndapymix.h"

#include <string.h>

/* --- life --------------------------------------------------------------- */

/* Lets a run make so many calls. */
static void
set_max_calls (NdaPyAdapter * self, guint max_calls)
{
  self->max_calls = max_calls;
  self->blocks = g_renew (NdaPyBlock, self->blocks, max_calls);
  memset (self->blocks, 0, max_calls * sizeof (NdaPyBlock));
  self->order = g_renew (NdaPyBlock *, self->order, max_calls);
  self->planes = g_renew (gpointer, self->planes, max_calls);
}

static void
make_calls (NdaPyAdapter * self)
{
  const guint n_frames = self->format.n_frames;
  gsize n_most = nda_py_adapter_to_plugin (&self->format,
      NDA_PY_ADAPTER_MAX_FRAMES) + n_frames;

  nda_py_fifo_init (&self->calls, self->format.n_channels, n_most);
  set_max_calls (self, n_most / n_frames + 1);
}

/* Makes a resampler that allocates no more memory later. */
static NdaPolyphase *
make_polyphase (NdaPyAdapter * self, guint from, guint to, gsize n_most)
{
  const guint n_channels = self->format.n_channels;
  NdaPolyphase *polyphase =
      nda_polyphase_new (n_channels, from, to, NDA_POLYPHASE_FIXED);
  g_autofree gfloat *silence = g_new0 (gfloat, n_most * n_channels);
  const gfloat *planes[NDA_BLOCK_MAX_CHANNELS];

  for (guint c = 0; c < n_channels; c++)
    planes[c] = silence + c;
  nda_polyphase_push (polyphase, planes, n_channels, n_most);
  nda_polyphase_reset (polyphase);
  return polyphase;
}

static void
make_polyphases (NdaPyAdapter * self)
{
  const guint rate = self->format.rate;
  gsize n_most =
      nda_py_adapter_to_plugin (&self->format, NDA_PY_ADAPTER_MAX_FRAMES)
      + self->format.n_frames;

  self->there = make_polyphase (self, NDA_BLOCK_RATE, rate, NDA_BLOCK_FRAMES);
  if (!self->is_analyser)
    self->back_again = make_polyphase (self, rate, NDA_BLOCK_RATE, n_most);
}

NdaPyAdapter *
nda_py_adapter_new (guint n_channels, const NdaPyFormat * format,
    gboolean is_analyser)
{
  NdaPyAdapter *self;
  gsize n_back = NDA_PY_ADAPTER_MAX_FRAMES + format->n_frames;

  g_return_val_if_fail (nda_py_mix_fits (n_channels, format->n_channels), NULL);
  g_return_val_if_fail (MAX (n_channels, format->n_channels)
      <= NDA_BLOCK_MAX_CHANNELS, NULL);

  self = g_new0 (NdaPyAdapter, 1);
  self->n_channels = n_channels;
  self->format = *format;
  self->is_analyser = is_analyser;
  self->mixed = g_new (gfloat, NDA_BLOCK_FRAMES * format->n_channels);
  self->failed = g_array_new (FALSE, FALSE, sizeof (Failed));
  make_calls (self);
  if (format->rate != NDA_BLOCK_RATE)
    make_polyphases (self);
  nda_py_fifo_init (&self->back, format->n_channels,
      self->there || is_analyser ? 0 : n_back);
  nda_py_fifo_init (&self->past, n_channels, NDA_PY_ADAPTER_HISTORY
      + NDA_PY_ADAPTER_MAX_FRAMES + nda_py_delay_get (format, 0));
  return self;
}

void
nda_py_adapter_free (NdaPyAdapter * self)
{
  nda_py_adapter_begin (self, 0, 0);
  g_clear_pointer (&self->there, nda_polyphase_free);
  g_clear_pointer (&self->back_again, nda_polyphase_free);
  nda_py_fifo_clear (&self->past);
  nda_py_fifo_clear (&self->calls);
  nda_py_fifo_clear (&self->back);
  g_array_unref (self->failed);
  g_free (self->mixed);
  g_free (self->blocks);
  g_free (self->order);
  g_free (self->planes);
  g_free (self);
}

/* Forgets the calls of the last run. */
static void
forget_calls (NdaPyAdapter * self)
{
  for (guint i = 0; i < self->n_made; i++)
    g_clear_pointer (&self->blocks[i].failure, g_free);
  self->n_made = 0;
}

/* --- in ------------------------------------------------------------------ */

/* Moves @n_frames of the plugin's channels from `mixed` to the calls. */
static void
resample (NdaPyAdapter * self, guint n_frames)
{
  const guint n_channels = self->format.n_channels;
  const gsize n_most = nda_py_adapter_to_plugin (&self->format, n_frames) + 2;
  gfloat *in[NDA_BLOCK_MAX_CHANNELS], *out[NDA_BLOCK_MAX_CHANNELS];
  gfloat *frames = nda_py_fifo_add (&self->calls, n_most);
  gsize n_got;

  for (guint c = 0; c < n_channels; c++) {
    in[c] = self->mixed + c;
    out[c] = frames + c;
  }
  nda_polyphase_push (self->there, (const gfloat * const *) in, n_channels,
      n_frames);
  n_got = nda_polyphase_pull (self->there, out, n_channels, n_most);
  self->calls.n_frames -= n_most - n_got;
}

/* Takes at most a block of @in, or of silence if @in is NULL. */
static void
take (NdaPyAdapter * self, const NdaPyAudio * in, gsize offset, guint n_frames)
{
  const guint n_channels = self->format.n_channels;
  gfloat *frames = self->there ? self->mixed :
      nda_py_fifo_add (&self->calls, n_frames);

  if (in)
    nda_py_mix_load (frames, n_channels, in, offset, n_frames);
  else
    memset (frames, 0, n_frames * n_channels * sizeof (gfloat));
  if (self->there)
    resample (self, n_frames);
}

static void
take_all (NdaPyAdapter * self, const NdaPyAudio * in, guint64 n_frames)
{
  for (guint64 n = 0; n < n_frames; n += NDA_BLOCK_FRAMES)
    take (self, in, n, MIN (n_frames - n, NDA_BLOCK_FRAMES));
}

void
nda_py_adapter_begin (NdaPyAdapter * self, guint latency, guint n_leading)
{
  forget_calls (self);
  nda_py_fifo_drop (&self->past, G_MAXSIZE);
  self->n_old = 0;
  nda_py_fifo_drop (&self->calls, G_MAXSIZE);
  nda_py_fifo_drop (&self->back, G_MAXSIZE);
  if (self->there)
    nda_polyphase_reset (self->there);
  if (self->back_again)
    nda_polyphase_reset (self->back_again);
  g_array_set_size (self->failed, 0);

  nda_py_adapter_set_latency (self, latency);
  self->n_in = self->n_out = self->n_called = self->n_given = 0;
  self->n_to_skip = latency;
  self->n_leading = self->n_to_cut = n_leading;
  self->is_ended = FALSE;
  take_all (self, NULL, n_leading);
}

void
nda_py_adapter_push (NdaPyAdapter * self, const NdaPyAudio * in, guint n_frames)
{
  take_all (self, in, n_frames);
  self->n_in += n_frames;
  nda_py_mix_load (nda_py_fifo_add (&self->past, n_frames), self->n_channels,
      in, 0, n_frames);
}

/* How many frames of the stream the filters of both ways need to be full. */
static guint
count_of_filters (NdaPyAdapter * self)
{
  const guint rate = self->format.rate;

  if (!self->there)
    return 0;
  return nda_polyphase_lag_of (NDA_BLOCK_RATE, rate)
      + gst_util_uint64_scale_int_ceil (nda_polyphase_lag_of (rate,
          NDA_BLOCK_RATE), NDA_BLOCK_RATE, rate);
}

/* How many frames that have left are shown again, and not given again: those
 * since the last end of a block, and blocks that fill the filters. */
static guint
count_again (NdaPyAdapter * self, NdaPyAdapter * before)
{
  const guint n_of_block = (before->n_leading + before->n_out)
      % NDA_BLOCK_FRAMES;
  const guint n_known = before->n_old - MIN (before->n_old, n_of_block);
  const guint n_wanted = count_of_filters (self) + NDA_BLOCK_FRAMES - 1;

  /* nothing that an analyser makes leaves */
  if (self->is_analyser)
    return 0;
  return n_of_block + MIN (n_known, n_wanted)
      / NDA_BLOCK_FRAMES * NDA_BLOCK_FRAMES;
}

/* Shows the plugin the last @n_again frames of @before that have left, which
 * are silence where it does not have them any more. */
static void
take_again (NdaPyAdapter * self, NdaPyAdapter * before, guint n_again)
{
  const guint n_known = MIN (n_again, before->n_old);
  gpointer planes[] = {
    nda_py_fifo_at (&before->past, before->n_old - n_known)
  };
  const NdaPyAudio again = { planes, self->n_channels, FALSE };

  take_all (self, NULL, n_again - n_known);
  take_all (self, &again, n_known);
  nda_py_mix_load (nda_py_fifo_add (&self->past, n_known), self->n_channels,
      &again, 0, n_known);
  self->n_old = n_known;
  self->n_leading = self->n_to_cut = n_again;
}

void
nda_py_adapter_take_over (NdaPyAdapter * self, NdaPyAdapter * before,
    guint latency)
{
  gpointer planes[] = { nda_py_fifo_at (&before->past, before->n_old) };
  const NdaPyAudio left = { planes, self->n_channels, FALSE };

  nda_py_adapter_begin (self, latency, 0);
  take_again (self, before, count_again (self, before));
  nda_py_adapter_push (self, &left, before->past.n_frames - before->n_old);
  self->is_ended = before->is_ended;
  set_max_calls (self, MAX (self->max_calls,
          self->calls.n_frames / self->format.n_frames + 1));
}

void
nda_py_adapter_end (NdaPyAdapter * self)
{
  self->is_ended = TRUE;
}

/* Adds silence to the calls that push out the frames held back, as many calls
 * as one run can make. */
static void
take_silence (NdaPyAdapter * self)
{
  const guint64 n_run = (guint64) (self->max_calls - 1) * self->format.n_frames;
  const guint64 n_wanted =
      MIN (nda_py_adapter_get_n_to_call (self) - self->n_called, n_run);

  while (self->calls.n_frames < n_wanted)
    take_all (self, NULL, self->there ? NDA_BLOCK_FRAMES :
        MIN (n_wanted - self->calls.n_frames, NDA_BLOCK_FRAMES));
}

/* --- calls --------------------------------------------------------------- */

/* How many calls there are enough frames for; at the end, no more calls than
 * are needed. */
static guint
count_calls (NdaPyAdapter * self)
{
  guint64 n_frames = self->calls.n_frames;

  if (self->is_ended)
    n_frames =
        MIN (n_frames, nda_py_adapter_get_n_to_call (self) - self->n_called);
  return MIN (n_frames / self->format.n_frames, self->max_calls);
}

static void
prepare_calls (NdaPyAdapter * self, guint n_calls)
{
  const guint n_frames = self->format.n_frames;

  for (guint i = 0; i < n_calls; i++) {
    NdaPyBlock *block = &self->blocks[i];

    self->planes[i] = nda_py_fifo_at (&self->calls, (gsize) i * n_frames);
    block->in = block->out = (NdaPyAudio) {
    &self->planes[i], self->format.n_channels, FALSE};
    block->n_frames = n_frames;
    block->failure = NULL;
    self->order[i] = block;
  }
}

/* Forgets what an analyser has seen. */
static void
drop_analysed (NdaPyAdapter * self)
{
  const guint64 n_kept = self->n_in - nda_py_adapter_get_n_gone (self);

  nda_py_fifo_drop (&self->past, self->past.n_frames - n_kept);
}

gboolean
nda_py_adapter_run (NdaPyAdapter * self, NdaPyHost * host,
    NdaPyAdapterPolicy policy, GstClockTime * gil_wait)
{
  gboolean is_stop = policy == NDA_PY_ADAPTER_STOP;
  guint n_calls;

  forget_calls (self);
  if (self->is_ended)
    take_silence (self);
  n_calls = count_calls (self);
  if (!n_calls)
    return TRUE;
  prepare_calls (self, n_calls);
  self->n_made = nda_py_host_process (host, self->order, n_calls, is_stop,
      gil_wait);
  if (!self->n_made)
    return FALSE;
  if (nda_py_host_get_call_latency (host) != self->latency)
    nda_py_adapter_change_latency (self, nda_py_host_get_call_latency (host));
  for (guint i = 0; i < self->n_made; i++)
    if (self->blocks[i].ok || !is_stop)
      nda_py_adapter_give_back (self, i, policy);
  nda_py_fifo_drop (&self->calls, (gsize) self->n_made * self->format.n_frames);
  if (self->is_analyser)
    drop_analysed (self);
  return TRUE;
}

NdaPyBlock *const *
nda_py_adapter_get_calls (NdaPyAdapter * self, guint * n_calls)
{
  *n_calls = self->n_made;
  return self->order;
}
