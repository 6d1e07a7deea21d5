/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-ndapysrc
 * @title: ndapysrc
 *
 * Makes live audio with a source plugin written in Python, by its method
 * read_audio (). The output is blocks of 512 frames at 48 kHz, with as many
 * channels as the plugin has after its start (). The plugin may have another
 * buffer size or rate: the element joins shorter buffers, and resamples other
 * rates. If downstream takes only mono or only stereo, the element makes one
 * of the other.
 *
 * ## Time
 *
 * The pipeline's clock sets the pace: the element reads a block when its last
 * frame is due, never sooner. If it read sooner, a plugin that gives silence
 * when it has nothing would run empty. After a stall, the element reads blocks
 * at once until it has caught up. A block's time stamp is the time of its first
 * frame; time stamps count frames. If the plugin had nothing for more than a
 * block, or fell behind by more than 200 ms, the next block takes the clock's
 * time and carries DISCONT. With #ndapysrc:is-live off, the element reads
 * blocks as fast as the plugin gives them, and time begins at 0.
 *
 * The latency is a block, 10.67 ms, and the resampler's, if there is one.
 *
 * The plugin's start () runs on the streaming thread, so the change of state
 * does not wait for it.
 *
 * ## When a plugin has nothing, or fails
 *
 * If a plugin cannot be loaded or initialised, the change to READY fails. If a
 * plugin does not start, the stream ends with an error. If read_audio ()
 * returns False, the plugin has no sound now: the element counts it in
 * `num-retries` and asks again after a millisecond. If read_audio () raises an
 * exception, the element does the same, counts it in `num-failures` too, and
 * posts a warning at most once a second.
 *
 * A source of API 2 may end: if a generator read () returns, the stream ends
 * with EOS. The last block may be shorter.
 *
 * ## Statistics
 *
 * #ndapysrc:stats is a structure application/x-ndapysrc-stats with the fields
 * of #ndapybridge:stats except `num-realtime-threads`. Here a call is a call of
 * read_audio (), and `num-late` counts the blocks that came more than a block
 * after they were due. There is one more field:
 *
 * * `num-discontinuities` (guint64): blocks whose time stamp was set from the
 *   clock again
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 ndapysrc plugin=sine num-buffers=100 ! ndasink
 * ]| A second of a tone to the speaker.
 *
 * Since: 0.1
 */

/* THREADS. The streaming thread (GstBaseSrc's task) starts the plugin when it
 * negotiates and makes its calls. It waits for the clock, for a plugin that has
 * nothing, for the GIL and for downstream. The application's threads change the
 * state (ndapyelementstate.c) and set properties.
 *
 * ndapyreader.c handles the blocks.
 *
 * LOCKS. Counters lock: the counters. Wait lock: ndapywait.c. None is held in
 * Python or across a push.
 *
 * STOP. Waits are interrupted, then the host gets the streaming thread out of
 * Python, then the pad is deactivated, which joins the thread. */

#include "config.h"

#include "ndapysrc.h"

#include "ndablock.h"
#include "ndapychildproxy.h"
#include "ndapyelementstate.h"
#include "ndapyparent.h"
#include "ndapyproperties.h"
#include "ndapyreader.h"

#include <gst/base/gstpushsrc.h>

GST_DEBUG_CATEGORY_STATIC (nda_py_src_debug);
#define GST_CAT_DEFAULT nda_py_src_debug

struct _NdaPySrc
{
  GstPushSrc parent;

  NdaPyShared py;
  GMutex counters_lock;
  NdaPyReader reader;           /* [streaming thread] its wait: any thread */
  gint64 latency;               /* [object lock] ns */
};

#define NDA_TYPE_PY_SRC (nda_py_src_get_type ())
G_DECLARE_FINAL_TYPE (NdaPySrc, nda_py_src, NDA, PY_SRC, GstPushSrc);

static void nda_py_src_element_init (NdaPyElementInterface * iface);

G_DEFINE_TYPE_WITH_CODE (NdaPySrc, nda_py_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (NDA_TYPE_PY_ELEMENT, nda_py_src_element_init);
    NDA_PY_CHILD_PROXY_INTERFACES;
    GST_DEBUG_CATEGORY_INIT (nda_py_src_debug, "ndapysrc", 0,
        "live audio from Python plugins"));

enum
{
  PROP_IS_LIVE = NDA_PY_N_PROPS,
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));

