/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndaresample
 * @title: ndaresample
 *
 * Converts sound of any rate to the rate #ndaresample:rate, in blocks of 512
 * frames. The input is 16, 24 or 32-bit integers, or 32 or 64-bit floats,
 * interleaved or planar, 1 to 64 channels at 1 to 1536 kHz. The output has the
 * same format, or one that downstream takes. (The element does not make 16 bits
 * of longer samples: that needs dither, which audioconvert has.) If rates and
 * formats are the same, the element computes nothing and keeps every bit.
 *
 * If downstream does not take the rate asked for, the output has the nearest
 * rate that it takes.
 *
 * ## Time
 *
 * n frames in are round (n * rate out / rate in) frames out, at the end of the
 * stream and at any cut. The first frame out has the time of the first frame
 * in: nothing is delayed. Only the last block before the end of the stream or
 * segment, another format, a GAP event or a discontinuity is shorter. A block's
 * time stamp is base + n * 512 / rate s, rounded down once.
 *
 * The element holds a frame until its block is full, and until the filter has
 * seen the frames after it. #ndaresample:latency chooses between two filters.
 * libsoxr (best) computes in bursts: the latency is the block and the longest
 * time that it holds a frame, in high quality 10.7 + 9.4 ms from 44.1 to 48
 * kHz, 10.7 + 15.3 ms from 16 to 48 kHz. nda's own polyphase filter (low) holds
 * 80 frames of the lower rate, 10.7 + 1.8 ms from 44.1 kHz and 10.7 + 5 ms from
 * 16 kHz. It keeps 140 dB, as libsoxr's high quality does, but computes with
 * 32-bit floats and takes 1.5 times as long. A live stream gets the polyphase
 * filter unless told otherwise, or unless the quality is very-high. At equal
 * rates only regrouping adds latency: (512 - gcd (512, buffer lengths)) / rate
 * s.
 *
 * Buffers with the flag GAP count as silence. A block in which nothing else can
 * be heard has the flag as well.
 *
 * ## Without libsoxr
 *
 * libsoxr is optional when nda is built. Without it the polyphase filter serves
 * every stream, and the latency is that of low. All values of
 * #ndaresample:quality then give the same: 140 dB, more than high promises.
 * Very-high promises more than that, so it posts a warning. The rates must be
 * less than a factor of 48 apart, and all formats are computed as 32-bit
 * floats. The statistic `converter` names the filter in use.
 *
 * ## Two clocks
 *
 * With #ndaresample:adaptive the ratio changes smoothly, so that sound takes
 * the same time through a device whose clock is not the pipeline's. Without
 * #ndaresample:device-clock the input comes from the device, and the element
 * observes the arrival of its frames. With a device clock the device plays the
 * output: blocks then have the time stamps of the sound in them, and last as
 * long as the device plays them. The element follows a device up to +-1500 ppm
 * of its rate.
 *
 * As long as rates and formats are equal, and nothing proves that there are two
 * clocks, every bit passes untouched. The first 20 s prove nothing, because
 * sound servers settle in that time. After that the offset must reach 8 ms (a
 * device that plays) or a buffer and a quarter (a device that records), and
 * grow steadily. Then the filter starts between two frames and removes the
 * offset. The latency grows from that of regrouping to 10.7 + 1.7 ms. After
 * that, upstream's thread should not wait for anything downstream: put a queue
 * behind this element.
 *
 * An element that plays the sound sends the custom upstream event
 * nda-device-restarted when its device has started again. ndaresample then
 * finds the device's position again, and keeps its speed.
 *
 * ## When something goes wrong
 *
 * If a clock is set, or the device leaves the stream by more than 30 ms, the
 * element measures the distance to the device again, and counts this. A buffer
 * that holds no whole number of frames ends the stream with an error. So do two
 * rates that no converter can bridge.
 *
 * ## Messages
 *
 * Element messages `ndaresample`, when an adaptive element gains or loses the
 * lock on the device's clock:
 *
 * * `locked` (gboolean): whether it has the lock
 * * `drift-ppm` (gdouble), `delay-error` (gint64, ns): as in the statistics
 *
 * ## Statistics
 *
 * The property #ndaresample:stats is a structure of counters since NULL, named
 * application/x-ndaresample-stats, all from the same moment:
 *
 * * `num-blocks`, `num-frames` (guint64): blocks and frames pushed
 * * `num-frames-in` (guint64): frames that came in
 * * `ratio` (gdouble): frames out per frame in, now; 0 before the first format
 * * `converter` (string): `soxr`, `polyphase`, or `none` if rates are equal
 * * `drift-ppm` (gdouble): how much faster the device is than its nominal rate,
 *   in millionths; 0 unless adaptive
 * * `drift-state` (string): `off` (not adaptive), `watching` (whether there are
 *   two clocks), `learning` (where the device is), `locking`, `locked`,
 *   `given-up` (the clock did not drift)
 * * `delay` (guint64, ns): how long sound was held when the last block began
 * * `delay-error` (gint64, ns): that delay less the delay at the start
 * * `num-clock-steps` (guint64): how often a clock was set
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audio/x-raw,rate=44100 \
 *     ! ndaresample ! ndapybridge plugin=passthrough ! fakesink
 * ]| Sound of 44.1 kHz through Python, which takes 48 kHz.
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 \
 *     ! ndaresample rate=96000 quality=very-high ! fakesink
 * ]| To 96 kHz, as exactly as possible.
 *
 * Since: 0.1
 */

