/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* For n frames of the stream the plugin gets ceil ((n - h) r) frames, at its
 * own rate r and with the filter's lag h. Only frames that fill calls come
 * back. From u frames that came back, ceil ((u - h') / r) frames of the stream
 * can be made. How many of the n are missing depends on how full the current
 * call is. Each block changes that by the same amount, so the amounts repeat
 * after a round of blocks. The delay is the largest number missing in a round.
 * If the rates agree, that is F - gcd (F, 512), plus the plugin's latency. */

#include "config.h"

#include "ndapydelay.h"

#include "ndablock.h"
#include "ndapolyphase.h"

/* If a round is longer than this, which needs rates that have hardly a divisor
 * in common with 48000, a part of the round is near enough */
#define MAX_ROUND (1 << 20)

static guint64
greatest_common_divisor (guint64 a, guint64 b)
{
  return b ? greatest_common_divisor (b, a % b) : a;
}

/* ceil (n * to / from) */
static guint64
scale_up (guint64 n, guint64 to, guint64 from)
{
  return (n * to + from - 1) / from;
}

static guint64
above (guint64 n, guint64 least)
{
  return n > least ? n - least : 0;
}

/* How many frames the plugin gets for @n_frames of the stream. */
static guint64
count_got (const NdaPyFormat * format, guint64 n_frames, guint lag)
{
  return scale_up (above (n_frames, lag), format->rate, NDA_BLOCK_RATE);
}

static guint64
count_made (const NdaPyFormat * format, guint64 n_frames, guint lag)
{
  return scale_up (above (n_frames, lag), NDA_BLOCK_RATE, format->rate);
}

guint64
nda_py_delay_count_made (const NdaPyFormat * format, guint64 n_frames)
{
  if (format->rate == NDA_BLOCK_RATE)
    return n_frames;
  return count_made (format, n_frames, nda_polyphase_lag_of (format->rate,
          NDA_BLOCK_RATE));
}

guint64
nda_py_delay_count_needed (const NdaPyFormat * format, guint64 n_frames)
{
  if (format->rate == NDA_BLOCK_RATE || n_frames == 0)
    return n_frames;
  return (n_frames - 1) * format->rate / NDA_BLOCK_RATE
      + nda_polyphase_lag_of (format->rate, NDA_BLOCK_RATE) + 1;
}

/* The length of a round: the number of blocks until a call begins with a block
 * again; 0 if that takes long. */
static guint64
count_round (const NdaPyFormat * format)
{
  guint64 call = (guint64) NDA_BLOCK_RATE * format->n_frames;
  guint64 block = (guint64) NDA_BLOCK_FRAMES * format->rate;
  guint64 n_blocks = call / greatest_common_divisor (call, block);

  return n_blocks <= MAX_ROUND ? n_blocks : 0;
}

/* The largest number of frames that can be missing, wherever blocks and calls
 * begin. */
static guint
get_bound (const NdaPyFormat * format, guint latency, guint lag_in,
    guint lag_out)
{
  return lag_in + scale_up (format->n_frames + latency + lag_out,
      NDA_BLOCK_RATE, format->rate);
}

static guint
get_resampled (const NdaPyFormat * format, guint latency)
{
  const guint lag_in = nda_polyphase_lag_of (NDA_BLOCK_RATE, format->rate);
  const guint lag_out = nda_polyphase_lag_of (format->rate, NDA_BLOCK_RATE);
  const guint bound = get_bound (format, latency, lag_in, lag_out);
  const guint64 n_blocks = count_round (format);
  /* from here on frames come out */
  const guint64 first = bound / NDA_BLOCK_FRAMES + 1;
  guint delay = 0;

  if (!n_blocks)
    return bound;
  for (guint64 k = first; k < first + n_blocks; k++) {
    guint64 n = k * NDA_BLOCK_FRAMES;
    guint64 n_got = count_got (format, n, lag_in);
    guint64 n_back = n_got / format->n_frames * format->n_frames;

    delay = MAX (delay, n - count_made (format, above (n_back, latency),
            lag_out));
  }
  return delay;
}

guint
nda_py_delay_get (const NdaPyFormat * format, guint latency)
{
  if (format->rate != NDA_BLOCK_RATE)
    return get_resampled (format, latency);
  return format->n_frames - greatest_common_divisor (format->n_frames,
      NDA_BLOCK_FRAMES) + latency;
}

gboolean
nda_py_delay_is_none (const NdaPyFormat * format, guint latency,
    guint n_channels)
{
  return format->rate == NDA_BLOCK_RATE && !latency
      && format->n_channels == n_channels
      && NDA_BLOCK_FRAMES % format->n_frames == 0;
}
