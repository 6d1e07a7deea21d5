/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasinkprobe.h"

#include "ndabalance.h"
#include "ndalog.h"
#include "ndapace.h"
#include "ndaplayout.h"
#include "ndaunheard.h"

#include <glib/gi18n-lib.h>

#define PROBE_KEY "nda-sink-probe"

/* Silence is inserted if the latency has grown by more than this */
#define LATENCY_GROWTH (1 * GST_MSECOND)

/* Buffers until a device has started, and the number of buffers after which its
 * lateness is known */
#define N_STARTING 8
#define N_SETTLING 16
/* The smallest error that is corrected. The correction leaves half of the
 * amount that a sound server's device takes at a time (5.3 ms), since the
 * device takes that much before it is heard. */
#define WORTH_CORRECTING (3 * GST_MSECOND)
#define LEFT_FOR_DEVICE (2500 * GST_USECOND)

/* One for each sink; the probe of its pad owns it. Fields that are not [const]
 * belong to the sink's thread. */
typedef struct
{
  GstElement *owner;            /* [const] not owned; outlives this */
  NdaPlayout playout;           /* [const] of the sink */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaClocks *clocks;            /* [const] not owned; has its own lock */

  GstClockTime base_time;       /* of the current run */
  /* PipeWire in PulseAudio's place takes a whole period at a time, and its
   * latency is planned for that */
  gboolean is_pulse_of_pipewire;        /* the device, in this run */
  GstClockTimeDiff delay;       /* of the device, in this run */
  guint n_seen;                 /* buffers in this run, up to N_SETTLING */
  GstClockTimeDiff least_late;  /* of those after N_STARTING */
  guint64 n_surplus;            /* frames still to be left out */
  GstClockTime latency;         /* of the pipeline, in this run */
  NdaBalance balance;
  NdaUnheard unheard;
  gboolean has_begun;           /* the device, in this run */
  NdaPace pace;                 /* of the device, in this run */
  NdaReportLimit report;        /* of underruns */
} NdaSinkProbe;

static void
report_underrun (NdaSinkProbe * self, GstClockTimeDiff lateness)
{
  guint64 n_late =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());

  if (n_late)
    GST_ELEMENT_WARNING (self->owner, CORE, CLOCK,
        (_("Sound came too late for the device and was not heard in time. "
                "The computer was too busy, or a source or plugin too slow.")),
        ("%" G_GUINT64_FORMAT " buffers since the last report, the last one %"
            GST_STIME_FORMAT " late", n_late, GST_STIME_ARGS (lateness)));
}

/* The age of @buffer; negative, if it comes before its time. FALSE: @sink does
 * not play by the clock. */
static gboolean
get_age (GstBaseSink * sink, GstBuffer * buffer, GstClockTimeDiff * age)
{
  GstClockTime begin, now;

  if (!gst_base_sink_get_sync (sink) || !GST_BUFFER_PTS_IS_VALID (buffer)
      || GST_STATE (sink) != GST_STATE_PLAYING
      || sink->segment.format != GST_FORMAT_TIME)
    return FALSE;
  begin = gst_segment_to_running_time (&sink->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
  now = gst_element_get_current_running_time (GST_ELEMENT (sink));
  if (!GST_CLOCK_TIME_IS_VALID (begin) || !GST_CLOCK_TIME_IS_VALID (now))
    return FALSE;
  *age = GST_CLOCK_DIFF (begin, now);
  return TRUE;
}

/* Notes one of the first buffers, which will be heard at the age of @heard.
 * After the last of them the surplus is known. */
static void
settle (NdaSinkProbe * self, GstBaseSink * sink, GstClockTimeDiff heard,
    GstClockTime latency, const GstAudioInfo * info)
{
  GstClockTimeDiff late = heard - (GstClockTimeDiff) latency;
  GstClockTime surplus;

  if (++self->n_seen > N_STARTING)
    self->least_late = MIN (self->least_late, late);
  if (self->n_seen < N_SETTLING
      || self->least_late < (GstClockTimeDiff) WORTH_CORRECTING)
    return;
  surplus = self->least_late
      - (self->is_pulse_of_pipewire ? 0 : LEFT_FOR_DEVICE);
  self->n_surplus = gst_util_uint64_scale (surplus, info->rate, GST_SECOND);
  nda_playout_tell_clock (&self->playout, surplus);
  NDA_LOG_INFO (self->owner, "the device began late; %" G_GUINT64_FORMAT
      " frames are left out to bring it back to a latency of %"
      GST_TIME_FORMAT, self->n_surplus, GST_TIME_ARGS (latency));
}

/* Leaves the surplus out of the buffer in @info; that may be the whole
 * buffer. */
static GstPadProbeReturn
leave_out (NdaSinkProbe * self, GstPadProbeInfo * info,
    const GstAudioInfo * audio)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gsize n_frames = gst_buffer_get_size (buffer) / audio->bpf;
  GstClockTime cut, pts = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  gsize n_cut = MIN (n_frames, self->n_surplus);

  self->n_surplus -= n_cut;
  nda_meter_count_skipped (self->meter, n_cut);
  if (n_cut == n_frames)
    return GST_PAD_PROBE_DROP;
  cut = gst_util_uint64_scale (n_cut, GST_SECOND, audio->rate);
  buffer = gst_audio_buffer_truncate (buffer, audio->bpf, n_cut, -1);
  GST_BUFFER_PTS (buffer) = pts + cut;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    GST_BUFFER_DURATION (buffer) = duration - cut;
  info->data = buffer;
  return GST_PAD_PROBE_OK;
}

