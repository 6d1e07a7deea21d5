/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaplug.h"

#define PLUG_KEY "nda-plug"

static gboolean
nda_plug_event (GstPad * plug, GstObject * parent, GstEvent * event)
{
  gst_event_unref (event);
  return FALSE;
}

static gboolean
nda_plug_query (GstPad * plug, GstObject * parent, GstQuery * query)
{
  return FALSE;
}

/* A plug (transfer full) that fits @pad */
static GstPad *
make_plug (GstPad * pad)
{
  GstPad *plug = gst_pad_new ("plug", GST_PAD_IS_SRC (pad) ?
      GST_PAD_SINK : GST_PAD_SRC);

  gst_pad_set_event_function (plug, GST_DEBUG_FUNCPTR (nda_plug_event));
  gst_pad_set_query_function (plug, GST_DEBUG_FUNCPTR (nda_plug_query));
  return gst_object_ref_sink (plug);
}

static void
put (GstPad * plug, GstPad * pad)
{
  if (GST_PAD_IS_SRC (pad))
    gst_pad_link_full (pad, plug, GST_PAD_LINK_CHECK_NOTHING);
  else
    gst_pad_link_full (plug, pad, GST_PAD_LINK_CHECK_NOTHING);
}

static void
pull (GstPad * plug)
{
  g_autoptr (GstPad) pad = gst_pad_get_peer (plug);

  if (pad && GST_PAD_IS_SRC (pad))
    gst_pad_unlink (pad, plug);
  else if (pad)
    gst_pad_unlink (plug, pad);
}

/* --- the plug of a pad --- */

void
nda_plug_add (GstPad * pad)
{
  GstPad *plug = make_plug (pad);

  g_object_set_data_full (G_OBJECT (pad), PLUG_KEY, plug, gst_object_unref);
  put (plug, pad);
}

void
nda_plug_put (GstPad * pad)
{
  if (!gst_pad_is_linked (pad))
    put (g_object_get_data (G_OBJECT (pad), PLUG_KEY), pad);
}

void
nda_plug_pull (GstPad * pad)
{
  pull (g_object_get_data (G_OBJECT (pad), PLUG_KEY));
}

gboolean
nda_plug_is_linked (GstPad * pad)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);

  return peer && peer != g_object_get_data (G_OBJECT (pad), PLUG_KEY);
}

/* --- plugs in pads of others --- */

static void
pull_and_unref (gpointer plug)
{
  pull (plug);
  gst_object_unref (plug);
}

static void
add_plugs (GPtrArray * plugs, GstElement * element)
{
  for (GList * l = element->pads; l; l = l->next)
    if (!gst_pad_is_linked (l->data)) {
      GstPad *plug = make_plug (l->data);

      g_ptr_array_add (plugs, plug);
      put (plug, l->data);
    }
  if (GST_IS_BIN (element))
    for (GList * l = GST_BIN_CHILDREN (element); l; l = l->next)
      add_plugs (plugs, l->data);
}

GPtrArray *
nda_plugs_new (GstElement * element)
{
  GPtrArray *plugs = g_ptr_array_new_with_free_func (pull_and_unref);

  add_plugs (plugs, element);
  return plugs;
}
