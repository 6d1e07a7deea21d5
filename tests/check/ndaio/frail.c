/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "frail.h"

#include "ndablock.h"

#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>

static gint health;             /* [atomic] a FrailHealth */
static gint n_refusals;         /* [atomic] */
static gint n_rendered;         /* [atomic] */
static gint n_deaths;           /* [atomic] */
static gint n_disconts;         /* [atomic] among these */

void
frail_set_health (FrailHealth now)
{
  g_atomic_int_set (&health, now);
}

guint
frail_count_refusals (void)
{
  return g_atomic_int_get (&n_refusals);
}

guint
frail_count_rendered (void)
{
  return g_atomic_int_get (&n_rendered);
}

guint
frail_count_disconts (void)
{
  return g_atomic_int_get (&n_disconts);
}

guint
frail_count_deaths (void)
{
  return g_atomic_int_get (&n_deaths);
}

GType firm_src_get_type (void);

static gboolean
is_firm (GstElement * element)
{
  return G_TYPE_CHECK_INSTANCE_TYPE (element, firm_src_get_type ());
}

static gboolean
can_open (GstElement * element)
{
  if (is_firm (element) || g_atomic_int_get (&health) != FRAIL_GONE)
    return TRUE;
  g_atomic_int_inc (&n_refusals);
  GST_ELEMENT_ERROR (element, RESOURCE, OPEN_READ_WRITE,
      ("There is no device."), ("it is gone"));
  return FALSE;
}

static GstFlowReturn
check_health (GstElement * element)
{
  if (is_firm (element) || g_atomic_int_get (&health) == FRAIL_WELL)
    return GST_FLOW_OK;
  g_atomic_int_inc (&n_deaths);
  GST_ELEMENT_ERROR (element, RESOURCE, FAILED,
      ("The device was disconnected."), ("it is dying"));
  return GST_FLOW_ERROR;
}

#define CAPS "audio/x-raw, format = (string) S16LE, rate = (int) 48000, " \
    "channels = (int) 2, layout = (string) interleaved"

/* --- a source --- */

typedef struct
{
  GstPushSrc parent;
  GstClockTime next;            /* or NONE before the first */
} FrailSrc;

typedef GstPushSrcClass FrailSrcClass;

GType frail_src_get_type (void);
G_DEFINE_TYPE (FrailSrc, frail_src, GST_TYPE_PUSH_SRC);

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

static gboolean
frail_src_start (GstBaseSrc * src)
{
  ((FrailSrc *) src)->next = GST_CLOCK_TIME_NONE;
  return can_open (GST_ELEMENT (src));
}

static void
frail_src_get_times (GstBaseSrc * src, GstBuffer * buffer,
    GstClockTime * start, GstClockTime * end)
{
  *start = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  *end = *start;
}

static GstFlowReturn
frail_src_create (GstPushSrc * src, GstBuffer ** buffer)
{
  FrailSrc *self = (FrailSrc *) src;

  if (check_health (GST_ELEMENT (src)) != GST_FLOW_OK)
    return GST_FLOW_ERROR;
  if (!GST_CLOCK_TIME_IS_VALID (self->next))
    self->next = gst_element_get_current_running_time (GST_ELEMENT (src));
  *buffer = gst_buffer_new_allocate (NULL, NDA_BLOCK_FRAMES * 4, NULL);
  gst_buffer_memset (*buffer, 0, 1, -1);
  GST_BUFFER_PTS (*buffer) = self->next;
  GST_BUFFER_DURATION (*buffer) = NDA_BLOCK_DURATION;
  self->next += NDA_BLOCK_DURATION;
  return GST_FLOW_OK;
}

static void
frail_src_init (FrailSrc * self)
{
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

static void
frail_src_class_init (FrailSrcClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  GST_BASE_SRC_CLASS (class)->start = frail_src_start;
  GST_BASE_SRC_CLASS (class)->get_times = frail_src_get_times;
  class->create = frail_src_create;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Frail microphone",
      "Source/Audio", "Vanishes", "the nda authors");
}

