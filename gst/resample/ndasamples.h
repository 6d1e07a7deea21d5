/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Converts samples from one format to another: rounded to the nearest, clipped,
 * without dither. (GstAudioConverter would do, if it took 64 channels.) */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

void nda_samples_convert (const GstAudioFormatInfo * from, gconstpointer in,
    const GstAudioFormatInfo * to, gpointer out, gsize n_samples);

G_END_DECLS
