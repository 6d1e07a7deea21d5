/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndasrc
 * @title: ndasrc
 *
 * Turns the sound of any source into blocks of 512 frames of 32-bit floats at
 * 48 kHz. The source is the default microphone, the one that #ndasrc:device
 * names, the audio of #ndasrc:uri, or the element #ndasrc:source. audioconvert
 * converts formats and ndaresample converts rates. The number of channels
 * stays the same, up to 64.
 *
 * ## Time
 *
 * ndasrc asks an audio device for periods of one block (10.67 ms) in a ring
 * buffer of at least 100 ms, so that a shorter stall loses nothing. Both can be
 * set to other values on the element in #ndasrc:source. The latency is the
 * source's and the resampler's, plus (512 - gcd (512, buffer lengths)) / 48000
 * s for regrouping if the source gives no whole blocks. A block's time stamp is
 * base + n * 512 / 48000 s, rounded down once. Only the last block before the
 * end of the stream or segment, or before a discontinuity, is shorter.
 *
 * If the pipeline's clock is not the device's clock, and the two are proven to
 * drift apart, ndasrc follows the device's clock (#ndasrc:drift-compensation).
 * It keeps every frame, and adds 12.3 ms of latency. With one clock it changes
 * no bit.
 *
 * ## When something goes wrong
 *
 * If a device, file or element does not exist, the change to READY fails with
 * an error that names it. A file without audio ends the stream with an error.
 * A source that gave nothing for too long, or lost some of its sound, goes on
 * with DISCONT. ndasrc counts this, and posts a warning at most once a second.
 * A sound server loses sound silently when nobody reads it for longer than the
 * source's `buffer-time`, and stamps all later sound too early. ndasrc finds
 * the loss by the age of that sound, counts it, and corrects the time stamps.
 *
 * An audio device that vanishes while it runs (unplugged, or its sound server
 * gone), or gives nothing for two seconds, is opened again, after 85 ms and
 * then after pauses twice as long each time, up to 2.7 s. The element that
 * played before is tried first; from the sixth trial on, autoaudiosrc may find
 * another one. Meanwhile time goes on, and ndasrc pushes silence in buffers
 * with the flag GAP. A warning and a message report the loss. If the pipeline's
 * clock was the device's clock, time stands still until the application has
 * answered the message CLOCK_LOST, as gst-launch-1.0 does.
 *
 * ## Messages
 *
 * Element messages `ndasrc`:
 *
 * * `device-lost` (gboolean): TRUE: the device vanished; FALSE: it is back
 *
 * The ndaresample inside posts its own messages.
 *
 * ## Statistics
 *
 * The property #ndasrc:stats is a structure application/x-ndasrc-stats of
 * counters since NULL:
 *
 * * `num-blocks`, `num-frames` (guint64): blocks and frames pushed
 * * `rate` (gdouble, blocks/s): how fast blocks leave, by the pipeline's clock
 *   while playing. It is the slope of a line through all blocks; after two
 *   seconds the line leaves out the first second. 93.75 for a live source that
 *   keeps time
 * * `drift` (gint64, ns): how far the frames are ahead of that clock (or
 *   behind, if negative), by the same line
 * * `num-underruns` (guint64): how often the source had nothing for longer than
 *   a block, without DISCONT
 * * `num-overruns` (guint64): how often it lost sound, with DISCONT or silently
 * * `num-discontinuities` (guint64): how often a block did not follow the last
 *   one
 * * `num-device-losses` (guint64): how often the device vanished
 * * `drift-ppm`, `drift-state`, `delay-error`: the statistics of the
 *   ndaresample inside, which follows the device if #ndasrc:drift-compensation
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
 *     ndapybridge plugin=passthrough ! fakesink
 * ]| From any other source of GStreamer.
 *
 * Since: 0.1
 */

#include "config.h"

#include "ndasrc.h"

#include "ndablock.h"
#include "ndachild.h"
#include "ndadescription.h"
#include "ndaregrouper.h"
#include "ndasource.h"
#include "ndasourceprobe.h"

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_STATIC (nda_src_debug);
#define GST_CAT_DEFAULT nda_src_debug

/* How many blocks (2 s) pass before a device that was lost and opened again,
 * but gives nothing, counts as lost once more */
