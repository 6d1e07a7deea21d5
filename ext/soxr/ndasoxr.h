/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A rate converter on libsoxr: fixed ratios, linear phase, samples as F32, F64,
 * S32 or S16, the same on both sides.
 *
 * libsoxr gives its output in bursts, one for each discrete Fourier transform.
 * The transforms are the smallest it has, so that a live stream is held for
 * as short as it can be; how long that is, is found out by a trial. */

#pragma once

#include "ndaconverter.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_QUALITY_QUICK,            /* cubic interpolation, no filter */
  NDA_QUALITY_LOW,              /* 16 bits, rolling off early */
  NDA_QUALITY_MEDIUM,           /* 16 bits */
  NDA_QUALITY_HIGH,             /* 20 bits */
  NDA_QUALITY_VERY_HIGH,        /* 28 bits */
} NdaQuality;

gboolean nda_soxr_takes_format (GstAudioFormat format);

/* From the rate of @format to @out_rate; NULL with the reason where libsoxr
 * does not bridge the two. */
NdaConverter *nda_soxr_new (const GstAudioInfo * format, guint out_rate,
    NdaQuality quality, GError ** error);

G_END_DECLS
