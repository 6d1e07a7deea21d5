/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The header of a WAV file of 32-bit floats. Its length does not depend on the
 * number of frames, so it can be written again as the file grows.
 *
 * Past 4 GiB the file is an RF64 file (EBU Tech 3306): the chunk ds64, whose
 * lengths have 64 bits, then replaces a chunk JUNK that has reserved its
 * place. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_WAV_MAX_HEADER 128

typedef struct
{
  guint rate;
  guint n_channels;
  guint64 channel_mask;         /* GStreamer's; 0: no positions */
} NdaWavFormat;

/* Fills @header, for a file with @n_more bytes after its frames, and returns
 * its length in bytes. */
gsize nda_wav_make_header (const NdaWavFormat * format, guint64 n_frames,
    guint32 n_more, guint8 header[NDA_WAV_MAX_HEADER]);

G_END_DECLS
