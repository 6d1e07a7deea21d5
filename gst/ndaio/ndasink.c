/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndasink
 * @title: ndasink
 *
 * Blocks, or any raw audio, into any sink: the default speaker, the one that
 * #ndasink:device names, a file at #ndasink:location, or what #ndasink:sink
 * says. Formats are converted by audioconvert and rates by ndaresample to what
 * the sink takes (by audioresample, and with a warning, where nda was built
 * without libsoxr).
 *
 * A file's format goes by its suffix: `.wav` is 32-bit float and keeps every
 * bit, `.flac` has 24 bits, `.ogg` (Vorbis) is lossy. It is finished at EOS: in
 * gst-launch-1.0, `-e` makes Ctrl-C send one.
 *
 * ## Time
 *
 * An audio device is asked for periods of one block (10.67 ms), two of them in
 * its buffer, and gets #ndasink:processing-deadline; both can be set otherwise
 * on the element in #ndasink:sink. A sound server is asked for three: it lets the
 * device itself have half of one, and says that it holds two. The latency is two
 * periods and the deadline: 26.3 ms.
 *
 * A device starts later than it says, by some 40 ms, and all live sound would be
 * heard that much later. Once its first 16 blocks have shown how much it is, as
 * much of the sound that waits is left out, once, within the first quarter of a
 * second, so that the latency reported is the one heard. From then on nothing is,
 * unless sound is missing that the source has lost, behind which the device
 * begins anew.
 *
 * Where the pipeline's clock is not the device's, that is followed
 * (#ndasink:drift-compensation), as #ndasrc does it.
 *
 * ## When something goes wrong
 *
 * A device, folder or element that is not there, or a file that is there
 * already, fails the change to READY with a message that names it. Sound that
 * comes too late for the device is counted as an underrun, and posted as a
 * warning at most once a second. Where all of it does, for 64 blocks, and by as
 * much, the sound goes on where the device is; not where the pipeline goes by the
 * device's own clock, for then it is late for the pipeline.
 *
 * An audio device that vanishes while it runs is opened again, with pauses as
 * those of ndasrc. Live sound that comes meanwhile is let go; what is not live
 * waits. A warning says so, and element messages ndasink with `device-lost`
 * (gboolean): TRUE, and FALSE when it is back.
 *
 * ## Statistics
 *
 * The property #ndasink:stats is a structure application/x-ndasink-stats of
 * counters since NULL:
 *
 * * `num-blocks`, `num-frames` (guint64): buffers and frames that came in
 * * `rate` (gdouble, blocks/s of 512 frames): against the pipeline's clock while
 *   playing, of a line fitted to all of them, but for those of the first
 *   second once there are two
 * * `drift` (gint64, ns): how far the frames have run ahead of that clock (or
 *   behind, if negative), by the same line
 * * `num-underruns` (guint64): buffers that came when the device had played all
 *   it had, by its own clock; not while it starts. Into a sink without a device,
 *   those later than their time stamp plus the pipeline's latency
 * * `num-overruns` (guint64): buffers that the sink inside reported as dropped
 * * `num-discontinuities` (guint64): buffers that said they do not follow the
 *   last
 * * `num-device-losses` (guint64): times that the device vanished
 * * `num-frames-skipped` (guint64): frames left out, at the device's rate, to
 *   bring a device that began late back to its latency
 * * `min-`, `avg-`, `max-latency` (guint64, ns): from a buffer's time stamp to
 *   the moment it is heard: when what the device still holds has been played; once
 *   that has started. Without a device, no earlier than the pipeline's latency
 * * `drift-ppm`, `drift-state`, `delay-error`: those of the ndaresample inside,
 *   which follows the device where #ndasink:drift-compensation is auto and two
 *   clocks are proven; it tells on the bus when it gains or loses the lock
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndapybridge plugin=gain ! ndasink
 * ]| From the microphone through Python to the speaker.
 * |[
 * gst-launch-1.0 ndasrc source="audiotestsrc num-buffers=100" ! ndasink location=tone.wav overwrite=true
 * ]| Into a file.
 *
 * Since: 0.1
 */

