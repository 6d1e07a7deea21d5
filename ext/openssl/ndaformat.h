/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The audio formats of a block header, in GStreamer's terms. */

#pragma once

#include "ndarecord.h"

#include <gst/audio/audio.h>

G_BEGIN_DECLS

#define NDA_FORMAT_CAPS \
    "audio/x-raw, " \
    "format = (string) { F32LE, S16LE, S24LE, S32LE, F64LE }, " \
    "rate = (int) [ 1000, 768000 ], channels = (int) [ 1, 8 ], " \
    "layout = (string) interleaved"

gboolean nda_format_from_info (const GstAudioInfo * info,
    NdaRecordFormat * format);
GstCaps *nda_format_to_caps (const NdaRecordFormat * format);

G_END_DECLS
