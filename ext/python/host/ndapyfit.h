/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Fits blocks to a device of another rate or another buffer size, either way:
 * frames in, resampled where the rates differ, and as many out at a time as
 * the other side takes. Nothing is lost and nothing padded. Knows no pads and
 * no Python; belongs to one thread; allocates when made. */

#pragma once

#include "ndapyplanes.h"

G_BEGIN_DECLS

typedef struct _NdaPyFit NdaPyFit;

NdaPyFit *nda_py_fit_new (guint n_channels, guint from_rate, guint to_rate);
void nda_py_fit_free (NdaPyFit * fit);

/* in: fill the input, of at most 512 frames, then push it */
const NdaPyArray *nda_py_fit_get_input (NdaPyFit * fit);
void nda_py_fit_push (NdaPyFit * fit, guint n_frames);
void nda_py_fit_drain (NdaPyFit * fit);
void nda_py_fit_flush (NdaPyFit * fit);

/* out */
guint nda_py_fit_get_n_frames (NdaPyFit * fit);
const NdaPyArray *nda_py_fit_get_output (NdaPyFit * fit);
void nda_py_fit_pop (NdaPyFit * fit, guint n_frames);

GstClockTime nda_py_fit_get_latency (NdaPyFit * fit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPyFit, nda_py_fit_free)

G_END_DECLS