#include "config.h"

#include "ndasink.h"

#include "ndaarrival.h"
#include "ndachild.h"
#include "ndaclocks.h"
#include "ndadescription.h"
#include "ndadevice.h"
#include "ndadevicekind.h"
#include "ndafile.h"
#include "ndaguard.h"
#include "ndainputwatch.h"
#include "ndameter.h"
#include "ndarate.h"

#include <gst/audio/audio.h>

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_STATIC (nda_sink_debug);
#define GST_CAT_DEFAULT nda_sink_debug

#define DEFAULT_PROCESSING_DEADLINE (5 * GST_MSECOND)

/* THREADS. The streaming threads, upstream's and that of the sink inside,
 * count in the meter; the application's change the state and set properties.
 *
 * LOCKS. Object lock: settings. The meter and the loss have their own. None is
 * held while anything is called. */
struct _NdaSink
{
  GstBin parent;

  GstElement *sink_setting;     /* [object lock] owned; or NULL */
  gchar *location;              /* [object lock] owned */
  gchar *device;                /* [object lock] owned */
  gboolean overwrite;           /* [object lock] */
  GstClockTime processing_deadline;     /* [object lock] */

  GstElement *convert;          /* [const] a child: the first */
  GstElement *resample;         /* [const] a child */
  GstElement *guard;            /* [const] owned; a child: the last before sink */
  GstElement *sink;             /* [state change] a child from READY on */
  gint is_opening;              /* [atomic] the sink's complaints are ours */
  NdaMeter meter;               /* has its own lock */
  NdaClocks clocks;             /* [object lock] */
  NdaLoss *loss;                /* [const] the guard's; has its own lock */
  NdaInputWatch input;          /* [upstream's thread] */
};

enum
{
  PROP_SINK = 1,
  PROP_LOCATION,
  PROP_OVERWRITE,
  PROP_DEVICE,
  PROP_DRIFT_COMPENSATION,
  PROP_PROCESSING_DEADLINE,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_METER_FIELDS,
  NDA_METER_FIELD ("num-frames-skipped", NDA_STATS_UINT64, n_frames_skipped),
  NDA_METER_FIELD ("latency", NDA_STATS_RANGE, latency),
  { NULL }
};
/* *INDENT-ON* */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_AUDIO_CAPS_MAKE (GST_AUDIO_FORMATS_ALL)
        ", layout = (string) { interleaved, non-interleaved }"));

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaSink, nda_sink, GST_TYPE_BIN,
    GST_DEBUG_CATEGORY_INIT (nda_sink_debug, "ndasink", 0,
        "blocks, into any sink"));

/* --- elements inside --- */

static void
deep_element_added (GstBin * bin, GstBin * sub_bin, GstElement * element)
{
  NdaSink *self = NDA_SINK (bin);
  const NdaDeviceKind *kind = nda_device_kind_get (element);
  GstClockTime deadline;

  /* on to the bins above, which the application watches */
  GST_BIN_CLASS (nda_sink_parent_class)->deep_element_added (bin, sub_bin,
      element);
  if (kind->use_periods)
    kind->use_periods (element, kind->n_periods);
  nda_clocks_add (&self->clocks, element);
  if (!GST_IS_BASE_SINK (element))
    return;
  GST_OBJECT_LOCK (self);
  deadline = self->processing_deadline;
  GST_OBJECT_UNLOCK (self);
  gst_base_sink_set_processing_deadline (GST_BASE_SINK (element), deadline);
  nda_arrival_watch (GST_BASE_SINK (element), GST_ELEMENT (self), &self->meter);
}