#define MAX_TRIAL_BLOCKS 188
/* The longest time that the queue holds. The queue is empty unless downstream
 * blocks its thread. When it is full, the device's own ring buffer holds the
 * rest. The limit is a time, since the queue reports it as maximum latency. */
#define MAX_QUEUE_TIME (16 * NDA_BLOCK_DURATION)

#define NO_MICROPHONE \
    N_("There is no microphone: no audio server answers and there is no " \
        "sound card. Connect one, or name a source with “uri” or " \
        "“source”.")

/* THREADS and LOCKS: see NdaIoBin. The source's streaming thread runs the probe
 * and counts in the meter. If the source may be followed, the thread of the
 * queue behind the resampler counts instead. */
struct _NdaSrc
{
  NdaIoBin parent;

  NdaIoParts *parts;            /* [const] of the parent */
  GstElement *queue;            /* [state change] a child, or NULL */
  gint has_failed;              /* [atomic] the source can never play */
  gchar *missing;               /* [object lock] owned; a decoder, in words */
  NdaSourceProbe probe;         /* has its own locks */
};

enum
{
  PROP_SOURCE = NDA_IO_BIN_PROP_ELEMENT,
  PROP_URI = NDA_IO_BIN_PROP_PLACE,
  PROP_DEVICE = NDA_IO_BIN_PROP_DEVICE,
  PROP_DRIFT_COMPENSATION = NDA_IO_BIN_PROP_DRIFT_COMPENSATION,
  PROP_REALTIME = NDA_IO_BIN_PROP_REALTIME,
  PROP_STATS = NDA_IO_BIN_PROP_STATS,
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
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaSrc, nda_src, NDA_TYPE_IO_BIN,
    GST_DEBUG_CATEGORY_INIT (nda_src_debug, "ndasrc", 0,
        "any source, as blocks"));

/* --- the source --- */

static GstElement *
nda_src_make_from_place (gpointer self, const gchar * uri, GError ** error)
{
  return nda_source_make (uri, error);
}

static gboolean
nda_src_link_child (NdaIoBin * bin, GstElement * source, GError ** error)
{
  if (nda_source_connect (source, GST_BIN (bin), NDA_SRC (bin)->parts->convert))
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD,
      _("The source “%s” gives no audio: it has no source pad that can "
          "be linked."), GST_OBJECT_NAME (source));
  return FALSE;
}

static void
nda_src_child_closed (NdaIoBin * bin, GstElement * source)
{
  nda_source_disconnect (source, NDA_SRC (bin)->parts->convert);
}

/* --- the queue --- */

/* Puts @queue between @element and the element after it. */
static void
insert_behind (GstElement * element, GstElement * queue)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);
  g_autoptr (GstPad) in = gst_element_get_static_pad (queue, "sink");
  g_autoptr (GstPad) out = gst_element_get_static_pad (queue, "src");

  gst_pad_unlink (pad, peer);
  gst_pad_link (pad, in);
  gst_pad_link (out, peer);
}

/* Gives the elements after the resampler a thread of their own. A device that
 * is followed is timed by the arrival of its frames. Without the queue, the
 * device's thread would wait for room in the speaker downstream, and would read
 * its own device at the speaker's pace. */
static void
add_queue (NdaSrc * self)
{
  GstElement *queue = nda_child_make ("queue", "resample-queue", NULL);

  if (!queue)
    return;
  g_object_set (queue, "max-size-buffers", 0, "max-size-bytes", 0,
      "max-size-time", (guint64) MAX_QUEUE_TIME, "silent", TRUE, NULL);
  gst_bin_add (GST_BIN (self), queue);
  insert_behind (self->parts->resample, queue);
  gst_element_sync_state_with_parent (queue);
  self->queue = queue;
}

/* --- changes of state --- */

static void
set_missing (NdaSrc * self, const gchar * name)
{
  GST_OBJECT_LOCK (self);
  g_free (self->missing);
  self->missing = g_strdup (name);
  GST_OBJECT_UNLOCK (self);
}