static void
put_silence_before (NdaSinkProbe * self, GstPadProbeInfo * info,
    guint64 n_frames, const GstAudioInfo * audio)
{
  info->data =
      nda_playout_put_silence_before (GST_PAD_PROBE_INFO_BUFFER (info),
      n_frames, audio);
  nda_meter_count_silent (self->meter, n_frames);
}

/* If the latency of the pipeline changes, a sink plays on as before, and sound
 * that comes later would be too late. If the latency has grown, this puts that
 * much silence before the buffer in @info. (Starting the sink again would make
 * it late again.) */
static void
grow_latency (NdaSinkProbe * self, GstPadProbeInfo * info, GstClockTime latency,
    const GstAudioInfo * audio)
{
  if (self->latency != 0 && latency > self->latency + LATENCY_GROWTH) {
    NDA_LOG_INFO (self->owner, "the latency has grown from %" GST_TIME_FORMAT
        " to %" GST_TIME_FORMAT, GST_TIME_ARGS (self->latency),
        GST_TIME_ARGS (latency));
    put_silence_before (self, info, gst_util_uint64_scale (latency -
            self->latency, audio->rate, GST_SECOND), audio);
    nda_balance_restart (&self->balance);
  }
  self->latency = latency;
}

static void
go_on (NdaSinkProbe * self, GstBaseSink * sink, GstPadProbeInfo * info,
    const GstAudioInfo * audio)
{
  NDA_LOG_INFO (self->owner, "all sound comes %" GST_STIME_FORMAT
      " too late for the device: it goes on where that is",
      GST_STIME_ARGS (-self->balance.first_behind));
  nda_balance_restart (&self->balance);
  info->data =
      nda_playout_go_on (&self->playout, GST_PAD_PROBE_INFO_BUFFER (info),
      audio);
}

/* All sound is heard @step later than before, or earlier, if negative. Moves it
 * back, unless an ndaresample follows the device and does so itself. */
static void
make_good_step (NdaSinkProbe * self, GstPadProbeInfo * info,
    GstClockTimeDiff step, const GstAudioInfo * audio)
{
  guint64 n_frames = gst_util_uint64_scale (ABS (step), audio->rate,
      GST_SECOND);

  if (nda_clocks_is_following (self->clocks)) {
    nda_balance_restart (&self->balance);
    return;
  }
  NDA_LOG_INFO (self->owner, "the device has stepped: all sound is heard %"
      GST_STIME_FORMAT " later, and is moved back", GST_STIME_ARGS (step));
  nda_playout_tell_clock (&self->playout, step);
  if (step > 0)
    self->n_surplus = n_frames;
  else
    put_silence_before (self, info, n_frames, audio);
}

/* A device of PipeWire may also begin early, by most of a period, and be heard
 * sooner than the latency of the pipeline says. Puts silence before the buffer
 * in @info, once. */
static void
make_good_early_start (NdaSinkProbe * self, GstPadProbeInfo * info,
    const GstAudioInfo * audio)
{
  GstClockTimeDiff early = -self->least_late;

  if (self->n_seen < N_SETTLING || early < (GstClockTimeDiff) WORTH_CORRECTING
      || !self->is_pulse_of_pipewire)
    return;
  NDA_LOG_INFO (self->owner, "the device began %" GST_STIME_FORMAT " early",
      GST_STIME_ARGS (early));
  nda_playout_tell_clock (&self->playout, -early);
  put_silence_before (self, info, gst_util_uint64_scale (early, audio->rate,
          GST_SECOND), audio);
}

