/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndasink
 * @title: ndasink
 *
 * Plays blocks, or any other raw audio, to any sink: the default speaker, the
 * one that #ndasink:device names, a file at #ndasink:location, or the element
 * #ndasink:sink. If the sink does not take the format or rate, audioconvert and
 * ndaresample convert it.
 *
 * The suffix of a file name decides the format: `.wav` is 32-bit float and
 * keeps every bit, `.flac` has 24 bits, `.ogg` (Vorbis) is lossy. A `.wav` file
 * is complete at every moment, and becomes RF64 past 4 GiB. Files of the other
 * formats are completed at EOS: with `gst-launch-1.0 -e`, Ctrl-C sends EOS.
 *
 * ## Time
 *
 * ndasink asks an audio device for periods of one block (10.67 ms), two of them
 * in its buffer, and sets #ndasink:processing-deadline on it. Both can be set
 * to other values on the element in #ndasink:sink. ndasink asks PulseAudio for
 * three periods: of anything beyond two the server gives half to the device,
 * and it reports two. The latency is two periods and the deadline: 26.3 ms.
 * PipeWire is asked for four periods, since half of everything beyond two
 * becomes the quantum of the whole desktop; JACK for two of its own periods.
 *
 * A device starts some 40 ms later than it reports. Within the first quarter of
 * a second ndasink leaves out as much of the waiting sound, once, so that the
 * sound is heard at the reported latency. After a gap it does the same, and
 * once if a device skips one of its own periods later: docs/ndasink.md.
 *
 * If the pipeline's clock is not the device's clock, ndasink follows the
 * device's clock (#ndasink:drift-compensation), as #ndasrc does.
 *
 * ## When something goes wrong
 *
 * If a device, folder or element does not exist, or if a file exists already,
 * the change to READY fails with an error that names it. Sound that comes too
 * late for the device is counted as an underrun, and posted as a warning at
 * most once a second. The late sound is not heard; the next block that is in
 * time is played at its own place. If all blocks of 0.11 s are late by the same
 * amount, and they are no burst after a stall, no sound would ever be heard.
 * ndasink then plays the next sound at the device's present position, unless
 * the pipeline's clock is the device's own.
 *
 * An audio device that vanishes while it runs, or takes nothing for two
 * seconds, is opened again, after the same pauses as in ndasrc. Meanwhile
 * ndasink drops live sound, and lets sound that is not live wait. A warning and
 * a message report the loss.
 *
 * ## Messages
 *
 * Element messages `ndasink`:
 *
 * * `device-lost` (gboolean): TRUE when the device has vanished, FALSE when it
 *   is back
 *
 * The ndaresample inside posts its own messages.
 *
 * ## Statistics
 *
 * The property #ndasink:stats is a structure application/x-ndasink-stats of
 * counters since NULL:
 *
 * * `num-blocks`, `num-frames` (guint64): buffers and frames that came in
 * * `rate` (gdouble, blocks/s of 512 frames): how fast sound comes in, by the
 *   pipeline's clock while playing. It is the slope of a line through all
 *   buffers; after two seconds the line leaves out the first second
 * * `drift` (gint64, ns): how far the frames are ahead of that clock (or
 *   behind, if negative), by the same line
 * * `num-underruns` (guint64): buffers that came when the device, by its own
 *   clock, had played everything it had; not counted while the device starts.
 *   A sound server takes sound one period before its clock reaches it. Without
 *   a device: buffers later than their time stamp plus the pipeline's latency
 * * `num-overruns` (guint64): buffers that the sink inside reported as dropped
 * * `num-discontinuities` (guint64): buffers with the flag DISCONT
 * * `num-device-losses` (guint64): how often the device vanished
 * * `num-frames-skipped` (guint64): frames left out, at the device's rate, to
 *   bring a device that began late, or skipped a period, back to its latency
 * * `num-frames-silent` (guint64): frames that the device played without sound
 *   after its start, at the device's rate: late sound, gaps, and silence put in
 *   because the latency has grown or the device has stepped. Exact to half a
 *   period for each underrun
 * * `min-`, `avg-`, `max-latency` (guint64, ns): from a buffer's time stamp to
 *   the moment when it is heard, that is, when the device has played all that
 *   it still holds. Measured after the device has started. Without a device at
 *   least the pipeline's latency
 * * `drift-ppm`, `drift-state`, `delay-error`: the statistics of the
 *   ndaresample inside, which follows the device if #ndasink:drift-compensation
 *   is auto and two clocks are proven
 * * `realtime` (string): how the threads inside got real-time priority:
 *   `direct`, `rtkit` or `none`
 * * `num-realtime-threads` (guint): threads inside that have real-time priority
 * * `num-realtime-revoked` (guint): how often threads of this program lost it,
 *   because one of them computed for more than 0.2 s without a pause
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndapybridge plugin=gain ! ndasink
 * ]| From the microphone through Python to the speaker.
 * |[
 * gst-launch-1.0 ndasrc source="audiotestsrc num-buffers=100" ! \
 *     ndasink location=tone.wav overwrite=true
 * ]| Into a file.
 *
 * Since: 0.1
 */

