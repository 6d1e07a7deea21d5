/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A stream in pieces of any size has the records that it has in one piece. The
 * first byte says how it is cut. */

#include "fuzz.h"

#include "ndastream.h"

/* A number that any change of any record changes */
static guint64
read_all (const guint8 * data, gsize n, gsize step)
{
  static NdaStream stream;
  NdaStreamFound found = NDA_STREAM_MORE;
  const guint8 *record;
  gsize n_record;
  guint64 sum = 1;

  if (!stream.held)
    nda_stream_init (&stream);
  nda_stream_reset (&stream);
  for (gsize at = 0; at < n && found == NDA_STREAM_MORE; at += step) {
    nda_stream_feed (&stream, data + at, MIN (step, n - at));
    while ((found = nda_stream_next (&stream, &record, &n_record))
        == NDA_STREAM_RECORD) {
      sum = sum * 31 + n_record;
      for (gsize i = 0; i < n_record; i++)
        sum = sum * 31 + record[i];
    }
  }
  sum = sum * 31 + (found == NDA_STREAM_BAD_PREAMBLE);
  return sum * 31 + nda_stream_is_between_records (&stream);
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t n)
{
  if (n > 1) {
    guint64 whole = read_all (data + 1, n - 1, n);

    g_assert (whole == read_all (data + 1, n - 1, 1 + data[0] % 64));
  }
  return 0;
}
