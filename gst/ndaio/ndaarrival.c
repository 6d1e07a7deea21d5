/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaarrival.h"

#include <gst/audio/gstaudiobasesink.h>

#include <glib/gi18n-lib.h>

#define PROBE_KEY "nda-arrival-probe"

/* A latency that has grown by more than this is worth a pause */
#define LATENCY_GROWTH (1 * GST_MSECOND)

/* Buffers until a device has started, and as many again to see how late */
#define N_STARTING 8
#define N_SETTLING 16
/* Later than this is worth a correction, which leaves some of it for the
 * jitter of the buffers to come */
#define WORTH_CORRECTING (3 * GST_MSECOND)
#define LEFT_FOR_JITTER (1 * GST_MSECOND)

/* One for each sink that is watched; owned by the probe. All but the first
 * two: [sink's thread] */
typedef struct
{
  GstElement *owner;            /* [const] not owned; outlives the probe */
  NdaMeter *meter;              /* [const] not owned; has its own lock */

  GstClockTime base_time;       /* of the run that is being settled */
  guint n_seen;                 /* buffers in this run, up to N_SETTLING */
  GstClockTime least_age;       /* of those behind N_STARTING */
  guint64 n_surplus;            /* frames still to be left out */
  GstClockTime latency;         /* of the pipeline, in this run */
  NdaReportLimit report;        /* of underruns */
} Arrival;

static void
report_underrun (Arrival * self, GstClockTimeDiff lateness)
{
  guint64 n_late =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());

  if (n_late)
    GST_ELEMENT_WARNING (self->owner, CORE, CLOCK,
        (_("Sound came too late for the device and was not heard in time. The "
                "computer was too busy, or a source or plugin too slow.")),
        ("%" G_GUINT64_FORMAT " buffers since the last report, the last one %"
            GST_STIME_FORMAT " late", n_late, GST_STIME_ARGS (lateness)));
}

