/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndareblock.h"

#include "ndablock.h"
#include "ndablockinput.h"

struct _NdaReblock
{
  GstElement parent;

  GstPad *sinkpad;              /* [const] */
  GstPad *srcpad;               /* [const] */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaBlockInput input;          /* [sink thread]; its latency: any thread */
};

G_DEFINE_FINAL_TYPE (NdaReblock, nda_reblock, GST_TYPE_ELEMENT);

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NDA_BLOCK_SRC_CAPS));

static GstFlowReturn
push_block (gpointer owner, GstBuffer * block)
{
  NdaReblock *self = NDA_REBLOCK (owner);

  nda_meter_count_block (self->meter, GST_ELEMENT (self), block,
      nda_regroup_get_n_discontinuities (self->input.regroup));
  return gst_pad_push (self->srcpad, block);
}

static gboolean
push_event (gpointer owner, GstEvent * event)
{
  return gst_pad_push_event (NDA_REBLOCK (owner)->srcpad, event);
}

static const NdaBlockOutput to_srcpad = {
  .push_block = push_block,
  .push_event = push_event,
};

static GstFlowReturn
sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  return nda_block_input_chain (&NDA_REBLOCK (parent)->input, buffer);
}

static gboolean
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_IS_SERIALIZED (event))
    return nda_block_input_event (&NDA_REBLOCK (parent)->input, event);
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaReblock *self = NDA_REBLOCK (parent);

  return nda_block_answer_query (pad, self->srcpad, query)
      || gst_pad_query_default (pad, parent, query);
}

static gboolean
src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  NdaReblock *self = NDA_REBLOCK (parent);

  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return nda_block_answer_latency (self->sinkpad, query,
        nda_block_input_get_latency (&self->input), 0);
  return nda_block_answer_query (pad, self->sinkpad, query)
      || gst_pad_query_default (pad, parent, query);
}

static GstStateChangeReturn
change_state (GstElement * element, GstStateChange transition)
{
  GstStateChangeReturn result = GST_ELEMENT_CLASS
      (nda_reblock_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    nda_block_input_reset (&NDA_REBLOCK (element)->input);
  return result;
}

static void
nda_reblock_init (NdaReblock * self)
{
  GstElementClass *class = GST_ELEMENT_GET_CLASS (self);

  self->sinkpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "sink"), "sink");
  self->srcpad = gst_pad_new_from_template
      (gst_element_class_get_pad_template (class, "src"), "src");
  gst_pad_set_chain_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_chain));
  gst_pad_set_event_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_event));
  gst_pad_set_query_function (self->sinkpad, GST_DEBUG_FUNCPTR (sink_query));
  gst_pad_set_query_function (self->srcpad, GST_DEBUG_FUNCPTR (src_query));
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  nda_block_input_init (&self->input, GST_ELEMENT (self), &to_srcpad);
}

static void
finalize (GObject * object)
{
  nda_block_input_clear (&NDA_REBLOCK (object)->input);
  G_OBJECT_CLASS (nda_reblock_parent_class)->finalize (object);
}

static void
nda_reblock_class_init (NdaReblockClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Regrouping to blocks",
      "Filter/Audio", "Regroups audio into blocks of 512 frames",
      "the nda authors");
}

/* A new one (floating), which counts its blocks in @meter. */
GstElement *
nda_reblock_new (const gchar * name, NdaMeter * meter)
{
  NdaReblock *self = g_object_new (NDA_TYPE_REBLOCK, "name", name, NULL);

  self->meter = meter;
  return GST_ELEMENT (self);
}
