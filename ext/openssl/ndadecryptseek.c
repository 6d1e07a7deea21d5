/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Length and seeking of stored streams. Records of whole blocks all have the
 * length of the first one, so a time gives a place in the file, and the file's
 * length gives a duration. This is exact for one session without gaps.
 * Otherwise the next record after that place is searched, and the time is only
 * about right.
 *
 * Any thread asks and seeks; the sink thread follows. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndablock.h"

GST_DEBUG_CATEGORY_EXTERN (nda_decrypt_debug);
#define GST_CAT_DEFAULT nda_decrypt_debug

/* --- what the first record tells --- */

/* Notes that the first block of the stream had a record of @n_record bytes. */
void
nda_decrypt_note_layout (NdaDecrypt * self, const NdaOpened * opened)
{
  gsize n_samples = nda_opened_n_sample_bytes (opened);

  if (self->knows_layout || self->is_in_time || opened->n > 0)
    return;
  self->knows_layout = TRUE;
  GST_OBJECT_LOCK (self);
  self->layout = (NdaDecryptLayout) {
  .kid = opened->kid,.rate = opened->block.format.rate,.n_frames =
        opened->block.n_frames,.frame_bytes =
        n_samples / opened->block.n_frames,.n_around =
        NDA_STREAM_LENGTH + opened->n_bytes - n_samples,};
  GST_OBJECT_UNLOCK (self);
}

void
nda_decrypt_forget_layout (NdaDecrypt * self)
{
  self->knows_layout = FALSE;
  GST_OBJECT_LOCK (self);
  self->layout.rate = 0;
  self->seek.is_pending = FALSE;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
get_layout (NdaDecrypt * self, NdaDecryptLayout * layout)
{
  GST_OBJECT_LOCK (self);
  *layout = self->layout;
  GST_OBJECT_UNLOCK (self);
  return layout->rate != 0;
}

static gsize
get_n_record (const NdaDecryptLayout * l)
{
  return l->n_around + (gsize) l->n_frames * l->frame_bytes;
}

/* How many frames are in a stream of @n_bytes: after the preamble, and before
 * END, it has whole blocks and a rest. */
static guint64
count_frames (const NdaDecryptLayout * l, guint64 n_bytes)
{
  guint64 n_other = NDA_STREAM_PREAMBLE + l->n_around, n_rest;

  if (n_bytes <= n_other)
    return 0;
  n_bytes -= n_other;
  n_rest = n_bytes % get_n_record (l);
  return n_bytes / get_n_record (l) * l->n_frames
      + (n_rest > l->n_around ? (n_rest - l->n_around) / l->frame_bytes : 0);
}

static gboolean
get_length (NdaDecrypt * self, const NdaDecryptLayout * l, guint64 * n_frames)
{
  gint64 n_bytes;

  if (!gst_pad_peer_query_duration (NDA_CRYPTO (self)->sinkpad,
          GST_FORMAT_BYTES, &n_bytes) || n_bytes < 0)
    return FALSE;
  *n_frames = count_frames (l, n_bytes);
  return TRUE;
}

/* --- queries --- */

static gboolean
answer_duration (NdaDecrypt * self, GstQuery * query)
{
  NdaDecryptLayout l;
  guint64 n_frames;
  GstFormat format;

  gst_query_parse_duration (query, &format, NULL);
  if (format != GST_FORMAT_TIME || !get_layout (self, &l)
      || !get_length (self, &l, &n_frames))
    return FALSE;
  gst_query_set_duration (query, GST_FORMAT_TIME,
      nda_block_frames_to_time (n_frames, l.rate));
  return TRUE;
}

static gboolean
answer_seeking (NdaDecrypt * self, GstQuery * query)
{
  g_autoptr (GstQuery) in_bytes = gst_query_new_seeking (GST_FORMAT_BYTES);
  NdaDecryptLayout l;
  guint64 n_frames;
  gboolean can_seek;
  GstFormat format;

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (format != GST_FORMAT_TIME || !get_layout (self, &l)
      || !get_length (self, &l, &n_frames)
      || !gst_pad_peer_query (NDA_CRYPTO (self)->sinkpad, in_bytes))
    return FALSE;
  gst_query_parse_seeking (in_bytes, NULL, &can_seek, NULL, NULL);
  gst_query_set_seeking (query, GST_FORMAT_TIME, can_seek, 0,
      nda_block_frames_to_time (n_frames, l.rate));
  return TRUE;
}

static gboolean
nda_decrypt_src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaDecrypt *self = NDA_DECRYPT (parent);

  if ((GST_QUERY_TYPE (query) == GST_QUERY_DURATION
          && answer_duration (self, query))
      || (GST_QUERY_TYPE (query) == GST_QUERY_SEEKING
          && answer_seeking (self, query)))
    return TRUE;
  return gst_pad_query_default (pad, parent, query);
}