static void
deep_element_removed (GstBin * bin, GstBin * sub_bin, GstElement * element)
{
  nda_clocks_remove (&NDA_SINK (bin)->clocks, element);
  if (GST_IS_BASE_SINK (element))
    nda_arrival_unwatch (GST_BASE_SINK (element));
  GST_BIN_CLASS (nda_sink_parent_class)->deep_element_removed (bin, sub_bin,
      element);
}

/* --- the sink --- */

static GstElement *
choose_sink (GstElement * setting, const gchar * location, const gchar * device,
    gboolean overwrite, GError ** error)
{
  const GError *failure = setting ? nda_description_get_error (setting) : NULL;

  if (failure) {
    g_propagate_error (error, g_error_copy (failure));
    return NULL;
  }
  if ((setting != NULL) + (location != NULL) + (device != NULL) > 1) {
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        _
        ("More than one sink is named. Set one of “sink”, “location” and "
            "“device”, or none for the default speaker."));
    return NULL;
  }
  if (setting)
    return setting;
  if (location)
    return nda_file_make_sink (location, overwrite, error);
  if (device)
    return nda_device_make ("Audio/Sink", device, error);
  return nda_child_make ("autoaudiosink", "sink", error);
}

static GstElement *
make_sink (NdaSink * self, GError ** error)
{
  g_autoptr (GstElement) setting = NULL;
  g_autofree gchar *location = NULL;
  g_autofree gchar *device = NULL;
  gboolean overwrite;
  GstElement *sink;

  GST_OBJECT_LOCK (self);
  setting = self->sink_setting ? gst_object_ref (self->sink_setting) : NULL;
  location = g_strdup (self->location);
  device = g_strdup (self->device);
  overwrite = self->overwrite;
  GST_OBJECT_UNLOCK (self);

  sink = choose_sink (setting, location, device, overwrite, error);
  return sink ? gst_object_ref_sink (sink) : NULL;
}

static gboolean
link_sink (NdaSink * self)
{
  g_autoptr (GstPad) from = gst_element_get_static_pad (self->guard, "src");
  g_autoptr (GstPad) to = nda_description_find_pad (self->sink, GST_PAD_SINK);

  return to && GST_PAD_LINK_SUCCESSFUL (gst_pad_link (from, to));
}

static void
close_sink (NdaSink * self)
{
  gboolean was_open = self->sink != NULL;
  g_autofree gchar *location = NULL;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);

  nda_child_remove (GST_BIN (self), &self->sink);
  if (was_open && location)
    nda_file_forget_empty (location);
}

static gboolean
try_sink (NdaSink * self, GError ** error)
{
  if (!self->convert)
    return nda_child_make ("audioresample", NULL, error) != NULL;
  self->sink = make_sink (self, error);
  if (!self->sink || !nda_child_add (GST_BIN (self), self->sink, error))
    return FALSE;
  if (!link_sink (self)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
        _
        ("The sink “%s” takes no audio: it has no sink pad that raw audio can "
            "be linked to."), GST_OBJECT_NAME (self->sink));
    return FALSE;
  }
  if (nda_child_probe (self->sink, &self->is_opening))
    return TRUE;
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _("There is no speaker: no audio server answers and there is no sound "
          "card. Connect one, or name a file with “location”."));
  return FALSE;
}

static gboolean
open_sink (NdaSink * self)
{
  g_autoptr (GError) error = NULL;

  if (try_sink (self, &error))
    return TRUE;
  close_sink (self);
  nda_child_post_error (GST_ELEMENT (self), error);
  return FALSE;
}

