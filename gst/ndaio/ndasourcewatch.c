/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasourcewatch.h"

#include <glib/gi18n-lib.h>

/* How long a device that was lost and could be opened may give nothing */
#define MAX_TRIAL_BLOCKS 188

/* --- what comes --- */

/* Tells of sound that the source has lost, now and then. */
static void
report_overrun (NdaSourceWatch * self)
{
  guint64 n_lost =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());

  if (n_lost)
    GST_ELEMENT_WARNING (self->bin, CORE, CLOCK,
        (_("The source has lost some sound. The computer was too busy to take "
                "it for longer than the device can keep it.")),
        ("%" G_GUINT64_FORMAT " times since the last report", n_lost));
}

/* A buffer of the source; FALSE when it has to be dropped. */
static gboolean
take_buffer (NdaSourceWatch * self, GstBuffer ** buffer)
{
  if (nda_loss_get_state (&self->loss) == NDA_LOSS_AWAY)
    return FALSE;
  self->is_resuming |= nda_loss_note_buffer (&self->loss);
  if (self->is_resuming) {
    if (nda_silence_overlaps (&self->silence, *buffer))
      return FALSE;
    self->is_resuming = FALSE;
    *buffer = gst_buffer_make_writable (*buffer);
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
  } else if (GST_BUFFER_IS_DISCONT (*buffer)
      && g_atomic_int_get (&self->has_started)) {
    nda_meter_count_overrun (self->meter);
    report_overrun (self);
  }
  return TRUE;
}

/* Every buffer of the source, on its streaming thread, or silence instead. */
static GstPadProbeReturn
on_source_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  NdaSourceWatch *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (!self->silence.is_own && !take_buffer (self, &buffer))
    return GST_PAD_PROBE_DROP;
  info->data = buffer;
  nda_silence_note_buffer (&self->silence, buffer);
  g_atomic_int_set (&self->has_started, TRUE);
  g_atomic_int_set (&self->has_played, TRUE);
  return GST_PAD_PROBE_OK;
}

/* Of a source that is opened again, or that ends because its device is lost:
 * whether the stream goes on as if that had not been. */
static gboolean
is_told_already (NdaSourceWatch * self, GstEvent * event)
{
  const GstSegment *segment;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_EOS:
      return TRUE;
    case GST_EVENT_SEGMENT:
      gst_event_parse_segment (event, &segment);
      return gst_segment_is_equal (segment, &self->silence.segment);
    default:
      return FALSE;
  }
}

/* A new segment begins with DISCONT, which is no loss. */
static GstPadProbeReturn
on_source_event (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  NdaSourceWatch *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (!GST_EVENT_IS_SERIALIZED (event))
    return GST_PAD_PROBE_OK;
  if (!self->silence.is_own
      && nda_loss_get_state (&self->loss) != NDA_LOSS_HERE
      && is_told_already (self, event))
    return GST_PAD_PROBE_DROP;
  nda_silence_note_event (&self->silence, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    g_atomic_int_set (&self->has_started, FALSE);
  return GST_PAD_PROBE_OK;
}

/* --- a source that is away --- */

static void
count_loss (gpointer user_data)
{
  nda_meter_count_device_loss (((NdaSourceWatch *) user_data)->meter);
}

static void
pass_time (gpointer user_data, GstClock * clock)
{
  NdaSourceWatch *self = user_data;

  /* under which the source's first buffer passes */
  GST_PAD_STREAM_LOCK (self->silence.pad);
  if (nda_loss_get_state (&self->loss) != NDA_LOSS_HERE)
    nda_silence_push (&self->silence, clock);
  GST_PAD_STREAM_UNLOCK (self->silence.pad);
}

/* Its latency may be another. */
static void
resume (gpointer user_data)
{
  GstElement *bin = ((NdaSourceWatch *) user_data)->bin;

  gst_element_post_message (bin, gst_message_new_latency (GST_OBJECT (bin)));
}

static void
end_stream (gpointer user_data)
{
  nda_silence_push_eos (&((NdaSourceWatch *) user_data)->silence);
}

static const NdaLossHooks loss_hooks = {
  .text =
      N_("The device that sound comes from is gone. There is silence in its "
      "place until it is back."),
  .count = count_loss,
  .pass_time = pass_time,
  .resume = resume,
  .end = end_stream,
  .max_trial = MAX_TRIAL_BLOCKS,
};

/* --- its life --- */

void
nda_source_watch_init (NdaSourceWatch * self, GstElement * bin,
    NdaMeter * meter)
{
  self->bin = bin;
  self->meter = meter;
  nda_loss_init (&self->loss, bin, &loss_hooks, self);
}

void
nda_source_watch_clear (NdaSourceWatch * self)
{
  nda_silence_clear (&self->silence);
  nda_loss_clear (&self->loss);
}

void
nda_source_watch_pad (NdaSourceWatch * self, GstElement * first)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (first, "sink");

  nda_silence_init (&self->silence, self->bin, pad);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_source_buffer, self,
      NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      on_source_event, self, NULL);
}

gboolean
nda_source_watch_start (NdaSourceWatch * self, GstElement * source)
{
  g_atomic_int_set (&self->has_started, FALSE);
  g_atomic_int_set (&self->has_played, FALSE);
  self->is_resuming = FALSE;
  return nda_loss_start (&self->loss, source);
}

gboolean
nda_source_watch_has_played (NdaSourceWatch * self)
{
  return g_atomic_int_get (&self->has_played);
}
