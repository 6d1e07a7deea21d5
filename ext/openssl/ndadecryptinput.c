/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of ndadecrypt: framing and suite, and what becomes of each
 * record, up to where it is opened. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndapool.h"

#include <glib/gi18n-lib.h>

/* --- beginning to receive --- */

/* Whether @suite may be used though its tag is short: somebody must have named
 * it, and the preamble of a stream is not somebody. */
static gboolean
may_use (NdaDecrypt * self, guint suite)
{
  guint named = nda_crypto_get_suite (NDA_CRYPTO (self));

  if (named)
    return named == suite;
  return !nda_suite_is_weak (suite) || self->caps_suite == suite;
}

static gboolean
refuse_suite (NdaDecrypt * self, guint suite)
{
  g_autofree gchar *text =
      g_strdup_printf (_("The stream is encrypted with cipher suite %u, which "
          "was not asked for. Set “suite” to %u if that is right, and if "
          "OpenSSL has it."), suite, suite);

  nda_decrypt_count (self, NDA_OUTCOME_UNKNOWN_KEY, 1);
  nda_decrypt_stop_with (self, GST_STREAM_ERROR_DECRYPT_NOKEY, text,
      "wrong suite");
  return FALSE;
}

static gboolean
start_receiving (NdaDecrypt * self, guint suite)
{
  NdaOpenerRules rules = {
    .window = self->rules.replay_window,
    .max_age = self->is_stream ? 0 : self->rules.max_age,
    .is_strict = self->is_stream && nda_decrypt_stops_at_bad (self),
  };
  NdaKeyUse use;

  self->suite = suite;
  if (!may_use (self, suite)
      || !nda_crypto_get_use (NDA_CRYPTO (self), suite, &use))
    return refuse_suite (self, suite);
  self->n_tag = use.suite->n_tag;
  nda_opener_start (self->opener, &use, &rules);
  self->is_receiving = TRUE;
  return TRUE;
}

/* What the caps or the user say of the framing; a stream unless they do. */
static void
choose_framing (NdaDecrypt * self)
{
  NdaFraming framing = nda_crypto_get_framing (NDA_CRYPTO (self));

  if (framing == NDA_FRAMING_AUTO)
    framing = self->caps_framing;
  self->is_stream = framing != NDA_FRAMING_PACKET;
}

static guint
choose_packet_suite (NdaDecrypt * self)
{
  guint suite = nda_crypto_get_suite (NDA_CRYPTO (self));

  if (!suite)
    suite = self->caps_suite;
  return suite ? suite : NDA_SUITE_DEFAULT;
}

/* --- records --- */

static void
count_record (NdaDecrypt * self, const NdaOpened * opened)
{
  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  self->counters.n_records++;
  self->counters.n_blocks += opened->block.type == NDA_RECORD_AUDIO;
  self->counters.n_frames += opened->block.n_frames;
  self->counters.n_sessions += opened->is_new_session;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
}

/* Records missing before a good one: of a new session's, those before n = 0 of
 * a stored stream. */
static guint64
count_lost (NdaDecrypt * self, const NdaOpened * opened)
{
  return opened->is_new_session && self->is_stream ? opened->n : opened->n_lost;
}

