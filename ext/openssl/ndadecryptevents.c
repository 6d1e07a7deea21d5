/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The events of ndadecrypt's sink thread, among the records. */

#include "config.h"

#include "ndadecrypt.h"

/* The preamble that @value has, or NULL */
static GstBuffer *
take_header (const GValue * value)
{
  GstBuffer *buffer = GST_VALUE_HOLDS_BUFFER (value) ?
      gst_value_get_buffer (value) : NULL;

  return buffer && gst_buffer_get_size (buffer) == NDA_STREAM_PREAMBLE ?
      gst_buffer_ref (buffer) : NULL;
}

static gboolean
take_caps (NdaDecrypt * self, GstEvent * event)
{
  GstCaps *caps;
  const GstStructure *s;
  const gchar *framing;
  const GValue *headers;
  gint suite = 0;

  gst_event_parse_caps (event, &caps);
  s = gst_caps_get_structure (caps, 0);
  framing = gst_structure_get_string (s, "framing");
  gst_structure_get_int (s, "suite", &suite);
  self->caps_suite = suite > 0 ? suite : 0;
  self->caps_framing = !framing ? NDA_FRAMING_AUTO :
      g_str_equal (framing, "packet") ? NDA_FRAMING_PACKET : NDA_FRAMING_STREAM;
  headers = gst_structure_get_value (s, "streamheader");
  gst_clear_buffer (&self->streamheader);
  if (headers && GST_VALUE_HOLDS_ARRAY (headers)
      && gst_value_array_get_size (headers) == 1)
    self->streamheader = take_header (gst_value_array_get_value (headers, 0));
  gst_event_unref (event);
  return TRUE;
}

/* Makes a segment in time for one that begins at @offset (bytes): the one of a
 * seek, or one from 0. The next block is played at *@time. */
static GstEvent *
make_segment (NdaDecrypt * self, guint64 offset, GstClockTime * time,
    GstClockTime * stop)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (!nda_decrypt_take_seek (self, offset, &segment, time))
    *time = 0;
  *stop = segment.stop;
  return gst_event_new_segment (&segment);
}

/* Takes upstream's segment if it is in time. Otherwise makes one from 0, in
 * which all later sound goes on; only a flush begins another. The event waits
 * for the caps of the output. */
static gboolean
take_segment (NdaDecrypt * self, GstEvent * event)
{
  GstSegment segment;
  GstClockTime start, stop = GST_CLOCK_TIME_NONE;
  guint32 seqnum = gst_event_get_seqnum (event);

  nda_decrypt_choose_framing (self);
  gst_event_copy_segment (event, &segment);
  self->is_in_time = segment.format == GST_FORMAT_TIME;
  start = segment.start;
  if (!self->is_in_time) {
    gst_event_unref (event);
    if (self->has_segment)
      return TRUE;
    event = make_segment (self, start, &start, &stop);
    gst_event_set_seqnum (event, seqnum);
  }
  self->has_segment = TRUE;
  nda_decrypt_expect_segment (self, start, stop);
  if (self->out.has_caps)
    return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
  gst_event_take (&self->out.segment, event);
  return TRUE;
}

/* Reports the faults of a stored stream at its end */
static void
finish_stream (NdaDecrypt * self)
{
  NdaOpened nothing = { 0 };

  if (!self->is_receiving || !nda_opener_has_ended (self->opener))
    nda_decrypt_report (self, NDA_OUTCOME_TRUNCATED, 1, &nothing);
  else if (self->n_trailing)
    nda_decrypt_report (self, NDA_OUTCOME_TRAILING, 1, &nothing);
  if (!self->has_stopped)
    nda_decrypt_warn_of_salvage (self);
}

static gboolean
take_eos (NdaDecrypt * self, GstEvent * event)
{
  if (!self->is_receiving)
    nda_decrypt_choose_framing (self);
  if (self->is_stream && !self->has_stopped && !self->out.is_enough
      && !self->stream.is_searching)
    finish_stream (self);
  /* a stream that never began has no end: decodebin would make a pad for it */
  if (self->has_stopped && !self->out.has_caps) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
}

/* A stream begins again, from its preamble on. */
static void
restart_stream (NdaDecrypt * self)
{
  nda_stream_reset (&self->stream);
  nda_opener_stop (self->opener);
  self->out.was_sought = FALSE;
  self->is_receiving = FALSE;
  self->lacked_preamble = FALSE;
  self->n_trailing = 0;
  self->n_bad = 0;
}

/* A stream goes on somewhere else. */
static void
jump (NdaDecrypt * self)
{
  nda_stream_jump (&self->stream);
  nda_opener_expect_any (self->opener);
  self->out.was_sought = TRUE;
  self->n_trailing = 0;
}

/* Starts after a flush. A stored stream begins again. Packets go on: none is
 * taken twice, and dropped packets do not count as lost. */
static void
flush (NdaDecrypt * self)
{
  self->has_segment = FALSE;
  gst_clear_event (&self->out.segment);
  nda_decrypt_expect_segment (self, 0, GST_CLOCK_TIME_NONE);
  if (self->is_stream && self->is_receiving && nda_decrypt_is_seeking (self))
    jump (self);
  else if (self->is_stream)
    restart_stream (self);
  else
    nda_opener_expect_gap (self->opener);
}

/* After the end of a stream, a new stream begins with stream-start. */
static void
take_stream_start (NdaDecrypt * self)
{
  if (self->is_stream && self->is_receiving
      && nda_opener_has_ended (self->opener))
    restart_stream (self);
}

gboolean
nda_decrypt_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaDecrypt *self = NDA_DECRYPT (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_SEGMENT:
      return take_segment (self, event);
    case GST_EVENT_EOS:
      return take_eos (self, event);
    case GST_EVENT_GAP:        /* only authentic data makes silence */
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_STREAM_START:
      take_stream_start (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      flush (self);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}