/* THREADS. Upstream's thread (the sink thread) resamples and pushes
 * (ndaresampleinput.h). The application's threads set properties and read
 * statistics; any thread may ask for the latency.
 *
 * LOCKS. The object lock guards the shared fields (ndaresampleshared.h). No
 * other function is called while it is held.
 *
 * HAND-OVER. A changed setting marks the source pad for reconfiguration; the
 * sink thread copies the settings when the next buffer or format comes. */

#include "config.h"

#include "ndaresample.h"

#include "ndablock.h"
#include "ndaresamplecaps.h"
#include "ndarestartevent.h"
#include "ndastats.h"

#define GST_CAT_DEFAULT nda_resample_debug

#define DEFAULT_QUALITY NDA_QUALITY_HIGH
#define DEFAULT_RATE NDA_BLOCK_RATE

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaResample, nda_resample, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (nda_resample_debug, "ndaresample", 0,
        "any rate to any rate, in blocks"));

enum
{
  PROP_QUALITY = 1,
  PROP_RATE,
  PROP_LATENCY,
  PROP_ADAPTIVE,
  PROP_DEVICE_CLOCK,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* Written once, before any element is made */
static const NdaConverterMaker *const *makers;

void
nda_resample_set_makers (const NdaConverterMaker * const *all)
{
  makers = all;
}

/* *INDENT-OFF* */
G_DEFINE_ENUM_TYPE (NdaQuality, nda_quality,
    {NDA_QUALITY_QUICK, "soxr's QQ: cubic interpolation", "quick"},
    {NDA_QUALITY_LOW,
      "soxr's LQ: 16 bits, with a wide transition band", "low"},
    {NDA_QUALITY_MEDIUM, "soxr's MQ: 16 bits", "medium"},
    {NDA_QUALITY_HIGH, "soxr's HQ: 20 bits", "high"},
    {NDA_QUALITY_VERY_HIGH, "soxr's VHQ: 28 bits", "very-high"})
G_DEFINE_ENUM_TYPE (NdaLatency, nda_latency,
    {NDA_LATENCY_AUTO,
      "Low in a live stream unless the quality is very-high, else best",
      "auto"},
    {NDA_LATENCY_LOW,
      "A polyphase filter, which holds 1.8 ms from 44.1 kHz", "low"},
    {NDA_LATENCY_BEST,
      "libsoxr, which costs less and holds more; the polyphase filter where "
      "nda was built without libsoxr", "best"})

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_RESAMPLE_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_RESAMPLE_CAPS));

#define FIELD(name, kind, member) \
    { name, kind, G_STRUCT_OFFSET (NdaResampleCounters, member) }

