/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sink thread of an ndaresample: agreeing on formats, and frames on their
 * way to blocks. */

#include "config.h"

#include "ndaresample.h"

#include "ndablock.h"
#include "ndapolyphaseconverter.h"
#include "ndaresamplecaps.h"

#include <glib/gi18n-lib.h>

#define GST_CAT_DEFAULT nda_resample_debug

/* What is soon done, whatever else there is */
static const NdaConverterMaker *const low_latency_makers[] = {
  &nda_polyphase_maker, NULL
};

/* Written once, before any element is made */
static const NdaConverterMaker *const *makers = low_latency_makers;

void
nda_resample_set_makers (const NdaConverterMaker * const *all)
{
  makers = all;
}

/* --- blocks and what is left of them --- */

static GstFlowReturn
push_block (gpointer owner, GstBuffer * block)
{
  NdaResample *self = NDA_RESAMPLE (owner);

  GST_OBJECT_LOCK (self);
  self->counters.n_blocks++;
  self->counters.n_frames += GST_BUFFER_OFFSET_END (block)
      - GST_BUFFER_OFFSET (block);
  GST_OBJECT_UNLOCK (self);
  if (self->last_block)
    nda_resample_keep_last (self, block);
  return gst_pad_push (self->srcpad, block);
}

static gboolean
push_event (gpointer owner, GstEvent * event)
{
  return gst_pad_push_event (NDA_RESAMPLE (owner)->srcpad, event);
}

static const NdaBlockOutput to_srcpad = {
  .push_block = push_block,
  .push_event = push_event,
};

/* Takes a block of the resampler (transfer full). Those for a device have time
 * stamps of their own: the device does not keep the time that its rate says. */
static GstFlowReturn
put_out (NdaResample * self, GstBuffer * block)
{
  guint n_frames;

  if (!self->is_following || !self->follower.device)
    return nda_block_input_chain (&self->blocks, block);

  nda_block_count_frames (block, &self->out, &n_frames, NULL);
  /* the sink thread alone writes them */
  GST_BUFFER_OFFSET (block) = self->counters.n_frames;
  GST_BUFFER_OFFSET_END (block) = self->counters.n_frames + n_frames;
  if (GST_BUFFER_DURATION_IS_VALID (block))
    nda_follower_calibrate (&self->follower, GST_BUFFER_DURATION (block),
        n_frames);
  /* a device's sink would wait for the end of a gap, and begin anew */
  GST_BUFFER_FLAG_UNSET (block, GST_BUFFER_FLAG_GAP);
  return push_block (self, block);
}

/* Pushes all that is left of the run of frames. */
static void
drain (NdaResample * self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *block;

  while (self->resampler && (block = nda_resampler_drain (self->resampler))) {
    if (flow == GST_FLOW_OK)
      flow = put_out (self, block);
    else
      gst_buffer_unref (block);
  }
  nda_resample_restart_following (self);
}

static void
flush (NdaResample * self)
{
  if (self->resampler)
    nda_resampler_flush (self->resampler);
  nda_resample_restart_following (self);
}

/* Ends what one resampler has made, if there was any, before another. */
static void
cut (NdaResample * self)
{
  if (!GST_AUDIO_INFO_IS_VALID (&self->in))
    return;
  drain (self);
  nda_block_input_drain (&self->blocks);
  nda_regroup_mark_gap (self->blocks.regroup);
}

/* --- negotiation --- */

