/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndapybridge
 * @title: ndapybridge
 *
 * Runs live audio through a plugin written in Python. What arrives is
 * regrouped into blocks of 512 frames at 48 kHz; the plugin sees each as an
 * array of 32-bit floats of the shape (channels, 512), which it changes in
 * place. Nothing is dropped and nothing padded: the last block before the end
 * of the stream or segment or a discontinuity may be shorter, and is shown to
 * the plugin with zeros behind it, which are cut off again.
 *
 * Blocks are handed to a thread of the element's own, which holds Python's
 * global interpreter lock (the GIL) around the plugin's calls and at no other
 * time. They wait for it in a queue of #ndapybridge:max-blocks, which makes
 * upstream wait when it is full. When several wait, one acquisition of the GIL
 * serves them all.
 *
 * ## Latency
 *
 * The latency added is the plugin's own (its get_processing_latency ()) and
 * that of regrouping: nothing when whole blocks arrive, else
 * (512 - gcd (512, buffer lengths)) / 48000 s. The queue is empty in steady
 * state; it adds to the maximum latency only. A block's time stamp is
 * base + n * 512 / 48000 s, rounded down once.
 *
 * ## When a plugin fails
 *
 * A plugin that cannot be loaded or initialised fails the change to READY, one
 * that does not start ends the stream, both with an error message that names
 * the file, the line and the reason. One that raises an exception in a block,
 * returns False, or binds an array of another shape to `buffer.data` is dealt
 * with as #ndapybridge:on-error says. What it prints goes to the GStreamer log:
 * GST_DEBUG=ndapython:4 shows it.
 *
 * ## Statistics
 *
 * The property #ndapybridge:stats is a structure application/x-ndapybridge-stats
 * of counters since NULL, all from the same moment:
 *
 * * `num-blocks`, `num-frames` (guint64): run through the plugin
 * * `num-failures` (guint64): blocks on which the plugin failed
 * * `num-late` (guint64): blocks for which GIL wait and call together took
 *   longer than a block lasts, 10.67 ms
 * * `num-retries`, `num-reloads`, `num-restarts` (guint64): 0 for a processor
 *   in this process, which is never offered a block twice, nor replaced
 * * `queue-level`, `max-queue-level` (guint): blocks that wait, and the most
 *   that ever did
 * * `avg-`, `p50-`, `p99-`, `p999-`, `max-call-time` (guint64, ns): the
 *   plugin's process_audio (), the copies to and from its array included
 * * `avg-`, `p50-`, `p99-`, `p999-`, `max-gil-wait` (guint64, ns): how long the
 *   GIL was waited for. Percentiles are right to 1/16.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndapybridge plugin=gain parameters=gain=0.5 ! ndasink
 * ]| From the microphone through the ready-made plugin “gain” to the speaker.
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audioconvert ! audioresample ! ndapybridge plugin=passthrough ! fakesink
 * ]| As fast as it goes, through a plugin that changes nothing.
 *
 * Since: 0.1
 */

/* THREADS. Upstream's (the sink thread: ndapybridgeinput.c) regroups and
 * queues; it waits for room in the queue. The worker (the source pad's task:
 * ndapybridgeworker.c) waits for the queue, for the GIL and for downstream. The
 * application's threads change the state (ndapybridgestate.c) and set
 * properties; a change of state waits for Python's jobs (ndapython.c), each with a limit.
 *
 * LOCKS. Object lock: settings. Queue lock: the queue and the counters. The
 * host and the interpreter have their own (ndapyhost.c, ndapython.c).
 *
 * ORDER. The GIL is the outermost. None of our locks is held while another is
 * taken, nor in Python, across a push, or while a message is posted.
 *
 * HAND-OVER. Blocks, events and serialized queries: through the queue, in
 * their order. Settings: copied under the object lock at the start of a run.
 * Parameters: through the host, which applies them between two blocks.
 *
 * STOP. To READY: the queue is stopped, which frees the sink thread; the host
 * is stopped, which gets the worker out of Python; then the pads are
 * deactivated, which joins the worker. Flush: FLUSH_START goes downstream and
 * frees the worker's push, the queue is stopped, the task paused. Failure on the
 * worker: it stops the queue with what upstream's next push shall return,
 * sends EOS downstream and pauses itself. */

