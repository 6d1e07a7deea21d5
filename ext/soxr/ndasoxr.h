/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Rate converters of libsoxr: fixed ratios, linear phase, samples as F32, F64,
 * S32 or S16, the same on both sides.
 *
 * libsoxr gives its output in bursts, one for each discrete Fourier transform.
 * Its smallest transforms are used here, so that a live stream is held as
 * shortly as possible. A trial measures how long that is. */

#pragma once

#include "ndaconverter.h"

G_BEGIN_DECLS

extern const NdaConverterMaker nda_soxr_maker;

G_END_DECLS
