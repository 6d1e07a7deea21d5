/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Fits blocks to a device with another rate or another buffer size, in either
 * direction. Frames come in, are resampled if the rates differ, and go out in
 * the size that the other side takes. No frame is lost or added. Uses no pads
 * and no Python. Belongs to one thread. Allocates only when made. */

#pragma once

#include "ndapyplanes.h"

G_BEGIN_DECLS

typedef struct _NdaPyFit NdaPyFit;

NdaPyFit *nda_py_fit_new (guint n_channels, guint from_rate, guint to_rate);
void nda_py_fit_free (NdaPyFit * fit);

/* Input: fill it with at most 512 frames, then push them */
const NdaPyArray *nda_py_fit_get_input (NdaPyFit * fit);
void nda_py_fit_push (NdaPyFit * fit, guint n_frames);
void nda_py_fit_drain (NdaPyFit * fit);
void nda_py_fit_flush (NdaPyFit * fit);

/* Output */
guint nda_py_fit_get_n_frames (NdaPyFit * fit);
const NdaPyArray *nda_py_fit_get_output (NdaPyFit * fit);
void nda_py_fit_pop (NdaPyFit * fit, guint n_frames);

GstClockTime nda_py_fit_get_latency (NdaPyFit * fit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPyFit, nda_py_fit_free)

G_END_DECLS
