/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndasrc
 * @title: ndasrc
 *
 * Any source, as blocks of 512 frames of 32-bit floats at 48 kHz: the default
 * microphone, the one that #ndasrc:device names, the audio of #ndasrc:uri, or
 * what #ndasrc:source says. Formats are converted by audioconvert and rates by
 * ndaresample (by audioresample, and with a warning, where nda was built without
 * libsoxr); the number of channels stays, up to 64.
 *
 * ## Time
 *
 * An audio device is asked for periods of one block (10.67 ms) in a ring of at
 * least 100 ms, so that nothing is lost in a shorter stall; both can be set
 * otherwise on the element in #ndasrc:source. The latency is the source's, with
 * (512 - gcd (512, buffer lengths)) / 48000 s for regrouping where it gives no
 * whole blocks, and the resampler's. A block's time stamp is
 * base + n * 512 / 48000 s, rounded down once. Only the last block before the
 * end of the stream or segment, or before a discontinuity, is shorter.
 *
 * Where the pipeline's clock is not the device's, and once both have proven to be
 * two, the device is followed (#ndasrc:drift-compensation): every frame is kept,
 * and the latency grows by 12.3 ms. With one clock every bit passes.
 *
 * ## When something goes wrong
 *
 * A device, file or element that is not there fails the change to READY with a
 * message that names it. A file without audio ends the stream with an error.
 * A source that was silent for too long, or lost some of its sound, goes on
 * with DISCONT: counted, and posted as a warning at most once a second. A sound
 * server loses sound without a word when nobody has read it for longer than the
 * source's `buffer-time`; that is seen by what comes after, which is older by its
 * stamps, is counted alike, and stamped anew.
 *
 * An audio device that vanishes while it runs (unplugged, or its sound server
 * gone) is opened again, after 85 ms and then after pauses twice as long each
 * time, up to 2.7 s. Meanwhile there is silence, in buffers with the flag GAP and
 * with the time going on. A warning says so, and element messages ndasrc with
 * `device-lost` (gboolean): TRUE, and FALSE when it is back. Where the pipeline's
 * clock was the device's, time stands still until the application has answered
 * the message CLOCK_LOST, as gst-launch-1.0 does.
 *
 * ## Statistics
 *
 * The property #ndasrc:stats is a structure application/x-ndasrc-stats of
 * counters since NULL:
 *
 * * `num-blocks`, `num-frames` (guint64): that went out
 * * `rate` (gdouble, blocks/s): against the pipeline's clock while playing, of
 *   a line fitted to all blocks, but for those of the first second once there
 *   are two; 93.75 for a live source that keeps time
 * * `drift` (gint64, ns): how far the frames have run ahead of that clock (or
 *   behind, if negative), by the same line
 * * `num-underruns` (guint64): times the source had nothing for more than a
 *   block, unsaid
 * * `num-overruns` (guint64): times the source lost some, as it said with
 *   DISCONT, or as was seen
 * * `num-discontinuities` (guint64): all times a block did not follow the last
 * * `num-device-losses` (guint64): times that the device vanished
 * * `drift-ppm`, `drift-state`, `delay-error`: those of the ndaresample inside,
 *   which follows the device where #ndasrc:drift-compensation is auto and two
 *   clocks are proven; it tells on the bus when it gains or loses the lock
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndapybridge plugin=gain ! ndasink
 * ]| From the microphone through Python to the speaker.
 * |[
 * gst-launch-1.0 ndasrc source="audiotestsrc num-buffers=100" ! ndapybridge plugin=passthrough ! fakesink
 * ]| Any source that GStreamer has.
 *
 * Since: 0.1
 */

#include "config.h"

#include "ndasrc.h"

#include "ndablock.h"
#include "ndachild.h"
#include "ndaclocks.h"
#include "ndadescription.h"
#include "ndadevice.h"
#include "ndadevicekind.h"
#include "ndahop.h"
#include "ndarate.h"
#include "ndareblock.h"
#include "ndasource.h"
#include "ndasourcewatch.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_STATIC (nda_src_debug);
#define GST_CAT_DEFAULT nda_src_debug

/* THREADS. The source's streaming thread counts in the meter, or, where the
 * source may be followed, that of the hop behind the resampler; the application's
 * change the state and set properties.
 *
 * LOCKS. Object lock: settings. The meter and the watch have their own. None is
 * held while anything is called. */
