/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasourceprobe.h"

#include "ndablock.h"
#include "ndalog.h"
#include "ndapositions.h"

#include <glib/gi18n-lib.h>

/* The longest period: one to record and two to play are 50 ms */
#define MAX_PERIOD (50 * GST_MSECOND / 3)

/* --- what comes --- */

/* Counts lost sound, and posts a warning at most once a second. */
static void
count_overrun (NdaSourceProbe * self)
{
  guint64 n_lost =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());

  nda_meter_count_overrun (self->meter);
  if (n_lost)
    GST_ELEMENT_WARNING (self->bin, CORE, CLOCK,
        (_("The source has lost some sound. The computer was too busy to take "
                "it for longer than the device can keep it.")),
        ("%" G_GUINT64_FORMAT " times since the last report", n_lost));
}

/* How much more of what the device counted turns out, at this buffer, to be
 * missing; negative, where it was only late. By two clocks, the pipeline's is
 * that of another device. */
static GstClockTimeDiff
find_missing (NdaSourceProbe * self, GstBuffer * buffer,
    NdaClocksRelation relation)
{
  const GstAudioInfo *info = &self->silence.info;
  GstClockTime running = gst_element_get_current_running_time (self->bin);
  GstClockTimeDiff by_system;
  GstClockTime counted;

  if (!GST_CLOCK_TIME_IS_VALID (running) || !info->bpf)
    return 0;
  self->n_frames += gst_buffer_get_size (buffer) / info->bpf;
  counted = gst_util_uint64_scale (self->n_frames, GST_SECOND, info->rate);
  by_system = GST_CLOCK_DIFF (counted, gst_util_get_timestamp ());
  return nda_lag_note (&self->lag, relation == NDA_CLOCKS_TWO ? by_system :
      GST_CLOCK_DIFF (counted, running), by_system);
}

/* A device that counts on where it lost frames stamps later ones too early.
 * Mends the time stamp, and returns TRUE where frames turn out to be lost. By
 * two clocks the source stamps by the pipeline's, and only the loss counts. */
static gboolean
make_good_lag (NdaSourceProbe * self, GstBuffer ** buffer)
{
  NdaClocksRelation relation = nda_clocks_get_relation (self->clocks);
  GstClockTimeDiff more = 0, missing;

  if (GST_BUFFER_IS_DISCONT (*buffer) || relation == NDA_CLOCKS_UNKNOWN
      || g_atomic_int_compare_and_exchange (&self->was_paused, TRUE, FALSE))
    nda_lag_restart (&self->lag);
  else
    more = find_missing (self, *buffer, relation);
  missing = relation == NDA_CLOCKS_TWO ? 0 : self->lag.missing;
  if (relation == NDA_CLOCKS_TWO)
    more = MAX (more, 0);
  if ((!more && !missing) || !GST_BUFFER_PTS_IS_VALID (*buffer))
    return FALSE;
  *buffer = gst_buffer_make_writable (*buffer);
  GST_BUFFER_PTS (*buffer) += missing;
  if (more) {
    NDA_LOG_INFO (self->bin, "%" GST_STIME_FORMAT " of sound is missing",
        GST_STIME_ARGS (more));
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
  }
  return more > 0;
}

/* Warns once: the period is the setting of another program, or the user's. */
static void
tell_period (NdaSourceProbe * self, GstClockTime period)
{
  guint n_frames = gst_util_uint64_scale_round (period, NDA_BLOCK_RATE,
      GST_SECOND);

  self->has_told_period = TRUE;
  GST_ELEMENT_WARNING (self->bin, RESOURCE, SETTINGS,
      (_("The sound server works in periods of %u frames, too long for a "
              "latency of 50 ms. With PipeWire “pw-metadata -n settings 0 "
              "clock.force-quantum %u” sets a shorter one until its next "
              "start; jackd takes “--period %u” when it is started."),
          n_frames, NDA_BLOCK_FRAMES, NDA_BLOCK_FRAMES),
      ("%" GST_TIME_FORMAT " come at once", GST_TIME_ARGS (period)));
}

/* A buffer has come from a device. */
static void
note_burst (NdaSourceProbe * self, GstBuffer * buffer)
{
  const GstAudioInfo *info = &self->silence.info;
  GstClockTime period;

  if (self->has_told_period || !info->bpf)
    return;
  period = nda_bursts_note (&self->bursts, gst_util_get_timestamp (),
      nda_block_frames_to_time (gst_buffer_get_size (buffer) / info->bpf,
          info->rate));
  if (period > MAX_PERIOD && nda_watch_is_steady (self->watch))
    tell_period (self, period);
}