/* *INDENT-OFF* */
static const NdaStatsField stats_fields[] = {
  NDA_PY_STATS_FIELDS,
  NDA_PY_STATS_FIELD ("num-discontinuities", NDA_STATS_UINT64,
      n_discontinuities),
  { NULL }
};
/* *INDENT-ON* */

/* --- negotiation and latency --- */

static GstFlowReturn
start_plugin (NdaPySrc * self)
{
  GstFlowReturn flow = nda_py_reader_start (&self->reader);
  GstClockTime latency;

  if (flow != GST_FLOW_OK)
    return flow;
  latency = nda_py_reader_get_latency (&self->reader);
  GST_OBJECT_LOCK (self);
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
  return GST_FLOW_OK;
}

/* Appends the caps of blocks of @n_channels, in either layout. */
static void
append_caps (GstCaps * caps, guint n_channels)
{
  static const GstAudioLayout layouts[] = {
    GST_AUDIO_LAYOUT_INTERLEAVED, GST_AUDIO_LAYOUT_NON_INTERLEAVED
  };

  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++) {
    GstAudioInfo info;

    gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, NDA_BLOCK_RATE,
        n_channels, NULL);
    info.layout = layouts[i];
    gst_caps_append (caps, gst_audio_info_to_caps (&info));
  }
}

/* Chooses the caps. They follow the plugin; only if downstream does not take
 * them, mono becomes stereo or stereo mono. */
static GstCaps *
choose_caps (NdaPySrc * self)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty ();
  GstCaps *possible;
  guint n_channels = self->reader.format.n_channels;

  append_caps (caps, n_channels);
  if (n_channels <= 2)
    append_caps (caps, 3 - n_channels);
  possible = gst_pad_peer_query_caps (GST_BASE_SRC_PAD (self), caps);
  if (!gst_caps_is_empty (possible)) {
    g_autoptr (GstCaps) common =
        gst_caps_intersect_full (caps, possible, GST_CAPS_INTERSECT_FIRST);

    gst_caps_replace (&possible, common);
  }
  if (gst_caps_is_empty (possible)) {
    GST_WARNING_OBJECT (self, "downstream takes none of %" GST_PTR_FORMAT,
        caps);
    gst_caps_unref (possible);
    return NULL;
  }
  return gst_caps_fixate (possible);
}

static gboolean
nda_py_src_negotiate (GstBaseSrc * base)
{
  NdaPySrc *self = NDA_PY_SRC (base);
  g_autoptr (GstCaps) caps = NULL;
  GstFlowReturn flow = self->reader.is_started ? GST_FLOW_OK :
      start_plugin (self);

  /* create () shows that the stream stops: FALSE would be posted as an error */
  if (flow != GST_FLOW_OK)
    return flow == GST_FLOW_FLUSHING;
  caps = choose_caps (self);
  if (!caps || !gst_base_src_set_caps (base, caps)
      || !nda_py_reader_set_caps (&self->reader, caps))
    return FALSE;
  gst_base_src_set_blocksize (base, NDA_BLOCK_FRAMES * self->reader.info.bpf);
  return TRUE;
}

/* Sets the parameters with control bindings, before each block. */
static void
sync_controls (NdaPySrc * self)
{
  const GstSegment *segment = &GST_BASE_SRC (self)->segment;
  GstClockTime time = nda_frame_clock_now (&self->reader.stamps);

  nda_py_parent_sync_controls (&self->py,
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME,
          GST_CLOCK_TIME_IS_VALID (time) ? time : segment->start));
}

static GstFlowReturn
nda_py_src_create (GstPushSrc * push_src, GstBuffer ** result)
{
  if (nda_py_parent_has_controls (&NDA_PY_SRC (push_src)->py))
    sync_controls (NDA_PY_SRC (push_src));
  return nda_py_reader_read (&NDA_PY_SRC (push_src)->reader, result);
}

static gboolean
nda_py_src_query (GstBaseSrc * base, GstQuery * query)
{
  NdaPySrc *self = NDA_PY_SRC (base);
  GstClockTime latency;

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY
      || !gst_base_src_is_live (base))
    return GST_BASE_SRC_CLASS (nda_py_src_parent_class)->query (base, query);
  GST_OBJECT_LOCK (self);
  latency = self->latency;
  GST_OBJECT_UNLOCK (self);
  /* unread sound waits in the plugin's device, so there is no maximum */
  gst_query_set_latency (query, TRUE, latency, GST_CLOCK_TIME_NONE);
  return TRUE;
}