struct _NdaSrc
{
  GstBin parent;

  GstElement *source_setting;   /* [object lock] owned; or NULL */
  gchar *uri;                   /* [object lock] owned */
  gchar *device;                /* [object lock] owned */

  GstElement *convert;          /* [const] a child: the first after source */
  GstElement *source;           /* [state change] a child from READY on */
  gboolean has_hop;             /* [state change] behind the resampler */
  gint is_opening;              /* [atomic] the source's complaints are ours */
  gint has_failed;              /* [atomic] the source never will play */
  NdaMeter meter;               /* has its own lock */
  NdaClocks clocks;             /* [object lock] */
  NdaSourceWatch watch;         /* has its own locks */
};

enum
{
  PROP_SOURCE = 1,
  PROP_URI,
  PROP_DEVICE,
  PROP_DRIFT_COMPENSATION,
  PROP_STATS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_METER_FIELDS,
  { NULL }
};
/* *INDENT-ON* */

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_SRC_CAPS));

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaSrc, nda_src, GST_TYPE_BIN,
    GST_DEBUG_CATEGORY_INIT (nda_src_debug, "ndasrc", 0,
        "any source, as blocks"));

/* --- the source --- */

static GstElement *
make_source (NdaSrc * self, GError ** error)
{
  g_autoptr (GstElement) setting = NULL;
  g_autofree gchar *uri = NULL;
  g_autofree gchar *device = NULL;
  GstElement *source;

  GST_OBJECT_LOCK (self);
  setting = self->source_setting ? gst_object_ref (self->source_setting) : NULL;
  uri = g_strdup (self->uri);
  device = g_strdup (self->device);
  GST_OBJECT_UNLOCK (self);

  source = nda_source_make (setting, uri, device, error);
  return source ? gst_object_ref_sink (source) : NULL;
}

static void
close_source (NdaSrc * self)
{
  if (self->source)
    nda_source_disconnect (self->source, self->convert);
  nda_child_remove (GST_BIN (self), &self->source);
}

static GError *
no_microphone (void)
{
  return g_error_new_literal (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _("There is no microphone: no audio server answers and there is no sound "
          "card. Connect one, or name a source with “uri” or “source”."));
}

static gboolean
try_source (NdaSrc * self, GError ** error)
{
  if (!self->convert)
    return nda_child_make ("audioresample", NULL, error) != NULL;
  self->source = make_source (self, error);
  if (!self->source || !nda_child_add (GST_BIN (self), self->source, error))
    return FALSE;
  if (!nda_source_connect (self->source, GST_BIN (self), self->convert)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
        _
        ("The source “%s” gives no audio: it has no source pad that can be "
            "linked."), GST_OBJECT_NAME (self->source));
    return FALSE;
  }
  if (nda_child_probe (self->source, &self->is_opening))
    return TRUE;
  *error = no_microphone ();
  return FALSE;
}

static gboolean
open_source (NdaSrc * self)
{
  g_autoptr (GError) error = NULL;

  if (try_source (self, &error))
    return TRUE;
  close_source (self);
  nda_child_post_error (GST_ELEMENT (self), error);
  return FALSE;
}

/* The way down must not fail, or the pipeline stays in READY. A decodebin that
 * gets an error from its typefind on that way does fail it, once. */
static GstStateChangeReturn
change_state_of_children (GstElement * element, GstStateChange transition)
{
  GstElementClass *parent_class = GST_ELEMENT_CLASS (nda_src_parent_class);
  GstStateChangeReturn result =
      parent_class->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      && result == GST_STATE_CHANGE_FAILURE)
    result = parent_class->change_state (element, transition);
  return result;
}

/* A device that is followed is seen by when its frames come. */
static void
make_hop (NdaSrc * self)
{
  if (self->has_hop || !nda_clocks_may_follow (&self->clocks))
    return;
  nda_hop_put_behind (GST_BIN (self), self->clocks.resample);
  self->has_hop = TRUE;
}

