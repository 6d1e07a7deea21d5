/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Converts between a stream's layout and channels, and frames with the plugin's
 * channels side by side. If the numbers of channels agree, samples are copied
 * bit by bit. Many channels become one by their mean; one channel is copied to
 * all of many. */

#pragma once

#include "ndapyplanes.h"

G_BEGIN_DECLS

gboolean nda_py_mix_fits (guint n_channels, guint other);

/* Copies @n_frames of @in, from the frame @offset on, to frames of
 * @n_channels */
void nda_py_mix_load (gfloat * frames, guint n_channels, const NdaPyAudio * in,
    gsize offset, gsize n_frames);
/* Copies in the other direction */
void nda_py_mix_store (const gfloat * frames, guint n_channels,
    const NdaPyAudio * out, gsize offset, gsize n_frames);

G_END_DECLS
