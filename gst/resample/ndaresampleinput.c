/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresampleinput.h"

#include "ndablock.h"
#include "ndaresamplecaps.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY (nda_resample_debug);
#define GST_CAT_DEFAULT nda_resample_debug

/* --- what there is to tell --- */

static void
tell_what_goes_on (NdaResampleInput * self)
{
  const NdaAdaptive *adaptive = &self->conversion.adaptive;
  NdaAdaptiveFacts facts;

  if (adaptive->is_on)
    facts = nda_adaptive_get_facts (adaptive);
  nda_resample_shared_tell (self->shared,
      nda_conversion_get_ratio (&self->conversion),
      nda_conversion_get_converter (&self->conversion),
      adaptive->is_on ? &facts : NULL);
}

/* Posts that the lock was gained or lost, if it was. */
static void
tell_news (NdaResampleInput * self)
{
  NdaAdaptive *adaptive = &self->conversion.adaptive;
  NdaAdaptiveFacts facts;

  if (!adaptive->is_on || !nda_adaptive_take_news (adaptive))
    return;
  facts = nda_adaptive_get_facts (adaptive);
  GST_INFO_OBJECT (self->element, "%s, %.2f ppm", facts.state, facts.drift_ppm);
  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element),
          gst_structure_new ("ndaresample",
              "locked", G_TYPE_BOOLEAN, nda_adaptive_is_locked (adaptive),
              "drift-ppm", G_TYPE_DOUBLE, facts.drift_ppm,
              "delay-error", G_TYPE_INT64, facts.delay_error, NULL)));
}

/* Reports the steering: a resampler that follows is steered at the beginning of
 * each block. */
static void
tell_steering (NdaResampleInput * self)
{
  if (!self->conversion.adaptive.is_on)
    return;
  tell_what_goes_on (self);
  tell_news (self);
}

/* --- blocks and what is left of them --- */

static GstFlowReturn
nda_resample_input_push_block (gpointer owner, GstBuffer * block)
{
  NdaResampleInput *self = owner;

  nda_resample_shared_count_out (self->shared,
      GST_BUFFER_OFFSET_END (block) - GST_BUFFER_OFFSET (block));
  nda_adaptive_keep (&self->conversion.adaptive, block);
  return gst_pad_push (self->srcpad, block);
}

static GstFlowReturn
nda_resample_input_push_event (gpointer owner, GstEvent * event)
{
  return nda_block_push_event (((NdaResampleInput *) owner)->srcpad, event);
}

static const NdaBlockOutput to_srcpad = {
  .push_block = nda_resample_input_push_block,
  .push_event = nda_resample_input_push_event,
};

/* Pushes a block of the resampler (transfer full). Blocks for a device have
 * their own time stamps, since the device does not keep its nominal rate. */
static GstFlowReturn
put_out (NdaResampleInput * self, GstBuffer * block)
{
  const guint64 n_before = self->shared->counters.n_frames;
  guint n_frames;

  if (!nda_adaptive_get_device (&self->conversion.adaptive))
    return nda_block_input_chain (&self->blocks, block);

  nda_block_count_frames (block, &self->conversion.out, &n_frames, NULL);
  GST_BUFFER_OFFSET (block) = n_before;
  GST_BUFFER_OFFSET_END (block) = n_before + n_frames;
  if (GST_BUFFER_DURATION_IS_VALID (block))
    nda_adaptive_calibrate (&self->conversion.adaptive,
        GST_BUFFER_DURATION (block), n_frames);
  /* a device's sink would wait for the end of a gap, and start again */
  GST_BUFFER_FLAG_UNSET (block, GST_BUFFER_FLAG_GAP);
  return nda_resample_input_push_block (self, block);
}

/* Pushes all blocks that @next gives; drops them if downstream takes no
 * more. */
static GstFlowReturn
put_out_all (NdaResampleInput * self, GstBuffer * (*next) (NdaResampler *))
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *block;

  do {
    block = next (self->conversion.resampler);
    tell_steering (self);
    if (block && flow == GST_FLOW_OK)
      flow = put_out (self, block);
    else if (block)
      gst_buffer_unref (block);
  } while (block);
  return flow;
}

static void
restart_following (NdaResampleInput * self)
{
  nda_adaptive_restart (&self->conversion.adaptive);
  tell_news (self);
}

/* Pushes the rest of the run of frames. */
static void
drain (NdaResampleInput * self)
{
  if (self->conversion.resampler)
    put_out_all (self, nda_resampler_drain);
  restart_following (self);
}

void
nda_resample_input_drain (NdaResampleInput * self)
{
  drain (self);
  nda_block_input_drain (&self->blocks);
}

static void
flush (NdaResampleInput * self)
{
  nda_conversion_flush (&self->conversion);
  restart_following (self);
}

/* Ends the output of one conversion, if there was any, before another. */
static void
cut (NdaResampleInput * self)
{
  if (!nda_conversion_is_open (&self->conversion))
    return;
  nda_resample_input_drain (self);
  nda_regroup_mark_gap (self->blocks.regroup);
}