static void
nda_src_prepare (NdaIoBin * bin)
{
  NdaSrc *self = NDA_SRC (bin);

  g_atomic_int_set (&self->has_failed, FALSE);
  set_missing (self, NULL);
  nda_source_probe_start (&self->probe);
  if (!self->queue && nda_clocks_may_follow (&self->parts->clocks))
    add_queue (self);
}

/* A change down must not fail, or the pipeline stays in READY. A decodebin that
 * gets an error from its typefind during that change fails it, once. */
static GstStateChangeReturn
change_state_of_parent (GstElement * element, GstStateChange transition)
{
  GstElementClass *parent_class = GST_ELEMENT_CLASS (nda_src_parent_class);
  GstStateChangeReturn result =
      parent_class->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      && result == GST_STATE_CHANGE_FAILURE)
    result = parent_class->change_state (element, transition);
  return result;
}

static GstStateChangeReturn
nda_src_change_state (GstElement * element, GstStateChange transition)
{
  NdaSrc *self = NDA_SRC (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    nda_source_probe_play (&self->probe);
  result = change_state_of_parent (element, transition);
  /* a device is live while it is away, too */
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED
      && result == GST_STATE_CHANGE_SUCCESS
      && nda_loss_get_state (&self->parts->loss) != NDA_LOSS_HERE)
    result = GST_STATE_CHANGE_NO_PREROLL;
  return result;
}

/* Sends the end of the stream through the source, unless the source is away. */
static gboolean
nda_src_send_event (GstElement * element, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS
      && nda_loss_end (&NDA_SRC (element)->parts->loss)) {
    gst_event_unref (event);
    return TRUE;
  }
  return GST_ELEMENT_CLASS (nda_src_parent_class)->send_event (element, event);
}

/* --- what the source says --- */

static GError *
reword_negotiation (void)
{
  return g_error_new_literal (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      _("What comes behind ndasrc takes none of the formats that ndasrc makes: "
          "32-bit float at 48 kHz, with the channels of the source or others "
          "that can be mixed of them."));
}

/* Returns an error that names the source if it fails before it has given
 * anything: decoders do not know the file, and devices do not know that they
 * are the microphone. NULL: the source's own error is better. */
static GError *
reword (NdaSrc * self, const GError * failure)
{
  g_autofree gchar *uri = NULL;
  g_autofree gchar *device = NULL;
  g_autofree gchar *missing = NULL;

  GST_OBJECT_LOCK (self);
  missing = g_strdup (self->missing);
  uri = g_strdup (self->parts->setting.place);
  device = g_strdup (self->parts->setting.device);
  GST_OBJECT_UNLOCK (self);

  if (uri)
    return nda_source_reword (failure, uri, missing);
  if (failure->domain != GST_RESOURCE_ERROR)
    return NULL;
  if (device)
    return g_error_new (failure->domain, failure->code,
        _("The audio device “%s” cannot be opened: %s"), device,
        failure->message);
  return g_error_new_literal (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _(NO_MICROPHONE));
}

/* Whether the application has made the source element, and so knows it. */
static gboolean
is_own_element (NdaSrc * self)
{
  gboolean is_own;

  GST_OBJECT_LOCK (self);
  is_own = self->parts->child
      && self->parts->child == self->parts->setting.element;
  GST_OBJECT_UNLOCK (self);
  return is_own;
}

/* Posts the better error in place of @message, once. */
static gboolean
nda_src_take_message (NdaIoBin * bin, GstMessage * message)
{
  NdaSrc *self = NDA_SRC (bin);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) error = NULL;

  if (gst_message_has_name (message, "missing-plugin"))
    set_missing (self, gst_structure_get_string (gst_message_get_structure
            (message), "name"));
  if (nda_source_probe_has_played (&self->probe) || is_own_element (self))
    return FALSE;
  failure = nda_child_parse_error (self->parts->child, message);
  if (!failure)
    return FALSE;
  error = nda_child_is_not_negotiated (message) ? reword_negotiation () :
      reword (self, failure);
  if (!error)
    return FALSE;
  if (g_atomic_int_compare_and_exchange (&self->has_failed, FALSE, TRUE)) {
    GST_WARNING_OBJECT (self, "%" GST_PTR_FORMAT, message);
    nda_child_post_error (GST_ELEMENT (self), error);
  }
  return TRUE;
}

/* --- a device that is lost --- */