/* Handles a buffer of the source. FALSE: it has to be dropped. */
static gboolean
take_buffer (NdaSourceProbe * self, GstBuffer ** buffer)
{
  gboolean says_lost = GST_BUFFER_IS_DISCONT (*buffer)
      && g_atomic_int_get (&self->has_started);
  gboolean lacks_some;

  if (nda_loss_get_state (self->loss) == NDA_LOSS_AWAY)
    return FALSE;
  self->is_resuming |= nda_loss_note_buffer (self->loss);
  note_burst (self, *buffer);
  if (self->is_resuming) {
    if (nda_silence_overlaps (&self->silence, *buffer))
      return FALSE;
    self->is_resuming = FALSE;
    nda_lag_forget (&self->lag);
    *buffer = gst_buffer_make_writable (*buffer);
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_DISCONT);
    return TRUE;
  }
  lacks_some = make_good_lag (self, buffer) || says_lost;
  if (lacks_some && !nda_meter_has_run_away (self->meter))
    count_overrun (self);
  return TRUE;
}

/* Every buffer of the source, on its streaming thread, or silence instead. */
static GstPadProbeReturn
nda_source_probe_on_buffer (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  NdaSourceProbe *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (!self->silence.is_own && !take_buffer (self, &buffer))
    return GST_PAD_PROBE_DROP;
  info->data = buffer;
  nda_silence_note_buffer (&self->silence, buffer);
  g_atomic_int_set (&self->has_started, TRUE);
  g_atomic_int_set (&self->has_played, TRUE);
  return GST_PAD_PROBE_OK;
}

/* Whether @event comes only because the source was opened again, or ended with
 * its device: downstream must not get it. */
static gboolean
is_hidden (NdaSourceProbe * self, GstEvent * event)
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

/* Whether @event brings caps that audioconvert must not get. */
static gboolean
is_too_much (NdaSourceProbe * self, GstEvent * event)
{
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return FALSE;
  gst_event_parse_caps (event, &caps);
  return !nda_positions_check (self->bin, caps);
}

/* A new segment begins with DISCONT, but nothing is lost. */
static GstPadProbeReturn
nda_source_probe_on_event (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  NdaSourceProbe *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (!GST_EVENT_IS_SERIALIZED (event))
    return GST_PAD_PROBE_OK;
  if (!self->silence.is_own
      && nda_loss_get_state (self->loss) != NDA_LOSS_HERE
      && is_hidden (self, event))
    return GST_PAD_PROBE_DROP;
  if (is_too_much (self, event))
    return GST_PAD_PROBE_DROP;
  nda_silence_note_event (&self->silence, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    g_atomic_int_set (&self->has_started, FALSE);
  return GST_PAD_PROBE_OK;
}

/* --- a source that is away --- */

/* Takes the same lock as the first buffer of the source. */
void
nda_source_probe_pass_time (NdaSourceProbe * self, GstClock * clock)
{
  GST_PAD_STREAM_LOCK (self->silence.pad);
  if (nda_loss_get_state (self->loss) != NDA_LOSS_HERE)
    nda_silence_push (&self->silence, clock);
  GST_PAD_STREAM_UNLOCK (self->silence.pad);
}

void
nda_source_probe_end (NdaSourceProbe * self)
{
  nda_silence_push_eos (&self->silence);
}

/* --- its life --- */

void
nda_source_probe_init (NdaSourceProbe * self, GstElement * bin,
    NdaMeter * meter, NdaClocks * clocks, NdaLoss * loss, NdaWatch * watch)
{
  self->bin = bin;
  self->meter = meter;
  self->clocks = clocks;
  self->loss = loss;
  self->watch = watch;
}

void
nda_source_probe_clear (NdaSourceProbe * self)
{
  nda_silence_clear (&self->silence);
}

void
nda_source_probe_add (NdaSourceProbe * self, GstElement * first)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (first, "sink");

  nda_silence_init (&self->silence, self->bin, pad);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER,
      nda_source_probe_on_buffer, self, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      nda_source_probe_on_event, self, NULL);
}

void
nda_source_probe_start (NdaSourceProbe * self)
{
  g_atomic_int_set (&self->has_started, FALSE);
  g_atomic_int_set (&self->has_played, FALSE);
  self->is_resuming = FALSE;
  nda_lag_forget (&self->lag);
  nda_bursts_restart (&self->bursts);
  self->has_told_period = FALSE;
}

/* After a pause a device takes some time to go on, and its clock and the
 * pipeline's may not take the same time. */
void
nda_source_probe_play (NdaSourceProbe * self)
{
  g_atomic_int_set (&self->was_paused, TRUE);
}

gboolean
nda_source_probe_has_played (NdaSourceProbe * self)
{
  return g_atomic_int_get (&self->has_played);
}

gboolean
nda_source_probe_is_waiting (NdaSourceProbe * self)
{
  GstPad *pad = self->silence.pad;

  if (!pad || GST_PAD_IS_EOS (pad) || !GST_PAD_STREAM_TRYLOCK (pad))
    return FALSE;
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}
