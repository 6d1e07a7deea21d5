/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndapybridge
 * @title: ndapybridge
 *
 * Runs live audio through a plugin written in Python. The plugin gets arrays of
 * 32-bit floats of the shape (channels, frames): 512 frames at 48 kHz, or the
 * rate, frames and channels that it declares. As many frames go out as come in,
 * and each keeps its time stamp: docs/latency.md.
 *
 * The element's own thread holds Python's global interpreter lock (the GIL)
 * during the plugin's calls and at no other time. Blocks wait for this thread
 * in a queue of #ndapybridge:max-blocks. A full queue makes upstream wait. If
 * several blocks wait, the thread takes the GIL once for all of them.
 *
 * ## Latency
 *
 * The latency is the sum of the delay that the plugin declares, F - gcd (F,
 * 512) frames if it takes F frames at a time, and the filters' delay at another
 * rate. The element takes these out of the time stamps, and drains the frames
 * at the end. Regrouping adds nothing to whole blocks, and (512 - gcd (512,
 * buffer lengths)) / 48000 s otherwise. The queue is empty in steady state; it
 * adds to the maximum latency only.
 *
 * ## When a plugin fails
 *
 * If a plugin cannot be loaded or initialised, the change to READY fails. If a
 * plugin does not start, the stream ends. Both post an error that names the
 * file, the line and the reason. #ndapybridge:on-error decides what happens to
 * the sound of a call that fails. Output that the plugin prints goes to the
 * GStreamer log: GST_DEBUG=ndapython:4 shows it.
 *
 * ## Statistics
 *
 * #ndapybridge:stats is a structure application/x-ndapybridge-stats of counters
 * since NULL, all from one moment:
 *
 * * `num-blocks`, `num-frames` (guint64): calls of the plugin, and frames that
 *   it got
 * * `num-failures` (guint64): calls that failed
 * * `num-late` (guint64): calls that took longer, GIL wait included, than their
 *   sound lasts: 10.67 ms for 512 frames
 * * `num-restarts` (guint64): new processes that took the place of a plugin's
 *   process that ended, with #ndapybridge:isolation process
 * * `num-standbys` (guint64): standby processes that became ready
 * * `num-reloads` (guint64): edited plugins that took the place of the plugin
 *   before, by the action #ndapybridge::reload or #ndapybridge:auto-reload
 * * `num-retries` (guint64): always 0
 * * `queue-level`, `max-queue-level` (guint): blocks in the queue now, and at
 *   most so far
 * * `avg-`, `p50-`, `p99-`, `p999-`, `max-call-time` (guint64, ns): how long
 *   the plugin's process_audio () took, with the copies to and from its array
 * * `avg-`, `p50-`, `p99-`, `p999-`, `max-gil-wait` (guint64, ns): how long
 *   calls waited for the GIL. Percentiles are exact to 1/16.
 * * `num-realtime-threads` (guint): 1 if the thread that runs the plugin has
 *   real-time priority
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndasrc ! ndapybridge plugin=gain parameters=gain=0.5 ! ndasink
 * ]| From the microphone through the ready-made plugin “gain” to the speaker.
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audioconvert ! \
 *   audioresample ! ndapybridge plugin=passthrough ! fakesink
 * ]| As fast as possible.
 *
 * Since: 0.1
 */

