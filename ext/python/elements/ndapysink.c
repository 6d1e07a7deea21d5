/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndapysink
 * @title: ndapysink
 *
 * Plays live audio with a sink plugin written in Python, by its method
 * write_audio (). The element regroups buffers of any size into blocks of 512
 * frames at 48 kHz, and gives these to the plugin: in shorter buffers if the
 * plugin asks for them, at another rate if the plugin's device has one. Only
 * the last buffer before the end, a new segment or a discontinuity is shorter,
 * and has its exact frames. No frame is dropped, none is added. If the plugin
 * has one channel and the stream two, or the reverse, the element converts.
 *
 * ## Time
 *
 * The pipeline's clock sets the pace, block by block, whatever the size of the
 * buffers that arrive, unless #ndapysink:sync is off. Before each call the
 * element asks the plugin whether it has room (get_available_space ()) and
 * waits for room, for #ndapysink:write-budget at most; then the plugin gets its
 * block anyway. A plugin that said it had no room for all that time, and then
 * took the block, is not waited for again until it reports room.
 *
 * ## When a plugin is full, or fails
 *
 * If a plugin cannot be loaded or initialised, the change to READY fails. If a
 * plugin does not start, the stream ends with an error. If write_audio ()
 * returns False, the plugin is full: the element offers the same block again
 * every 5 ms, and counts it in `num-retries`. After an exception the element
 * does the same, counts it in `num-failures` too, and posts a warning at most
 * once a second. If a plugin takes longer than #ndapysink:write-budget, the
 * stream ends with an error.
 *
 * ## Statistics
 *
 * #ndapysink:stats is a structure application/x-ndapysink-stats with the fields
 * of #ndapybridge:stats except `num-realtime-threads`. Here a call is a call of
 * write_audio (), and `num-late` counts the blocks for which the plugin took
 * longer than two blocks last, the wait for room and retries included.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audioconvert ! \
 *   audioresample ! ndapysink plugin=wav_recorder \
 *   parameters=filename=recorded.wav
 * ]| A tone into a file.
 *
 * Since: 0.1
 */

/* THREADS. The streaming thread, which is upstream's, starts the plugin when
 * the first caps arrive and makes its calls. It waits for the clock, for room,
 * for the GIL and for the plugin. The application's threads change the state
 * (ndapyelementstate.c) and set properties.
 *
 * ndapywriter.c handles the blocks.
 *
 * LOCKS. Preroll lock: GstBaseSink's, held in its functions for caps, events
 * and data. It is given up around the plugin's calls and the waits for room, so
 * no change of state waits for Python. Counters lock: the counters. Wait lock:
 * ndapywait.c.
 *
 * STOP. Waits are interrupted, then the host gets the streaming thread out of
 * Python, then the pad is deactivated, which waits for that thread. */

#include "config.h"

#include "ndapysink.h"

#include "ndablock.h"
#include "ndablockinput.h"
#include "ndapychildproxy.h"
#include "ndapyelementstate.h"
#include "ndapyparent.h"
#include "ndapyproperties.h"
#include "ndapywriter.h"

#include <gst/base/gstbasesink.h>

GST_DEBUG_CATEGORY_STATIC (nda_py_sink_debug);
#define GST_CAT_DEFAULT nda_py_sink_debug

#define DEFAULT_WRITE_BUDGET (100 * GST_MSECOND)
/* GStreamer's 20 ms would make the latency too long */
#define PROCESSING_DEADLINE (5 * GST_MSECOND)

struct _NdaPySink
{
  GstBaseSink parent;

  NdaPyShared py;
  GMutex counters_lock;

  /* [streaming thread], all fields below */
  NdaBlockInput input;
  GstAudioInfo info;            /* of the stream */
  GstClockTime waited_for;      /* time stamp of the buffer that has come */
  NdaPyWriter writer;           /* its wait: any thread */
};

#define NDA_TYPE_PY_SINK (nda_py_sink_get_type ())
G_DECLARE_FINAL_TYPE (NdaPySink, nda_py_sink, NDA, PY_SINK, GstBaseSink);

static void nda_py_sink_element_init (NdaPyElementInterface * iface);