#include <Python.h>

#include "config.h"

#include "ndapybridge.h"

#include "ndablock.h"
#include "ndapyparameters.h"
#include "ndapython.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (nda_py_bridge_debug);
#define GST_CAT_DEFAULT nda_py_bridge_debug

#define DEFAULT_MAX_BLOCKS 4
#define DEFAULT_ON_ERROR NDA_PY_ON_ERROR_STOP

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaPyBridge, nda_py_bridge, GST_TYPE_ELEMENT,
    GST_DEBUG_CATEGORY_INIT (nda_py_bridge_debug, "ndapybridge", 0,
        "live audio through Python plugins"));

enum
{
  PROP_PLUGIN = 1,
  PROP_PLUGIN_PATH,
  PROP_PARAMETERS,
  PROP_MAX_BLOCKS,
  PROP_ON_ERROR,
  PROP_STATS,
  N_PROPS
};

enum
{
  SIGNAL_SET_PARAMETER,
  SIGNAL_GET_PARAMETER,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_SRC_CAPS));

#define FIELD(name, kind, member) \
    { name, kind, G_STRUCT_OFFSET (NdaPyBridgeCounters, member) }

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  FIELD ("num-blocks", NDA_STATS_UINT64, n_blocks),
  FIELD ("num-frames", NDA_STATS_UINT64, n_frames),
  FIELD ("num-failures", NDA_STATS_UINT64, n_failures),
  FIELD ("num-late", NDA_STATS_UINT64, n_late),
  FIELD ("num-retries", NDA_STATS_UINT64, n_retries),
  FIELD ("num-reloads", NDA_STATS_UINT64, n_reloads),
  FIELD ("num-restarts", NDA_STATS_UINT64, n_restarts),
  FIELD ("queue-level", NDA_STATS_UINT, level.n_blocks),
  FIELD ("max-queue-level", NDA_STATS_UINT, level.max_n_blocks),
  FIELD ("call-time", NDA_STATS_PERCENTILES, call_time),
  FIELD ("gil-wait", NDA_STATS_PERCENTILES, gil_wait),
  { NULL }
};
/* *INDENT-ON* */

#define NDA_TYPE_PY_ON_ERROR (nda_py_on_error_get_type ())

GType
nda_py_on_error_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_ON_ERROR_STOP, "Stop the stream with an error", "stop"},
    {NDA_PY_ON_ERROR_SILENCE, "Play silence instead of the block", "silence"},
    {NDA_PY_ON_ERROR_PASSTHROUGH, "Pass the block on as it came",
        "passthrough"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPyOnError", values));
  return type;
}

/* Posts @error, whose first line is for the person and whose others, such as
 * a traceback, are for the developer. */
void
nda_py_bridge_post_error (NdaPyBridge * self, const GError * error)
{
  gsize n_text = strcspn (error->message, "\n");
  const gchar *details = error->message + n_text;

  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strndup (error->message, n_text),
      g_strdup (*details ? details + 1 : error->message),
      __FILE__, G_STRFUNC, __LINE__);
}

/* --- queries and the source pad --- */

/* What the plugin and the regrouping add, and at most a full queue. */
static gboolean
query_latency (NdaPyBridge * self, GstQuery * query)
{
  gboolean live;
  GstClockTime min, max, added;
  guint max_blocks;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  GST_OBJECT_LOCK (self);
  max_blocks = self->settings.max_blocks;
  GST_OBJECT_UNLOCK (self);

  gst_query_parse_latency (query, &live, &min, &max);
  added = nda_py_host_get_latency (self->host)
      + nda_block_input_get_latency (&self->input);
  min += added;
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += added + nda_block_frames_to_time ((guint64) max_blocks
        * NDA_BLOCK_FRAMES, NDA_BLOCK_RATE);
  gst_query_set_latency (query, live, min, max);
  return TRUE;
}

static gboolean
src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return query_latency (self, query);
  return nda_block_answer_query (pad, self->sinkpad, query)
      || gst_pad_query_default (pad, parent, query);
}