/* Counts a buffer that has come to a sink without a device. */
static void
count (NdaSinkProbe * self, GstClockTimeDiff age, GstClockTime latency)
{
  GstClockTimeDiff late = age - (GstClockTimeDiff) latency;

  nda_meter_count_arrival (self->meter, latency + MAX (late, 0), late > 0);
  if (late > 0)
    report_underrun (self, late);
}

/* Counts a buffer that has come to a device, which takes it @left from now. Its
 * age by the pipeline's clock does not count: the clock of a sound server's
 * microphone wanders by milliseconds. */
static void
count_left (NdaSinkProbe * self, GstClockTimeDiff heard, GstClockTimeDiff left)
{
  nda_meter_count_arrival (self->meter, MAX (heard, 0), left < 0);
  if (left < 0)
    report_underrun (self, -left);
}

/* After a gap a sink starts again at a position of its clock, which may have
 * wandered. So its start is corrected again. */
static void
settle_again (NdaSinkProbe * self)
{
  self->n_seen = 0;
  self->least_late = G_MAXINT64;
  self->n_surplus = 0;
  nda_balance_restart (&self->balance);
}

static void
begin (NdaSinkProbe * self, GstClockTime base_time)
{
  GstElement *device = GST_ELEMENT (self->playout.sink);

  self->base_time = base_time;
  self->latency = 0;
  self->has_begun = FALSE;
  self->is_pulse_of_pipewire = nda_device_kind_is_pulse_of_pipewire (device);
  self->delay = nda_device_kind_get_delay (device);
  nda_balance_set_estimated (&self->balance, self->is_pulse_of_pipewire);
  nda_pace_restart (&self->pace);
  nda_unheard_restart (&self->unheard);
  settle_again (self);
}

/* Counts late frames, up to the half of a period that the device takes next, if
 * the device takes the buffer @left from now. */
static gint64
count_late (GstClockTimeDiff left, GstClockTime ahead,
    const GstAudioInfo * audio)
{
  GstClockTime at_once = MAX (ahead / 2, 1);

  return left >= 0 ? 0 :
      gst_util_uint64_scale_round ((-left + at_once - 1) / at_once * at_once,
      audio->rate, GST_SECOND);
}

/* Counts silent frames. Before its start the device plays silence, which does
 * not count. */
static void
count_unheard (NdaSinkProbe * self, GstBuffer * buffer, guint64 end,
    gint64 n_late, const GstAudioInfo * audio)
{
  guint64 n_silent = nda_unheard_note (&self->unheard, end, n_late,
      gst_buffer_get_size (buffer) / audio->bpf);

  if (self->has_begun)
    nda_meter_count_silent (self->meter, n_silent);
}

/* Whether the device, which has played up to @played, has no pace: then nothing
 * of it is worth counting. By one clock, the pipeline has none either. */
static gboolean
runs_away (NdaSinkProbe * self, GstClockTime played)
{
  GstElement *sink = GST_ELEMENT (self->playout.sink);
  GstClockTime time = nda_playout_can_go_on (&self->playout) ?
      gst_element_get_current_running_time (sink) : gst_util_get_timestamp ();

  return nda_pace_note (&self->pace, played, time);
}

/* The age of @buffer, from any zero. */
static GstClockTimeDiff
get_age_by_system (GstBuffer * buffer)
{
  return GST_CLOCK_DIFF (GST_BUFFER_PTS (buffer), gst_util_get_timestamp ());
}

/* A buffer of @age has come to a device, which has played up to @played, has
 * sound until @held from now, and takes the buffer in @left. */
