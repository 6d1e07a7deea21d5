/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndarecord.h"

#include <string.h>

#define BOTH_OF_EIGHT 0xff      /* config byte: both numbers have 8 bytes */
#define N_METADATA (sizeof (NDA_RECORD_METADATA) - 1)

/* --- the header in clear: config byte X KKK Y CCC, then KID, then counter ---
 * */

/* Writes @value in as few bytes as possible. */
static guint
write_number (guint8 * out, guint64 value)
{
  guint n_bytes = 1;

  while (n_bytes < 8 && value >> (8 * n_bytes))
    n_bytes++;
  for (guint i = 0; i < n_bytes; i++)
    out[i] = value >> (8 * (n_bytes - 1 - i));
  return n_bytes;
}

static guint64
read_number (const guint8 * in, guint n_bytes)
{
  guint64 value = 0;

  for (guint i = 0; i < n_bytes; i++)
    value = value << 8 | in[i];
  return value;
}

/* Writes four bits of the config byte, and the number itself if it does not fit
 * there. */
static guint
write_field (guint8 * nibble, guint8 * out, guint64 value)
{
  guint n_bytes;

  if (value < 8) {
    *nibble = value;
    return 0;
  }
  n_bytes = write_number (out, value);
  *nibble = 8 | (n_bytes - 1);
  return n_bytes;
}

/* Returns the length; @out has room for NDA_RECORD_MAX_HEADER. */
guint
nda_record_header_write (guint8 * out, guint64 kid, guint64 counter)
{
  guint8 kid_bits, counter_bits;
  guint n = 1;

  /* the form of nearly all records: two numbers of eight bytes */
  if (G_LIKELY (kid >> 56 && counter >> 56)) {
    guint64 numbers[2] = { GUINT64_TO_BE (kid), GUINT64_TO_BE (counter) };

    out[0] = BOTH_OF_EIGHT;
    memcpy (out + 1, numbers, sizeof (numbers));
    return NDA_RECORD_MAX_HEADER;
  }
  n += write_field (&kid_bits, out + n, kid);
  n += write_field (&counter_bits, out + n, counter);
  out[0] = kid_bits << 4 | counter_bits;
  return n;
}

/* FALSE: not the shortest form, which would give one record many forms. */
static gboolean
read_field (guint8 nibble, const guint8 ** at, const guint8 * end,
    guint64 * value)
{
  guint n_bytes = (nibble & 7) + 1;

  if (!(nibble & 8)) {
    *value = nibble;
    return TRUE;
  }
  if ((gsize) (end - *at) < n_bytes)
    return FALSE;
  *value = read_number (*at, n_bytes);
  *at += n_bytes;
  return n_bytes == 1 ? *value >= 8 : *value >> (8 * (n_bytes - 1)) != 0;
}

/* FALSE, and @header unchanged: the record is cut short, or not in the shortest
 * form. */
gboolean
nda_record_header_read (const guint8 * record, gsize n_record,
    NdaRecordHeader * header)
{
  const guint8 *at;
  NdaRecordHeader h;

  if (n_record < 1)             /* the pointer may be invalid then */
    return FALSE;
  at = record + 1;
  if (G_LIKELY (n_record > NDA_RECORD_MAX_HEADER
          && record[0] == BOTH_OF_EIGHT && record[1] && record[9])) {
    memcpy (&header->kid, record + 1, 8);
    memcpy (&header->counter, record + 9, 8);
    header->kid = GUINT64_FROM_BE (header->kid);
    header->counter = GUINT64_FROM_BE (header->counter);
    header->n_bytes = NDA_RECORD_MAX_HEADER;
    return TRUE;
  }
  if (!read_field (record[0] >> 4, &at, record + n_record, &h.kid)
      || !read_field (record[0] & 15, &at, record + n_record, &h.counter))
    return FALSE;
  h.n_bytes = at - record;
  *header = h;
  return TRUE;
}

static guint
field_bytes (guint8 nibble)
{
  return nibble & 8 ? (nibble & 7) + 1 : 0;
}

/* How many bytes of samples are in @record, if it is one: that many may be
 * written after a block header when it is opened. */
gsize
nda_record_n_samples (const guint8 * record, gsize n_record, guint n_tag)
{
  gsize n_around;

  if (!n_record || n_record > NDA_RECORD_MAX)
    return 0;
  n_around = 1 + field_bytes (record[0] >> 4) + field_bytes (record[0] & 15)
      + NDA_BLOCK_HEADER + n_tag;
  return n_record > n_around ? n_record - n_around : 0;
}

/* --- the header of the block, sealed --- */