/* How old @buffer is, or NONE where @sink does not play by the clock. */
static GstClockTime
age_of (GstBaseSink * sink, GstBuffer * buffer)
{
  GstClockTime begin, now;

  if (!gst_base_sink_get_sync (sink) || !GST_BUFFER_PTS_IS_VALID (buffer)
      || GST_STATE (sink) != GST_STATE_PLAYING
      || sink->segment.format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  begin = gst_segment_to_running_time (&sink->segment, GST_FORMAT_TIME,
      GST_BUFFER_PTS (buffer));
  now = gst_element_get_current_running_time (GST_ELEMENT (sink));
  if (!GST_CLOCK_TIME_IS_VALID (begin) || !GST_CLOCK_TIME_IS_VALID (now))
    return GST_CLOCK_TIME_NONE;
  return now > begin ? now - begin : 0;
}

/* How much sound the device of @sink holds, and its format. 0: no device. */
static GstClockTime
ring_of (GstBaseSink * sink, GstAudioInfo * info)
{
  GstAudioRingBuffer *ring = GST_IS_AUDIO_BASE_SINK (sink) ?
      GST_AUDIO_BASE_SINK (sink)->ringbuffer : NULL;

  if (!ring || !gst_audio_ring_buffer_is_acquired (ring)
      || !ring->spec.info.bpf)
    return 0;
  *info = ring->spec.info;
  return gst_util_uint64_scale ((guint64) ring->spec.seglatency
      * ring->spec.segsize, GST_SECOND, (guint64) info->rate * info->bpf);
}

/* A sink that follows another's clock takes the late start of its device for a
 * skew of the clocks, and once that has gone through its average it makes it
 * good by silence, for which everything after comes late. What is left out
 * here already is none any more: so its clock learns of it, too. */
static void
tell_clock (GstBaseSink * sink, GstClockTime left_out)
{
  GstClock *own = GST_AUDIO_BASE_SINK (sink)->provided_clock;
  g_autoptr (GstClock) followed = gst_element_get_clock (GST_ELEMENT (sink));
  GstClockTime internal, external, num, denom;

  if (!own || own == followed)
    return;
  gst_clock_get_calibration (own, &internal, &external, &num, &denom);
  gst_clock_set_calibration (own, internal, external + left_out, num, denom);
}

/* Learns from a buffer of the start; at the end of it knows the surplus. */
static void
settle (Arrival * self, GstBaseSink * sink, GstClockTime age,
    GstClockTime latency, GstClockTime ring, const GstAudioInfo * info)
{
  GstClockTime planned = latency > ring ? latency - ring : 0;
  GstClockTime surplus;

  if (++self->n_seen > N_STARTING)
    self->least_age = MIN (self->least_age, age);
  if (self->n_seen < N_SETTLING || !ring
      || self->least_age < planned + WORTH_CORRECTING)
    return;
  surplus = self->least_age - planned - LEFT_FOR_JITTER;
  self->n_surplus = gst_util_uint64_scale (surplus, info->rate, GST_SECOND);
  tell_clock (sink, surplus);
  GST_INFO_OBJECT (sink, "the device began late; %" G_GUINT64_FORMAT
      " frames are left out to bring it back to a latency of %"
      GST_TIME_FORMAT, self->n_surplus, GST_TIME_ARGS (latency));
}

/* Leaves out of the buffer in @info what is surplus; all of it, perhaps. */
static GstPadProbeReturn
leave_out (Arrival * self, GstPadProbeInfo * info, const GstAudioInfo * audio)
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

/* @n_frames of silence, and then @buffer (transfer full). */
static GstBuffer *
put_silence_before (GstBuffer * buffer, gsize n_frames,
    const GstAudioInfo * audio)
{
  GstBuffer *longer = gst_buffer_new_allocate (NULL, n_frames * audio->bpf,
      NULL);
  GstMapInfo map;

  if (gst_buffer_map (longer, &map, GST_MAP_WRITE)) {
    gst_audio_format_info_fill_silence (audio->finfo, map.data, map.size);
    gst_buffer_unmap (longer, &map);
  }
  gst_buffer_copy_into (longer, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  GST_BUFFER_DURATION (longer) = GST_CLOCK_TIME_NONE;
  return gst_buffer_append (longer, buffer);
}

/* A sink lets the sound run on as it did when the latency of the pipeline
 * changes, and what then comes later would come too late. Where the latency of a
 * device has grown, as much silence goes before the buffer in @info. (To tell
 * the sink to begin anew would take it back to its late start.) */
static void
grow_latency (Arrival * self, GstPadProbeInfo * info, GstClockTime latency,
    const GstAudioInfo * audio)
{
  if (self->latency != 0 && latency > self->latency + LATENCY_GROWTH
      && audio->bpf) {
    GST_INFO_OBJECT (self->owner, "the latency has grown from %" GST_TIME_FORMAT
        " to %" GST_TIME_FORMAT, GST_TIME_ARGS (self->latency),
        GST_TIME_ARGS (latency));
    info->data = put_silence_before (GST_PAD_PROBE_INFO_BUFFER (info),
        gst_util_uint64_scale (latency - self->latency, audio->rate,
            GST_SECOND), audio);
  }
  self->latency = latency;
}

static void
count (Arrival * self, GstClockTime age, GstClockTime latency,
    GstClockTime ring)
{
  gboolean is_late = age > latency;

  nda_meter_count_arrival (self->meter, MAX (age + ring, latency), is_late);
  if (is_late)
    report_underrun (self, GST_CLOCK_DIFF (latency, age));
}

static GstPadProbeReturn
on_arrival (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Arrival *self = user_data;
  GstBaseSink *sink = GST_BASE_SINK (GST_PAD_PARENT (pad));
  GstClockTime base_time = gst_element_get_base_time (GST_ELEMENT (sink));
  GstClockTime latency, ring, age;
  GstAudioInfo audio;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    /* also when a device that had vanished begins anew */
    if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info))
        == GST_EVENT_STREAM_START)
      self->base_time = GST_CLOCK_TIME_NONE;
    return GST_PAD_PROBE_OK;
  }
  age = age_of (sink, GST_PAD_PROBE_INFO_BUFFER (info));
  if (!GST_CLOCK_TIME_IS_VALID (age))
    return GST_PAD_PROBE_OK;
  if (base_time != self->base_time) {
    self->base_time = base_time;
    self->n_seen = 0;
    self->least_age = GST_CLOCK_TIME_NONE;
    self->n_surplus = 0;
    self->latency = 0;
  }
  latency = gst_base_sink_get_latency (sink);
  gst_audio_info_init (&audio);
  ring = ring_of (sink, &audio);
  if (ring)
    grow_latency (self, info, latency, &audio);

  if (ring && self->n_seen < N_SETTLING)
    settle (self, sink, age, latency, ring, &audio);
  else if (!self->n_surplus)
    count (self, age, latency, ring);
  return self->n_surplus ? leave_out (self, info, &audio) : GST_PAD_PROBE_OK;
}

/* Counts in @meter what arrives at @sink, and warns in the name of @owner. */
void
nda_arrival_watch (GstBaseSink * sink, GstElement * owner, NdaMeter * meter)
{
  Arrival *self = g_new0 (Arrival, 1);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (GST_ELEMENT (sink),
      "sink");
  gulong id;

  self->owner = owner;
  self->meter = meter;
  self->base_time = GST_CLOCK_TIME_NONE;
  id = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_arrival, self, g_free);
  g_object_set_data (G_OBJECT (sink), PROBE_KEY, GSIZE_TO_POINTER (id));
}

void
nda_arrival_unwatch (GstBaseSink * sink)
{
  gulong id = GPOINTER_TO_SIZE (g_object_steal_data (G_OBJECT (sink),
          PROBE_KEY));
  g_autoptr (GstPad) pad = id ? gst_element_get_static_pad (GST_ELEMENT (sink),
      "sink") : NULL;

  if (pad)
    gst_pad_remove_probe (pad, id);
}
