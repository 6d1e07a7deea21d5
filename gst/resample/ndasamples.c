/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasamples.h"

#include <math.h>

/* How many samples are converted at a time, on the stack */
#define CHUNK_SAMPLES 256

/* GStreamer unpacks to integers of 32 bits, or floats of 64 */
typedef union
{
  gint32 integers[CHUNK_SAMPLES];
  gdouble floats[CHUNK_SAMPLES];
} Chunk;

static void
make_floats (const Chunk * in, Chunk * out, gsize n_samples)
{
  for (gsize i = 0; i < n_samples; i++)
    out->floats[i] = in->integers[i] / 2147483648.0;
}

static gint32
to_integer (gdouble value)
{
  value = rint (value * 2147483648.0);
  if (value >= G_MAXINT32)
    return G_MAXINT32;
  return value > G_MININT32 ? (gint32) value : G_MININT32;
}

static void
make_integers (const Chunk * in, Chunk * out, gsize n_samples)
{
  for (gsize i = 0; i < n_samples; i++)
    out->integers[i] = to_integer (in->floats[i]);
}

/* Rounds to @depth bits, since packing only cuts off the lower bits. */
static void
round_to_depth (Chunk * chunk, guint depth, gsize n_samples)
{
  const gint32 half = depth < 32 ? 1 << (31 - depth) : 0;

  for (gsize i = 0; i < n_samples; i++)
    if (chunk->integers[i] <= G_MAXINT32 - half)
      chunk->integers[i] += half;
}

static void
convert_chunk (const GstAudioFormatInfo * from, gconstpointer in,
    const GstAudioFormatInfo * to, gpointer out, gsize n_samples)
{
  Chunk a, b, *chunk = &a;

  from->unpack_func (from, GST_AUDIO_PACK_FLAG_TRUNCATE_RANGE, &a,
      (gpointer) in, n_samples);
  if (from->unpack_format != to->unpack_format) {
    if (GST_AUDIO_FORMAT_INFO_IS_FLOAT (to))
      make_floats (&a, &b, n_samples);
    else
      make_integers (&a, &b, n_samples);
    chunk = &b;
  }
  if (GST_AUDIO_FORMAT_INFO_IS_INTEGER (to))
    round_to_depth (chunk, GST_AUDIO_FORMAT_INFO_DEPTH (to), n_samples);
  to->pack_func (to, 0, chunk, out, n_samples);
}

void
nda_samples_convert (const GstAudioFormatInfo * from, gconstpointer in,
    const GstAudioFormatInfo * to, gpointer out, gsize n_samples)
{
  const gsize from_bytes = GST_AUDIO_FORMAT_INFO_WIDTH (from) / 8;
  const gsize to_bytes = GST_AUDIO_FORMAT_INFO_WIDTH (to) / 8;

  for (gsize done = 0; done < n_samples;) {
    gsize n = MIN (n_samples - done, CHUNK_SAMPLES);

    convert_chunk (from, (const guint8 *) in + done * from_bytes, to,
        (guint8 *) out + done * to_bytes, n);
    done += n;
  }
}