/* THREADS. Upstream's thread (the sink thread) regroups and queues blocks; it
 * waits for room in the queue. The task (the source pad's thread:
 * ndapybridgetask.c) waits for the queue, the GIL and downstream. The
 * application's threads set properties and change the state
 * (ndapyelementstate.c), which waits for Python's jobs.
 *
 * LOCKS. Object lock: settings. Queue lock: the queue and the counters. Task
 * lock: whether the task may be started. The host has its own (ndapyhost.c).
 *
 * ORDER. The GIL is the outermost. We hold none of our locks while we take
 * another lock, in Python, across a push, or while we post a message.
 *
 * HAND-OVER. Blocks, events and serialized queries go through the queue, in
 * their order. Settings are copied under the object lock at the start of a run.
 * Parameters go through the host, which sets them between two blocks.
 *
 * STOP. To READY: the queue is stopped, which frees the sink thread; the host
 * is stopped, which gets the task out of Python; then the pads are deactivated,
 * which joins the task. Flush: FLUSH_START goes downstream and frees the task's
 * push; the queue is stopped, and the task paused. Failure on the task: it
 * stops the queue with the result that upstream's next push shall return, sends
 * EOS downstream and pauses itself. NOT_LINKED stops the queue until
 * RECONFIGURE comes, EOS until a stream or segment begins (ndablockqueue.h). */

#include "config.h"

#include "ndapybridge.h"

#include "ndablock.h"
#include "ndablockinput.h"
#include "ndapybridgetask.h"
#include "ndapychildproxy.h"
#include "ndapyelementstate.h"
#include "ndapyproperties.h"

GST_DEBUG_CATEGORY_STATIC (nda_py_bridge_debug);
#define GST_CAT_DEFAULT nda_py_bridge_debug

#define DEFAULT_MAX_BLOCKS 8
#define DEFAULT_ON_ERROR NDA_PY_ON_ERROR_STOP

struct _NdaPyBridge
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaPyShared py;               /* its counters lock is the queue lock */
  NdaBlockQueue queue;          /* has its own lock: the queue lock */
  guint max_blocks;             /* [object lock] */

  NdaBlockInput input;          /* [sink thread] latency: any thread */
  NdaPyBridgeTask task;         /* see its header for the threads */
};

#define NDA_TYPE_PY_BRIDGE (nda_py_bridge_get_type ())
G_DECLARE_FINAL_TYPE (NdaPyBridge, nda_py_bridge, NDA, PY_BRIDGE, GstElement);

static void nda_py_bridge_element_init (NdaPyElementInterface * iface);

G_DEFINE_TYPE_WITH_CODE (NdaPyBridge, nda_py_bridge, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (NDA_TYPE_PY_ELEMENT, nda_py_bridge_element_init);
    NDA_PY_CHILD_PROXY_INTERFACES;
    GST_DEBUG_CATEGORY_INIT (nda_py_bridge_debug, "ndapybridge", 0,
        "live audio through Python plugins"));

enum
{
  PROP_MAX_BLOCKS = NDA_PY_N_PROPS,
  PROP_ON_ERROR,
  PROP_REALTIME,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_PY_STATS_FIELDS,
  NDA_PY_STATS_FIELD ("num-realtime-threads", NDA_STATS_UINT,
      n_realtime_threads),
  { NULL }
};
/* *INDENT-ON* */

/* --- the sink pad: what arrives is regrouped and queued --- */

static GstFlowReturn
nda_py_bridge_queue_block (gpointer owner, GstBuffer * block)
{
  return nda_block_queue_push_block (&NDA_PY_BRIDGE (owner)->queue, block);
}

static GstFlowReturn
nda_py_bridge_queue_event (gpointer owner, GstEvent * event)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (owner);
  gboolean is_eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  GstFlowReturn flow = nda_block_queue_push_event (&self->queue, event);

  /* after EOS no push follows that could return the result */
  if (is_eos)
    nda_py_bridge_task_tell_end (&self->task, flow);
  return flow;
}

static const NdaBlockOutput to_queue = {
  .push_block = nda_py_bridge_queue_block,
  .push_event = nda_py_bridge_queue_event,
};

static GstFlowReturn
nda_py_bridge_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_block_input_chain (&NDA_PY_BRIDGE (parent)->input, buffer);
}

static gboolean
flush_start (NdaPyBridge * self, GstEvent * event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  /* the event above has freed the task's push */
  gst_pad_pause_task (self->srcpad);
  return ok;
}

