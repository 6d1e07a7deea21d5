/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sessions, and a record for each block of the regrouping, on the sink thread
 * of ndaencrypt. */

#include "config.h"

#include "ndaencrypt.h"

#include "ndaformat.h"
#include "ndapool.h"
#include "ndastream.h"

#include <gst/audio/audio.h>

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_EXTERN (nda_encrypt_debug);
#define GST_CAT_DEFAULT nda_encrypt_debug

/* --- records --- */

static GstFlowReturn
fail_sealing (NdaEncrypt * self)
{
  GST_ELEMENT_ERROR (self, STREAM, ENCODE,
      (_("A block could not be encrypted, and nothing is sent without that. "
              "Start again, and check OpenSSL with “openssl list "
              "-providers”.")),
      ("the library failed, or the session is full"));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
push_preamble (NdaEncrypt * self, GstClockTime time)
{
  GstBuffer *buffer = nda_encrypt_make_preamble (self->use.suite->id);

  self->needs_preamble = FALSE;
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = 0;
  return gst_pad_push (NDA_CRYPTO (self)->srcpad, buffer);
}

/* Pushes @buffer (transfer full), which has a record. */
static GstFlowReturn
push_record (NdaEncrypt * self, GstBuffer * buffer)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (G_UNLIKELY (self->needs_preamble))
    flow = push_preamble (self, GST_BUFFER_PTS (buffer));
  if (flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return flow;
  }
  return gst_pad_push (NDA_CRYPTO (self)->srcpad, buffer);
}

static void
count (NdaEncrypt * self, guint n_blocks, guint n_frames)
{
  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  self->counters.n_blocks += n_blocks;
  self->counters.n_frames += n_frames;
  self->counters.n_records++;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
}

static void
count_session (NdaEncrypt * self)
{
  guint64 kid = nda_sealer_get_kid (self->sealer);

  g_mutex_lock (&NDA_CRYPTO (self)->counters_lock);
  self->counters.n_sessions++;
  self->kid = kid;
  g_mutex_unlock (&NDA_CRYPTO (self)->counters_lock);
  GST_INFO_OBJECT (self, "session of KID %016" G_GINT64_MODIFIER "x", kid);
}

/* --- sessions --- */

/* Begins a session of @format without announcing it. */
static gboolean
start_session (NdaEncrypt * self, const NdaRecordFormat * format)
{
  g_autoptr (GError) error = NULL;

  g_atomic_int_set (&self->wants_session, FALSE);
  if (!nda_sealer_start (self->sealer, &self->use, format, &error)) {
    nda_crypto_post_error (NDA_CRYPTO (self), error);
    return FALSE;
  }
  count_session (self);
  return TRUE;
}

/* Pushes END, or, when @format is not NULL, a SWITCH to a session of that. */
static GstFlowReturn
end_session (NdaEncrypt * self, const NdaRecordFormat * format)
{
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer = NULL;
  GstMapInfo map;
  guint8 *record;
  gsize n;
  GstFlowReturn flow = nda_encrypt_begin_record (self, &buffer, &map, &record);

  if (flow != GST_FLOW_OK)
    return flow;
  n = format ? nda_sealer_seal_switch (self->sealer, &self->use, format,
      record, &error) : nda_sealer_seal_end (self->sealer, record);
  nda_encrypt_finish_record (self, &map, n);
  if (!n) {
    gst_buffer_unref (buffer);
    if (!error)
      return fail_sealing (self);
    nda_crypto_post_error (NDA_CRYPTO (self), error);
    return GST_FLOW_ERROR;
  }
  GST_BUFFER_PTS (buffer) = self->end;
  GST_BUFFER_DURATION (buffer) = 0;
  count (self, 0, 0);
  if (format)
    count_session (self);
  return push_record (self, buffer);
}

/* Goes on in a new session. A session that no receiver knows needs no end. In a
 * child process there is nothing to end, since the parent's key is not
 * there. */
static GstFlowReturn
renew_session (NdaEncrypt * self, const NdaRecordFormat * format)
{
  g_atomic_int_set (&self->wants_session, FALSE);
  if (nda_sealer_lost_key (self->sealer)
      || !nda_sealer_is_known (self->sealer))
    return start_session (self, format) ? GST_FLOW_OK : GST_FLOW_ERROR;
  return end_session (self, format);
}

/* The session may have another format than the blocks: downstream flushed while
 * it was told of the next one. */