/* What has to be done before the children change their state. */
static gboolean
before_change (NdaSrc * self, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    nda_meter_reset (&self->meter);
    return open_source (self);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    g_atomic_int_set (&self->has_failed, FALSE);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && nda_source_watch_start (&self->watch, self->source)) {
    /* it was away when the pipeline stopped, and is made anew */
    close_source (self);
    if (!open_source (self))
      return FALSE;
    nda_source_watch_start (&self->watch, self->source);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    make_hop (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    nda_clocks_compare (&self->clocks);
    nda_source_watch_play (&self->watch);
  }
  nda_loss_before_change (&self->watch.loss, transition);
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  NdaSrc *self = NDA_SRC (element);
  GstStateChangeReturn result;

  if (!before_change (self, transition))
    return GST_STATE_CHANGE_FAILURE;
  result = change_state_of_children (element, transition);

  nda_loss_after_change (&self->watch.loss, transition);
  /* what is away is live all the same */
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED
      && result == GST_STATE_CHANGE_SUCCESS
      && nda_loss_get_state (&self->watch.loss) != NDA_LOSS_HERE)
    result = GST_STATE_CHANGE_NO_PREROLL;
  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY
          && result == GST_STATE_CHANGE_FAILURE))
    close_source (self);
  return result;
}

/* An end of the stream goes the way of the source, if that is there. */
static gboolean
send_event (GstElement * element, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS
      && nda_loss_end (&NDA_SRC (element)->watch.loss)) {
    gst_event_unref (event);
    return TRUE;
  }
  return GST_ELEMENT_CLASS (nda_src_parent_class)->send_event (element, event);
}

/* What became of a source that fails before it has given anything, in words
 * that name it: decoders do not know the file, nor devices that they are the
 * microphone. */
static GError *
retell (NdaSrc * self, const GError * failure)
{
  g_autofree gchar *uri = NULL;

  GST_OBJECT_LOCK (self);
  uri = g_strdup (self->uri);
  GST_OBJECT_UNLOCK (self);

  if (uri)
    return g_error_new (failure->domain, failure->code,
        _("“%s” cannot be played: %s"), uri, failure->message);
  return no_microphone ();
}

/* Posts that better word in the place of @message, once. */
static gboolean
replace_message (NdaSrc * self, GstMessage * message)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) error = NULL;

  if (nda_source_watch_has_played (&self->watch)
      || (self->source && self->source == self->source_setting))
    return FALSE;
  failure = nda_child_parse_error (self->source, message);
  if (!failure)
    return FALSE;
  if (g_atomic_int_compare_and_exchange (&self->has_failed, FALSE, TRUE)) {
    GST_WARNING_OBJECT (self, "%" GST_PTR_FORMAT, message);
    error = retell (self, failure);
    nda_child_post_error (GST_ELEMENT (self), error);
  }
  return TRUE;
}

static void
handle_message (GstBin * bin, GstMessage * message)
{
  if (nda_child_is_hushed (message, &NDA_SRC (bin)->is_opening)
      || nda_loss_takes_message (&NDA_SRC (bin)->watch.loss, message)
      || replace_message (NDA_SRC (bin), message)) {
    gst_message_unref (message);
    return;
  }
  GST_BIN_CLASS (nda_src_parent_class)->handle_message (bin, message);
}

static void
deep_element_added (GstBin * bin, GstBin * sub_bin, GstElement * element)
{
  const NdaDeviceKind *kind = nda_device_kind_get (element);

  if (kind->use_periods)
    kind->use_periods (element, kind->n_periods);
  nda_clocks_add (&NDA_SRC (bin)->clocks, element);
  /* on to the bins above, which the application watches */
  GST_BIN_CLASS (nda_src_parent_class)->deep_element_added (bin, sub_bin,
      element);
}

static void
deep_element_removed (GstBin * bin, GstBin * sub_bin, GstElement * element)
{
  nda_clocks_remove (&NDA_SRC (bin)->clocks, element);
  GST_BIN_CLASS (nda_src_parent_class)->deep_element_removed (bin, sub_bin,
      element);
}

/* That of a device that is lost stands still. */
static GstClock *
provide_clock (GstElement * element)
{
  if (nda_loss_get_state (&NDA_SRC (element)->watch.loss) != NDA_LOSS_HERE)
    return NULL;
  return GST_ELEMENT_CLASS (nda_src_parent_class)->provide_clock (element);
}

/* --- properties --- */

static void
set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaSrc *self = NDA_SRC (object);
  GstElement *element;
  g_autoptr (GstElement) previous = NULL;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      element = g_value_get_object (value);
      previous = self->source_setting;
      self->source_setting = element ? gst_object_ref_sink (element) : NULL;
      break;
    case PROP_URI:
      g_free (self->uri);
      self->uri = g_value_dup_string (value);
      break;
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      break;
    case PROP_DRIFT_COMPENSATION:
      self->clocks.compensation = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