#include "config.h"

#include "ndasink.h"

#include "ndachild.h"
#include "ndadescription.h"
#include "ndafile.h"
#include "ndaguard.h"
#include "ndaincoming.h"
#include "ndapositions.h"
#include "ndasinkprobe.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_STATIC (nda_sink_debug);
#define GST_CAT_DEFAULT nda_sink_debug

#define DEFAULT_PROCESSING_DEADLINE (5 * GST_MSECOND)

/* THREADS and LOCKS: see NdaIoBin. Upstream's streaming thread counts the
 * buffers that come in. The sink inside may have another thread. */
struct _NdaSink
{
  NdaIoBin parent;

  NdaIoParts *parts;            /* [const] of the parent */
  GstElement *guard;            /* [const] owned; a child: before the sink */
  gboolean overwrite;           /* [object lock] */
  GstClockTime processing_deadline;     /* [object lock] */
  NdaIncoming incoming;         /* [upstream's thread] */
};

enum
{
  PROP_SINK = NDA_IO_BIN_PROP_ELEMENT,
  PROP_LOCATION = NDA_IO_BIN_PROP_PLACE,
  PROP_DEVICE = NDA_IO_BIN_PROP_DEVICE,
  PROP_DRIFT_COMPENSATION = NDA_IO_BIN_PROP_DRIFT_COMPENSATION,
  PROP_REALTIME = NDA_IO_BIN_PROP_REALTIME,
  PROP_STATS = NDA_IO_BIN_PROP_STATS,
  PROP_OVERWRITE = NDA_IO_BIN_N_PROPS,
  PROP_PROCESSING_DEADLINE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_METER_FIELDS,
  NDA_METER_FIELD ("num-frames-skipped", NDA_STATS_UINT64, n_frames_skipped),
  NDA_METER_FIELD ("num-frames-silent", NDA_STATS_UINT64, n_frames_silent),
  NDA_METER_FIELD ("latency", NDA_STATS_RANGE, latency),
  { NULL }
};
/* *INDENT-ON* */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_AUDIO_CAPS_MAKE (GST_AUDIO_FORMATS_ALL)
        ", layout = (string) { interleaved, non-interleaved }"));

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaSink, nda_sink, NDA_TYPE_IO_BIN,
    GST_DEBUG_CATEGORY_INIT (nda_sink_debug, "ndasink", 0,
        "blocks, into any sink"));

/* --- elements inside --- */

static void
nda_sink_deep_element_added (GstBin * bin, GstBin * sub_bin,
    GstElement * element)
{
  NdaSink *self = NDA_SINK (bin);
  GstClockTime deadline;

  GST_BIN_CLASS (nda_sink_parent_class)->deep_element_added (bin, sub_bin,
      element);
  if (!GST_IS_BASE_SINK (element) || self->parts->is_showing)
    return;
  GST_OBJECT_LOCK (self);
  deadline = self->processing_deadline;
  GST_OBJECT_UNLOCK (self);
  gst_base_sink_set_processing_deadline (GST_BASE_SINK (element), deadline);
  nda_sink_probe_add (GST_BASE_SINK (element), GST_ELEMENT (self),
      &self->parts->meter, &self->parts->clocks);
}

static void
nda_sink_deep_element_removed (GstBin * bin, GstBin * sub_bin,
    GstElement * element)
{
  if (GST_IS_BASE_SINK (element))
    nda_sink_probe_remove (GST_BASE_SINK (element));
  GST_BIN_CLASS (nda_sink_parent_class)->deep_element_removed (bin, sub_bin,
      element);
}

static gboolean
nda_sink_take_message (NdaIoBin * bin, GstMessage * message)
{
  GstFormat format;
  guint64 n_processed, n_dropped;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_QOS)
    return FALSE;
  gst_message_parse_qos_stats (message, &format, &n_processed, &n_dropped);
  if (n_dropped != G_MAXUINT64)
    nda_meter_set_overruns (&NDA_SINK (bin)->parts->meter, n_dropped);
  return FALSE;
}

/* --- the sink --- */