static void
keep_up (NdaSinkProbe * self, GstPadProbeInfo * info, GstClockTimeDiff age,
    GstClockTimeDiff held, GstClockTimeDiff left, GstClockTime played,
    const GstAudioInfo * audio)
{
  GstBaseSink *sink = self->playout.sink;
  GstClockTimeDiff heard = age + MAX (held, 0) + self->delay;
  GstClockTimeDiff step = 0;

  if (self->has_begun && !self->n_surplus)
    count_left (self, heard, left);
  if (self->n_seen < N_SETTLING) {
    settle (self, sink, heard, self->latency, audio);
    make_good_early_start (self, info, audio);
    self->has_begun |= self->n_seen == N_SETTLING;
  } else if (!self->n_surplus) {
    step = nda_balance_note (&self->balance,
        heard - (GstClockTimeDiff) self->latency,
        get_age_by_system (GST_PAD_PROBE_INFO_BUFFER (info)) + MAX (held, 0),
        held);
  }
  if (step != 0)
    make_good_step (self, info, step, audio);
  if (nda_balance_is_behind (&self->balance, left, played)
      && nda_playout_can_go_on (&self->playout))
    go_on (self, sink, info, audio);
}

static GstPadProbeReturn
nda_sink_probe_on_buffer (NdaSinkProbe * self, GstBaseSink * sink,
    GstPadProbeInfo * info, GstClockTimeDiff age)
{
  GstClockTime base_time = gst_element_get_base_time (GST_ELEMENT (sink));
  GstClockTime latency = gst_base_sink_get_latency (sink);
  GstPadProbeReturn result = GST_PAD_PROBE_OK;
  GstClockTimeDiff held, left;
  GstClockTime ahead, played;
  GstAudioInfo audio;
  guint64 end;

  if (base_time != self->base_time)
    begin (self, base_time);
  else if (GST_BUFFER_IS_DISCONT (GST_PAD_PROBE_INFO_BUFFER (info)))
    settle_again (self);
  gst_audio_info_init (&audio);
  if (!nda_playout_get_format (&self->playout, &audio)) {
    count (self, age, latency);
    return GST_PAD_PROBE_OK;
  }
  grow_latency (self, info, latency, &audio);
  if (!nda_playout_get_held (&self->playout, &audio, &held)
      || !nda_playout_get_end (&self->playout, &end))
    return self->n_surplus ? leave_out (self, info, &audio) : result;
  played = gst_util_uint64_scale (end, GST_SECOND, audio.rate) - held;
  if (runs_away (self, played))
    return GST_PAD_PROBE_OK;
  ahead = nda_playout_get_ahead (&self->playout, &audio);
  /* PipeWire takes it a cycle before it is heard, which is later */
  left = held - (GstClockTimeDiff) (self->is_pulse_of_pipewire ? ahead / 2 :
      ahead);
  keep_up (self, info, age, held, left, played, &audio);
  if (self->n_surplus)
    result = leave_out (self, info, &audio);
  if (result == GST_PAD_PROBE_OK)
    count_unheard (self, GST_PAD_PROBE_INFO_BUFFER (info), end,
        count_late (left, ahead, &audio), &audio);
  return result;
}

static GstPadProbeReturn
nda_sink_probe_on_data (GstPad * pad, GstPadProbeInfo * info,
    gpointer user_data)
{
  NdaSinkProbe *self = user_data;
  GstBaseSink *sink = GST_BASE_SINK (GST_PAD_PARENT (pad));
  GstClockTimeDiff age;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    /* also when a device that had vanished starts again */
    if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info))
        == GST_EVENT_STREAM_START)
      self->base_time = GST_CLOCK_TIME_NONE;
    return GST_PAD_PROBE_OK;
  }
  return get_age (sink, GST_PAD_PROBE_INFO_BUFFER (info), &age) ?
      nda_sink_probe_on_buffer (self, sink, info, age) : GST_PAD_PROBE_OK;
}

void
nda_sink_probe_add (GstBaseSink * sink, GstElement * owner, NdaMeter * meter,
    NdaClocks * clocks)
{
  NdaSinkProbe *self = g_new0 (NdaSinkProbe, 1);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (sink),
      "sink");
  gulong id;

  self->owner = owner;
  self->meter = meter;
  self->clocks = clocks;
  nda_playout_init (&self->playout, sink);
  self->base_time = GST_CLOCK_TIME_NONE;
  id = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, nda_sink_probe_on_data, self,
      g_free);
  g_object_set_data (G_OBJECT (sink), PROBE_KEY, GSIZE_TO_POINTER (id));
}

void
nda_sink_probe_remove (GstBaseSink * sink)
{
  gulong id = GPOINTER_TO_SIZE (g_object_steal_data (G_OBJECT (sink),
          PROBE_KEY));
  g_autoptr (GstPad) pad = id ? gst_element_get_static_pad (GST_ELEMENT (sink),
      "sink") : NULL;

  if (pad)
    gst_pad_remove_probe (pad, id);
}
