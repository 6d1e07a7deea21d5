/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndapysink
 * @title: ndapysink
 *
 * Plays live audio with a sink plugin written in Python, its write_audio ().
 * Buffers of any size are regrouped into blocks of 512 frames at 48 kHz, and
 * those into what the plugin takes: shorter buffers if it asks for them,
 * another rate if its device has one. Only the last buffer before the end, a
 * new segment or a discontinuity is shorter, and has its exact frames; nothing
 * is dropped and nothing padded. Where the plugin has one channel and the
 * stream two, or the other way round, one becomes the other.
 *
 * ## Time
 *
 * The pipeline's clock sets the pace, block by block, whatever the size of the
 * buffers that arrive, unless #ndapysink:sync is off. Before each call the
 * plugin is asked whether it has room (get_available_space ()) and waited for,
 * for #ndapysink:write-budget at most; then it gets its block anyway. One that
 * waited in vain and then took the block is not asked again until it says
 * something true.
 *
 * ## When a plugin is full, or fails
 *
 * A plugin that cannot be loaded or initialised fails the change to READY; one
 * that does not start ends the stream with an error. A write_audio () that
 * returns False is full: the same block is offered again every 5 ms, and
 * counted in `num-retries`. So it is after an exception, which is counted in
 * `num-failures` as well and told in a warning, at most once a second. A
 * plugin that takes longer than #ndapysink:write-budget ends the stream with an
 * error.
 *
 * ## Statistics
 *
 * #ndapysink:stats is a structure application/x-ndapysink-stats with the fields
 * of #ndapybridge:stats. A call is one of write_audio (); `num-late` counts the
 * blocks that took the plugin, room and retries included, longer than two
 * blocks last.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 audiotestsrc num-buffers=100 ! audioconvert ! audioresample ! ndapysink plugin=wav_recorder parameters=filename=recorded.wav
 * ]| A tone into a file.
 *
 * Since: 0.1
 */

/* THREADS. The streaming thread, upstream's, starts the plugin when the first
 * caps arrive and makes its calls; it waits for the clock, for room, for the GIL
 * and for the plugin. The application's threads change the state
 * (ndapyelementstate.c) and set properties.
 *
 * LOCKS. Preroll lock: GstBaseSink's, held in its functions for caps, events and
 * data; given up around the plugin's calls and the waits for room, so that no change of state waits for Python. Counters
 * lock: the counters. Wait lock: ndapywait.c.
 *
 * STOP. Waits are interrupted, then the host gets the streaming thread out of
 * Python, then the pad is deactivated, which waits for that thread. */

#include "config.h"

#include "ndapysink.h"

#include "ndablock.h"
#include "ndablockinput.h"
#include "ndapyelement.h"
#include "ndapyfit.h"
#include "ndapywait.h"

#include <gst/base/gstbasesink.h>

#include <glib/gi18n-lib.h>

GST_DEBUG_CATEGORY_STATIC (nda_py_sink_debug);
#define GST_CAT_DEFAULT nda_py_sink_debug

/* How soon a plugin that is full is asked again */
#define RETRY_INTERVAL (5 * GST_MSECOND)
#define DEFAULT_WRITE_BUDGET (100 * GST_MSECOND)
/* GStreamer's 20 ms would break the budget of latency */
#define PROCESSING_DEADLINE (5 * GST_MSECOND)

struct _NdaPySink
{
  GstBaseSink parent;

  NdaPyElement py;
  GMutex counters_lock;
  NdaPyWait wait;               /* has its own lock */
  GstClockTime write_budget;    /* [object lock] */

  /* [streaming thread] */
  NdaBlockInput input;
  gboolean is_started;
  NdaPyFormat format;           /* of the plugin */
  GstAudioInfo info;            /* of the stream */
  NdaPyFit *fit;                /* owned; NULL where the plugin takes blocks */
  GstClockTime waited_for;      /* time stamp of the buffer that has come */
  gboolean is_distrusted;       /* what it says of its room is not true */
};