static gboolean
needs_session (NdaEncrypt * self)
{
  return g_atomic_int_get (&self->wants_session)
      || nda_sealer_get_n_records (self->sealer) + 1 >= self->max_records
      || !nda_record_format_equal (&self->format,
      nda_sealer_get_format (self->sealer))
      || nda_sealer_lost_key (self->sealer);
}

/* --- events --- */

/* Blocks have the format from now on, whether or not there is a session for
 * them yet. */
static gboolean
set_format (NdaEncrypt * self, const GstAudioInfo * info)
{
  NdaRecordFormat format;

  if (!nda_format_from_info (info, &format))
    return FALSE;
  if (!self->pool || !nda_record_format_equal (&format, &self->format)) {
    self->format = format;
    self->frame_bytes = info->bpf;
    nda_encrypt_make_pool (self);
  }
  if (!nda_sealer_is_started (self->sealer))
    return start_session (self, &format);
  return nda_record_format_equal (&format, nda_sealer_get_format (self->sealer))
      || renew_session (self, &format) == GST_FLOW_OK;
}

static gboolean
check_length (NdaEncrypt * self, const GstAudioInfo * info)
{
  guint n_max = NDA_RECORD_MAX_PAYLOAD / info->bpf;

  if (self->n_max_frames <= n_max)
    return TRUE;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      (_("A block of %u frames of %d bytes does not fit into a record. Set "
              "“block-frames” to %u or less."), self->n_max_frames,
          info->bpf, n_max), ("a record has at most %d bytes", NDA_RECORD_MAX));
  return FALSE;
}

static gboolean
take_caps (NdaEncrypt * self, GstEvent * event)
{
  GstCaps *caps;
  GstAudioInfo info;
  GstEvent *out;
  gboolean was_told = self->caps != NULL;

  gst_event_parse_caps (event, &caps);
  if (!gst_audio_info_from_caps (&info, caps) || !check_length (self, &info)
      || !nda_encrypt_negotiate (self) || !set_format (self, &info)) {
    gst_event_unref (event);
    return FALSE;
  }
  out = was_told ? NULL : gst_event_new_caps (self->caps);
  if (out)
    gst_event_set_seqnum (out, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return !out || gst_pad_push_event (NDA_CRYPTO (self)->srcpad, out);
}

/* A stream has a preamble and an end even when nothing else is in it. Packets
 * end with their session. */
static gboolean
needs_end (NdaEncrypt * self)
{
  if (!self->pool || self->has_ended)
    return FALSE;
  return nda_sealer_is_started (self->sealer)
      || (self->is_stream && start_session (self, &self->format));
}

/* Pushes a segment: END is data, which must not come before any segment. */
static void
push_segment (NdaEncrypt * self)
{
  GstSegment segment;

  if (self->has_segment)
    return;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  self->has_segment = TRUE;
  gst_pad_push_event (NDA_CRYPTO (self)->srcpad,
      gst_event_new_segment (&segment));
}

static gboolean
take_eos (NdaEncrypt * self, GstEvent * event)
{
  if (needs_end (self)) {
    push_segment (self);
    end_session (self, NULL);
    self->has_ended = self->is_stream;
  }
  return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
}

/* Begins a stream again after a flush or an end, from its preamble on and with
 * a session without announcement. Packets go on, since a remote receiver does
 * not know about the flush. */
static void
begin_again (NdaEncrypt * self)
{
  self->end = GST_CLOCK_TIME_NONE;
  if (!self->is_stream)
    return;
  nda_sealer_stop (self->sealer);
  self->needs_preamble = TRUE;
  self->has_ended = FALSE;
}

static gboolean
take_event (NdaEncrypt * self, GstEvent * event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_EOS:
      return take_eos (self, event);
    case GST_EVENT_STREAM_START:
      if (self->has_ended)
        begin_again (self);
      break;
    case GST_EVENT_SEGMENT:
      self->end = GST_CLOCK_TIME_NONE;
      self->has_segment = TRUE;
      break;
    case GST_EVENT_FLUSH_STOP:
      self->has_segment = FALSE;
      begin_again (self);
      break;
    case GST_EVENT_GAP:        /* the next block's position shows it */
    case GST_EVENT_TAG:        /* it might tell what is encrypted */
    case GST_EVENT_TOC:
      gst_event_unref (event);
      return TRUE;
    default:
      break;
  }
  return gst_pad_push_event (NDA_CRYPTO (self)->srcpad, event);
}