static gboolean
src_activate_mode (GstPad * pad, GstObject * parent, GstPadMode mode,
    gboolean active)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);
  gboolean ok;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    nda_block_queue_restart (&self->queue);
    nda_py_bridge_start_worker (self);
    return TRUE;
  }
  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  ok = gst_pad_stop_task (pad);
  nda_py_batch_clear (self->batch);
  self->n_channels = 0;
  return ok;
}

/* --- parameters and properties --- */

static gboolean
set_parameter (NdaPyBridge * self, const gchar * key, const gchar * value)
{
  gpointer paused = nda_python_pause ();
  gboolean ok = key && value
      && nda_py_host_set_parameter (self->host, key, value);

  nda_python_resume (paused);
  return ok;
}

static gchar *
get_parameter (NdaPyBridge * self, const gchar * key)
{
  gpointer paused = nda_python_pause ();
  gchar *value = key ? nda_py_host_get_parameter (self->host, key) :
      g_strdup ("");

  nda_python_resume (paused);
  return value;
}

/* Sets the parameters of @text: now, where there is a plugin; where there is
 * none yet, they are set when it is opened. */
static void
set_parameters (NdaPyBridge * self, const gchar * text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) parameters = nda_py_parameters_parse (text, &error);

  if (!parameters) {
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s", error->message),
        ("none of these parameters was set"));
    return;
  }
  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);

    set_parameter (self, p->key, p->value);
  }
}

static void
replace_text (gchar ** text, const GValue * value)
{
  g_free (*text);
  *text = g_value_dup_string (value);
}

