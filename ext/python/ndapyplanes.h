/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between a stream's layout and an array of shape (channels, 512). Samples
 * are moved as bits: ciphertext travels as float32 (rule 6.1.3). */

#pragma once

#include "ndapyplugin.h"

G_BEGIN_DECLS

void nda_py_planes_load (gpointer array, const NdaPyAudio * in,
    guint n_frames);
void nda_py_planes_store (gconstpointer array, const NdaPyAudio * out,
    guint n_frames);

G_END_DECLS
