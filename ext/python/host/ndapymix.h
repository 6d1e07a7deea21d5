/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between a stream's layout and channels, and frames of the plugin's channels
 * side by side. Where the numbers agree samples are moved as bits. Many become
 * one by their mean; one becomes all of many. */

#pragma once

#include "ndapyplanes.h"

G_BEGIN_DECLS

gboolean nda_py_mix_fits (guint n_channels, guint other);

/* @n_frames of @in, from the frame @offset on, as frames of @n_channels */
void nda_py_mix_load (gfloat * frames, guint n_channels, const NdaPyAudio * in,
    gsize offset, gsize n_frames);
/* and the other way round */
void nda_py_mix_store (const gfloat * frames, guint n_channels,
    const NdaPyAudio * out, gsize offset, gsize n_frames);

G_END_DECLS
