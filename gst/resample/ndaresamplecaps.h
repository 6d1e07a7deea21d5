/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What ndaresample makes of caps: any rate and sample format of one pad can
 * become any of the other, while channels and layout stay. What needs no
 * conversion comes first. Samples of 16 bits are not made of longer ones,
 * which would want dither: audioconvert does that. */

#pragma once

#include "ndablock.h"

G_BEGIN_DECLS

/* Beyond these, libsoxr holds frames for seconds, or fails */
#define NDA_RESAMPLE_MIN_RATE 1000
#define NDA_RESAMPLE_MAX_RATE 1536000

#define NDA_RESAMPLE_CAPS \
    "audio/x-raw, format = (string) { " \
    GST_AUDIO_NE (F32) ", " GST_AUDIO_NE (S32) ", " GST_AUDIO_NE (F64) ", " \
    GST_AUDIO_NE (S24_32) ", " GST_AUDIO_NE (S24) ", " \
    GST_AUDIO_NE (S16) " }, " \
    "rate = (int) [ 1000, 1536000 ], channels = (int) [ 1, 64 ], " \
    "layout = (string) { interleaved, non-interleaved }"

/* What the other pad can have when that of @direction can have @caps, which lie
 * within its template. @rate: preferred for the output, or 0 for that of the
 * input. */
GstCaps *nda_resample_caps_transform (GstCaps * caps, GstPadDirection direction,
    guint rate);

/* The output's caps for @in, which is fixed, among those that @downstream
 * takes; NULL if there are none. */
GstCaps *nda_resample_caps_choose (GstCaps * in, GstCaps * downstream,
    guint rate);

G_END_DECLS