G_DEFINE_TYPE_WITH_CODE (NdaPySink, nda_py_sink, GST_TYPE_BASE_SINK,
    G_IMPLEMENT_INTERFACE (NDA_TYPE_PY_ELEMENT, nda_py_sink_element_init);
    NDA_PY_CHILD_PROXY_INTERFACES;
    GST_DEBUG_CATEGORY_INIT (nda_py_sink_debug, "ndapysink", 0,
        "live audio into Python plugins"));

enum
{
  PROP_WRITE_BUDGET = NDA_PY_N_PROPS,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_PY_STATS_FIELDS,
  { NULL }
};
/* *INDENT-ON* */

/* --- negotiation --- */

/* The template's caps, with the channels that fit the plugin's. */
static GstCaps *
nda_py_sink_get_caps (GstBaseSink * base, GstCaps * filter)
{
  guint n_channels = nda_py_host_get_n_channels (NDA_PY_SINK (base)->py.host);
  GstCaps *caps = gst_pad_get_pad_template_caps (GST_BASE_SINK_PAD (base));

  if (n_channels) {
    GstCaps *own = gst_caps_make_writable (caps);

    gst_caps_set_simple (own, "channels", G_TYPE_INT, n_channels, NULL);
    caps = own;
    if (n_channels <= 2) {
      GstCaps *other = gst_caps_copy (own);

      gst_caps_set_simple (other, "channels", G_TYPE_INT, 3 - n_channels, NULL);
      gst_caps_append (caps, other);
    }
  }
  return nda_block_filter_caps (caps, filter);
}

static gboolean
nda_py_sink_set_caps (GstBaseSink * base, GstCaps * caps)
{
  NdaPySink *self = NDA_PY_SINK (base);
  GstFlowReturn flow = GST_FLOW_OK;

  if (!gst_audio_info_from_caps (&self->info, caps))
    return FALSE;
  if (!self->writer.is_started) {
    self->writer.format.n_channels = self->info.channels;
    flow = nda_py_writer_start (&self->writer);
  }
  /* the next block shows that the stream stops: FALSE would be an error */
  if (flow != GST_FLOW_OK)
    return flow == GST_FLOW_FLUSHING;
  if (nda_py_planes_fit (self->info.channels, self->writer.format.n_channels))
    return TRUE;
  GST_WARNING_OBJECT (self, "the plugin has %u channels, not as in %"
      GST_PTR_FORMAT, self->writer.format.n_channels, caps);
  return FALSE;
}

/* --- data --- */

/* The clock time of @time (a running time), as the base class computes it, but
 * without the render delay, for which this element waits itself. */
static GstClockTime
to_clock_time (GstBaseSink * base, GstClockTime time)
{
  GstClockTimeDiff offset = gst_base_sink_get_ts_offset (base);

  time += gst_base_sink_get_latency (base);
  return offset < 0 && time < (GstClockTime) - offset ? 0 : time + offset;
}

/* Waits for the time of @block. The base class did so for the first block of
 * the buffer, which may hold many. The latency of regrouping is the render
 * delay, and this element waits for it here. If the pipeline is paused
 * meanwhile, @block is its preroll: gst_base_sink_wait () would go on waiting
 * without saying so, and the change of state would never end. */
static GstFlowReturn
wait_for_time (NdaPySink * self, GstBuffer * block)
{
  GstBaseSink *base = GST_BASE_SINK (self);
  GstClockTime delay = gst_base_sink_get_render_delay (base);
  GstClockTime time = gst_segment_to_running_time (&base->segment,
      GST_FORMAT_TIME, GST_BUFFER_PTS (block));
  GstClockReturn status;
  GstFlowReturn flow;

  if (!GST_CLOCK_TIME_IS_VALID (time)
      || (delay == 0 && GST_BUFFER_PTS (block) == self->waited_for))
    return GST_FLOW_OK;
  do {
    flow = nda_py_writer_preroll (&self->writer);
    if (flow != GST_FLOW_OK)
      return flow;
    status = gst_base_sink_wait_clock (base, to_clock_time (base, time), NULL);
    if (base->flushing)
      return GST_FLOW_FLUSHING;
  } while (status == GST_CLOCK_UNSCHEDULED);
  return GST_FLOW_OK;
}