/* --- seeking --- */

/* Finds the start of the block of @time; the last block has END after it. */
static void
find_block (const NdaDecryptLayout * l, guint64 n_frames, GstClockTime time,
    NdaDecryptSeek * seek)
{
  guint64 frame = gst_util_uint64_scale (time, l->rate, GST_SECOND);
  guint64 block = MIN (frame, n_frames ? n_frames - 1 : 0) / l->n_frames;

  seek->frame = block * l->n_frames;
  /* from the beginning on it is handled like a new stream */
  seek->offset = block ? NDA_STREAM_PREAMBLE + block * get_n_record (l) : 0;
}

static void
set_seek (NdaDecrypt * self, const NdaDecryptSeek * seek)
{
  GST_OBJECT_LOCK (self);
  self->seek = *seek;
  GST_OBJECT_UNLOCK (self);
}

/* Accepts only plain seeks: neither backwards, nor in a loop. */
static gboolean
seek_in_bytes (NdaDecrypt * self, GstEvent * event)
{
  NdaDecryptSeek seek = {.is_pending = TRUE };
  NdaDecryptLayout l;
  guint64 n_frames;
  gdouble rate;
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstEvent *in_bytes;
  gboolean ok;

  gst_event_parse_seek (event, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  if (format != GST_FORMAT_TIME || rate != 1.0
      || (flags & (GST_SEEK_FLAG_SEGMENT | GST_SEEK_FLAG_FLUSH))
      != GST_SEEK_FLAG_FLUSH || start_type != GST_SEEK_TYPE_SET || start < 0
      || !get_layout (self, &l) || !get_length (self, &l, &n_frames))
    return FALSE;
  find_block (&l, n_frames, start, &seek);
  seek.start = flags & GST_SEEK_FLAG_KEY_UNIT ?
      nda_block_frames_to_time (seek.frame, l.rate) : (GstClockTime) start;
  seek.stop = stop_type == GST_SEEK_TYPE_SET && stop >= 0 ?
      (GstClockTime) stop : GST_CLOCK_TIME_NONE;
  in_bytes = gst_event_new_seek (1.0, GST_FORMAT_BYTES, flags,
      GST_SEEK_TYPE_SET, seek.offset, GST_SEEK_TYPE_NONE, -1);
  gst_event_set_seqnum (in_bytes, gst_event_get_seqnum (event));
  set_seek (self, &seek);
  ok = gst_pad_push_event (NDA_CRYPTO (self)->sinkpad, in_bytes);
  if (!ok)
    set_seek (self, &(NdaDecryptSeek) {
        .is_pending = FALSE}
  );
  return ok;
}

static gboolean
nda_decrypt_src_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaDecrypt *self = NDA_DECRYPT (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK && seek_in_bytes (self, event)) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* --- following, on the sink thread --- */

/* Whether the next bytes are after the stream's beginning, because of a
 * seek. */
gboolean
nda_decrypt_is_seeking (NdaDecrypt * self)
{
  gboolean is_pending;

  GST_OBJECT_LOCK (self);
  is_pending = self->seek.is_pending && self->seek.offset > 0;
  GST_OBJECT_UNLOCK (self);
  return is_pending;
}

/* Takes the segment of the seek, if it begins at @offset in the file; the next
 * block is then played at *@time. */
gboolean
nda_decrypt_take_seek (NdaDecrypt * self, guint64 offset, GstSegment * segment,
    GstClockTime * time)
{
  NdaDecryptSeek seek;

  GST_OBJECT_LOCK (self);
  seek = self->seek;
  self->seek.is_pending &= seek.offset != offset;
  *time = self->layout.rate ? nda_block_frames_to_time (seek.frame,
      self->layout.rate) : 0;
  GST_OBJECT_UNLOCK (self);
  if (!seek.is_pending || seek.offset != offset)
    return FALSE;
  segment->start = segment->time = segment->position = seek.start;
  segment->stop = seek.stop;
  return TRUE;
}

/* For the init function. */
void
nda_decrypt_init_seek (NdaDecrypt * self)
{
  GstPad *pad = NDA_CRYPTO (self)->srcpad;

  gst_pad_set_query_function (pad, GST_DEBUG_FUNCPTR (nda_decrypt_src_query));
  gst_pad_set_event_function (pad, GST_DEBUG_FUNCPTR (nda_decrypt_src_event));
}
