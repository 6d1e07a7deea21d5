/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Buffers of records, on the sink thread of ndaencrypt. A block that nobody
 * else uses, in memory with room around the samples for the rest of a record,
 * is encrypted in place; upstream is asked for that room. Other blocks are
 * encrypted into buffers of a pool. */

#include "config.h"

#include "ndaencrypt.h"

#include "ndapool.h"
#include "ndastream.h"

#include <string.h>

/* vectors of samples need this alignment */
#define ALIGNMENT 16
/* the bytes before the samples, rounded up: the samples stay aligned for
 * ndadecrypt, which leaves them in place */
#define N_BEFORE (3 * ALIGNMENT)
/* the payload of a SWITCH; no other record without samples has a longer one */
#define N_SWITCH_PAYLOAD 8

G_STATIC_ASSERT (N_BEFORE >= NDA_STREAM_LENGTH + NDA_RECORD_MAX_HEADER
    + NDA_BLOCK_HEADER);

/* --- where things are in a buffer --- */

/* Where a record begins: after its length, if it has one */
static guint
get_offset (NdaEncrypt * self)
{
  return self->is_stream ? NDA_STREAM_LENGTH : 0;
}

/* How many bytes are before the samples, at most and nearly always. */
static guint
get_n_before (NdaEncrypt * self)
{
  return get_offset (self) + NDA_RECORD_MAX_HEADER + NDA_BLOCK_HEADER;
}

/* Asks upstream for room around the samples. */
void
nda_encrypt_ask_for_room (GstQuery * query)
{
  const GstAllocationParams params = {
    .align = ALIGNMENT - 1,
    .prefix = N_BEFORE,
    .padding = NDA_SUITE_MAX_TAG,
  };

  gst_query_add_allocation_param (query, NULL, &params);
}

/* Makes a pool for records of the format and the suite. */
void
nda_encrypt_make_pool (NdaEncrypt * self)
{
  gsize n_payload = MAX ((gsize) self->n_max_frames * self->frame_bytes,
      N_SWITCH_PAYLOAD);
  guint n_before = get_n_before (self);

  g_clear_pointer (&self->pool, nda_pool_free);
  self->pool = nda_pool_new (n_before + n_payload + self->use.suite->n_tag,
      N_BEFORE - n_before);
}

/* --- records --- */

/* Returns a mapped buffer for a record, which begins at *@record. */
GstFlowReturn
nda_encrypt_begin_record (NdaEncrypt * self, GstBuffer ** buffer,
    GstMapInfo * map, guint8 ** record)
{
  GstFlowReturn flow = nda_pool_acquire (self->pool, buffer, map);

  if (flow == GST_FLOW_OK)
    *record = map->data + get_offset (self);
  return flow;
}

/* Writes the length before a record, in stream framing. Returns the length of
 * both. */
static gsize
write_length (NdaEncrypt * self, guint8 * bytes, gsize n_record)
{
  if (self->is_stream) {
    bytes[0] = n_record >> 8;
    bytes[1] = n_record;
  }
  return get_offset (self) + n_record;
}

/* Unmaps a buffer in which a record of @n_record bytes was made, or none. */
void
nda_encrypt_finish_record (NdaEncrypt * self, GstMapInfo * map, gsize n_record)
{
  nda_pool_unmap (map, write_length (self, map->data, n_record));
}

/* Removes all from the buffer that came with the block, except its time. The
 * record has no GAP flag, which would tell where silence is. */
static void
strip (GstBuffer * buffer)
{
  GST_BUFFER_FLAGS (buffer) &=
      GST_BUFFER_FLAG_TAG_MEMORY | GST_BUFFER_FLAG_DISCONT;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET_NONE;
}

/* --- where the block lies --- */

/* Finds where in the memory the buffer begins: before samples that stay in
 * place, or that are moved if a pool has taken the room before them. */
static gboolean
find_place (NdaEncrypt * self, const GstMapInfo * map, gsize * start,
    gsize * old_start)
{
  gsize at = map->memory->offset;
  guint n_before = get_n_before (self);

  *old_start = at;
  if (at < n_before)
    at = N_BEFORE;
  *start = at - n_before;
  return at + map->size + self->use.suite->n_tag <= map->memory->maxsize;
}

/* FALSE: @block must be encrypted in another buffer. TRUE: it was encrypted,
 * and has the record of @n_record bytes. */
static gboolean
seal_in_place (NdaEncrypt * self, GstBuffer * block, gsize * n_record)
{
  GstMapInfo map;
  gsize start, old_start, n_bytes;
  guint8 *bytes;

  if (!nda_crypto_map_own_memory (block, &map))
    return FALSE;
  if (!find_place (self, &map, &start, &old_start)) {
    gst_memory_unmap (map.memory, &map);
    return FALSE;
  }
  bytes = map.data - old_start + start;
  *n_record = nda_sealer_seal_audio (self->sealer, map.data, map.size,
      bytes + get_offset (self));
  n_bytes = write_length (self, bytes, *n_record);
  /* clear the old samples if they were moved */
  if (old_start < start)
    memset (map.data, 0, start - old_start);
  gst_memory_unmap (map.memory, &map);
  gst_memory_resize (map.memory, (gssize) start - (gssize) old_start, n_bytes);
  return TRUE;
}

/* --- elsewhere --- */

static gsize
seal_into (NdaEncrypt * self, GstBuffer * block, guint8 * record)
{
  GstMapInfo map;
  gsize n_record;

  if (!gst_buffer_map (block, &map, GST_MAP_READ))
    return 0;
  n_record = nda_sealer_seal_audio (self->sealer, map.data, map.size, record);
  gst_buffer_unmap (block, &map);
  return n_record;
}

/* Takes @block (transfer full), and returns the buffer of its record instead,
 * with the same times. */
static GstFlowReturn
seal_elsewhere (NdaEncrypt * self, GstBuffer ** block, gsize * n_record)
{
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  guint8 *record;
  GstFlowReturn flow = nda_encrypt_begin_record (self, &buffer, &map, &record);

  if (flow != GST_FLOW_OK)
    return flow;
  *n_record = seal_into (self, *block, record);
  nda_encrypt_finish_record (self, &map, *n_record);
  GST_BUFFER_FLAGS (buffer) |=
      GST_BUFFER_FLAGS (*block) & GST_BUFFER_FLAG_DISCONT;
  GST_BUFFER_PTS (buffer) = GST_BUFFER_PTS (*block);
  GST_BUFFER_DURATION (buffer) = GST_BUFFER_DURATION (*block);
  gst_buffer_unref (*block);
  *block = buffer;
  return GST_FLOW_OK;
}

/* Makes a record of *@block, in the same buffer or another. *@n_record is 0 if
 * the library failed: then nothing may be sent. */
GstFlowReturn
nda_encrypt_seal_block (NdaEncrypt * self, GstBuffer ** block, gsize * n_record)
{
  GstFlowReturn flow;

  if (!seal_in_place (self, *block, n_record)) {
    flow = seal_elsewhere (self, block, n_record);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  strip (*block);
  return GST_FLOW_OK;
}