static GstFlowReturn
nda_py_sink_push_block (gpointer owner, GstBuffer * buffer)
{
  NdaPySink *self = NDA_PY_SINK (owner);
  g_autoptr (GstBuffer) block = buffer;
  GstFlowReturn flow = self->writer.is_started ? wait_for_time (self, block) :
      GST_FLOW_FLUSHING;
  GstClockTime begin = gst_util_get_timestamp ();
  guint n_frames;

  if (nda_py_parent_has_controls (&self->py))
    nda_py_parent_sync_controls (&self->py,
        gst_segment_to_stream_time (&GST_BASE_SINK (self)->segment,
            GST_FORMAT_TIME, GST_BUFFER_PTS (block)));
  if (flow == GST_FLOW_OK)
    flow = nda_py_writer_write (&self->writer, &self->info, block, &n_frames);
  if (flow == GST_FLOW_OK)
    nda_py_shared_count_block (&self->py, n_frames,
        gst_util_get_timestamp () - begin > 2 * NDA_BLOCK_DURATION);
  return flow == GST_FLOW_CUSTOM_SUCCESS ? GST_FLOW_OK : flow;
}

static GstFlowReturn
nda_py_sink_push_event (gpointer owner, GstEvent * event)
{
  NdaPySink *self = NDA_PY_SINK (owner);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (nda_py_sink_parent_class);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    nda_py_writer_flush (&self->writer);
  } else {
    if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
      nda_py_writer_drain (&self->writer);
    /* a flush began while the rest was written: the base class would wait for
     * its preroll, and not see the flush */
    if (GST_BASE_SINK (self)->flushing) {
      gst_event_unref (event);
      return GST_FLOW_FLUSHING;
    }
  }
  return base_class->event (owner, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static const NdaBlockOutput to_plugin = {
  .push_block = nda_py_sink_push_block,
  .push_event = nda_py_sink_push_event,
};

static GstFlowReturn
nda_py_sink_render (GstBaseSink * base, GstBuffer * buffer)
{
  NdaPySink *self = NDA_PY_SINK (base);
  GstFlowReturn flow;
  GstClockTime latency;

  self->waited_for = GST_BUFFER_PTS (buffer);
  flow = nda_block_input_chain (&self->input, gst_buffer_ref (buffer));
  latency = nda_block_input_get_latency (&self->input);
  if (latency != gst_base_sink_get_render_delay (base))
    gst_base_sink_set_render_delay (base, latency);
  return flow;
}

/* With the preroll lock, unless it is the end of a flush. */
static gboolean
nda_py_sink_event (GstBaseSink * base, GstEvent * event)
{
  NdaPySink *self = NDA_PY_SINK (base);

  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&self->input, event) == GST_FLOW_OK;
  return GST_BASE_SINK_CLASS (nda_py_sink_parent_class)->event (base, event);
}

/* FALSE: a flush began before all blocks were written. */
static gboolean
drain (NdaPySink * self)
{
  GstBaseSink *base = GST_BASE_SINK (self);
  gboolean ok;

  GST_BASE_SINK_PREROLL_LOCK (base);
  if (!base->flushing) {
    nda_block_input_drain (&self->input);
    nda_py_writer_drain (&self->writer);
  }
  ok = !base->flushing;
  GST_BASE_SINK_PREROLL_UNLOCK (base);
  return ok;
}

static gboolean
nda_py_sink_query (GstBaseSink * base, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN && !drain (NDA_PY_SINK (base)))
    return FALSE;
  return GST_BASE_SINK_CLASS (nda_py_sink_parent_class)->query (base, query);
}

/* --- life cycle and properties --- */

static gboolean
nda_py_sink_unlock (GstBaseSink * base)
{
  nda_py_wait_interrupt (&NDA_PY_SINK (base)->writer.wait);
  return TRUE;
}

static gboolean
nda_py_sink_unlock_stop (GstBaseSink * base)
{
  nda_py_wait_resume (&NDA_PY_SINK (base)->writer.wait);
  return TRUE;
}

static NdaPyShared *
nda_py_sink_get_shared (NdaPyElement * element)
{
  return &NDA_PY_SINK (element)->py;
}

