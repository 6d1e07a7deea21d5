/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One record: the header of RFC 9605, section 4.3, in clear, then the encrypted
 * header of a block and its samples. See docs/wire.md. */

#pragma once

#include "ndaaead.h"

G_BEGIN_DECLS

#define NDA_RECORD_MAX 65535
#define NDA_RECORD_MAX_HEADER 17
#define NDA_BLOCK_HEADER 16
#define NDA_RECORD_METADATA "nda-sframe/1"
#define NDA_RECORD_MAX_PAYLOAD (NDA_RECORD_MAX - NDA_RECORD_MAX_HEADER \
    - NDA_BLOCK_HEADER - NDA_SUITE_MAX_TAG)
#define NDA_RECORD_MAX_CHANNELS 8
#define NDA_RECORD_MIN_RATE 1000
#define NDA_RECORD_MAX_RATE 768000

typedef enum
{
  NDA_RECORD_AUDIO = 1,
  NDA_RECORD_END = 2,
  NDA_RECORD_SWITCH = 3,
} NdaRecordType;

typedef enum
{
  NDA_SAMPLES_S16LE = 1,
  NDA_SAMPLES_S24LE,            /* 3 bytes */
  NDA_SAMPLES_S32LE,
  NDA_SAMPLES_F32LE,
  NDA_SAMPLES_F64LE,
} NdaSamples;

/* The format, which is constant in a session */
typedef struct
{
  guint8 samples;               /* NdaSamples */
  guint8 n_channels;
  guint32 rate;                 /* Hz */
} NdaRecordFormat;

typedef struct
{
  guint8 type;                  /* NdaRecordType */
  NdaRecordFormat format;
  guint16 n_frames;
  guint64 position;             /* of the first frame in its session */
} NdaBlockHeader;

/* The header of a record, in clear */
typedef struct
{
  guint64 kid;
  guint64 counter;
  guint n_bytes;                /* of the header */
} NdaRecordHeader;

guint nda_record_header_write (guint8 * out, guint64 kid, guint64 counter);
gsize nda_record_n_samples (const guint8 * record, gsize n_record, guint n_tag);
gboolean nda_record_header_read (const guint8 * record, gsize n_record,
    NdaRecordHeader * header);

void nda_block_header_write (guint8 * out, const NdaBlockHeader * header);
void nda_block_header_read (const guint8 * in, NdaBlockHeader * header);
gboolean nda_block_header_is_valid (const NdaBlockHeader * header,
    gsize n_payload);

guint nda_record_frame_bytes (const NdaRecordFormat * format);
gboolean nda_record_format_equal (const NdaRecordFormat * a,
    const NdaRecordFormat * b);

gsize nda_record_seal (NdaAead * aead, guint64 kid, guint64 counter,
    const NdaBlockHeader * header, const guint8 * payload, gsize n_payload,
    guint8 * record);
gboolean nda_record_open (NdaAead * aead, const NdaRecordHeader * header,
    const guint8 * record, gsize n_record, guint8 * plain);

G_END_DECLS
