/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyplanes.h"

#include <string.h>

#define N_BYTES(n_frames) ((gsize) (n_frames) * sizeof (guint32))

/* Stereo has separate loops, which a compiler can make vector code of. */
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

static gpointer
get_plane (const NdaPyArray * array, guint channel)
{
  return array->data + (gsize) channel *array->n_frames;
}

/* --- one channel and two ------------------------------------------------ */

/* Whether n_channels can be converted to the other number of channels. */
gboolean
nda_py_planes_fit (guint n_channels, guint other)
{
  return n_channels == other || (n_channels <= 2 && other <= 2);
}

static void
load_as_mono (const NdaPyArray * array, const NdaPyAudio * in, guint n_frames)
{
  const gfloat *left = in->planes[0];
  const gfloat *right = in->is_planar ? in->planes[1] : left + 1;
  guint step = in->is_planar ? 1 : 2;

  for (gsize i = 0; i < n_frames; i++)
    array->data[i] = 0.5f * (left[i * step] + right[i * step]);
}

static void
load_mono (const NdaPyArray * array, const NdaPyAudio * in, guint n_frames)
{
  memcpy (get_plane (array, 0), in->planes[0], N_BYTES (n_frames));
  memcpy (get_plane (array, 1), in->planes[0], N_BYTES (n_frames));
}

static void
store_as_mono (const NdaPyArray * array, const NdaPyAudio * out, guint n_frames)
{
  const gfloat *left = array->data, *right = get_plane (array, 1);
  gfloat *frames = out->planes[0];

  for (gsize i = 0; i < n_frames; i++)
    frames[i] = 0.5f * (left[i] + right[i]);
}

static void
store_mono (const NdaPyArray * array, const NdaPyAudio * out, guint n_frames)
{
  const guint32 *plane = get_plane (array, 0);

  if (!out->is_planar) {
    interleave_stereo (out->planes[0], plane, plane, n_frames);
    return;
  }
  memcpy (out->planes[0], plane, N_BYTES (n_frames));
  memcpy (out->planes[1], plane, N_BYTES (n_frames));
}

/* --- as many as there are ----------------------------------------------- */

/* Puts @n_frames of @in at the start of each channel of @array. */
void
nda_py_planes_load (const NdaPyArray * array, const NdaPyAudio * in,
    guint n_frames)
{
  const guint32 *frames = in->planes[0];
  guint n_channels = in->n_channels;

  if (G_UNLIKELY (n_channels != array->n_channels)) {
    (n_channels == 1 ? load_mono : load_as_mono) (array, in, n_frames);
  } else if (in->is_planar || n_channels == 1) {
    for (guint c = 0; c < n_channels; c++)
      memcpy (get_plane (array, c), in->planes[c], N_BYTES (n_frames));
  } else if (n_channels == 2) {
    deinterleave_stereo (get_plane (array, 0), get_plane (array, 1), frames,
        n_frames);
  } else {
    for (guint c = 0; c < n_channels; c++) {
      guint32 *plane = get_plane (array, c);

      for (gsize i = 0; i < n_frames; i++)
        plane[i] = frames[i * n_channels + c];
    }
  }
}

/* Writes the first @n_frames of each channel of @array to @out. */
void
nda_py_planes_store (const NdaPyArray * array, const NdaPyAudio * out,
    guint n_frames)
{
  guint32 *frames = out->planes[0];
  guint n_channels = out->n_channels;

  if (G_UNLIKELY (n_channels != array->n_channels)) {
    (n_channels == 1 ? store_as_mono : store_mono) (array, out, n_frames);
  } else if (out->is_planar || n_channels == 1) {
    for (guint c = 0; c < n_channels; c++)
      memcpy (out->planes[c], get_plane (array, c), N_BYTES (n_frames));
  } else if (n_channels == 2) {
    interleave_stereo (frames, get_plane (array, 0), get_plane (array, 1),
        n_frames);
  } else {
    for (guint c = 0; c < n_channels; c++) {
      const guint32 *plane = get_plane (array, c);

      for (gsize i = 0; i < n_frames; i++)
        frames[i * n_channels + c] = plane[i];
    }
  }
}

/* Zeros @array from @first_frame of each channel on. */
void
nda_py_planes_clear (const NdaPyArray * array, guint first_frame)
{
  for (guint c = 0; c < array->n_channels; c++)
    memset ((guint32 *) get_plane (array, c) + first_frame, 0,
        N_BYTES (array->n_frames - first_frame));
}