static const NdaStatsField stats_fields[] = {
  FIELD ("num-blocks", NDA_STATS_UINT64, n_blocks),
  FIELD ("num-frames", NDA_STATS_UINT64, n_frames),
  FIELD ("num-frames-in", NDA_STATS_UINT64, n_frames_in),
  FIELD ("ratio", NDA_STATS_DOUBLE, ratio),
  FIELD ("converter", NDA_STATS_STRING, converter),
  FIELD ("drift-ppm", NDA_STATS_DOUBLE, adaptive.drift_ppm),
  FIELD ("drift-state", NDA_STATS_STRING, adaptive.state),
  FIELD ("delay", NDA_STATS_UINT64, adaptive.delay),
  FIELD ("delay-error", NDA_STATS_INT64, adaptive.delay_error),
  FIELD ("num-clock-steps", NDA_STATS_UINT64, adaptive.n_clock_steps),
  { NULL }
};
/* *INDENT-ON* */

/* --- queries --- */

static GstCaps *
query_other_side (NdaResample * self, GstPad * pad)
{
  GstPad *other = pad == self->sinkpad ? self->srcpad : self->sinkpad;
  NdaResampleSettings settings =
      nda_resample_shared_get_settings (&self->shared);
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) others = gst_pad_get_pad_template_caps (other);
  g_autoptr (GstCaps) peer = gst_pad_peer_query_caps (other, others);
  g_autoptr (GstCaps) possible = gst_caps_intersect_full (peer, others,
      GST_CAPS_INTERSECT_FIRST);
  g_autoptr (GstCaps) caps = nda_resample_caps_transform (possible,
      GST_PAD_DIRECTION (other), settings.rate);

  return gst_caps_intersect_full (caps, template, GST_CAPS_INTERSECT_FIRST);
}

static void
answer_caps (NdaResample * self, GstPad * pad, GstQuery * query)
{
  g_autoptr (GstCaps) caps = query_other_side (self, pad);
  GstCaps *filter;

  gst_query_parse_caps (query, &filter);
  caps = nda_block_filter_caps (g_steal_pointer (&caps), filter);
  gst_query_set_caps_result (query, caps);
}

static gboolean
nda_resample_sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaResample *self = NDA_RESAMPLE (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS) {
    answer_caps (self, pad, query);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    nda_resample_input_drain (&self->input);
  return nda_block_sink_query (pad, self->srcpad, query);
}

static gboolean
nda_resample_src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaResample *self = NDA_RESAMPLE (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS) {
    answer_caps (self, pad, query);
    return TRUE;
  }
  return nda_block_src_query (pad, self->sinkpad,
      nda_resample_input_get_latency (&self->input), query);
}

/* --- events and data --- */

static gboolean
nda_resample_src_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (nda_restart_event_is (event)) {
    nda_resample_input_restart_later (&NDA_RESAMPLE (parent)->input);
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

static GstFlowReturn
nda_resample_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (!GST_EVENT_IS_SERIALIZED (event))
    return nda_block_pass_event (pad, parent, event);
  return nda_resample_input_event (&NDA_RESAMPLE (parent)->input, event);
}

static GstFlowReturn
nda_resample_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_resample_input_chain (&NDA_RESAMPLE (parent)->input, buffer);
}

/* --- life cycle --- */

static GstStateChangeReturn
nda_resample_change_state (GstElement * element, GstStateChange transition)
{
  NdaResample *self = NDA_RESAMPLE (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY)
    nda_resample_shared_reset_counters (&self->shared);
  result = GST_ELEMENT_CLASS (nda_resample_parent_class)->change_state
      (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    nda_resample_input_reset (&self->input);
  return result;
}

/* --- properties --- */

static void
nda_resample_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaResample *self = NDA_RESAMPLE (object);
  g_autoptr (GstClock) previous = NULL;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_QUALITY:
      self->shared.settings.quality = g_value_get_enum (value);
      break;
    case PROP_RATE:
      self->shared.settings.rate = g_value_get_uint (value);
      break;
    case PROP_LATENCY:
      self->shared.settings.latency = g_value_get_enum (value);
      break;
    case PROP_ADAPTIVE:
      self->shared.settings.adaptive = g_value_get_boolean (value);
      break;
    case PROP_DEVICE_CLOCK:
      previous = self->shared.device_clock;
      self->shared.device_clock = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
  gst_pad_mark_reconfigure (self->srcpad);
}