static gboolean
flush_stop (NdaPyBridge * self, GstEvent * event)
{
  gboolean ok = gst_pad_push_event (self->srcpad, event);

  nda_block_input_flush (&self->input);
  nda_py_bridge_task_flush (&self->task);
  nda_block_queue_restart (&self->queue);
  nda_py_bridge_task_start (&self->task);
  return ok;
}

static GstFlowReturn
nda_py_bridge_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);
  gboolean ok;

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    ok = flush_start (self, event);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    ok = flush_stop (self, event);
  else if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&self->input, event);
  else
    ok = gst_pad_event_default (pad, parent, event);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static gboolean
nda_py_bridge_sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (nda_block_answer_query (pad, self->srcpad, query))
    return TRUE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    nda_block_input_drain (&self->input);
  if (GST_QUERY_IS_SERIALIZED (query))
    return nda_block_queue_push_query (&self->queue, query);
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
nda_py_bridge_sink_activate_mode (GstPad * pad, GstObject * parent,
    GstPadMode mode, gboolean active)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    nda_block_queue_restart (&self->queue);
    return TRUE;
  }
  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  nda_block_queue_forget (&self->queue);
  GST_PAD_STREAM_LOCK (pad);    /* wait for the sink thread */
  nda_block_input_reset (&self->input);
  GST_PAD_STREAM_UNLOCK (pad);
  return TRUE;
}

/* --- the source pad, and queries --- */

/* Adds the latency of the plugin and the regrouping, and a full queue to the
 * maximum. */
static gboolean
query_latency (NdaPyBridge * self, GstQuery * query)
{
  guint64 max_blocks;

  GST_OBJECT_LOCK (self);
  max_blocks = self->max_blocks;
  GST_OBJECT_UNLOCK (self);

  return nda_block_answer_latency (self->sinkpad, query,
      nda_py_host_get_latency (self->py.host)
      + nda_block_input_get_latency (&self->input),
      nda_block_frames_to_time (max_blocks * NDA_BLOCK_FRAMES, NDA_BLOCK_RATE));
}

static gboolean
nda_py_bridge_src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return query_latency (self, query);
  return nda_block_answer_query (pad, self->sinkpad, query)
      || gst_pad_query_default (pad, parent, query);
}

static gboolean
nda_py_bridge_src_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    nda_py_bridge_task_relink (&NDA_PY_BRIDGE (parent)->task);
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
nda_py_bridge_src_activate_mode (GstPad * pad, GstObject * parent,
    GstPadMode mode, gboolean active)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    nda_block_queue_restart (&self->queue);
    nda_py_bridge_task_activate (&self->task);
    nda_py_bridge_task_start (&self->task);
    return TRUE;
  }
  nda_block_queue_stop (&self->queue, GST_FLOW_FLUSHING);
  return nda_py_bridge_task_stop (&self->task);
}

/* --- the state and the properties --- */

static NdaPyShared *
nda_py_bridge_get_shared (NdaPyElement * element)
{
  return &NDA_PY_BRIDGE (element)->py;
}

static void
nda_py_bridge_unblock (NdaPyElement * element)
{
  nda_block_queue_stop (&NDA_PY_BRIDGE (element)->queue, GST_FLOW_FLUSHING);
}

static void
nda_py_bridge_element_init (NdaPyElementInterface * iface)
{
  iface->get_shared = nda_py_bridge_get_shared;
  iface->unblock = nda_py_bridge_unblock;
}

static GstStateChangeReturn
nda_py_bridge_change_state (GstElement * element, GstStateChange transition)
{
  return nda_py_element_change_state (NDA_PY_ELEMENT (element), transition,
      GST_ELEMENT_CLASS (nda_py_bridge_parent_class));
}

static void
nda_py_bridge_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);

  if (nda_py_properties_set (&self->py, id, value))
    return;
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MAX_BLOCKS:
      self->max_blocks = g_value_get_uint (value);
      break;
    case PROP_ON_ERROR:
      self->task.on_error = g_value_get_enum (value);
      break;
    case PROP_REALTIME:
      self->task.realtime = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);

  if (id == PROP_MAX_BLOCKS)
    nda_block_queue_set_max (&self->queue, g_value_get_uint (value));
}

