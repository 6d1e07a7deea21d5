/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink inside an ndasink that writes a .wav file of 32-bit floats.
 *
 * It writes the header again with every buffer, after the samples: however the
 * process ends, the file is complete. Past 4 GiB it is an RF64 file. A flush,
 * with which a stream begins again, empties the file. It is not registered:
 * ndasink makes it by its type. */

#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define NDA_TYPE_WAV_SINK (nda_wav_sink_get_type ())
G_DECLARE_FINAL_TYPE (NdaWavSink, nda_wav_sink, NDA, WAV_SINK, GstBaseSink)

/* A new one (floating) */
GstElement *nda_wav_sink_new (const gchar * name, const gchar * location);

G_END_DECLS
