/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Converts between a stream's layout and an array of shape (channels, frames).
 * Samples are copied bit by bit, since a plugin may pass ciphertext as float32
 * (rule 6.1.3). A value is computed only if one side has one channel and the
 * other two (5.5). */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* A piece of audio in system memory: the planes of @n_channels, or one plane
 * that interleaves them. */
typedef struct
{
  gpointer *planes;
  guint n_channels;
  gboolean is_planar;
} NdaPyAudio;

/* float32, C-contiguous: channel after channel */
typedef struct
{
  gfloat *data;                 /* not owned */
  guint n_channels;
  guint n_frames;               /* distance of two channels */
} NdaPyArray;

gboolean nda_py_planes_fit (guint n_channels, guint other);

void nda_py_planes_load (const NdaPyArray * array, const NdaPyAudio * in,
    guint n_frames);
void nda_py_planes_store (const NdaPyArray * array, const NdaPyAudio * out,
    guint n_frames);
void nda_py_planes_clear (const NdaPyArray * array, guint first_frame);

G_END_DECLS