/* What has to be done before the children change their state. */
static gboolean
before_change (NdaSink * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    nda_meter_reset (&self->meter);
    return open_sink (self);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && nda_loss_start (self->loss, self->sink)) {
    /* it was away when the pipeline stopped, and is made anew */
    close_sink (self);
    if (!open_sink (self))
      return FALSE;
    nda_loss_start (self->loss, self->sink);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    nda_clocks_compare (&self->clocks);
  nda_loss_before_change (self->loss, transition);
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  NdaSink *self = NDA_SINK (element);
  GstStateChangeReturn result;

  if (!before_change (self, transition))
    return GST_STATE_CHANGE_FAILURE;
  result = GST_ELEMENT_CLASS (nda_sink_parent_class)->change_state (element,
      transition);

  if (self->loss)
    nda_loss_after_change (self->loss, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY
          && result == GST_STATE_CHANGE_FAILURE))
    close_sink (self);
  return result;
}

static void
count_dropped (NdaSink * self, GstMessage * message)
{
  GstFormat format;
  guint64 n_processed, n_dropped;

  gst_message_parse_qos_stats (message, &format, &n_processed, &n_dropped);
  if (n_dropped != G_MAXUINT64)
    nda_meter_set_overruns (&self->meter, n_dropped);
}

/* What the stand-in of autoaudiosink says, we say better. */
static void
handle_message (GstBin * bin, GstMessage * message)
{
  NdaSink *self = NDA_SINK (bin);

  if (nda_child_is_hushed (message, &self->is_opening)
      || (self->loss && nda_loss_takes_message (self->loss, message))) {
    gst_message_unref (message);
    return;
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_QOS)
    count_dropped (self, message);
  GST_BIN_CLASS (nda_sink_parent_class)->handle_message (bin, message);
}

/* That of a device that is lost stands still. */
static GstClock *
provide_clock (GstElement * element)
{
  if (NDA_SINK (element)->loss
      && nda_loss_get_state (NDA_SINK (element)->loss) != NDA_LOSS_HERE)
    return NULL;
  return GST_ELEMENT_CLASS (nda_sink_parent_class)->provide_clock (element);
}

/* --- properties --- */

static void
set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaSink *self = NDA_SINK (object);
  GstElement *element;
  g_autoptr (GstElement) previous = NULL;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SINK:
      element = g_value_get_object (value);
      previous = self->sink_setting;
      self->sink_setting = element ? gst_object_ref_sink (element) : NULL;
      break;
    case PROP_LOCATION:
      g_free (self->location);
      self->location = g_value_dup_string (value);
      break;
    case PROP_OVERWRITE:
      self->overwrite = g_value_get_boolean (value);
      break;
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      break;
    case PROP_DRIFT_COMPENSATION:
      self->clocks.compensation = g_value_get_enum (value);
      break;
    case PROP_PROCESSING_DEADLINE:
      self->processing_deadline = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