static void
nda_py_sink_unblock (NdaPyElement * element)
{
  nda_py_wait_interrupt (&NDA_PY_SINK (element)->writer.wait);
}

static void
nda_py_sink_element_init (NdaPyElementInterface * iface)
{
  iface->get_shared = nda_py_sink_get_shared;
  iface->unblock = nda_py_sink_unblock;
}

static GstStateChangeReturn
nda_py_sink_change_state (GstElement * element, GstStateChange transition)
{
  NdaPySink *self = NDA_PY_SINK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    nda_py_wait_resume (&self->writer.wait);
  result = nda_py_element_change_state (NDA_PY_ELEMENT (element), transition,
      GST_ELEMENT_CLASS (nda_py_sink_parent_class));
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      && result != GST_STATE_CHANGE_FAILURE) {
    nda_block_input_reset (&self->input);
    nda_py_writer_stop (&self->writer);
  }
  return result;
}

static void
nda_py_sink_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPySink *self = NDA_PY_SINK (object);

  if (nda_py_properties_set (&self->py, id, value))
    return;
  GST_OBJECT_LOCK (self);
  if (id == PROP_WRITE_BUDGET)
    self->writer.budget = g_value_get_uint64 (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
nda_py_sink_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaPySink *self = NDA_PY_SINK (object);

  if (nda_py_properties_get (&self->py, id, value))
    return;
  GST_OBJECT_LOCK (self);
  if (id == PROP_WRITE_BUDGET)
    g_value_set_uint64 (value, self->writer.budget);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
nda_py_sink_init (NdaPySink * self)
{
  g_mutex_init (&self->counters_lock);
  nda_py_shared_init (&self->py, GST_ELEMENT (self), NDA_PY_ROLE_SINK,
      stats_fields, &self->counters_lock);
  nda_py_writer_init (&self->writer, GST_BASE_SINK (self), &self->py);
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_plugin);
  /* a sink plugin gets short blocks only at the end */
  nda_regroup_ignore_grid (self->input.regroup);
  self->writer.budget = DEFAULT_WRITE_BUDGET;
  gst_base_sink_set_processing_deadline (GST_BASE_SINK (self),
      PROCESSING_DEADLINE);
}

static void
nda_py_sink_finalize (GObject * object)
{
  NdaPySink *self = NDA_PY_SINK (object);

  nda_py_shared_clear (&self->py);
  nda_block_input_clear (&self->input);
  nda_py_writer_clear (&self->writer);
  g_mutex_clear (&self->counters_lock);
  G_OBJECT_CLASS (nda_py_sink_parent_class)->finalize (object);
}

static void
nda_py_sink_class_init (NdaPySinkClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (class);

  object_class->set_property = nda_py_sink_set_property;
  object_class->get_property = nda_py_sink_get_property;
  object_class->finalize = nda_py_sink_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_py_sink_change_state);
  base_class->get_caps = GST_DEBUG_FUNCPTR (nda_py_sink_get_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR (nda_py_sink_set_caps);
  base_class->event = GST_DEBUG_FUNCPTR (nda_py_sink_event);
  base_class->query = GST_DEBUG_FUNCPTR (nda_py_sink_query);
  base_class->render = GST_DEBUG_FUNCPTR (nda_py_sink_render);
  base_class->unlock = GST_DEBUG_FUNCPTR (nda_py_sink_unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (nda_py_sink_unlock_stop);

  nda_py_element_install (element_class);
  g_object_class_install_property (object_class, PROP_WRITE_BUDGET,
      g_param_spec_uint64 ("write-budget", "Write budget",
          "How long a block is offered to a plugin that is full before the "
          "stream ends with an error (in nanoseconds)", 0, G_MAXINT64,
          DEFAULT_WRITE_BUDGET, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
          | GST_PARAM_MUTABLE_PLAYING));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio sink written in Python (plugin)", "Sink/Audio",
      "Plays live audio with a plugin written in Python, in blocks of 512 "
      "frames at 48 kHz", "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndapysink, "ndapysink", GST_RANK_NONE,
    NDA_TYPE_PY_SINK);
