/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Transforms caps: any rate and sample format of one pad can become any of the
 * other, while channels and layout stay. Caps that need no conversion come
 * first. Samples of 16 bits are not made of longer ones: that needs dither,
 * which audioconvert has. */

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

/* Returns the caps of the other pad if the pad of @direction has @caps, which
 * lie within its template. @rate: preferred for the output; 0: the input's. */
GstCaps *nda_resample_caps_transform (GstCaps * caps, GstPadDirection direction,
    guint rate);

/* The output's caps for @in, which is fixed, among those that @downstream
 * takes; NULL if there are none. */
GstCaps *nda_resample_caps_choose (GstCaps * in, GstCaps * downstream,
    guint rate);

G_END_DECLS
