/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyplanes.h"

#include "ndablock.h"

#include <string.h>

#define N_BYTES(n_frames) ((gsize) (n_frames) * sizeof (guint32))

/* Stereo has loops of its own, which a compiler makes vectors of. */
static void
deinterleave_stereo (guint32 * restrict left, guint32 * restrict right,
    const guint32 * restrict in, guint n_frames)
{
  for (gsize i = 0; i < n_frames; i++) {
    left[i] = in[2 * i];
    right[i] = in[2 * i + 1];
  }
}

static void
interleave_stereo (guint32 * restrict out, const guint32 * restrict left,
    const guint32 * restrict right, guint n_frames)
{
  for (gsize i = 0; i < n_frames; i++) {
    out[2 * i] = left[i];
    out[2 * i + 1] = right[i];
  }
}

/* Fills @array with @n_frames of @in, and the rest of a short last block with
 * zeros (6.1.7). */
void
nda_py_planes_load (gpointer array, const NdaPyAudio * in, guint n_frames)
{
  guint32 *planes = array;
  const guint32 *frames = in->planes[0];
  guint n_channels = in->n_channels;

  if (in->is_planar || n_channels == 1) {
    for (guint c = 0; c < n_channels; c++)
      memcpy (planes + c * NDA_BLOCK_FRAMES, in->planes[c], N_BYTES (n_frames));
  } else if (n_channels == 2) {
    deinterleave_stereo (planes, planes + NDA_BLOCK_FRAMES, frames, n_frames);
  } else {
    for (guint c = 0; c < n_channels; c++)
      for (guint i = 0; i < n_frames; i++)
        planes[c * NDA_BLOCK_FRAMES + i] = frames[i * n_channels + c];
  }
  if (n_frames < NDA_BLOCK_FRAMES)
    for (guint c = 0; c < n_channels; c++)
      memset (planes + c * NDA_BLOCK_FRAMES + n_frames, 0,
          N_BYTES (NDA_BLOCK_FRAMES - n_frames));
}

/* Writes the first @n_frames of @array to @out. */
void
nda_py_planes_store (gconstpointer array, const NdaPyAudio * out,
    guint n_frames)
{
  const guint32 *planes = array;
  guint32 *frames = out->planes[0];
  guint n_channels = out->n_channels;

  if (out->is_planar || n_channels == 1) {
    for (guint c = 0; c < n_channels; c++)
      memcpy (out->planes[c], planes + c * NDA_BLOCK_FRAMES,
          N_BYTES (n_frames));
  } else if (n_channels == 2) {
    interleave_stereo (frames, planes, planes + NDA_BLOCK_FRAMES, n_frames);
  } else {
    for (guint c = 0; c < n_channels; c++)
      for (guint i = 0; i < n_frames; i++)
        frames[i * n_channels + c] = planes[c * NDA_BLOCK_FRAMES + i];
  }
}