/* From the regrouping, on the sink thread. */
static GstFlowReturn
nda_encrypt_push_event (gpointer owner, GstEvent * event)
{
  GstEventType type = GST_EVENT_TYPE (event);

  return nda_block_event_flow (NDA_CRYPTO (owner)->srcpad, type,
      take_event (owner, event));
}

static gboolean
nda_encrypt_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&NDA_ENCRYPT (parent)->input, event)
        == GST_FLOW_OK;
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
nda_encrypt_sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    nda_block_input_drain (&NDA_ENCRYPT (parent)->input);
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  nda_encrypt_ask_for_room (query);
  return TRUE;
}

/* --- data --- */

/* Counts the frames that are missing before @block. */
static void
skip_gap (NdaEncrypt * self, GstBuffer * block)
{
  GstClockTime start = GST_BUFFER_PTS (block);
  guint64 n_frames;

  if (!GST_CLOCK_TIME_IS_VALID (self->end) || start <= self->end)
    return;
  n_frames = gst_util_uint64_scale_round (start - self->end,
      self->format.rate, GST_SECOND);
  if (n_frames) {
    GST_DEBUG_OBJECT (self, "gap of %" G_GUINT64_FORMAT " frames", n_frames);
    nda_sealer_skip (self->sealer, n_frames);
  }
}

/* Prepares the session of a block, and the block's place in it. */
static GstFlowReturn
prepare_session (NdaEncrypt * self, GstBuffer * block)
{
  if (self->has_ended)
    return GST_FLOW_EOS;
  if (!nda_sealer_is_started (self->sealer)
      && !start_session (self, &self->format))
    return GST_FLOW_ERROR;
  if (GST_BUFFER_IS_DISCONT (block))
    skip_gap (self, block);
  return needs_session (self) ? renew_session (self, &self->format) :
      GST_FLOW_OK;
}

/* Makes a record of *@block. */
static GstFlowReturn
make_record (NdaEncrypt * self, GstBuffer ** block)
{
  guint n_frames = gst_buffer_get_size (*block) / self->frame_bytes;
  gsize n_record;
  GstFlowReturn flow = nda_encrypt_seal_block (self, block, &n_record);

  if (flow != GST_FLOW_OK)
    return flow;
  if (!n_record)
    return fail_sealing (self);
  count (self, 1, n_frames);
  return GST_FLOW_OK;
}

/* From the regrouping, on the sink thread. Takes @block. */
static GstFlowReturn
nda_encrypt_push_block (gpointer owner, GstBuffer * block)
{
  NdaEncrypt *self = NDA_ENCRYPT (owner);
  GstFlowReturn flow = self->pool ? prepare_session (self, block) :
      GST_FLOW_NOT_NEGOTIATED;

  self->end = GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block);
  if (flow == GST_FLOW_OK)
    flow = make_record (self, &block);
  if (flow == GST_FLOW_OK)
    return push_record (self, block);
  gst_buffer_unref (block);
  return flow;
}

static const NdaBlockOutput to_records = {
  .push_block = nda_encrypt_push_block,
  .push_event = nda_encrypt_push_event,
};

static GstFlowReturn
nda_encrypt_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_block_input_chain (&NDA_ENCRYPT (parent)->input, buffer);
}

/* --- life cycle --- */

void
nda_encrypt_init_stream (NdaEncrypt * self)
{
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_records);
  nda_crypto_add_pads (NDA_CRYPTO (self),
      GST_DEBUG_FUNCPTR (nda_encrypt_sink_chain),
      GST_DEBUG_FUNCPTR (nda_encrypt_sink_event));
  gst_pad_set_query_function (NDA_CRYPTO (self)->sinkpad,
      GST_DEBUG_FUNCPTR (nda_encrypt_sink_query));
}

/* Called before the pads are active. */
void
nda_encrypt_start_stream (NdaEncrypt * self, guint block_frames,
    guint session_records)
{
  self->n_max_frames = block_frames;
  self->max_records = session_records;
  nda_block_input_set_block_frames (&self->input, block_frames);
  g_atomic_int_set (&self->wants_session, FALSE);
  self->has_ended = FALSE;
  self->has_segment = FALSE;
  self->has_no_caps = FALSE;
  self->end = GST_CLOCK_TIME_NONE;
}

/* Called when the pads are no longer active. */
void
nda_encrypt_stop_stream (NdaEncrypt * self)
{
  nda_sealer_stop (self->sealer);
  nda_block_input_reset (&self->input);
  g_clear_pointer (&self->pool, nda_pool_free);
  gst_clear_caps (&self->caps);
}