static void
nda_src_pass_time (gpointer self, GstClock * clock)
{
  nda_source_probe_pass_time (&NDA_SRC (self)->probe, clock);
}

static void
nda_src_end (gpointer self)
{
  nda_source_probe_end (&NDA_SRC (self)->probe);
}

static gboolean
nda_src_is_expecting (gpointer self)
{
  return nda_source_probe_is_waiting (&NDA_SRC (self)->probe);
}

static const NdaLossHooks loss_hooks = {
  .text =
      N_("The device that sound comes from is gone. There is silence in its "
      "place until it is back."),
  .pass_time = nda_src_pass_time,
  .end = nda_src_end,
  .max_trial = MAX_TRIAL_BLOCKS,
};

/* --- the class --- */

static const NdaIoBinTraits traits = {
  .pad_name = "src",
  .flag = GST_ELEMENT_FLAG_SOURCE,
  .rate = NDA_BLOCK_RATE,
  .maker = {
        .device_classes = "Audio/Source",
        .default_factory = "autoaudiosrc",
        .name = "source",
        .several_text =
        N_("More than one source is named. Set one of “source”, "
            "“uri” and “device”, or none for the default microphone."),
        .make_from_place = nda_src_make_from_place,
      },
  .stats_name = "application/x-ndasrc-stats",
  .stats_fields = stats_fields,
  .loss_hooks = &loss_hooks,
  .is_expecting = nda_src_is_expecting,
  .no_device_text = NO_MICROPHONE,
};

static void
nda_src_init (NdaSrc * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (self));

  self->parts = parts;
  nda_source_probe_init (&self->probe, GST_ELEMENT (self), &parts->meter,
      &parts->clocks, &parts->loss, &parts->watch);
  nda_io_bin_fill (NDA_IO_BIN (self), nda_regrouper_new ("blocks",
          &parts->meter));
  if (parts->convert)
    nda_source_probe_add (&self->probe, parts->convert);
}

static void
nda_src_finalize (GObject * object)
{
  nda_source_probe_clear (&NDA_SRC (object)->probe);
  g_free (NDA_SRC (object)->missing);
  G_OBJECT_CLASS (nda_src_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_SOURCE] = nda_description_param ("source", "Source",
      "The source: an element, or its launch description, such as "
      "\"audiotestsrc freq=1000\" or \"filesrc location=a.ogg ! decodebin\". "
      "If neither source nor uri nor device is set, the default microphone");
  properties[PROP_URI] = g_param_spec_string ("uri", "URI",
      "The URI of the sound to play, such as file:///home/me/a.flac", NULL,
      flags);
  properties[PROP_DEVICE] = g_param_spec_string ("device", "Device",
      "The name of the audio device to record from, as a mixer or "
      "gst-device-monitor-1.0 shows it", NULL, flags);
  properties[PROP_DRIFT_COMPENSATION] = nda_clocks_param ();
  properties[PROP_REALTIME] = nda_realtime_param ();
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL: num-blocks, num-frames, rate "
      "(blocks/s) and drift (ns) against the pipeline's clock, num-underruns, "
      "num-overruns, num-discontinuities, num-device-losses, drift-ppm, "
      "drift-state, delay-error (ns), realtime, num-realtime-threads, "
      "num-realtime-revoked", GST_TYPE_STRUCTURE,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
nda_src_class_init (NdaSrcClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  NdaIoBinClass *io_bin_class = NDA_IO_BIN_CLASS (class);

  object_class->set_property = nda_io_bin_set_property;
  object_class->get_property = nda_io_bin_get_property;
  object_class->finalize = nda_src_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_src_change_state);
  element_class->send_event = GST_DEBUG_FUNCPTR (nda_src_send_event);
  io_bin_class->traits = &traits;
  io_bin_class->link_child = nda_src_link_child;
  io_bin_class->child_closed = nda_src_child_closed;
  io_bin_class->prepare = nda_src_prepare;
  io_bin_class->take_message = nda_src_take_message;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio source: microphone, URI or any element",
      "Source/Audio",
      "Any source as blocks of 512 frames at 48 kHz: the microphone, a URI, or "
      "another element", "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndasrc, "ndasrc", GST_RANK_NONE, NDA_TYPE_SRC);
