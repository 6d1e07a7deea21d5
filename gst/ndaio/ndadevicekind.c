/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadevicekind.h"

#include "ndablock.h"
#include "ndadevicelist.h"
#include "ndapipewire.h"

#include <gst/audio/gstaudiobasesink.h>
#include <gst/audio/gstaudiobasesrc.h>

/* One block in microseconds; rounded up, so that a period is never shorter */
#define PERIOD_US \
    ((gint64) (NDA_BLOCK_FRAMES * G_USEC_PER_SEC + NDA_BLOCK_RATE - 1) \
        / NDA_BLOCK_RATE)
/* How many periods a sink's buffer holds. Of anything beyond two periods a
 * sound server gives half to the device; it reports the rest as two periods.
 * With two periods it wakes the device every half millisecond, and has one
 * period left when it asks for more. PipeWire also uses half of everything
 * beyond two periods as the quantum of the whole desktop: with four periods
 * that is one block. */
#define N_PERIODS 2
#define N_PERIODS_OF_SERVER 3
#define N_PERIODS_OF_PIPEWIRE 4
/* How much a source's ring buffer holds, to survive a stall */
#define MIN_SOURCE_BUFFER_US (G_GINT64_CONSTANT (100000))

static gboolean
has_default (GstElement * element, const gchar * property)
{
  GParamSpec *pspec = g_object_class_find_property
      (G_OBJECT_GET_CLASS (element), property);
  g_auto (GValue) value = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (element), property, &value);
  return g_param_value_defaults (pspec, &value);
}

/* --- GstAudioBaseSrc --- */

/* Asks for a ring buffer that survives a stall, in periods of one block. */
static void
nda_audio_source_use_periods (GstElement * device, guint n_periods)
{
  gint64 buffer_time;

  if (has_default (device, "latency-time"))
    g_object_set (device, "latency-time", PERIOD_US, NULL);
  g_object_get (device, "buffer-time", &buffer_time, NULL);
  if (buffer_time < MIN_SOURCE_BUFFER_US)
    g_object_set (device, "buffer-time", MIN_SOURCE_BUFFER_US, NULL);
}

/* Makes the source stamp frames with the pipeline's time of their arrival. */
static void
nda_audio_source_ask_to_keep_frames (GstElement * device)
{
  if (has_default (device, "slave-method"))
    g_object_set (device, "slave-method",
        GST_AUDIO_BASE_SRC_SLAVE_RE_TIMESTAMP, NULL);
}

static gboolean
nda_audio_source_keeps_frames (GstElement * device)
{
  GstAudioBaseSrcSlaveMethod method;

  g_object_get (device, "slave-method", &method, NULL);
  return method == GST_AUDIO_BASE_SRC_SLAVE_RE_TIMESTAMP;
}

static GstClock *
nda_audio_source_get_clock (GstElement * device)
{
  GstClock *clock = GST_AUDIO_BASE_SRC (device)->clock;

  return clock ? gst_object_ref (clock) : NULL;
}

/* --- GstAudioBaseSink --- */

/* Asks for the shortest buffer that plays without gaps. */
static void
nda_audio_sink_use_periods (GstElement * device, guint n_periods)
{
  if (has_default (device, "latency-time"))
    g_object_set (device, "latency-time", PERIOD_US, NULL);
  if (has_default (device, "buffer-time"))
    g_object_set (device, "buffer-time", n_periods * PERIOD_US, NULL);
}

/* Makes the sink use its clock's calibration, which ndaresample sets. */
static void
nda_audio_sink_ask_to_keep_frames (GstElement * device)
{
  if (has_default (device, "slave-method"))
    g_object_set (device, "slave-method", GST_AUDIO_BASE_SINK_SLAVE_NONE, NULL);
}

static gboolean
nda_audio_sink_keeps_frames (GstElement * device)
{
  GstAudioBaseSinkSlaveMethod method;

  g_object_get (device, "slave-method", &method, NULL);
  return method == GST_AUDIO_BASE_SINK_SLAVE_NONE;
}

static GstClock *
nda_audio_sink_get_clock (GstElement * device)
{
  GstClock *clock = GST_AUDIO_BASE_SINK (device)->provided_clock;

  return clock ? gst_object_ref (clock) : NULL;
}

static gboolean
nda_audio_sink_get_format (GstElement * device, GstAudioInfo * info)
{
  GstAudioRingBuffer *ring = GST_AUDIO_BASE_SINK (device)->ringbuffer;

  if (!ring || !gst_audio_ring_buffer_is_acquired (ring)
      || !ring->spec.info.bpf)
    return FALSE;
  *info = ring->spec.info;
  return TRUE;
}

static gboolean
nda_audio_sink_get_held (GstElement * device, const GstAudioInfo * info,
    GstClockTimeDiff * held)
{
  GstAudioBaseSink *sink = GST_AUDIO_BASE_SINK (device);
  GstClockTime played;

  if (sink->next_sample == GST_BUFFER_OFFSET_NONE
      || !GST_IS_AUDIO_CLOCK (sink->provided_clock))
    return FALSE;
  played = gst_audio_clock_get_time (GST_AUDIO_CLOCK (sink->provided_clock));
  if (!GST_CLOCK_TIME_IS_VALID (played))
    return FALSE;
  *held = GST_CLOCK_DIFF (played, gst_util_uint64_scale (sink->next_sample,
          GST_SECOND, info->rate));
  return TRUE;
}

static gboolean
nda_audio_sink_get_end (GstElement * device, guint64 * frame)
{
  *frame = GST_AUDIO_BASE_SINK (device)->next_sample;
  return *frame != GST_BUFFER_OFFSET_NONE;
}