static void
nda_resample_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaResample *self = NDA_RESAMPLE (object);
  NdaResampleSettings settings =
      nda_resample_shared_get_settings (&self->shared);

  switch (id) {
    case PROP_QUALITY:
      g_value_set_enum (value, settings.quality);
      break;
    case PROP_RATE:
      g_value_set_uint (value, settings.rate);
      break;
    case PROP_LATENCY:
      g_value_set_enum (value, settings.latency);
      break;
    case PROP_ADAPTIVE:
      g_value_set_boolean (value, settings.adaptive);
      break;
    case PROP_DEVICE_CLOCK:
      g_value_take_object (value,
          nda_resample_shared_get_device_clock (&self->shared));
      break;
    case PROP_STATS:
      g_value_take_boxed (value,
          nda_stats_snapshot ("application/x-ndaresample-stats", stats_fields,
              GST_OBJECT_GET_LOCK (self), &self->shared.counters,
              sizeof (self->shared.counters)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

/* --- the class --- */

static void
nda_resample_init (NdaResample * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_resample_sink_chain));
  gst_pad_set_event_full_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_resample_sink_event));
  gst_pad_set_query_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_resample_sink_query));
  gst_pad_set_query_function (self->srcpad,
      GST_DEBUG_FUNCPTR (nda_resample_src_query));
  gst_pad_set_event_function (self->srcpad,
      GST_DEBUG_FUNCPTR (nda_resample_src_event));
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);

  g_assert (makers);
  self->shared.settings.quality = DEFAULT_QUALITY;
  self->shared.settings.rate = DEFAULT_RATE;
  nda_resample_shared_init (&self->shared, GST_ELEMENT (self));
  nda_resample_input_init (&self->input, &self->shared, self->sinkpad,
      self->srcpad, makers);
}

static void
nda_resample_finalize (GObject * object)
{
  NdaResample *self = NDA_RESAMPLE (object);

  nda_resample_input_clear (&self->input);
  nda_resample_shared_clear (&self->shared);
  G_OBJECT_CLASS (nda_resample_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  properties[PROP_QUALITY] = g_param_spec_enum ("quality", "Quality",
      "How exactly libsoxr resamples: quick (interpolation without a filter), "
      "low and medium (16 bits), high (20 bits), very-high (28 bits). The "
      "polyphase filter keeps 140 dB with any quality",
      NDA_TYPE_QUALITY, DEFAULT_QUALITY, flags);
  properties[PROP_RATE] = g_param_spec_uint ("rate", "Rate",
      "The sample rate of the output (in Hz); 0: the rate of the input. If "
      "downstream does not take that rate, the nearest rate that it takes",
      0, NDA_RESAMPLE_MAX_RATE, DEFAULT_RATE, flags);
  properties[PROP_LATENCY] = g_param_spec_enum ("latency", "Latency",
      "Which converter holds the frames, and for how long: low (a polyphase "
      "filter, 1.8 ms at 44.1 kHz, 140 dB, as 32-bit floats), best (libsoxr, 9 "
      "to 76 ms; the same as low if nda was built without libsoxr), auto (low "
      "in a live stream unless the quality is very-high, otherwise best)",
      NDA_TYPE_LATENCY, NDA_LATENCY_AUTO, flags);
  properties[PROP_ADAPTIVE] =
      g_param_spec_boolean ("adaptive", "Adaptive",
      "Follow the clock of a device that is not the pipeline's clock, with a "
      "ratio that changes smoothly. The device is the one that plays the "
      "output if device-clock is set, otherwise the one that the input comes "
      "from", FALSE, flags);
  properties[PROP_DEVICE_CLOCK] =
      g_param_spec_object ("device-clock", "Device clock",
      "With adaptive=true, the clock of the device that plays the output. If "
      "none is set, the input comes from the device", GST_TYPE_CLOCK, flags);
  properties[PROP_STATS] =
      g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL: num-blocks and num-frames out, "
      "num-frames-in, ratio (frames out per frame in), converter, drift-ppm, "
      "drift-state, delay and delay-error (ns), num-clock-steps",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_resample_class_init (NdaResampleClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  object_class->set_property = nda_resample_set_property;
  object_class->get_property = nda_resample_get_property;
  object_class->finalize = nda_resample_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_resample_change_state);
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio resampler, compensates clock drift", "Filter/Converter/Audio",
      "Resamples audio of any rate to any other, into blocks of 512 frames",
      "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_QUALITY, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_LATENCY, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndaresample, "ndaresample", GST_RANK_NONE,
    NDA_TYPE_RESAMPLE);