get_stats (NdaSrc * self)
{
  GstStructure *stats = nda_meter_snapshot (&self->meter,
      "application/x-ndasrc-stats", stats_fields);

  nda_clocks_describe (&self->clocks, stats);
  return stats;
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  NdaSrc *self = NDA_SRC (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      g_value_set_object (value, self->source_setting);
      break;
    case PROP_URI:
      g_value_set_string (value, self->uri);
      break;
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_DRIFT_COMPENSATION:
      g_value_set_enum (value, self->clocks.compensation);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
add_ghost (NdaSrc * self, GstElement * last)
{
  GstPadTemplate *template = gst_element_class_get_pad_template
      (GST_ELEMENT_GET_CLASS (self), "src");
  g_autoptr (GstPad) pad = last ? gst_element_get_static_pad (last, "src") :
      NULL;

  gst_element_add_pad (GST_ELEMENT (self), pad ?
      gst_ghost_pad_new_from_template ("src", pad, template) :
      gst_ghost_pad_new_no_target_from_template ("src", template));
}

static void
nda_src_init (NdaSrc * self)
{
  GstElement *convert = nda_child_make ("audioconvert", "convert", NULL);
  GstElement *resample = nda_rate_make (GST_ELEMENT (self), "resample",
      NDA_BLOCK_RATE, NULL);
  GstElement *blocks;

  nda_meter_init (&self->meter);
  nda_clocks_init (&self->clocks, GST_ELEMENT (self));
  nda_source_watch_init (&self->watch, GST_ELEMENT (self), &self->meter,
      &self->clocks);
  gst_bin_set_suppressed_flags (GST_BIN (self),
      GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);

  if (!convert || !resample) {
    gst_clear_object (&convert);
    gst_clear_object (&resample);
    add_ghost (self, NULL);
    return;
  }
  self->convert = convert;
  self->clocks.resample = resample;
  blocks = nda_reblock_new ("blocks", &self->meter);
  gst_bin_add_many (GST_BIN (self), convert, resample, blocks, NULL);
  gst_element_link_many (convert, resample, blocks, NULL);
  add_ghost (self, blocks);
  nda_source_watch_pad (&self->watch, convert);
}

static void
dispose (GObject * object)
{
  NdaSrc *self = NDA_SRC (object);

  close_source (self);
  gst_clear_object (&self->source_setting);
  G_OBJECT_CLASS (nda_src_parent_class)->dispose (object);
}

static void
finalize (GObject * object)
{
  NdaSrc *self = NDA_SRC (object);

  g_free (self->uri);
  g_free (self->device);
  nda_source_watch_clear (&self->watch);
  nda_meter_clear (&self->meter);
  G_OBJECT_CLASS (nda_src_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_SOURCE] = nda_description_param ("source", "Source",
      "The source: an element, or its launch description, such as "
      "\"audiotestsrc freq=1000\" or \"filesrc location=a.ogg ! decodebin\"; "
      "neither this nor uri nor device: the default microphone");
  properties[PROP_URI] = g_param_spec_string ("uri", "URI",
      "The URI of the sound to play, such as file:///home/me/a.flac", NULL,
      flags);
  properties[PROP_DEVICE] = g_param_spec_string ("device", "Device",
      "The audio device to record from, by the name that it has in a mixer or "
      "in gst-device-monitor-1.0", NULL, flags);
  properties[PROP_DRIFT_COMPENSATION] = nda_clocks_param ();
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL: blocks, frames, rate (blocks/s) "
      "and drift (nanoseconds) against the pipeline's clock, underruns, "
      "overruns, discontinuities", GST_TYPE_STRUCTURE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_src_class_init (NdaSrcClass * class)
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
  element_class->send_event = GST_DEBUG_FUNCPTR (send_event);
  bin_class->handle_message = GST_DEBUG_FUNCPTR (handle_message);
  bin_class->deep_element_added = GST_DEBUG_FUNCPTR (deep_element_added);
  bin_class->deep_element_removed = GST_DEBUG_FUNCPTR (deep_element_removed);
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Source of blocks",
      "Source/Audio",
      "Any source as blocks of 512 frames at 48 kHz: the microphone, a URI, or "
      "another element", "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_DRIFT_COMPENSATION, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndasrc, "ndasrc", GST_RANK_NONE, NDA_TYPE_SRC);