/* Says that @latency is what the resampler adds. */
void
nda_resample_set_latency (NdaResample * self, GstClockTime latency)
{
  gboolean changes;

  GST_OBJECT_LOCK (self);
  changes = latency != self->latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
  if (changes)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

static gboolean
is_live (NdaResample * self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

/* Whether a library's bursts would cost more than what it does better. */
static gboolean
wants_low_latency (NdaResample * self)
{
  if (!nda_polyphase_converter_can (self->in.rate, self->out.rate)
      || self->used.latency == NDA_LATENCY_BEST)
    return FALSE;
  return self->used.latency == NDA_LATENCY_LOW
      || (self->used.quality != NDA_QUALITY_VERY_HIGH && is_live (self));
}

/* By the first maker that can; NULL, with the first one's reason, if none can. */
static NdaResampler *
make_resampler (NdaResample * self, GstCaps * out_caps, GError ** error)
{
  const NdaConverterMaker *const *maker = wants_low_latency (self) ?
      low_latency_makers : makers;
  NdaResampler *resampler = NULL;

  for (; *maker && !resampler; maker++)
    resampler = nda_resampler_new (&self->in, out_caps, *maker,
        self->used.quality, *error ? NULL : error);
  if (resampler)
    g_clear_error (error);
  return resampler;
}

/* In the statistics. */
void
nda_resample_tell_converter (NdaResample * self)
{
  const NdaConverterMaker *maker = self->resampler ?
      nda_resampler_get_maker (self->resampler) : NULL;

  GST_OBJECT_LOCK (self);
  self->counters.converter = maker ? maker->name : "none";
  GST_OBJECT_UNLOCK (self);
}

/* nda's own converter has one quality, below the best of libsoxr's. */
static void
warn_if_less_exact (NdaResample * self)
{
  if (self->is_following || self->used.quality != NDA_QUALITY_VERY_HIGH
      || self->used.latency == NDA_LATENCY_LOW || !self->resampler
      || nda_resampler_get_maker (self->resampler) != &nda_polyphase_maker)
    return;
  GST_ELEMENT_WARNING (self, CORE, MISSING_PLUGIN,
      (_("The quality “very-high” needs libsoxr, and this nda was built "
              "without it: the sound is resampled to 140 dB instead. Install "
              "libsoxr and build nda again.")),
      ("%d Hz to %d Hz", self->in.rate, self->out.rate));
}

/* Makes what is needed between @in and @out; the run before has ended. */
static gboolean
open_resampler (NdaResample * self, const GstAudioInfo * in,
    const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->resampler, nda_resampler_free);
  self->in = *in;
  self->out = *out;
  self->used = *settings;
  nda_resample_unfollow (self);
  if (settings->adaptive && nda_resample_follow (self, out_caps)) {
    GST_DEBUG_OBJECT (self, "follows");
  } else if (in->rate != out->rate || in->finfo != out->finfo) {
    self->resampler = make_resampler (self, out_caps, &error);
    if (!self->resampler) {
      gst_audio_info_init (&self->in);
      GST_ELEMENT_ERROR (self, LIBRARY, SETTINGS, ("%s", error->message),
          ("from %" GST_PTR_FORMAT, out_caps));
      return FALSE;
    }
  }
  nda_resample_tell_converter (self);
  warn_if_less_exact (self);
  nda_resample_set_latency (self, self->resampler ?
      nda_resampler_get_latency (self->resampler) : 0);
  GST_OBJECT_LOCK (self);
  self->counters.ratio = (gdouble) out->rate / in->rate;
  GST_OBJECT_UNLOCK (self);
  GST_INFO_OBJECT (self, "from %d Hz %s to %d Hz %s", in->rate,
      in->finfo->name, out->rate, out->finfo->name);
  return TRUE;
}

static GstCaps *
choose_caps (NdaResample * self, GstCaps * in, guint rate)
{
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (self->srcpad);
  g_autoptr (GstCaps) downstream = gst_pad_peer_query_caps (self->srcpad,
      template);
  g_autoptr (GstCaps) possible = gst_caps_intersect (downstream, template);
  GstCaps *out = nda_resample_caps_choose (in, possible, rate);

  if (!out)
    GST_WARNING_OBJECT (self, "%" GST_PTR_FORMAT " cannot become %"
        GST_PTR_FORMAT, in, downstream);
  return out;
}

/* Whether @settings say other than before whom to follow. */
static gboolean
follows_another (NdaResample * self, const NdaResampleSettings * settings)
{
  g_autoptr (GstClock) device = nda_resample_get_device_clock (self);

  return settings->adaptive != self->used.adaptive
      || (self->is_following && device != self->follower.device);
}

static gboolean
needs_another_resampler (NdaResample * self, const GstAudioInfo * in,
    const GstAudioInfo * out, const NdaResampleSettings * settings)
{
  return !gst_audio_info_is_equal (in, &self->in)
      || !gst_audio_info_is_equal (out, &self->out)
      || settings->quality != self->used.quality
      || settings->latency != self->used.latency
      || (self->resampler && follows_another (self, settings));
}

/* Where frames pass and go on to do so: no reason to cut a block short. */
static void
follow_another (NdaResample * self, GstCaps * out_caps,
    const NdaResampleSettings * settings)
{
  self->used = *settings;
  nda_resample_unfollow (self);
  if (settings->adaptive)
    nda_resample_follow (self, out_caps);
}

/* Agrees with downstream on what becomes of @in, and tells it with @seqnum. */
static gboolean
negotiate (NdaResample * self, GstCaps * in_caps, guint32 seqnum)
{
  NdaResampleSettings settings = nda_resample_get_settings (self);
  g_autoptr (GstCaps) out_caps = choose_caps (self, in_caps, settings.rate);
  GstAudioInfo in, out;
  GstEvent *event;

  if (!out_caps || !gst_audio_info_from_caps (&in, in_caps)
      || !gst_audio_info_from_caps (&out, out_caps))
    return FALSE;
  if (needs_another_resampler (self, &in, &out, &settings)) {
    cut (self);
    if (!open_resampler (self, &in, &out, out_caps, &settings))
      return FALSE;
  } else if (follows_another (self, &settings)) {
    follow_another (self, out_caps, &settings);
  }
  event = gst_event_new_caps (out_caps);
  gst_event_set_seqnum (event, seqnum);
  return nda_block_input_event (&self->blocks, event);
}

static gboolean
take_caps (NdaResample * self, GstEvent * event)
{
  GstCaps *caps;
  gboolean ok;

  gst_event_parse_caps (event, &caps);
  gst_pad_check_reconfigure (self->srcpad);
  ok = negotiate (self, caps, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return ok;
}

/* Downstream, or a property, has changed. */
static gboolean
renegotiate (NdaResample * self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);

  if (!caps || negotiate (self, caps, gst_util_seqnum_next ()))
    return TRUE;
  gst_pad_mark_reconfigure (self->srcpad);
  return FALSE;
}

/* --- events and data --- */

static gboolean
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaResample *self = NDA_RESAMPLE (parent);

  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return take_caps (self, event);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_GAP:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      drain (self);
      break;
    case GST_EVENT_SEGMENT:
      drain (self);
      flush (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      flush (self);
      break;
    default:
      break;
  }
  return nda_block_input_event (&self->blocks, event);
}

