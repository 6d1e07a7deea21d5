/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndarate.h"

#include "ndachild.h"

#include <glib/gi18n-lib.h>

static gint
get_rate (GstCaps * caps)
{
  gint rate = 0;

  if (caps)
    gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate);
  return rate;
}

static void
report_conversion (GstElement * bin, GstCaps * from, GstCaps * to)
{
  gint in_rate = get_rate (from), out_rate = get_rate (to);

  if (in_rate == out_rate)
    return;
  GST_ELEMENT_WARNING (bin, CORE, MISSING_PLUGIN,
      (_("There is no element “ndaresample”, so audioresample converts the "
              "rate, less exactly. Install libsoxr and build nda again.")),
      ("%d Hz to %d Hz", in_rate, out_rate));
}

/* Format events at audioresample's source pad, on the streaming thread. The
 * format of its sink pad is stored when this is done; that before it already. */
static GstPadProbeReturn
on_format (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  g_autoptr (GstPad) sinkpad = NULL;
  g_autoptr (GstPad) before = NULL;
  g_autoptr (GstCaps) in_caps = NULL;
  GstCaps *out_caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  sinkpad = gst_element_get_static_pad (GST_PAD_PARENT (pad), "sink");
  before = gst_pad_get_peer (sinkpad);
  in_caps = before ? gst_pad_get_current_caps (before) : NULL;
  gst_event_parse_caps (event, &out_caps);
  report_conversion (user_data, in_caps, out_caps);
  return GST_PAD_PROBE_OK;
}

GstElement *
nda_rate_make (GstElement * bin, const gchar * name, guint rate,
    GError ** error)
{
  GstElement *element = gst_element_factory_make ("ndaresample", name);
  g_autoptr (GstPad) pad = NULL;

  if (element) {
    g_object_set (element, "rate", rate, NULL);
    return element;
  }
  element = nda_child_make ("audioresample", name, error);
  if (!element)
    return NULL;
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_format, bin,
      NULL);
  return element;
}