/* --- a source that stays --- */

typedef FrailSrc FirmSrc;
typedef FrailSrcClass FirmSrcClass;

G_DEFINE_TYPE (FirmSrc, firm_src, frail_src_get_type ());

static void
firm_src_init (FirmSrc * self)
{
}

static void
firm_src_class_init (FirmSrcClass * class)
{
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class),
      "Firm microphone", "Source/Audio", "Does not vanish", "the nda authors");
}

/* --- a source that knows in READY whether it is there --- */

typedef FrailSrc ShySrc;
typedef FrailSrcClass ShySrcClass;

GType shy_src_get_type (void);
G_DEFINE_TYPE (ShySrc, shy_src, frail_src_get_type ());

static GstStateChangeReturn
shy_src_change_state (GstElement * element, GstStateChange transition)
{
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !can_open (element))
    return GST_STATE_CHANGE_FAILURE;
  return GST_ELEMENT_CLASS (shy_src_parent_class)->change_state (element,
      transition);
}

static void
shy_src_init (ShySrc * self)
{
}

static void
shy_src_class_init (ShySrcClass * class)
{
  GST_ELEMENT_CLASS (class)->change_state = shy_src_change_state;
}

/* --- a sink --- */

typedef GstBaseSink FrailSink;
typedef GstBaseSinkClass FrailSinkClass;

GType frail_sink_get_type (void);
G_DEFINE_TYPE (FrailSink, frail_sink, GST_TYPE_BASE_SINK);

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

static gboolean
frail_sink_start (GstBaseSink * sink)
{
  return can_open (GST_ELEMENT (sink));
}

static GstFlowReturn
frail_sink_render (GstBaseSink * sink, GstBuffer * buffer)
{
  GstFlowReturn flow = check_health (GST_ELEMENT (sink));

  if (flow != GST_FLOW_OK)
    return flow;
  g_atomic_int_inc (&n_rendered);
  if (GST_BUFFER_IS_DISCONT (buffer))
    g_atomic_int_inc (&n_disconts);
  return GST_FLOW_OK;
}

static void
frail_sink_init (FrailSink * self)
{
}

static void
frail_sink_class_init (FrailSinkClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  class->start = frail_sink_start;
  class->render = frail_sink_render;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Frail speaker",
      "Sink/Audio", "Vanishes", "the nda authors");
}

/* --- a sink that is no device --- */

typedef GstBaseSink FrailFile;
typedef GstBaseSinkClass FrailFileClass;

GType frail_file_get_type (void);
G_DEFINE_TYPE (FrailFile, frail_file, frail_sink_get_type ());

static void
frail_file_init (FrailFile * self)
{
}

static void
frail_file_class_init (FrailFileClass * class)
{
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class),
      "Frail file", "Sink/File", "Is full", "the nda authors");
}

/* Registers all of these elements; all is well again. */
void
frail_register (void)
{
  gst_element_register (NULL, "frailsrc", GST_RANK_NONE, frail_src_get_type ());
  gst_element_register (NULL, "firmsrc", GST_RANK_NONE, firm_src_get_type ());
  gst_element_register (NULL, "shysrc", GST_RANK_NONE, shy_src_get_type ());
  gst_element_register (NULL, "frailsink", GST_RANK_NONE,
      frail_sink_get_type ());
  gst_element_register (NULL, "frailfile", GST_RANK_NONE,
      frail_file_get_type ());
  frail_set_health (FRAIL_WELL);
  g_atomic_int_set (&n_refusals, 0);
  g_atomic_int_set (&n_rendered, 0);
  g_atomic_int_set (&n_disconts, 0);
  g_atomic_int_set (&n_deaths, 0);
}

void
frail_set_rank (const gchar * name, guint rank)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  gst_plugin_feature_set_rank (GST_PLUGIN_FEATURE (factory), rank);
}

GType
frail_get_type (const gchar * name)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

  return gst_element_factory_get_element_type (factory);
}
