/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between a stream's layout and an array of shape (channels, frames). Samples
 * are moved as bits: ciphertext travels as float32 (rule 6.1.3). Only where the
 * one side has one channel and the other two is anything computed (5.5). */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* A stretch of audio in system memory: the planes of @n_channels, or one
 * plane that interleaves them. */
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
  guint n_frames;               /* from one channel to the next */
} NdaPyArray;

gboolean nda_py_planes_fit (guint n_channels, guint other);

void nda_py_planes_load (const NdaPyArray * array, const NdaPyAudio * in,
    guint n_frames);
void nda_py_planes_store (const NdaPyArray * array, const NdaPyAudio * out,
    guint n_frames);
void nda_py_planes_clear (const NdaPyArray * array, guint first_frame);

G_END_DECLS