static GstElement *
nda_sink_make_from_place (gpointer user_data, const gchar * location,
    GError ** error)
{
  NdaSink *self = NDA_SINK (user_data);
  gboolean overwrite;

  GST_OBJECT_LOCK (self);
  overwrite = self->overwrite;
  GST_OBJECT_UNLOCK (self);
  return nda_file_make_sink (location, overwrite, error);
}

/* Whether the pad takes any audio. Its format counts later. */
static gboolean
takes_audio (GstPad * pad)
{
  g_autoptr (GstCaps) audio = gst_caps_new_empty_simple ("audio/x-raw");
  g_autoptr (GstCaps) taken = gst_pad_query_caps (pad, audio);

  return !gst_caps_is_empty (taken);
}

static gboolean
nda_sink_link_child (NdaIoBin * bin, GstElement * sink, GError ** error)
{
  g_autoptr (GstPad) from = gst_element_get_static_pad (NDA_SINK (bin)->guard,
      "src");
  g_autoptr (GstPad) to = nda_description_find_pad (sink, GST_PAD_SINK);

  nda_plug_pull (from);
  if (to && takes_audio (to)
      && GST_PAD_LINK_SUCCESSFUL (gst_pad_link_full (from, to,
              GST_PAD_LINK_CHECK_HIERARCHY)))
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
      _("The sink “%s” takes no audio: it has no sink pad that raw audio "
          "can be linked to."), GST_OBJECT_NAME (sink));
  return FALSE;
}

static void
nda_sink_child_closed (NdaIoBin * bin, GstElement * sink)
{
  g_autoptr (GstPad) from = gst_element_get_static_pad (NDA_SINK (bin)->guard,
      "src");
  g_autofree gchar *location = NULL;

  nda_plug_put (from);
  GST_OBJECT_LOCK (bin);
  location = g_strdup (NDA_SINK (bin)->parts->setting.place);
  GST_OBJECT_UNLOCK (bin);
  if (location)
    nda_file_forget_empty (location);
}

/* --- a device that is lost --- */

static void
nda_sink_resume (gpointer self)
{
  nda_guard_announce_restart (NDA_SINK (self)->guard);
}

/* Posts EOS in the name of the sink, which cannot do so. */
static void
nda_sink_end (gpointer self)
{
  GstElement *sink = NDA_SINK (self)->parts->child;

  gst_element_post_message (sink, gst_message_new_eos (GST_OBJECT (sink)));
}

static gboolean
is_away (NdaSink * self)
{
  return nda_loss_get_state (&self->parts->loss) != NDA_LOSS_HERE;
}

/* Such as a seek */
static gboolean
nda_sink_send_event (GstElement * element, GstEvent * event)
{
  NdaSink *self = NDA_SINK (element);

  if (!GST_EVENT_IS_DOWNSTREAM (event) && is_away (self))
    return nda_guard_send_event (self->guard, event);
  return GST_ELEMENT_CLASS (nda_sink_parent_class)->send_event (element, event);
}

/* Such as one for the position */
static gboolean
nda_sink_query (GstElement * element, GstQuery * query)
{
  NdaSink *self = NDA_SINK (element);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY && is_away (self))
    return nda_guard_query (self->guard, query);
  return GST_ELEMENT_CLASS (nda_sink_parent_class)->query (element, query);
}

static gboolean
nda_sink_is_expecting (gpointer self)
{
  return nda_guard_is_overdue (NDA_SINK (self)->guard);
}

static const NdaLossHooks loss_hooks = {
  .text = N_("The device that sound goes to is gone. Nothing is heard until it "
      "is back."),
  .resume = nda_sink_resume,
  .end = nda_sink_end,
};

/* --- properties --- */

static void
nda_sink_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaSink *self = NDA_SINK (object);

  switch (id) {
    case PROP_OVERWRITE:
      GST_OBJECT_LOCK (self);
      self->overwrite = g_value_get_boolean (value);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_PROCESSING_DEADLINE:
      GST_OBJECT_LOCK (self);
      self->processing_deadline = g_value_get_uint64 (value);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      nda_io_bin_set_property (object, id, value, pspec);
  }
}

static void
nda_sink_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaSink *self = NDA_SINK (object);

  switch (id) {
    case PROP_OVERWRITE:
      GST_OBJECT_LOCK (self);
      g_value_set_boolean (value, self->overwrite);
      GST_OBJECT_UNLOCK (self);
      break;
    case PROP_PROCESSING_DEADLINE:
      GST_OBJECT_LOCK (self);
      g_value_set_uint64 (value, self->processing_deadline);
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      nda_io_bin_get_property (object, id, value, pspec);
  }
}

/* --- the class --- */

