/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaregrouper.h"

#include "ndablock.h"
#include "ndablockinput.h"

struct _NdaRegrouper
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaBlockInput input;          /* [sink thread]; its latency: any thread */
};

G_DEFINE_FINAL_TYPE (NdaRegrouper, nda_regrouper, GST_TYPE_ELEMENT);

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));

static GstFlowReturn
nda_regrouper_push_block (gpointer owner, GstBuffer * block)
{
  NdaRegrouper *self = NDA_REGROUPER (owner);

  nda_meter_count_block (self->meter, GST_ELEMENT (self), block,
      nda_regroup_get_n_discontinuities (self->input.regroup));
  return gst_pad_push (self->srcpad, block);
}

static GstFlowReturn
nda_regrouper_push_event (gpointer owner, GstEvent * event)
{
  return nda_block_push_event (NDA_REGROUPER (owner)->srcpad, event);
}

static const NdaBlockOutput to_srcpad = {
  .push_block = nda_regrouper_push_block,
  .push_event = nda_regrouper_push_event,
};

static GstFlowReturn
nda_regrouper_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_block_input_chain (&NDA_REGROUPER (parent)->input, buffer);
}

static GstFlowReturn
nda_regrouper_sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&NDA_REGROUPER (parent)->input, event);
  return nda_block_pass_event (pad, parent, event);
}

static gboolean
nda_regrouper_sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaRegrouper *self = NDA_REGROUPER (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    nda_block_input_drain (&self->input);
  return nda_block_sink_query (pad, self->srcpad, query);
}

static gboolean
nda_regrouper_src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaRegrouper *self = NDA_REGROUPER (parent);

  return nda_block_src_query (pad, self->sinkpad,
      nda_block_input_get_latency (&self->input), query);
}

static GstStateChangeReturn
nda_regrouper_change_state (GstElement * element, GstStateChange transition)
{
  GstStateChangeReturn result = GST_ELEMENT_CLASS
      (nda_regrouper_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    nda_block_input_reset (&NDA_REGROUPER (element)->input);
  return result;
}

static void
nda_regrouper_init (NdaRegrouper * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_regrouper_sink_chain));
  gst_pad_set_event_full_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_regrouper_sink_event));
  gst_pad_set_query_function (self->sinkpad,
      GST_DEBUG_FUNCPTR (nda_regrouper_sink_query));
  gst_pad_set_query_function (self->srcpad,
      GST_DEBUG_FUNCPTR (nda_regrouper_src_query));
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_srcpad);
}

static void
nda_regrouper_finalize (GObject * object)
{
  nda_block_input_clear (&NDA_REGROUPER (object)->input);
  G_OBJECT_CLASS (nda_regrouper_parent_class)->finalize (object);
}

static void
nda_regrouper_class_init (NdaRegrouperClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = nda_regrouper_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_regrouper_change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Regrouping to blocks",
      "Filter/Audio", "Regroups audio into blocks of 512 frames",
      "the nda authors");
}

/* A new one (floating), which counts its blocks in @meter. */
GstElement *
nda_regrouper_new (const gchar * name, NdaMeter * meter)
{
  NdaRegrouper *self = g_object_new (NDA_TYPE_REGROUPER, "name", name, NULL);

  self->meter = meter;
  return GST_ELEMENT (self);
}
