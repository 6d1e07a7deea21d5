/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of ndaencrypt: buffers of records. A block that is nobody
 * else's, in memory with room for what a record has around the samples, is
 * encrypted where it lies; upstream is asked for that room. Others are
 * encrypted into buffers of a pool. */

#include "config.h"

#include "ndaencrypt.h"

#include "ndapool.h"
#include "ndastream.h"

#include <string.h>

/* vectors of samples want no less */
#define ALIGNMENT 16
/* what is before the samples, rounded up: they stay aligned for ndadecrypt,
 * which leaves them there */
#define N_BEFORE (3 * ALIGNMENT)
/* what a SWITCH carries, more than any other record without samples */
#define N_SWITCH_PAYLOAD 8

G_STATIC_ASSERT (N_BEFORE >= NDA_STREAM_LENGTH + NDA_RECORD_MAX_HEADER
    + NDA_BLOCK_HEADER);

/* --- where things are in a buffer --- */

/* Where a record begins: behind its length, if that is there */
static guint
get_offset (NdaEncrypt * self)
{
  return self->is_stream ? NDA_STREAM_LENGTH : 0;
}

/* What is before the samples, at most and nearly always. */
static guint
get_n_before (NdaEncrypt * self)
{
  return get_offset (self) + NDA_RECORD_MAX_HEADER + NDA_BLOCK_HEADER;
}

/* Upstream is asked for room around the samples. */
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

/* A buffer for a record, mapped: that begins at *@record. */
GstFlowReturn
nda_encrypt_begin_record (NdaEncrypt * self, GstBuffer ** buffer,
    GstMapInfo * map, guint8 ** record)
{
  GstFlowReturn flow = nda_pool_acquire (self->pool, buffer, map);

  if (flow == GST_FLOW_OK)
    *record = map->data + get_offset (self);
  return flow;
}

/* Writes the length before a record, where there is one. Returns how long both
 * are. */
static gsize
write_length (NdaEncrypt * self, guint8 * bytes, gsize n_record)
{
  if (self->is_stream) {
    bytes[0] = n_record >> 8;
    bytes[1] = n_record;
  }
  return get_offset (self) + n_record;
}

/* Ends the mapping of a buffer in which a record of @n_record bytes was made,
 * or none. */
void
nda_encrypt_finish_record (NdaEncrypt * self, GstMapInfo * map, gsize n_record)
{
  nda_pool_unmap (map, write_length (self, map->data, n_record));
}

/* What came with a block says nothing of the record, but its time. No GAP flag:
 * what is silent is nobody's business. */
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

/* Where in the memory the buffer is to begin: before samples that stay where
 * they are, or, where a pool took the room in front away, are moved. */
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

/* FALSE: @block is to be encrypted elsewhere. TRUE: it was, as far as @n_record
 * says; then it has the record. */
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
  /* samples that were moved are left in front of nothing */
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

/* Takes @block (transfer full), and returns the buffer of its record in its
 * place, with the same times. */
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

/* Makes of *@block a record, in the same buffer or another. *@n_record is 0
 * when the library failed: then nothing may be sent. */
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