get_stats (NdaSink * self)
{
  GstStructure *stats = nda_meter_snapshot (&self->meter,
      "application/x-ndasink-stats", stats_fields);

  nda_clocks_describe (&self->clocks, stats);
  return stats;
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  NdaSink *self = NDA_SINK (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SINK:
      g_value_set_object (value, self->sink_setting);
      break;
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_OVERWRITE:
      g_value_set_boolean (value, self->overwrite);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_DRIFT_COMPENSATION:
      g_value_set_enum (value, self->clocks.compensation);
      break;
    case PROP_PROCESSING_DEADLINE:
      g_value_set_uint64 (value, self->processing_deadline);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
add_ghost (NdaSink * self)
{
  GstPadTemplate *template = gst_element_class_get_pad_template
      (GST_ELEMENT_GET_CLASS (self), "sink");
  g_autoptr (GstPad) pad = self->convert ?
      gst_element_get_static_pad (self->convert, "sink") : NULL;

  gst_element_add_pad (GST_ELEMENT (self), pad ?
      gst_ghost_pad_new_from_template ("sink", pad, template) :
      gst_ghost_pad_new_no_target_from_template ("sink", template));
  if (pad)
    nda_input_watch_pad (&self->input, pad);
}

static void
nda_sink_init (NdaSink * self)
{
  GstElement *convert = nda_child_make ("audioconvert", "convert", NULL);
  GstElement *resample = nda_rate_make (GST_ELEMENT (self), "resample", 0,
      NULL);

  nda_meter_init (&self->meter);
  nda_clocks_init (&self->clocks, GST_ELEMENT (self));
  nda_input_watch_init (&self->input, GST_ELEMENT (self), &self->meter);
  self->processing_deadline = DEFAULT_PROCESSING_DEADLINE;
  gst_bin_set_suppressed_flags (GST_BIN (self),
      GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);

  if (convert && resample) {
    self->guard = gst_object_ref (nda_guard_new ("guard", GST_ELEMENT (self),
            &self->meter));
    self->loss = nda_guard_get_loss (self->guard);
    gst_bin_add_many (GST_BIN (self), convert, resample, self->guard, NULL);
    gst_element_link_many (convert, resample, self->guard, NULL);
    self->convert = convert;
    self->resample = resample;
    self->clocks.resample = resample;
  } else {
    gst_clear_object (&convert);
    gst_clear_object (&resample);
  }
  add_ghost (self);
}

static void
dispose (GObject * object)
{
  NdaSink *self = NDA_SINK (object);

  nda_child_remove (GST_BIN (self), &self->sink);
  gst_clear_object (&self->sink_setting);
  G_OBJECT_CLASS (nda_sink_parent_class)->dispose (object);
}

static void
finalize (GObject * object)
{
  NdaSink *self = NDA_SINK (object);

  gst_clear_object (&self->guard);
  g_free (self->location);
  g_free (self->device);
  nda_meter_clear (&self->meter);
  G_OBJECT_CLASS (nda_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_SINK] = nda_description_param ("sink", "Sink",
      "The sink: an element, or its launch description, such as \"fakesink\" "
      "or \"opusenc ! oggmux ! filesink location=a.opus\"; neither this nor "
      "location nor device: the default speaker");
  properties[PROP_LOCATION] = g_param_spec_string ("location", "Location",
      "The file to write; its format goes by the suffix: .wav (32-bit float), "
      ".flac (24 bits), .ogg (Vorbis, lossy)", NULL, flags);
  properties[PROP_OVERWRITE] = g_param_spec_boolean ("overwrite", "Overwrite",
      "Replace the file at location if it is there already, instead of "
      "refusing", FALSE, flags);
  properties[PROP_DEVICE] = g_param_spec_string ("device", "Device",
      "The audio device to play to, by the name that it has in a mixer or in "
      "gst-device-monitor-1.0", NULL, flags);
  properties[PROP_PROCESSING_DEADLINE] =
      g_param_spec_uint64 ("processing-deadline", "Processing deadline",
      "How long the elements between source and sink may take for a buffer (in "
      "nanoseconds); part of the latency", 0, G_MAXUINT64 - 1,
      DEFAULT_PROCESSING_DEADLINE, flags);
  properties[PROP_DRIFT_COMPENSATION] = nda_clocks_param ();
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL: buffers, frames, rate (blocks/s) "
      "and drift (nanoseconds) against the pipeline's clock, underruns, "
      "overruns, discontinuities, latency (nanoseconds)", GST_TYPE_STRUCTURE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_sink_class_init (NdaSinkClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBinClass *bin_class = GST_BIN_CLASS (class);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->dispose = dispose;
  object_class->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);
  element_class->provide_clock = GST_DEBUG_FUNCPTR (provide_clock);
  bin_class->handle_message = GST_DEBUG_FUNCPTR (handle_message);
  bin_class->deep_element_added = GST_DEBUG_FUNCPTR (deep_element_added);
  bin_class->deep_element_removed = GST_DEBUG_FUNCPTR (deep_element_removed);
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Sink of blocks",
      "Sink/Audio",
      "Blocks into any sink: the speaker, a file, or another element",
      "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_DRIFT_COMPENSATION, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndasink, "ndasink", GST_RANK_NONE, NDA_TYPE_SINK);