/* Takes @buffer. */
static GstFlowReturn
take_good (NdaDecrypt * self, GstBuffer * buffer, const NdaOpened * opened,
    GstClockTime arrival)
{
  guint64 n_lost = count_lost (self, opened);
  GstFlowReturn flow;

  if (n_lost && !nda_decrypt_report (self, NDA_OUTCOME_LOST, n_lost, opened)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  count_record (self, opened);
  flow = nda_decrypt_push (self, buffer, opened, arrival);
  if (opened->block.type == NDA_RECORD_END && !self->is_stream)
    nda_decrypt_post_end (self, opened);
  return flow;
}

/* Takes @buffer. */
static GstFlowReturn
take_outcome (NdaDecrypt * self, GstBuffer * buffer, NdaOutcome outcome,
    const NdaOpened * opened, GstClockTime arrival)
{
  if (outcome == NDA_OUTCOME_OK)
    return take_good (self, buffer, opened, arrival);
  gst_buffer_unref (buffer);
  return nda_decrypt_report (self, outcome, MAX (opened->n_lost, 1), opened) ?
      GST_FLOW_OK : GST_FLOW_ERROR;
}

static GstFlowReturn
take_record (NdaDecrypt * self, const guint8 * record, gsize n_record,
    GstClockTime arrival)
{
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  NdaOutcome outcome;
  NdaOpened opened;
  GstFlowReturn flow = nda_decrypt_acquire (self,
      nda_record_n_samples (record, n_record, self->n_tag), &buffer, &map);

  if (flow != GST_FLOW_OK)
    return flow;
  /* the samples to the buffer's beginning, their header before it */
  outcome = nda_opener_open (self->opener, record, n_record,
      map.data - NDA_BLOCK_HEADER, &opened);
  nda_pool_unmap (&map, nda_opened_n_sample_bytes (&opened));
  return take_outcome (self, buffer, outcome, &opened, arrival);
}

/* --- framings --- */

static GstFlowReturn
take_packet (NdaDecrypt * self, const guint8 * bytes, gsize n_bytes,
    GstClockTime arrival)
{
  if (!self->is_receiving
      && !start_receiving (self, choose_packet_suite (self)))
    return GST_FLOW_ERROR;
  return take_record (self, bytes, n_bytes, arrival);
}

static GstFlowReturn
refuse_preamble (NdaDecrypt * self)
{
  nda_decrypt_count (self, NDA_OUTCOME_MALFORMED, 1);
  nda_decrypt_stop_with (self, GST_STREAM_ERROR_DECRYPT,
      _("What arrives does not begin like a stream of ndaencrypt. Check the "
          "file, or set “framing” to packet if each buffer is a record."),
      "malformed preamble");
  return GST_FLOW_ERROR;
}

static GstFlowReturn
take_stream (NdaDecrypt * self, const guint8 * bytes, gsize n_bytes)
{
  GstFlowReturn flow = GST_FLOW_OK;
  const guint8 *record;
  gsize n_record;

  nda_stream_feed (&self->stream, bytes, n_bytes);
  while (flow == GST_FLOW_OK) {
    NdaStreamFound found;

    if (self->is_receiving && nda_opener_has_ended (self->opener))
      break;
    found = nda_stream_next (&self->stream, &record, &n_record);
    if (found == NDA_STREAM_MORE)
      return GST_FLOW_OK;
    if (found == NDA_STREAM_BAD_PREAMBLE)
      flow = refuse_preamble (self);
    else if (!self->is_receiving && !start_receiving (self, self->stream.suite))
      flow = GST_FLOW_ERROR;
    else
      flow = take_record (self, record, n_record, GST_CLOCK_TIME_NONE);
  }
  self->n_trailing += nda_stream_skip (&self->stream);
  return flow;
}

static GstClockTime
get_arrival (GstBuffer * buffer)
{
  return GST_BUFFER_PTS_IS_VALID (buffer) ? GST_BUFFER_PTS (buffer) :
      GST_BUFFER_DTS (buffer);
}

/* Takes @buffer. */
static GstFlowReturn
take_copying (NdaDecrypt * self, GstBuffer * buffer)
{
  GstMapInfo map;
  GstFlowReturn flow = GST_FLOW_ERROR;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    if (!self->is_receiving)
      choose_framing (self);
    flow = self->is_stream ? take_stream (self, map.data, map.size) :
        take_packet (self, map.data, map.size, get_arrival (buffer));
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return flow;
}

static GstFlowReturn
nda_decrypt_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  NdaDecrypt *self = NDA_DECRYPT (parent);
  NdaOutcome outcome;
  NdaOpened opened;

  if (self->has_stopped) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  if (self->is_receiving
      && !(self->is_stream && nda_opener_has_ended (self->opener))
      && nda_decrypt_open_in_place (self, buffer, &outcome, &opened))
    return take_outcome (self, buffer, outcome, &opened, GST_CLOCK_TIME_NONE);
  return take_copying (self, buffer);
}

