/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapymix.h"

#include "ndablock.h"

#include <string.h>

/* The samples of a channel, and the distance from one sample to the next */
typedef struct
{
  guint32 *first;
  gsize step;
} Channel;

/* Whether n_channels can be mixed to the other number of channels. */
gboolean
nda_py_mix_fits (guint n_channels, guint other)
{
  return n_channels == other || n_channels == 1 || other == 1;
}

static Channel
channel_of (const NdaPyAudio * audio, guint c, gsize offset)
{
  if (audio->is_planar)
    return (Channel) {
    (guint32 *) audio->planes[c] + offset, 1};
  return (Channel) {
  (guint32 *) audio->planes[0] + offset * audio->n_channels + c,
        audio->n_channels};
}

static Channel
channel_in (gfloat * frames, guint n_channels, guint c)
{
  return (Channel) {
  (guint32 *) frames + c, n_channels};
}

static void
copy_channel (Channel to, Channel from, gsize n_frames)
{
  for (gsize i = 0; i < n_frames; i++)
    to.first[i * to.step] = from.first[i * from.step];
}

static void
add_channel (gfloat * sums, gsize step, Channel from, gsize n_frames)
{
  const gfloat *samples = (const gfloat *) from.first;

  for (gsize i = 0; i < n_frames; i++)
    sums[i * step] += samples[i * from.step];
}

/* Divides the sums of @n_channels to get their mean. */
static void
divide (gfloat * sums, gsize step, guint n_channels, gsize n_frames)
{
  for (gsize i = 0; i < n_frames; i++)
    sums[i * step] /= n_channels;
}

/* Mixes many @channels to one, @to. */
static void
mix (Channel to, const Channel * channels, guint n_channels, gsize n_frames)
{
  gfloat *sums = (gfloat *) to.first;

  copy_channel (to, channels[0], n_frames);
  for (guint c = 1; c < n_channels; c++)
    add_channel (sums, to.step, channels[c], n_frames);
  divide (sums, to.step, n_channels, n_frames);
}

/* Moves @n_frames from @n_from channels to @n_to. */
static void
move (const Channel * to, guint n_to, const Channel * from, guint n_from,
    gsize n_frames)
{
  if (n_from > n_to) {
    mix (to[0], from, n_from, n_frames);
    return;
  }
  for (guint c = 0; c < n_to; c++)
    copy_channel (to[c], from[n_from == 1 ? 0 : c], n_frames);
}

static gboolean
is_alike (const NdaPyAudio * audio, guint n_channels)
{
  return audio->n_channels == n_channels
      && (!audio->is_planar || n_channels == 1);
}

static gsize
n_bytes (guint n_channels, gsize n_frames)
{
  return n_frames * n_channels * sizeof (gfloat);
}

static void
find_channels (Channel * channels, const NdaPyAudio * audio, gsize offset)
{
  for (guint c = 0; c < audio->n_channels; c++)
    channels[c] = channel_of (audio, c, offset);
}

void
nda_py_mix_load (gfloat * frames, guint n_channels, const NdaPyAudio * in,
    gsize offset, gsize n_frames)
{
  Channel from[NDA_BLOCK_MAX_CHANNELS], to[NDA_BLOCK_MAX_CHANNELS];

  if (is_alike (in, n_channels)) {
    memcpy (frames, (gfloat *) in->planes[0] + offset * n_channels,
        n_bytes (n_channels, n_frames));
    return;
  }
  find_channels (from, in, offset);
  for (guint c = 0; c < n_channels; c++)
    to[c] = channel_in (frames, n_channels, c);
  move (to, n_channels, from, in->n_channels, n_frames);
}

void
nda_py_mix_store (const gfloat * frames, guint n_channels,
    const NdaPyAudio * out, gsize offset, gsize n_frames)
{
  Channel from[NDA_BLOCK_MAX_CHANNELS], to[NDA_BLOCK_MAX_CHANNELS];

  if (is_alike (out, n_channels)) {
    memcpy ((gfloat *) out->planes[0] + offset * n_channels, frames,
        n_bytes (n_channels, n_frames));
    return;
  }
  find_channels (to, out, offset);
  for (guint c = 0; c < n_channels; c++)
    from[c] = channel_in ((gfloat *) frames, n_channels, c);
  move (to, out->n_channels, from, n_channels, n_frames);
}