static GstClockTime
nda_audio_sink_get_latency (GstElement * device, const GstAudioInfo * info)
{
  const GstAudioRingBufferSpec *spec =
      &GST_AUDIO_BASE_SINK (device)->ringbuffer->spec;

  return gst_util_uint64_scale ((guint64) spec->seglatency * spec->segsize,
      GST_SECOND, (guint64) info->rate * info->bpf);
}

/* The device takes sound one period ahead. With PulseAudio the first sound
 * after a gap is heard at the next half of a period after that. */
static GstClockTime
nda_served_sink_get_ahead (GstElement * device, const GstAudioInfo * info)
{
  const GstAudioRingBufferSpec *spec =
      &GST_AUDIO_BASE_SINK (device)->ringbuffer->spec;

  return gst_util_uint64_scale (spec->segsize, GST_SECOND,
      (guint64) info->rate * info->bpf);
}

/* --- any element --- */

/* An element counts as a device if its class says audio, and neither file nor
 * network. */
static gboolean
nda_any_is_loss (GstElement * device, const GError * error)
{
  GstElementFactory *factory = gst_element_get_factory (device);
  const gchar *class = factory ? gst_element_factory_get_metadata (factory,
      GST_ELEMENT_METADATA_KLASS) : NULL;

  return error->domain == GST_RESOURCE_ERROR && class
      && (g_str_has_prefix (class, "Source/Audio")
      || g_str_has_prefix (class, "Sink/Audio"));
}

#define AUDIO_SINK \
  .use_periods = nda_audio_sink_use_periods, \
  .ask_to_keep_frames = nda_audio_sink_ask_to_keep_frames, \
  .keeps_frames = nda_audio_sink_keeps_frames, \
  .get_clock = nda_audio_sink_get_clock, \
  .is_followed_by_clock = TRUE, \
  .get_format = nda_audio_sink_get_format, \
  .get_held = nda_audio_sink_get_held, \
  .get_end = nda_audio_sink_get_end, \
  .get_latency = nda_audio_sink_get_latency, \
  .is_steady = TRUE, \
  .is_loss = nda_any_is_loss

#define AUDIO_SOURCE \
  .use_periods = nda_audio_source_use_periods, \
  .ask_to_keep_frames = nda_audio_source_ask_to_keep_frames, \
  .keeps_frames = nda_audio_source_keeps_frames, \
  .get_clock = nda_audio_source_get_clock, \
  .is_steady = TRUE, \
  .is_loss = nda_any_is_loss

/* The first kind that fits is used. */
/* *INDENT-OFF* */
static const NdaDeviceKind kinds[] = {
  { .type_name = "GstPipeWireSrc",
    .use_periods = nda_pipewire_source_use_periods,
    .set_name = nda_pipewire_set_name,
    .is_steady = TRUE,
    .is_of_pipewire = TRUE,
    .is_loss = nda_pipewire_is_loss },
  { .type_name = "GstPipeWireSink",
    .use_periods = nda_pipewire_sink_use_periods,
    .set_name = nda_pipewire_set_name,
    .is_of_pipewire = TRUE,
    .is_loss = nda_pipewire_is_loss },
  { .type_name = "GstPulseSink",
    .n_periods = N_PERIODS_OF_SERVER,
    .n_periods_of_pipewire = N_PERIODS_OF_PIPEWIRE,
    .get_ahead = nda_served_sink_get_ahead,
    AUDIO_SINK },
  /* works in the periods of its server, and has at least two of them */
  { .type_name = "GstJackAudioSink",
    .n_periods = N_PERIODS,
    AUDIO_SINK },
  { .type_name = "GstAudioBaseSrc",
    AUDIO_SOURCE },
  /* writes to the device directly, as ALSA's does */
  { .type_name = "GstAudioSink",
    .n_periods = N_PERIODS,
    AUDIO_SINK },
  /* is called back by a sound server */
  { .type_name = "GstAudioBaseSink",
    .n_periods = N_PERIODS_OF_SERVER,
    .get_ahead = nda_served_sink_get_ahead,
    AUDIO_SINK },
  { .type_name = "GstElement",
    .is_loss = nda_any_is_loss },
};
/* *INDENT-ON* */

static gboolean
is_of_kind (GstElement * element, const NdaDeviceKind * kind)
{
  GType type = g_type_from_name (kind->type_name);

  return type && G_TYPE_CHECK_INSTANCE_TYPE (element, type);
}

const NdaDeviceKind *
nda_device_kind_get (GstElement * element)
{
  guint i = 0;

  while (!is_of_kind (element, &kinds[i]))
    i++;
  return &kinds[i];
}

#define PULSE_OF_PIPEWIRE_KEY "nda-pulse-of-pipewire"

void
nda_device_kind_use_periods (const NdaDeviceKind * kind, GstElement * device)
{
  guint n_periods = kind->n_periods;
  gboolean is_of_pipewire;

  if (!kind->use_periods)
    return;
  is_of_pipewire =
      kind->n_periods_of_pipewire && nda_device_list_is_pulse_of_pipewire ();
  g_object_set_data (G_OBJECT (device), PULSE_OF_PIPEWIRE_KEY,
      GINT_TO_POINTER (is_of_pipewire));
  if (is_of_pipewire)
    n_periods = kind->n_periods_of_pipewire;
  kind->use_periods (device, n_periods);
}

gboolean
nda_device_kind_is_pulse_of_pipewire (GstElement * device)
{
  return g_object_get_data (G_OBJECT (device), PULSE_OF_PIPEWIRE_KEY) != NULL;
}