static const NdaIoBinTraits traits = {
  .pad_name = "sink",
  .flag = GST_ELEMENT_FLAG_SINK,
  .maker = {
        .device_classes = "Audio/Sink",
        .default_factory = "autoaudiosink",
        .name = "sink",
        .several_text =
        N_("More than one sink is named. Set one of “sink”, "
            "“location” and “device”, or none for the default "
            "speaker."),
        .make_from_place = nda_sink_make_from_place,
      },
  .stats_name = "application/x-ndasink-stats",
  .stats_fields = stats_fields,
  .loss_hooks = &loss_hooks,
  .is_expecting = nda_sink_is_expecting,
  .no_device_text =
      N_("There is no speaker: no audio server answers and there is no sound "
      "card. Connect one, or name a file with “location”."),
};

static void
nda_sink_init (NdaSink * self)
{
  g_autoptr (GstPad) pad = NULL;

  self->parts = nda_io_bin_get_parts (NDA_IO_BIN (self));
  self->processing_deadline = DEFAULT_PROCESSING_DEADLINE;
  self->guard = gst_object_ref_sink (nda_guard_new ("guard",
          &self->parts->loss));
  nda_io_bin_fill (NDA_IO_BIN (self), self->guard);
  pad = gst_element_get_static_pad (GST_ELEMENT (self), "sink");
  nda_positions_watch (pad);
  if (self->parts->convert)
    nda_incoming_watch (&self->incoming, self->parts->convert,
        GST_ELEMENT (self), &self->parts->meter);
}

static void
nda_sink_finalize (GObject * object)
{
  gst_object_unref (NDA_SINK (object)->guard);
  G_OBJECT_CLASS (nda_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_SINK] = nda_description_param ("sink", "Sink",
      "The sink: an element, or its launch description, such as \"fakesink\" "
      "or \"opusenc ! oggmux ! filesink location=a.opus\". If neither sink nor "
      "location nor device is set, the default speaker");
  properties[PROP_LOCATION] = g_param_spec_string ("location", "Location",
      "The file to write. The suffix decides the format: .wav (32-bit float), "
      ".flac (24 bits), .ogg (Vorbis, lossy)", NULL, flags);
  properties[PROP_OVERWRITE] = g_param_spec_boolean ("overwrite", "Overwrite",
      "Replace the file at location if it exists already, instead of posting "
      "an error", FALSE, flags);
  properties[PROP_DEVICE] = g_param_spec_string ("device", "Device",
      "The name of the audio device to play to, as a mixer or "
      "gst-device-monitor-1.0 shows it", NULL, flags);
  properties[PROP_PROCESSING_DEADLINE] =
      g_param_spec_uint64 ("processing-deadline", "Processing deadline",
      "How long the elements between source and sink may take for a buffer (in "
      "nanoseconds); part of the latency", 0, G_MAXUINT64 - 1,
      DEFAULT_PROCESSING_DEADLINE, flags);
  properties[PROP_DRIFT_COMPENSATION] = nda_clocks_param ();
  properties[PROP_REALTIME] = nda_realtime_param ();
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL: num-blocks, num-frames, rate "
      "(blocks/s) and drift (ns) against the pipeline's clock, num-underruns, "
      "num-overruns, num-discontinuities, num-device-losses, "
      "num-frames-skipped, num-frames-silent, min-, avg- and max-latency (ns), "
      "drift-ppm, drift-state, delay-error (ns), realtime, "
      "num-realtime-threads, num-realtime-revoked", GST_TYPE_STRUCTURE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_sink_class_init (NdaSinkClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBinClass *bin_class = GST_BIN_CLASS (class);
  NdaIoBinClass *io_bin_class = NDA_IO_BIN_CLASS (class);

  object_class->set_property = nda_sink_set_property;
  object_class->get_property = nda_sink_get_property;
  object_class->finalize = nda_sink_finalize;
  element_class->send_event = GST_DEBUG_FUNCPTR (nda_sink_send_event);
  element_class->query = GST_DEBUG_FUNCPTR (nda_sink_query);
  bin_class->deep_element_added =
      GST_DEBUG_FUNCPTR (nda_sink_deep_element_added);
  bin_class->deep_element_removed =
      GST_DEBUG_FUNCPTR (nda_sink_deep_element_removed);
  io_bin_class->traits = &traits;
  io_bin_class->link_child = nda_sink_link_child;
  io_bin_class->child_closed = nda_sink_child_closed;
  io_bin_class->take_message = nda_sink_take_message;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio sink: speaker, recording or any element",
      "Sink/Audio",
      "Blocks into any sink: the speaker, a file, or another element",
      "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndasink, "ndasink", GST_RANK_NONE, NDA_TYPE_SINK);
