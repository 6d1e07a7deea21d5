/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decrypts in place, on the sink thread of ndadecrypt. The buffer must be one
 * record of the current session, nobody else may use it, and its samples must
 * be aligned, as ndaencrypt makes them. Records of other sessions are not
 * decrypted in place: more than one key may have to be tried, and a failed
 * attempt destroys the data. */

#include "config.h"

#include "ndadecrypt.h"

/* vectors of samples want no less */
#define ALIGNMENT 16

/* Where in @map a record begins that can be opened in place, and the samples
 * in it. */
static gboolean
find_record (NdaDecrypt * self, const GstMapInfo * map, guint * at,
    NdaRecordHeader * header)
{
  const guint8 *samples;

  *at = self->is_stream ? NDA_STREAM_LENGTH : 0;
  if (self->is_stream
      && !nda_stream_is_one_record (&self->stream, map->data, map->size))
    return FALSE;
  if (!nda_record_header_read (map->data + *at, map->size - *at, header)
      || !nda_opener_is_current (self->opener, header))
    return FALSE;
  samples = map->data + *at + header->n_bytes + NDA_BLOCK_HEADER;
  return GPOINTER_TO_SIZE (samples) % ALIGNMENT == 0;
}

/* What came with the record says nothing of the block. */
static void
make_block (GstBuffer * buffer, GstMemory * memory, gsize n_before,
    gsize n_bytes)
{
  gst_memory_resize (memory, n_before, n_bytes);
  GST_BUFFER_FLAGS (buffer) &= GST_BUFFER_FLAG_TAG_MEMORY;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
}

/* FALSE: @buffer is to be taken in another way. TRUE: it was taken, and
 * @outcome is what became of it; if that is good, it has the samples of
 * @opened. */
gboolean
nda_decrypt_open_in_place (NdaDecrypt * self, GstBuffer * buffer,
    NdaOutcome * outcome, NdaOpened * opened)
{
  NdaRecordHeader header;
  GstMapInfo map;
  gboolean found;
  guint at;

  if (!nda_crypto_map_own_memory (buffer, &map))
    return FALSE;
  found = find_record (self, &map, &at, &header);
  if (found)
    *outcome = nda_opener_open (self->opener, map.data + at, map.size - at,
        map.data + at + header.n_bytes, opened);
  gst_memory_unmap (map.memory, &map);
  if (found && *outcome == NDA_OUTCOME_OK)
    make_block (buffer, map.memory, at + header.n_bytes + NDA_BLOCK_HEADER,
        nda_opened_n_sample_bytes (opened));
  return found;
}
