/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of ndadecrypt: framing and suite, and what becomes of each
 * record, up to where it is opened. */

#include "config.h"

#include "ndadecrypt.h"

#include "ndapool.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* --- beginning to receive --- */

/* Whether @suite may be used, though its tag be short: the user must have
 * named it. Caps and preambles come from a file or a network, and are not
 * the user. */
static gboolean
may_use (NdaDecrypt * self, guint suite)
{
  guint named = nda_crypto_get_suite (NDA_CRYPTO (self));

  if (named)
    return named == suite;
  return !nda_suite_is_weak (suite);
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

/* Whether the stream may begin in its middle: when nobody said that it must be
 * whole, and upstream cannot get the beginning again, as a socket or a pipe
 * cannot; or when it was there before this element was, as the caps tell. */
static gboolean
may_join (NdaDecrypt * self)
{
  g_autoptr (GstQuery) query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean can_seek = TRUE;

  if (!self->is_stream || self->rules.on_bad != NDA_ON_BAD_AUTO)
    return FALSE;
  if (gst_pad_peer_query (NDA_CRYPTO (self)->sinkpad, query))
    gst_query_parse_seeking (query, NULL, &can_seek, NULL, NULL);
  return !can_seek || self->lacked_preamble;
}

static gboolean
start_receiving (NdaDecrypt * self, guint suite)
{
  NdaOpenerRules rules = {
    .window = self->rules.replay_window,
    .max_age = self->is_stream ? 0 : self->rules.max_age,
    .is_stream = self->is_stream,
    .is_strict = self->is_stream && nda_decrypt_stops_at_bad (self),
  };
  NdaKeyUse use;

  self->may_join = may_join (self);
  rules.may_join = self->may_join;
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
void
nda_decrypt_choose_framing (NdaDecrypt * self)
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

/* Reports the records that are missing before a good one. FALSE: the stream
 * ends. A stream that was joined goes on. */
static gboolean
report_lost (NdaDecrypt * self, const NdaOpened * opened)
{
  if (!opened->n_lost)
    return TRUE;
  if (!opened->was_joined || !self->may_join)
    return nda_decrypt_report (self, NDA_OUTCOME_LOST, opened->n_lost, opened);
  nda_decrypt_warn (self, NDA_OUTCOME_LOST, opened->n_lost, opened);
  return TRUE;
}

/* Takes @buffer. */
static GstFlowReturn
take_good (NdaDecrypt * self, GstBuffer * buffer, const NdaOpened * opened,
    GstClockTime arrival)
{
  GstFlowReturn flow;

  if (!report_lost (self, opened)) {
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
  /* put the samples at the buffer's beginning, their header before it */
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

/* Takes the preamble from the caps, if the stream was joined later and has none
 * before the records. */
static void
feed_streamheader (NdaDecrypt * self, const guint8 * bytes, gsize n_bytes)
{
  GstMapInfo map;

  if (G_LIKELY (self->is_receiving) || !self->streamheader
      || self->stream.suite || self->stream.n_held
      || n_bytes < NDA_STREAM_N_MARK
      || memcmp (bytes, NDA_STREAM_MARK, NDA_STREAM_N_MARK) == 0)
    return;
  if (!gst_buffer_map (self->streamheader, &map, GST_MAP_READ))
    return;
  nda_stream_hold (&self->stream, map.data, map.size);
  self->lacked_preamble = TRUE;
  gst_buffer_unmap (self->streamheader, &map);
}

static GstFlowReturn
take_stream (NdaDecrypt * self, const guint8 * bytes, gsize n_bytes,
    GstClockTime arrival)
{
  GstFlowReturn flow = GST_FLOW_OK;
  const guint8 *record;
  gsize n_record;

  feed_streamheader (self, bytes, n_bytes);
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
      flow = take_record (self, record, n_record, arrival);
  }
  self->n_trailing += nda_stream_skip (&self->stream);
  return flow;
}

/* The arrival of @buffer, or NONE. Bytes of a file have no time. */
static GstClockTime
get_arrival (NdaDecrypt * self, GstBuffer * buffer)
{
  if (!self->is_in_time)
    return GST_CLOCK_TIME_NONE;
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
      nda_decrypt_choose_framing (self);
    flow = self->is_stream ?
        take_stream (self, map.data, map.size, get_arrival (self, buffer)) :
        take_packet (self, map.data, map.size, get_arrival (self, buffer));
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return flow;
}

static GstFlowReturn
nda_decrypt_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  NdaDecrypt *self = NDA_DECRYPT (parent);
  GstClockTime arrival = get_arrival (self, buffer);
  NdaOutcome outcome;
  NdaOpened opened;

  if (self->has_stopped) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  if (self->is_receiving
      && !(self->is_stream && nda_opener_has_ended (self->opener))
      && nda_decrypt_open_in_place (self, buffer, &outcome, &opened))
    return take_outcome (self, buffer, outcome, &opened, arrival);
  return take_copying (self, buffer);
}

/* --- life cycle --- */

void
nda_decrypt_init_input (NdaDecrypt * self)
{
  nda_stream_init (&self->stream);
  nda_crypto_add_pads (NDA_CRYPTO (self),
      GST_DEBUG_FUNCPTR (nda_decrypt_sink_chain),
      GST_DEBUG_FUNCPTR (nda_decrypt_sink_event));
  nda_decrypt_init_seek (self);
}

/* Called before the pads are active. */
void
nda_decrypt_start_input (NdaDecrypt * self)
{
  self->is_stream = FALSE;
  self->is_receiving = FALSE;
  self->has_stopped = FALSE;
  self->caps_suite = 0;
  self->caps_framing = NDA_FRAMING_AUTO;
  self->suite = 0;
  self->is_in_time = FALSE;
  self->has_segment = FALSE;
  self->lacked_preamble = FALSE;
  self->n_trailing = 0;
  self->n_bad = 0;
  nda_decrypt_expect_segment (self, 0, GST_CLOCK_TIME_NONE);
  nda_decrypt_forget_layout (self);
  for (guint i = 0; i < NDA_N_OUTCOMES; i++)
    self->limits[i] = (NdaReportLimit) {
    0};
  nda_stream_reset (&self->stream);
}

/* Called when the pads are no longer active. */
void
nda_decrypt_stop_input (NdaDecrypt * self)
{
  nda_opener_stop (self->opener);
  self->is_receiving = FALSE;
  gst_clear_buffer (&self->streamheader);
}