static void
set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);
  NdaPyBridgeSettings *settings = &self->settings;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PLUGIN:
      replace_text (&settings->plugin, value);
      self->is_stale = TRUE;
      break;
    case PROP_PLUGIN_PATH:
      replace_text (&settings->plugin_path, value);
      self->is_stale = TRUE;
      break;
    case PROP_PARAMETERS:
      replace_text (&settings->parameters, value);
      break;
    case PROP_MAX_BLOCKS:
      settings->max_blocks = g_value_get_uint (value);
      break;
    case PROP_ON_ERROR:
      settings->on_error = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);

  if (id == PROP_PARAMETERS)
    set_parameters (self, g_value_get_string (value));
  if (id == PROP_MAX_BLOCKS)
    nda_block_queue_set_max (&self->queue, g_value_get_uint (value));
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);
  NdaPyBridgeSettings *settings = &self->settings;

  if (id == PROP_STATS) {
    g_value_take_boxed (value,
        nda_stats_snapshot ("application/x-ndapybridge-stats", stats_fields,
            &self->queue.lock, &self->counters, sizeof (self->counters)));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_PLUGIN:
      g_value_set_string (value, settings->plugin);
      break;
    case PROP_PLUGIN_PATH:
      g_value_set_string (value, settings->plugin_path);
      break;
    case PROP_PARAMETERS:
      g_value_take_string (value,
          nda_py_parameters_hide (settings->parameters));
      break;
    case PROP_MAX_BLOCKS:
      g_value_set_uint (value, settings->max_blocks);
      break;
    case PROP_ON_ERROR:
      g_value_set_enum (value, settings->on_error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
nda_py_bridge_init (NdaPyBridge * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  nda_py_bridge_init_input (self);
  gst_pad_set_query_function (self->srcpad, GST_DEBUG_FUNCPTR (src_query));
  gst_pad_set_activatemode_function (self->srcpad,
      GST_DEBUG_FUNCPTR (src_activate_mode));
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);

  self->settings.max_blocks = DEFAULT_MAX_BLOCKS;
  self->settings.on_error = DEFAULT_ON_ERROR;
  nda_block_queue_init (&self->queue, &self->counters.level);
  nda_block_queue_set_max (&self->queue, DEFAULT_MAX_BLOCKS);
  self->host =
      nda_py_host_new (NDA_PY_ROLE_PROCESSOR, &nda_py_bridge_host_events, self);
  self->batch = g_new0 (NdaPyBatch, 1);
}

static void
finalize (GObject * object)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);

  nda_py_host_free (self->host);
  nda_block_queue_clear (&self->queue);
  nda_block_input_clear (&self->input);
  nda_py_batch_clear (self->batch);
  g_free (self->batch);
  g_free (self->failure);
  g_free (self->settings.plugin);
  g_free (self->settings.plugin_path);
  g_free (self->settings.parameters);
  G_OBJECT_CLASS (nda_py_bridge_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  properties[PROP_PLUGIN] = g_param_spec_string ("plugin", "Plugin",
      "The plugin: the path of a Python file, or the name of one in the search "
      "path without its “.py”, such as gain", NULL,
      flags | GST_PARAM_MUTABLE_READY);
  properties[PROP_PLUGIN_PATH] = g_param_spec_string ("plugin-path",
      "Plugin path",
      "Folders in which the plugin is looked for, separated by colons; then "
      "those of the environment variable NDA_PLUGIN_PATH, then the installed "
      "plugins", NULL, flags | GST_PARAM_MUTABLE_READY);
  properties[PROP_PARAMETERS] = g_param_spec_string ("parameters",
      "Parameters",
      "Parameters of the plugin as key=value,key=value; a value with a comma "
      "or a quote in it stands in double quotes. Set while playing, they are "
      "applied between two blocks. What looks secret by its key reads as ***",
      NULL, flags | GST_PARAM_MUTABLE_PLAYING);
  properties[PROP_MAX_BLOCKS] =
      g_param_spec_uint ("max-blocks", "Maximum blocks",
      "How many blocks (of 512 frames, 10.67 ms) may wait for the plugin before "
      "upstream has to wait; adds to the maximum latency only", 1,
      NDA_PY_BATCH_MAX, DEFAULT_MAX_BLOCKS, flags | GST_PARAM_MUTABLE_PLAYING);
  properties[PROP_ON_ERROR] =
      g_param_spec_enum ("on-error", "On error",
      "What becomes of the stream when the plugin fails on a block: stop with "
      "an error, silence instead of the block, or the block's untouched input. "
      "Only stop is safe for a plugin that encrypts", NDA_TYPE_PY_ON_ERROR,
      DEFAULT_ON_ERROR, flags | GST_PARAM_MUTABLE_PLAYING);
  properties[PROP_STATS] =
      g_param_spec_boxed ("stats", "Statistics",
      "Counters since the element left NULL, all from one moment: blocks, "
      "frames, failures, late blocks, the level of the queue, and the mean, "
      "percentiles and maximum of call time and GIL wait, in nanoseconds",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (class, N_PROPS, properties);
}

static void
install_signals (NdaPyBridgeClass * class)
{
  GType type = G_TYPE_FROM_CLASS (class);
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /**
   * NdaPyBridge::set-parameter:
   * @key: the parameter
   * @value: its value, as text
   *
   * Sets a parameter of the plugin, between two of its blocks.
   *
   * Returns: whether there is a plugin to set it (from READY on)
   */
  signals[SIGNAL_SET_PARAMETER] = g_signal_new_class_handler ("set-parameter",
      type, flags, G_CALLBACK (set_parameter), NULL, NULL, NULL,
      G_TYPE_BOOLEAN, 2, G_TYPE_STRING, G_TYPE_STRING);

  /**
   * NdaPyBridge::get-parameter:
   * @key: the parameter
   *
   * Asks the plugin for a parameter, after what was set before.
   *
   * Returns: (transfer full): the value as text, "" if there is none
   */
  signals[SIGNAL_GET_PARAMETER] = g_signal_new_class_handler ("get-parameter",
      type, flags, G_CALLBACK (get_parameter), NULL, NULL, NULL,
      G_TYPE_STRING, 1, G_TYPE_STRING);
}

static void
nda_py_bridge_class_init (NdaPyBridgeClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_py_bridge_change_state);
  install_properties (object_class);
  install_signals (class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Python processor bridge", "Filter/Effect/Audio",
      "Runs live audio through a plugin written in Python, in blocks of 512 "
      "frames at 48 kHz", "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_PY_ON_ERROR, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndapybridge, "ndapybridge", GST_RANK_NONE,
    NDA_TYPE_PY_BRIDGE);