/* --- life cycle and properties --- */

static gboolean
nda_py_src_start (GstBaseSrc * base)
{
  nda_py_wait_resume (&NDA_PY_SRC (base)->reader.wait);
  return TRUE;
}

static gboolean
nda_py_src_stop (GstBaseSrc * base)
{
  nda_py_reader_stop (&NDA_PY_SRC (base)->reader);
  return TRUE;
}

static gboolean
nda_py_src_unlock (GstBaseSrc * base)
{
  nda_py_wait_interrupt (&NDA_PY_SRC (base)->reader.wait);
  return TRUE;
}

static NdaPyShared *
nda_py_src_get_shared (NdaPyElement * element)
{
  return &NDA_PY_SRC (element)->py;
}

static void
nda_py_src_unblock (NdaPyElement * element)
{
  nda_py_wait_interrupt (&NDA_PY_SRC (element)->reader.wait);
}

static void
nda_py_src_element_init (NdaPyElementInterface * iface)
{
  iface->get_shared = nda_py_src_get_shared;
  iface->unblock = nda_py_src_unblock;
}

static GstStateChangeReturn
nda_py_src_change_state (GstElement * element, GstStateChange transition)
{
  return nda_py_element_change_state (NDA_PY_ELEMENT (element), transition,
      GST_ELEMENT_CLASS (nda_py_src_parent_class));
}

static void
nda_py_src_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPySrc *self = NDA_PY_SRC (object);

  if (nda_py_properties_set (&self->py, id, value))
    return;
  if (id == PROP_IS_LIVE)
    gst_base_src_set_live (GST_BASE_SRC (self), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
nda_py_src_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaPySrc *self = NDA_PY_SRC (object);

  if (nda_py_properties_get (&self->py, id, value))
    return;
  if (id == PROP_IS_LIVE)
    g_value_set_boolean (value, gst_base_src_is_live (GST_BASE_SRC (self)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
nda_py_src_init (NdaPySrc * self)
{
  g_mutex_init (&self->counters_lock);
  nda_py_shared_init (&self->py, GST_ELEMENT (self), NDA_PY_ROLE_SOURCE,
      stats_fields, &self->counters_lock);
  nda_py_reader_init (&self->reader, GST_BASE_SRC (self), &self->py);
  self->latency = NDA_BLOCK_DURATION;
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
}

static void
nda_py_src_finalize (GObject * object)
{
  NdaPySrc *self = NDA_PY_SRC (object);

  nda_py_shared_clear (&self->py);
  nda_py_reader_clear (&self->reader);
  g_mutex_clear (&self->counters_lock);
  G_OBJECT_CLASS (nda_py_src_parent_class)->finalize (object);
}

static void
nda_py_src_class_init (NdaPySrcClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (class);

  object_class->set_property = nda_py_src_set_property;
  object_class->get_property = nda_py_src_get_property;
  object_class->finalize = nda_py_src_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_py_src_change_state);
  base_class->negotiate = GST_DEBUG_FUNCPTR (nda_py_src_negotiate);
  base_class->query = GST_DEBUG_FUNCPTR (nda_py_src_query);
  base_class->start = GST_DEBUG_FUNCPTR (nda_py_src_start);
  base_class->stop = GST_DEBUG_FUNCPTR (nda_py_src_stop);
  base_class->unlock = GST_DEBUG_FUNCPTR (nda_py_src_unlock);
  base_class->unlock_stop = GST_DEBUG_FUNCPTR (nda_py_src_start);
  GST_PUSH_SRC_CLASS (class)->create = GST_DEBUG_FUNCPTR (nda_py_src_create);

  nda_py_element_install (element_class);
  g_object_class_install_property (object_class, PROP_IS_LIVE,
      g_param_spec_boolean ("is-live", "Is live",
          "Whether the pipeline's clock sets the pace. If not, blocks are read "
          "as fast as the plugin gives them", TRUE, G_PARAM_READWRITE
          | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Live audio source written in Python (plugin)", "Source/Audio",
      "Makes live audio with a plugin written in Python, in blocks of 512 "
      "frames at 48 kHz", "the nda authors");
}

GST_ELEMENT_REGISTER_DEFINE (ndapysrc, "ndapysrc", GST_RANK_NONE,
    NDA_TYPE_PY_SRC);