#define NDA_TYPE_PY_SINK (nda_py_sink_get_type ())
G_DECLARE_FINAL_TYPE (NdaPySink, nda_py_sink, NDA, PY_SINK, GstBaseSink);
G_DEFINE_FINAL_TYPE_WITH_CODE (NdaPySink, nda_py_sink, GST_TYPE_BASE_SINK,
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

static void
on_latency_changed (gpointer owner)
{
}

static const NdaPyHostEvents host_events = {
  .warn = nda_py_element_warn_of_parameter,
  .latency_changed = on_latency_changed,
  .restarted = nda_py_element_count_restart,
  .reloaded = nda_py_element_note_reload,
};

/* --- negotiation --- */

/* The template's caps, with the channels that fit the plugin's. */
static GstCaps *
get_caps (GstBaseSink * base, GstCaps * filter)
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
start_plugin (NdaPySink * self)
{
  NdaPyFormat *format = &self->format;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  GST_BASE_SINK_PREROLL_UNLOCK (self);
  ok = nda_py_host_start (self->py.host, format, &error);
  GST_BASE_SINK_PREROLL_LOCK (self);
  if (!ok) {
    if (error)
      nda_py_element_post_error (&self->py, error);
    return FALSE;
  }
  GST_INFO_OBJECT (self,
      "the plugin has %u channels at %u Hz, %u frames a call",
      format->n_channels, format->rate, format->n_frames);
  if (format->rate != NDA_BLOCK_RATE || format->n_frames != NDA_BLOCK_FRAMES)
    self->fit =
        nda_py_fit_new (format->n_channels, NDA_BLOCK_RATE, format->rate);
  self->is_started = TRUE;
  return TRUE;
}

static gboolean
set_caps (GstBaseSink * base, GstCaps * caps)
{
  NdaPySink *self = NDA_PY_SINK (base);

  if (!gst_audio_info_from_caps (&self->info, caps)
      || (!self->is_started && !start_plugin (self)))
    return FALSE;
  if (nda_py_planes_fit (self->info.channels, self->format.n_channels))
    return TRUE;
  GST_WARNING_OBJECT (self, "the plugin has %u channels, not as in %"
      GST_PTR_FORMAT, self->format.n_channels, caps);
  return FALSE;
}

/* --- data --- */

/* Waits for the plugin a little. Interrupted by a change of state, goes on when
 * the pipeline plays again. */
static GstFlowReturn
wait_to_retry (NdaPySink * self)
{
  gboolean is_interrupted;

  GST_BASE_SINK_PREROLL_UNLOCK (self);
  is_interrupted = !nda_py_wait_for (&self->wait, RETRY_INTERVAL);
  GST_BASE_SINK_PREROLL_LOCK (self);
  return is_interrupted ? gst_base_sink_wait_preroll (GST_BASE_SINK (self)) :
      GST_FLOW_OK;
}

/* Whether @block cannot be played in time: the process of the plugin has ended.
 * Where there is no time to keep, the next one is waited for. */
static gboolean
is_lost (NdaPySink * self, const NdaPyBlock * block)
{
  return block->result == NDA_PY_CALL_DEAD
      && gst_base_sink_get_sync (GST_BASE_SINK (self));
}

/* Offers @block now and every RETRY_INTERVAL, for @budget, until the plugin takes
 * it; @is_gated, until it says that it has room. What came of it stands in
 * @block; another result than OK means that the stream is being stopped. */
static GstFlowReturn
offer (NdaPySink * self, NdaPyBlock * block, gboolean is_gated,
    GstClockTime budget)
{
  GstFlowReturn flow = GST_FLOW_OK;

  block->is_gated = is_gated;
  for (GstClockTime waited = 0; flow == GST_FLOW_OK; waited += RETRY_INTERVAL) {
    gboolean ok;

    GST_BASE_SINK_PREROLL_UNLOCK (self);
    ok = nda_py_element_call (&self->py, block,
        _("The block is offered again."));
    GST_BASE_SINK_PREROLL_LOCK (self);
    if (!ok)
      return GST_FLOW_FLUSHING;
    if (block->ok || is_lost (self, block) || (is_gated
            && block->result != NDA_PY_CALL_NO_SPACE)
        || waited >= budget)
      break;
    flow = wait_to_retry (self);
  }
  return flow;
}

static GstFlowReturn
give_up (NdaPySink * self, GstClockTime budget)
{
  GST_ELEMENT_ERROR (self, LIBRARY, FAILED,
      (_("The plugin did not take a block within %" G_GUINT64_FORMAT " ms. "
              "See whether its device runs, or raise “write-budget”."),
          budget / GST_MSECOND), ("write_audio () did not return True"));
  return GST_FLOW_ERROR;
}

static GstClockTime
get_write_budget (NdaPySink * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  return self->write_budget;
}

/* Waits for room, then offers the block until it is taken (6.2, 6.2.2). A
 * plugin that had no room and took the block all the same is not believed until
 * it says that it has some. CUSTOM_SUCCESS: there was nobody to take it. */
static GstFlowReturn
write_chunk (NdaPySink * self, const NdaPyAudio * audio, guint n_frames)
{
  NdaPyBlock block = {.in = *audio,.n_frames = n_frames };
  GstClockTime budget = get_write_budget (self);
  gboolean was_full;
  GstFlowReturn flow =
      offer (self, &block, TRUE, self->is_distrusted ? 0 : budget);

  was_full = block.result == NDA_PY_CALL_NO_SPACE;
  if (flow == GST_FLOW_OK && !block.ok && !was_full && !is_lost (self, &block))
    flow = wait_to_retry (self);
  if (flow == GST_FLOW_OK && !block.ok && !is_lost (self, &block))
    flow = offer (self, &block, FALSE, budget);
  if (flow != GST_FLOW_OK)
    return flow;
  if (block.result == NDA_PY_CALL_DEAD)
    return GST_FLOW_CUSTOM_SUCCESS;
  self->is_distrusted = was_full;
  return block.ok ? GST_FLOW_OK : give_up (self, budget);
}

/* Writes what waits in the fit, as much as the plugin takes at a time; all of
 * it with @is_last. */
static GstFlowReturn
write_from_fit (NdaPySink * self, gboolean is_last)
{
  const NdaPyArray *output = nda_py_fit_get_output (self->fit);
  gpointer planes[NDA_BLOCK_MAX_CHANNELS];
  NdaPyAudio audio = { planes, output->n_channels, TRUE };
  guint n_frames;

  for (guint c = 0; c < output->n_channels; c++)
    planes[c] = output->data + (gsize) c *output->n_frames;
  while ((n_frames = MIN (nda_py_fit_get_n_frames (self->fit),
              self->format.n_frames))) {
    GstFlowReturn flow;

    if (n_frames < self->format.n_frames && !is_last)
      break;
    flow = write_chunk (self, &audio, n_frames);
    if (flow < GST_FLOW_OK)
      return flow;
    nda_py_fit_pop (self->fit, n_frames);
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
write_block (NdaPySink * self, GstBuffer * block, guint * n_frames)
{
  GstAudioBuffer map;
  NdaPyAudio audio;
  GstFlowReturn flow;

  if (!gst_audio_buffer_map (&map, &self->info, block, GST_MAP_READ))
    return GST_FLOW_ERROR;
  *n_frames = map.n_samples;
  audio.planes = map.planes;
  audio.n_channels = self->info.channels;
  audio.is_planar = self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  if (self->fit) {
    nda_py_planes_load (nda_py_fit_get_input (self->fit), &audio, *n_frames);
    nda_py_fit_push (self->fit, *n_frames);
    flow = write_from_fit (self, *n_frames < NDA_BLOCK_FRAMES);
  } else {
    flow = write_chunk (self, &audio, *n_frames);
  }
  gst_audio_buffer_unmap (&map);
  return flow;
}

/* Waits for the time of @block: the base class did so for the first in the
 * buffer that has come, which may hold many. What regrouping adds to the latency
 * is the render delay, and is waited for here. */
static GstFlowReturn
wait_for_time (NdaPySink * self, GstBuffer * block)
{
  GstBaseSink *base = GST_BASE_SINK (self);
  GstClockTime delay = gst_base_sink_get_render_delay (base);
  GstClockTime time = gst_segment_to_running_time (&base->segment,
      GST_FORMAT_TIME, GST_BUFFER_PTS (block));

  if (!GST_CLOCK_TIME_IS_VALID (time)
      || (delay == 0 && GST_BUFFER_PTS (block) == self->waited_for))
    return GST_FLOW_OK;
  return gst_base_sink_wait (base, time + delay, NULL);
}

static GstFlowReturn
push_block (gpointer owner, GstBuffer * buffer)
{
  NdaPySink *self = NDA_PY_SINK (owner);
  g_autoptr (GstBuffer) block = buffer;
  GstFlowReturn flow = wait_for_time (self, block);
  GstClockTime begin = gst_util_get_timestamp ();
  guint n_frames;

  if (flow == GST_FLOW_OK)
    flow = write_block (self, block, &n_frames);
  if (flow == GST_FLOW_OK)
    nda_py_element_count_block (&self->py, n_frames,
        gst_util_get_timestamp () - begin > 2 * NDA_BLOCK_DURATION);
  return flow == GST_FLOW_CUSTOM_SUCCESS ? GST_FLOW_OK : flow;
}

/* What is held back behind the last block. */
static void
drain (NdaPySink * self)
{
  nda_py_fit_drain (self->fit);
  write_from_fit (self, TRUE);
}

static gboolean
push_event (gpointer owner, GstEvent * event)
{
  NdaPySink *self = NDA_PY_SINK (owner);

  if (self->fit && GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    drain (self);
  if (self->fit && GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    nda_py_fit_flush (self->fit);
  return GST_BASE_SINK_CLASS (nda_py_sink_parent_class)->event (owner, event);
}

static const NdaBlockOutput to_plugin = {
  .push_block = push_block,
  .push_event = push_event,
};

static GstFlowReturn
render (GstBaseSink * base, GstBuffer * buffer)
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
handle_event (GstBaseSink * base, GstEvent * event)
{
  NdaPySink *self = NDA_PY_SINK (base);

  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&self->input, event);
  return GST_BASE_SINK_CLASS (nda_py_sink_parent_class)->event (base, event);
}

/* --- life cycle and properties --- */

/* Forgets the stream, when nothing streams any more. */
static void
reset (NdaPySink * self)
{
  nda_block_input_reset (&self->input);
  g_clear_pointer (&self->fit, nda_py_fit_free);
  self->is_started = FALSE;
  self->is_distrusted = FALSE;
}

static void
unblock (gpointer element)
{
  nda_py_wait_interrupt (&NDA_PY_SINK (element)->wait);
}

static gboolean
unlock (GstBaseSink * base)
{
  unblock (base);
  return TRUE;
}

static gboolean
unlock_stop (GstBaseSink * base)
{
  nda_py_wait_resume (&NDA_PY_SINK (base)->wait);
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  NdaPySink *self = NDA_PY_SINK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    nda_py_wait_resume (&self->wait);
  result = nda_py_element_change_state (&self->py, transition,
      GST_ELEMENT_CLASS (nda_py_sink_parent_class), unblock);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      && result != GST_STATE_CHANGE_FAILURE)
    reset (self);
  return result;
}

static void
set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPySink *self = NDA_PY_SINK (object);

  if (nda_py_element_set_property (&self->py, id, value))
    return;
  GST_OBJECT_LOCK (self);
  if (id == PROP_WRITE_BUDGET)
    self->write_budget = g_value_get_uint64 (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  NdaPySink *self = NDA_PY_SINK (object);

  if (nda_py_element_get_property (&self->py, id, value))
    return;
  if (id == PROP_WRITE_BUDGET)
    g_value_set_uint64 (value, get_write_budget (self));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
nda_py_sink_init (NdaPySink * self)
{
  g_mutex_init (&self->counters_lock);
  nda_py_wait_init (&self->wait);
  nda_py_element_init (&self->py, self, NDA_PY_ROLE_SINK, &host_events,
      stats_fields, &self->counters_lock);
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_plugin);
  self->write_budget = DEFAULT_WRITE_BUDGET;
  gst_base_sink_set_processing_deadline (GST_BASE_SINK (self),
      PROCESSING_DEADLINE);
}

static void
finalize (GObject * object)
{
  NdaPySink *self = NDA_PY_SINK (object);

  nda_py_element_clear (&self->py);
  nda_block_input_clear (&self->input);
  nda_py_wait_clear (&self->wait);
  g_mutex_clear (&self->counters_lock);
  G_OBJECT_CLASS (nda_py_sink_parent_class)->finalize (object);
}

static void
nda_py_sink_class_init (NdaPySinkClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (class);

  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);
  base_class->get_caps = GST_DEBUG_FUNCPTR (get_caps);
  base_class->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  base_class->event = GST_DEBUG_FUNCPTR (handle_event);
  base_class->render = GST_DEBUG_FUNCPTR (render);
  base_class->unlock = GST_DEBUG_FUNCPTR (unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (unlock_stop);

  nda_py_element_install (element_class, G_STRUCT_OFFSET (NdaPySink, py));
  g_object_class_install_property (object_class, PROP_WRITE_BUDGET,
      g_param_spec_uint64 ("write-budget", "Write budget",
          "How long a block is offered to a plugin that is full, before the "
          "stream ends with an error (in nanoseconds)", 0, G_MAXINT64,
          DEFAULT_WRITE_BUDGET, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
          | GST_PARAM_MUTABLE_PLAYING));

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class,
      "Python sink", "Sink/Audio",
      "Plays live audio with a plugin written in Python, in blocks of 512 "
      "frames at 48 kHz", "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndapysink, "ndapysink", GST_RANK_NONE,
    NDA_TYPE_PY_SINK);