/* --- events --- */

static gboolean
take_caps (NdaDecrypt * self, GstEvent * event)
{
  GstCaps *caps;
  const GstStructure *s;
  const gchar *framing;
  gint suite = 0;

  gst_event_parse_caps (event, &caps);
  s = gst_caps_get_structure (caps, 0);
  framing = gst_structure_get_string (s, "framing");
  gst_structure_get_int (s, "suite", &suite);
  self->caps_suite = suite > 0 ? suite : 0;
  self->caps_framing = !framing ? NDA_FRAMING_AUTO :
      g_str_equal (framing, "packet") ? NDA_FRAMING_PACKET : NDA_FRAMING_STREAM;
  gst_event_unref (event);
  return TRUE;
}

/* The segment of the output waits for its caps: that of the packets, whose
 * times are kept, or that of a stream, which begins at 0. */
static gboolean
take_segment (NdaDecrypt * self, GstEvent * event)
{
  const GstSegment *segment;
  GstSegment from_zero;
  guint32 seqnum = gst_event_get_seqnum (event);

  choose_framing (self);
  gst_event_parse_segment (event, &segment);
  if (self->is_stream || segment->format != GST_FORMAT_TIME) {
    gst_segment_init (&from_zero, GST_FORMAT_TIME);
    gst_event_unref (event);
    event = gst_event_new_segment (&from_zero);
    gst_event_set_seqnum (event, seqnum);
  }
  if (self->out.frame_bytes)
    return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
  gst_event_take (&self->out.segment, event);
  return TRUE;
}

/* What a stored stream still has to say at its end */
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
    choose_framing (self);
  if (self->is_stream && !self->has_stopped)
    finish_stream (self);
  /* what never began does not end: decodebin would make a pad of it */
  if (self->has_stopped && !self->out.frame_bytes) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
}

/* A stored stream that is read again begins again; packets go on, and none is
 * taken twice. */
static void
flush (NdaDecrypt * self)
{
  self->out.is_discont = TRUE;
  if (!self->is_stream)
    return;
  nda_stream_reset (&self->stream);
  nda_opener_stop (self->opener);
  self->is_receiving = FALSE;
  self->n_trailing = 0;
  self->n_bad = 0;
  self->out.base = 0;
  self->out.n_base = self->out.first = self->out.next = 0;
  self->out.next_time = GST_CLOCK_TIME_NONE;
}

static gboolean
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
    case GST_EVENT_GAP:        /* only what is authentic makes silence */
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      flush (self);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* --- life cycle --- */

void
nda_decrypt_init_input (NdaDecrypt * self)
{
  nda_stream_init (&self->stream);
  nda_crypto_add_pads (NDA_CRYPTO (self),
      GST_DEBUG_FUNCPTR (nda_decrypt_sink_chain),
      GST_DEBUG_FUNCPTR (nda_decrypt_sink_event));
}

/* Before the pads are active. */
void
nda_decrypt_start_input (NdaDecrypt * self)
{
  self->is_stream = FALSE;
  self->is_receiving = FALSE;
  self->has_stopped = FALSE;
  self->caps_suite = 0;
  self->caps_framing = NDA_FRAMING_AUTO;
  self->suite = 0;
  self->n_trailing = 0;
  self->n_bad = 0;
  for (guint i = 0; i < NDA_N_OUTCOMES; i++)
    self->limits[i] = (NdaReportLimit) {
    0};
  nda_stream_reset (&self->stream);
}

/* When the pads are no longer active. */
void
nda_decrypt_stop_input (NdaDecrypt * self)
{
  nda_opener_stop (self->opener);
  self->is_receiving = FALSE;
}