void
nda_block_header_write (guint8 * out, const NdaBlockHeader * header)
{
  guint64 position = GUINT64_TO_BE (header->position);

  out[0] = header->type;
  out[1] = header->format.samples;
  out[2] = header->format.n_channels;
  out[3] = header->format.rate >> 16;
  out[4] = header->format.rate >> 8;
  out[5] = header->format.rate;
  out[6] = header->n_frames >> 8;
  out[7] = header->n_frames;
  memcpy (out + 8, &position, 8);
}

void
nda_block_header_read (const guint8 * in, NdaBlockHeader * header)
{
  header->type = in[0];
  header->format.samples = in[1];
  header->format.n_channels = in[2];
  header->format.rate = in[3] << 16 | in[4] << 8 | in[5];
  header->n_frames = in[6] << 8 | in[7];
  memcpy (&header->position, in + 8, 8);
  header->position = GUINT64_FROM_BE (header->position);
}

/* Bytes of a frame, 0 if there is no such format. */
guint
nda_record_frame_bytes (const NdaRecordFormat * format)
{
  static const guint8 n_bytes[] = { 0, 2, 3, 4, 4, 8 };

  if (format->samples >= G_N_ELEMENTS (n_bytes))
    return 0;
  return n_bytes[format->samples] * format->n_channels;
}

gboolean
nda_record_format_equal (const NdaRecordFormat * a, const NdaRecordFormat * b)
{
  return a->samples == b->samples && a->n_channels == b->n_channels
      && a->rate == b->rate;
}

static gboolean
is_valid_format (const NdaRecordFormat * format)
{
  return nda_record_frame_bytes (format) != 0
      && format->n_channels <= NDA_RECORD_MAX_CHANNELS
      && format->rate >= NDA_RECORD_MIN_RATE
      && format->rate <= NDA_RECORD_MAX_RATE;
}

/* Whether the fields agree with each other and with the bytes after them. */
gboolean
nda_block_header_is_valid (const NdaBlockHeader * header, gsize n_payload)
{
  gsize n_audio = (gsize) header->n_frames
      * nda_record_frame_bytes (&header->format);

  if (!is_valid_format (&header->format)
      || header->position > G_MAXINT64 - (guint64) header->n_frames)
    return FALSE;
  switch (header->type) {
    case NDA_RECORD_AUDIO:
      return header->n_frames > 0 && n_payload == n_audio;
    case NDA_RECORD_END:
      return header->n_frames == 0 && n_payload == 0;
    case NDA_RECORD_SWITCH:
      return header->n_frames == 0 && n_payload == 8;
    default:
      return FALSE;
  }
}

/* --- the whole record --- */

/* Writes a record to @record, which has room for NDA_RECORD_MAX or for this
 * record; @payload may be inside. Returns its length, or 0 if the library
 * failed: then the counter is used up, and no samples are left in @record. */
gsize
nda_record_seal (NdaAead * aead, guint64 kid, guint64 counter,
    const NdaBlockHeader * header, const guint8 * payload, gsize n_payload,
    guint8 * record)
{
  guint8 aad[NDA_RECORD_MAX_HEADER + N_METADATA];
  guint n_header = nda_record_header_write (aad, kid, counter);
  guint8 *plain = record + n_header;
  gsize n_plain = NDA_BLOCK_HEADER + n_payload;

  /* joined first and then sealed in place: moving a block costs less than a
   * second call for 16 bytes */
  if (n_payload && payload != plain + NDA_BLOCK_HEADER)
    memmove (plain + NDA_BLOCK_HEADER, payload, n_payload);
  nda_block_header_write (plain, header);
  memcpy (record, aad, n_header);
  memcpy (aad + n_header, NDA_RECORD_METADATA, N_METADATA);
  if (!nda_aead_seal (aead, counter, aad, n_header + N_METADATA, plain, n_plain,
          plain))
    return 0;
  return n_header + n_plain + aead->suite->n_tag;
}

/* Opens @record, whose clear part is @header, into @plain: the block header and
 * the payload. FALSE: it was not sealed with this key; @plain is zero. */
gboolean
nda_record_open (NdaAead * aead, const NdaRecordHeader * header,
    const guint8 * record, gsize n_record, guint8 * plain)
{
  guint8 aad[NDA_RECORD_MAX_HEADER + N_METADATA];

  memcpy (aad, record, header->n_bytes);
  memcpy (aad + header->n_bytes, NDA_RECORD_METADATA, N_METADATA);
  return nda_aead_open (aead, header->counter, aad,
      header->n_bytes + N_METADATA, record + header->n_bytes,
      n_record - header->n_bytes, plain);
}