/* --- negotiation --- */

static gboolean
is_live (NdaResampleInput * self)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (self->sinkpad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

static void
warn_if_less_exact (NdaResampleInput * self)
{
  if (!nda_conversion_is_less_exact (&self->conversion))
    return;
  GST_ELEMENT_WARNING (self->element, CORE, MISSING_PLUGIN,
      (_("The quality “very-high” needs libsoxr, and this nda was built "
              "without it: the sound is resampled to 140 dB instead. Install "
              "libsoxr and build nda again.")),
      ("%d Hz to %d Hz", self->conversion.in.rate, self->conversion.out.rate));
}

/* Opens a conversion from @in to @out; all earlier frames have gone out. */
static gboolean
open_conversion (NdaResampleInput * self, const GstAudioInfo * in,
    const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings, GstClock * device)
{
  /* upstream is asked only if the answer makes a difference */
  gboolean live = settings->latency == NDA_LATENCY_AUTO
      && in->rate != out->rate && is_live (self);
  g_autoptr (GError) error = NULL;

  if (!nda_conversion_open (&self->conversion, in, out, out_caps, settings,
          device, live, &error)) {
    GST_ELEMENT_ERROR (self->element, LIBRARY, SETTINGS, ("%s",
            error->message), ("from %" GST_PTR_FORMAT, out_caps));
    return FALSE;
  }
  warn_if_less_exact (self);
  nda_resample_shared_set_latency (self->shared,
      nda_conversion_get_latency (&self->conversion));
  GST_INFO_OBJECT (self->element, "from %d Hz %s to %d Hz %s%s", in->rate,
      in->finfo->name, out->rate, out->finfo->name,
      self->conversion.adaptive.is_on ? ", following a clock" : "");
  return TRUE;
}

/* Does the same if only the settings may have changed. */
static gboolean
convert_as_asked (NdaResampleInput * self, const GstAudioInfo * in,
    const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings)
{
  g_autoptr (GstClock) device =
      nda_resample_shared_get_device_clock (self->shared);
  gboolean ok = TRUE;

  if (nda_conversion_must_open (&self->conversion, in, out, settings, device)) {
    cut (self);
    ok = open_conversion (self, in, out, out_caps, settings, device);
  } else if (!nda_conversion_adjust (&self->conversion, settings, device)) {
    return TRUE;
  }
  tell_what_goes_on (self);
  return ok;
}

static GstCaps *
choose_caps (NdaResampleInput * self, GstCaps * in, guint rate)
{
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (self->srcpad);
  g_autoptr (GstCaps) downstream = gst_pad_peer_query_caps (self->srcpad,
      template);
  g_autoptr (GstCaps) possible = gst_caps_intersect (downstream, template);
  GstCaps *out = nda_resample_caps_choose (in, possible, rate);

  if (!out)
    GST_WARNING_OBJECT (self->element, "%" GST_PTR_FORMAT " cannot become %"
        GST_PTR_FORMAT, in, downstream);
  return out;
}

/* Agrees with downstream on the output for @in, and sends it the caps with
 * @seqnum. */
static GstFlowReturn
negotiate (NdaResampleInput * self, GstCaps * in_caps, guint32 seqnum)
{
  NdaResampleSettings settings =
      nda_resample_shared_get_settings (self->shared);
  g_autoptr (GstCaps) out_caps = choose_caps (self, in_caps, settings.rate);
  GstAudioInfo in, out;
  GstEvent *event;

  if (!out_caps || !gst_audio_info_from_caps (&in, in_caps)
      || !gst_audio_info_from_caps (&out, out_caps)
      || !convert_as_asked (self, &in, &out, out_caps, &settings))
    return nda_block_event_flow (self->srcpad, GST_EVENT_CAPS, FALSE);
  event = gst_event_new_caps (out_caps);
  gst_event_set_seqnum (event, seqnum);
  return nda_block_input_event (&self->blocks, event);
}

static GstFlowReturn
take_caps (NdaResampleInput * self, GstEvent * event)
{
  GstCaps *caps;
  GstFlowReturn flow;

  gst_event_parse_caps (event, &caps);
  gst_pad_check_reconfigure (self->srcpad);
  flow = negotiate (self, caps, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return flow;
}

/* Downstream, or a property, has changed. */
static gboolean
renegotiate (NdaResampleInput * self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->sinkpad);

  if (!caps || negotiate (self, caps, gst_util_seqnum_next ()) == GST_FLOW_OK)
    return TRUE;
  gst_pad_mark_reconfigure (self->srcpad);
  return FALSE;
}

/* --- events and data --- */

GstFlowReturn
nda_resample_input_event (NdaResampleInput * self, GstEvent * event)
{
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

/* Notes that @n_frames have come, at the time of the pipeline's clock. */
static void
observe (NdaResampleInput * self, guint n_frames)
{
  NdaAdaptive *adaptive = &self->conversion.adaptive;
  g_autoptr (GstClock) clock = adaptive->is_on ?
      gst_element_get_clock (self->element) : NULL;

  nda_adaptive_observe (adaptive, clock, n_frames);
  tell_news (self);
}

static void
take_over (NdaResampleInput * self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->srcpad);

  GST_INFO_OBJECT (self->element, "there are two clocks, %.1f ppm apart",
      nda_adaptive_get_facts (&self->conversion.adaptive).drift_ppm);
  nda_conversion_take_over (&self->conversion, caps);
  tell_steering (self);
  nda_resample_shared_set_latency (self->shared,
      nda_conversion_get_latency (&self->conversion));
}

/* Called before a buffer passes. TRUE: it must not pass, because there are two
 * clocks; all earlier frames have gone out. */
static gboolean
watch (NdaResampleInput * self)
{
  NdaAdaptive *adaptive = &self->conversion.adaptive;
  gboolean is_proven;

  if (!nda_adaptive_is_watching (adaptive))
    return FALSE;
  is_proven = nda_adaptive_watch (adaptive);
  tell_what_goes_on (self);
  if (!is_proven || nda_regroup_get_n_waiting (self->blocks.regroup) > 0)
    return FALSE;
  take_over (self);
  return TRUE;
}

static GstFlowReturn
resample (NdaResampleInput * self, GstBuffer * buffer, guint n_frames)
{
  NdaResampler *resampler = self->conversion.resampler;
  GstFlowReturn flow;

  if (!nda_resampler_follows (resampler, buffer, n_frames))
    nda_resample_input_drain (self);
  observe (self, n_frames);
  if (!nda_resampler_push (resampler, buffer, n_frames)) {
    GST_ELEMENT_ERROR (self->element, RESOURCE, READ,
        (_("A buffer of audio cannot be read.")), ("no map of its memory"));
    return GST_FLOW_ERROR;
  }
  flow = put_out_all (self, nda_resampler_pop);
  if (flow != GST_FLOW_OK)
    flush (self);
  return flow;
}

/* FALSE, with *@flow: @buffer cannot go on. */
static gboolean
count_frames (NdaResampleInput * self, GstBuffer * buffer, guint * n_frames,
    GstFlowReturn * flow)
{
  const NdaConversion *conversion = &self->conversion;
  g_autoptr (GError) error = NULL;

  if (!nda_conversion_is_open (conversion)) {
    *flow = GST_PAD_IS_FLUSHING (self->srcpad) ? GST_FLOW_FLUSHING :
        GST_FLOW_NOT_NEGOTIATED;
    return FALSE;
  }
  if (!nda_block_count_frames (buffer, &conversion->in, n_frames, &error)) {
    GST_ELEMENT_ERROR (self->element, STREAM, FORMAT, ("%s", error->message),
        ("no whole number of frames"));
    *flow = GST_FLOW_ERROR;
    return FALSE;
  }
  nda_resample_shared_count_in (self->shared, *n_frames);
  return TRUE;
}

GstFlowReturn
nda_resample_input_chain (NdaResampleInput * self, GstBuffer * buffer)
{
  GstFlowReturn flow;
  guint n_frames;

  if (gst_pad_check_reconfigure (self->srcpad) && !renegotiate (self))
    nda_conversion_close (&self->conversion);
  if (!count_frames (self, buffer, &n_frames, &flow)) {
    gst_buffer_unref (buffer);
    return flow;
  }
  if (self->conversion.resampler || watch (self))
    return resample (self, buffer, n_frames);
  if (GST_BUFFER_IS_DISCONT (buffer))
    restart_following (self);
  observe (self, n_frames);
  return nda_block_input_chain (&self->blocks, buffer);
}

/* --- any thread --- */

GstClockTime
nda_resample_input_get_latency (NdaResampleInput * self)
{
  GstClockTime latency = nda_resample_shared_get_latency (self->shared);

  return latency ? latency : nda_block_input_get_latency (&self->blocks);
}

void
nda_resample_input_restart_later (NdaResampleInput * self)
{
  nda_adaptive_restart_later (&self->conversion.adaptive);
}

/* --- life cycle --- */

/* The rest of @self is zero. */
void
nda_resample_input_init (NdaResampleInput * self, NdaResampleShared * shared,
    GstPad * sinkpad, GstPad * srcpad, const NdaConverterMaker * const *makers)
{
  self->element = shared->element;
  self->shared = shared;
  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  nda_conversion_init (&self->conversion, makers);
  nda_block_input_init (&self->blocks, self->element, &to_srcpad);
  nda_block_input_set_owner (&self->blocks, self);
}

void
nda_resample_input_clear (NdaResampleInput * self)
{
  nda_conversion_close (&self->conversion);
  nda_block_input_clear (&self->blocks);
}

void
nda_resample_input_reset (NdaResampleInput * self)
{
  nda_adaptive_stop (&self->conversion.adaptive);
  tell_what_goes_on (self);
  nda_conversion_close (&self->conversion);
  nda_block_input_reset (&self->blocks);
  nda_resample_shared_forget_latency (self->shared);
}
