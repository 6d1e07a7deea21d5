/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Stream framing: a preamble of 16 bytes, then records with their length in
 * two bytes before each. Bytes come in pieces of any size. A record that is
 * whole in one piece is returned without a copy; the parts of any other record
 * are joined in a buffer. No locks.
 *
 *     nda_stream_feed (stream, bytes, n_bytes);
 *     while ((found = nda_stream_next (stream, &record, &n_record)) ...)
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_STREAM_PREAMBLE 16
#define NDA_STREAM_MARK "NDAS\r\n\032\n"
#define NDA_STREAM_N_MARK 8
#define NDA_STREAM_LENGTH 2

typedef enum
{
  NDA_STREAM_MORE,              /* needs more bytes */
  NDA_STREAM_RECORD,            /* there is a record */
  NDA_STREAM_BAD_PREAMBLE,      /* not such a stream, for good */
} NdaStreamFound;

typedef struct
{
  guint suite;                  /* 0 before the preamble is whole */
  gboolean is_bad;
  gboolean is_searching;        /* a record may begin anywhere */

  const guint8 *bytes;          /* not owned; the piece that was fed */
  gsize n_bytes;                /* the rest of it */

  guint8 *held;                 /* owned; the start of a cut record */
  gsize n_held;
  gsize n_release;              /* held bytes already handed out */
} NdaStream;

void nda_stream_init (NdaStream * stream);
void nda_stream_clear (NdaStream * stream);
void nda_stream_reset (NdaStream * stream);

void nda_stream_write_preamble (guint8 * out, guint suite);

void nda_stream_hold (NdaStream * stream, const guint8 * bytes, gsize n_bytes);
void nda_stream_feed (NdaStream * stream, const guint8 * bytes,
    gsize n_bytes);
NdaStreamFound nda_stream_next (NdaStream * stream, const guint8 ** record,
    gsize * n_record);
gboolean nda_stream_is_one_record (const NdaStream * stream,
    const guint8 * bytes, gsize n_bytes);
void nda_stream_jump (NdaStream * stream);
gsize nda_stream_skip (NdaStream * stream);
gboolean nda_stream_is_between_records (const NdaStream * stream);

G_END_DECLS
