/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndawavheader.h"

#include <string.h>

#define TAG_FLOAT 3
#define TAG_EXTENSIBLE 0xFFFE
/* A length that means: the real one is in ds64 */
#define IN_DS64 G_MAXUINT32
#define DS64_BYTES 28
#define SAMPLE_BYTES 4

/* GStreamer's positions up to the rear center are the same in a WAV file. The
 * two sides come one bit later here */
#define ALIKE G_GUINT64_CONSTANT (0x1FF)
#define SIDES G_GUINT64_CONSTANT (0xC00)

/* What follows the tag in the GUID of an extensible format */
static const guint8 guid_tail[] = {
  0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71
};

/* --- little-endian numbers, one behind the other --- */

typedef struct
{
  guint8 *data;
  gsize n_bytes;
} Writer;

static void
put_bytes (Writer * writer, gconstpointer bytes, gsize n_bytes)
{
  memcpy (writer->data + writer->n_bytes, bytes, n_bytes);
  writer->n_bytes += n_bytes;
}

static void
put_16 (Writer * writer, guint16 number)
{
  number = GUINT16_TO_LE (number);
  put_bytes (writer, &number, sizeof number);
}

static void
put_32 (Writer * writer, guint32 number)
{
  number = GUINT32_TO_LE (number);
  put_bytes (writer, &number, sizeof number);
}

static void
put_64 (Writer * writer, guint64 number)
{
  number = GUINT64_TO_LE (number);
  put_bytes (writer, &number, sizeof number);
}

static void
put_chunk (Writer * writer, const gchar * letters, guint32 n_bytes)
{
  put_bytes (writer, letters, 4);
  put_32 (writer, n_bytes);
}

/* --- the chunks --- */

/* Returns 0 for positions that a WAV file does not have, or has in another
 * order */
static guint32
make_mask (guint64 mask)
{
  if (mask & ~(ALIKE | SIDES))
    return 0;
  return (mask & ALIKE) | ((mask & SIDES) >> 1);
}

static gboolean
is_extensible (const NdaWavFormat * format)
{
  return format->n_channels > 2;
}

static gsize
get_format_bytes (const NdaWavFormat * format)
{
  return is_extensible (format) ? 40 : 18;
}

static void
put_format (Writer * writer, const NdaWavFormat * format)
{
  guint frame_bytes = format->n_channels * SAMPLE_BYTES;

  put_chunk (writer, "fmt ", get_format_bytes (format));
  put_16 (writer, is_extensible (format) ? TAG_EXTENSIBLE : TAG_FLOAT);
  put_16 (writer, format->n_channels);
  put_32 (writer, format->rate);
  put_32 (writer, format->rate * frame_bytes);
  put_16 (writer, frame_bytes);
  put_16 (writer, 8 * SAMPLE_BYTES);
  if (!is_extensible (format)) {
    put_16 (writer, 0);
    return;
  }
  put_16 (writer, 22);
  put_16 (writer, 8 * SAMPLE_BYTES);
  put_32 (writer, make_mask (format->channel_mask));
  put_16 (writer, TAG_FLOAT);
  put_bytes (writer, guid_tail, sizeof guid_tail);
}

/* Writes the file's first chunks; the file has @riff_bytes after its first
 * eight */
static void
put_riff (Writer * writer, guint64 riff_bytes, guint64 n_bytes,
    guint64 n_frames)
{
  gboolean is_long = riff_bytes >= IN_DS64;

  put_chunk (writer, is_long ? "RF64" : "RIFF", is_long ? IN_DS64 : riff_bytes);
  put_bytes (writer, "WAVE", 4);
  put_chunk (writer, is_long ? "ds64" : "JUNK", DS64_BYTES);
  put_64 (writer, is_long ? riff_bytes : 0);
  put_64 (writer, is_long ? n_bytes : 0);
  put_64 (writer, is_long ? n_frames : 0);
  put_32 (writer, 0);
}

gsize
nda_wav_make_header (const NdaWavFormat * format, guint64 n_frames,
    guint32 n_more, guint8 header[NDA_WAV_MAX_HEADER])
{
  Writer writer = { header, 0 };
  guint64 n_bytes = n_frames * format->n_channels * SAMPLE_BYTES;
  guint64 riff_bytes = 4 + (8 + DS64_BYTES) + (8 + get_format_bytes (format))
      + (8 + 4) + 8 + n_bytes + n_more;
  gboolean is_long = riff_bytes >= IN_DS64;

  put_riff (&writer, riff_bytes, n_bytes, n_frames);
  put_format (&writer, format);
  put_chunk (&writer, "fact", 4);
  put_32 (&writer, is_long ? IN_DS64 : n_frames);
  put_chunk (&writer, "data", is_long ? IN_DS64 : n_bytes);
  return writer.n_bytes;
}
