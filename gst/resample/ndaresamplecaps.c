/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresamplecaps.h"

static const gchar *const formats[] = {
  GST_AUDIO_NE (F32), GST_AUDIO_NE (S32), GST_AUDIO_NE (F64),
  GST_AUDIO_NE (S24_32), GST_AUDIO_NE (S24), GST_AUDIO_NE (S16)
};

#define N_LONG_FORMATS 5

static void
set_formats (GstStructure * structure, guint n_formats)
{
  GValue list = G_VALUE_INIT;

  g_value_init (&list, GST_TYPE_LIST);
  for (guint i = 0; i < n_formats; i++) {
    GValue format = G_VALUE_INIT;

    g_value_init (&format, G_TYPE_STRING);
    g_value_set_static_string (&format, formats[i]);
    gst_value_list_append_and_take_value (&list, &format);
  }
  gst_structure_take_value (structure, "format", &list);
}

static gboolean
has_long_formats (GstStructure * structure)
{
  g_autoptr (GstStructure) any = gst_structure_new_empty ("audio/x-raw");

  set_formats (any, N_LONG_FORMATS);
  return gst_value_intersect (NULL, gst_structure_get_value (any, "format"),
      gst_structure_get_value (structure, "format"));
}

/* Adds @structure (transfer full), then the same with all other formats that
 * the other side may have. */
static void
add_formats (GstCaps * caps, GstStructure * structure,
    GstPadDirection direction)
{
  GstStructure *other = NULL;

  if (direction == GST_PAD_SINK || has_long_formats (structure))
    other = gst_structure_copy (structure);
  gst_caps_append_structure (caps, structure);
  if (!other)
    return;
  set_formats (other, direction == GST_PAD_SINK ? N_LONG_FORMATS :
      G_N_ELEMENTS (formats));
  gst_caps_append_structure (caps, other);
}

/* Prefers @rate for the output; with rate 0, both sides have the same rate. */
static void
prefer_rate (GstStructure * structure, GstPadDirection direction, guint rate)
{
  GValue wanted = G_VALUE_INIT;

  g_value_init (&wanted, G_TYPE_INT);
  g_value_set_int (&wanted, rate);
  if (rate && (direction == GST_PAD_SINK || gst_value_intersect (NULL, &wanted,
              gst_structure_get_value (structure, "rate"))))
    gst_structure_set_value (structure, "rate", &wanted);
}

GstCaps *
nda_resample_caps_transform (GstCaps * caps, GstPadDirection direction,
    guint rate)
{
  GstCaps *result = gst_caps_new_empty ();

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < gst_caps_get_size (caps); i++) {
      GstStructure *other =
          gst_structure_copy (gst_caps_get_structure (caps, i));

      if (pass == 0)
        prefer_rate (other, direction, rate);
      else
        gst_structure_set (other, "rate", GST_TYPE_INT_RANGE,
            NDA_RESAMPLE_MIN_RATE, NDA_RESAMPLE_MAX_RATE, NULL);
      add_formats (result, other, direction);
    }
  return result;
}

GstCaps *
nda_resample_caps_choose (GstCaps * in, GstCaps * downstream, guint rate)
{
  g_autoptr (GstCaps) wanted = nda_resample_caps_transform (in, GST_PAD_SINK,
      rate);
  g_autoptr (GstCaps) caps = gst_caps_intersect_full (wanted, downstream,
      GST_CAPS_INTERSECT_FIRST);
  gint in_rate = 0;

  if (gst_caps_is_empty (caps))
    return NULL;
  gst_structure_get_int (gst_caps_get_structure (in, 0), "rate", &in_rate);
  caps = gst_caps_truncate (g_steal_pointer (&caps));
  caps = gst_caps_make_writable (g_steal_pointer (&caps));
  gst_structure_fixate_field_nearest_int (gst_caps_get_structure (caps, 0),
      "rate", rate ? (gint) rate : in_rate);
  return gst_caps_fixate (g_steal_pointer (&caps));
}