static void
nda_py_bridge_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);

  if (nda_py_properties_get (&self->py, id, value))
    return;
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MAX_BLOCKS:
      g_value_set_uint (value, self->max_blocks);
      break;
    case PROP_ON_ERROR:
      g_value_set_enum (value, self->task.on_error);
      break;
    case PROP_REALTIME:
      g_value_set_enum (value, self->task.realtime);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- the class --- */

static void
nda_py_bridge_init_pads (NdaPyBridge * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);
  GstPad *sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  GstPad *srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");

  gst_pad_set_chain_function (sinkpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_sink_chain));
  gst_pad_set_event_full_function (sinkpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_sink_event));
  gst_pad_set_query_function (sinkpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_sink_query));
  gst_pad_set_activatemode_function (sinkpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_sink_activate_mode));
  gst_pad_set_event_function (srcpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_src_event));
  gst_pad_set_query_function (srcpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_src_query));
  gst_pad_set_activatemode_function (srcpad,
      GST_DEBUG_FUNCPTR (nda_py_bridge_src_activate_mode));
  self->sinkpad = sinkpad;
  self->srcpad = srcpad;
  gst_element_add_pad (GST_ELEMENT (self), sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), srcpad);
}

static void
nda_py_bridge_init (NdaPyBridge * self)
{
  nda_py_bridge_init_pads (self);
  self->max_blocks = DEFAULT_MAX_BLOCKS;
  nda_block_queue_init (&self->queue, &self->py.counters.level);
  nda_block_queue_set_max (&self->queue, DEFAULT_MAX_BLOCKS);
  nda_py_shared_init (&self->py, GST_ELEMENT (self), NDA_PY_ROLE_PROCESSOR,
      stats_fields, &self->queue.lock);
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_queue);
  nda_py_bridge_task_init (&self->task, self->srcpad, &self->queue, &self->py);
  self->task.on_error = DEFAULT_ON_ERROR;
}

static void
nda_py_bridge_finalize (GObject * object)
{
  NdaPyBridge *self = NDA_PY_BRIDGE (object);

  nda_py_shared_clear (&self->py);
  nda_block_queue_clear (&self->queue);
  nda_block_input_clear (&self->input);
  nda_py_bridge_task_clear (&self->task);
  G_OBJECT_CLASS (nda_py_bridge_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * class)
{
  g_object_class_install_property (class, PROP_MAX_BLOCKS,
      g_param_spec_uint ("max-blocks", "Maximum blocks",
          "How many blocks (of 512 frames, 10.67 ms) may wait for the plugin "
          "before upstream has to wait. Adds to the maximum latency only",
          1, NDA_PY_BATCH_MAX, DEFAULT_MAX_BLOCKS, G_PARAM_READWRITE
          | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, PROP_ON_ERROR,
      nda_py_on_error_param (DEFAULT_ON_ERROR));
  g_object_class_install_property (class, PROP_REALTIME, nda_realtime_param ());
}

static void
nda_py_bridge_class_init (NdaPyBridgeClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  object_class->set_property = nda_py_bridge_set_property;
  object_class->get_property = nda_py_bridge_get_property;
  object_class->finalize = nda_py_bridge_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_py_bridge_change_state);
  nda_py_element_install (element_class);
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio effect written in Python (plugin)", "Filter/Effect/Audio",
      "Runs live audio through a plugin written in Python, in blocks of 512 "
      "frames at 48 kHz", "the nda authors");
  gst_type_mark_as_plugin_api (NDA_TYPE_PY_ON_ERROR, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_REALTIME_POLICY, 0);
}

GST_ELEMENT_REGISTER_DEFINE (ndapybridge, "ndapybridge", GST_RANK_NONE,
    NDA_TYPE_PY_BRIDGE);