static GstFlowReturn
resample (NdaResample * self, GstBuffer * buffer, guint n_frames)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *block;

  if (!nda_resampler_follows (self->resampler, buffer, n_frames)) {
    drain (self);
    nda_block_input_drain (&self->blocks);
  }
  nda_resample_observe (self, n_frames);
  if (!nda_resampler_push (self->resampler, buffer, n_frames)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        (_("A buffer of audio cannot be read.")), ("no map of its memory"));
    return GST_FLOW_ERROR;
  }
  while ((block = nda_resampler_pop (self->resampler))) {
    if (flow == GST_FLOW_OK)
      flow = put_out (self, block);
    else
      gst_buffer_unref (block);
  }
  if (flow != GST_FLOW_OK)
    flush (self);
  return flow;
}

static GstFlowReturn
sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  NdaResample *self = NDA_RESAMPLE (parent);
  g_autoptr (GError) error = NULL;
  guint n_frames;

  if (gst_pad_check_reconfigure (self->srcpad) && !renegotiate (self))
    gst_audio_info_init (&self->in);
  if (!GST_AUDIO_INFO_IS_VALID (&self->in)) {
    gst_buffer_unref (buffer);
    return GST_PAD_IS_FLUSHING (self->srcpad) ? GST_FLOW_FLUSHING :
        GST_FLOW_NOT_NEGOTIATED;
  }
  if (!nda_block_count_frames (buffer, &self->in, &n_frames, &error)) {
    gst_buffer_unref (buffer);
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message),
        ("no whole number of frames"));
    return GST_FLOW_ERROR;
  }
  GST_OBJECT_LOCK (self);
  self->counters.n_frames_in += n_frames;
  GST_OBJECT_UNLOCK (self);
  if (self->resampler || nda_resample_watch (self))
    return resample (self, buffer, n_frames);
  if (GST_BUFFER_IS_DISCONT (buffer))
    nda_resample_restart_following (self);
  nda_resample_observe (self, n_frames);
  return nda_block_input_chain (&self->blocks, buffer);
}

/* --- life cycle --- */

void
nda_resample_init_input (NdaResample * self)
{
  gst_pad_set_chain_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_chain));
  gst_pad_set_event_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_event));
  gst_audio_info_init (&self->in);
  gst_audio_info_init (&self->out);
  nda_block_input_init (&self->blocks, GST_ELEMENT (self), &to_srcpad);
}

/* Forgets the stream, when the pads are deactivated. */
void
nda_resample_reset_input (NdaResample * self)
{
  g_clear_pointer (&self->resampler, nda_resampler_free);
  nda_resample_unfollow (self);
  nda_block_input_reset (&self->blocks);
  gst_audio_info_init (&self->in);
  gst_audio_info_init (&self->out);
  GST_OBJECT_LOCK (self);
  self->latency = 0;
  GST_OBJECT_UNLOCK (self);
}
