/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadescription.h"

#include <glib/gi18n-lib.h>

#include <string.h>

#define ERROR_KEY "nda-description-error"

/* Whether @name is a media type: GStreamer's parser takes caps at an end of
 * @text for an element. */
static gboolean
is_media_type (const gchar * text, const gchar * name)
{
  g_autofree gchar *begin = g_strconcat (name, "/", NULL);

  return strstr (text, begin) != NULL;
}

/* Makes an error that says why @text could not be made. GStreamer's error is
 * @failure, and it has not found the elements @missing (or NULL). */
static GError *
explain (const GError * failure, const gchar * text, gchar ** missing)
{
  g_autofree gchar *names = missing ? g_strjoinv ("”, “", missing) : NULL;

  if (!names)
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        _("“%s” cannot be made: %s"), text,
        failure ? failure->message : _("it is empty"));
  if (is_media_type (text, missing[0]))
    return g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        _("“%s” cannot be made: caps (“%s/…”) stand between "
            "two elements. Put an “identity” where one is wanting."), text,
        missing[0]);
  return g_error_new (GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
      _("“%s” cannot be made: there is no element “%s”. "
          "Check its name with gst-inspect-1.0, and install the package "
          "that has it."), text, names);
}

/* Returns the bin (floating) that @text describes. If that fails, returns an
 * empty bin that carries the error, for the code that uses it to report. */
static GstElement *
parse (const gchar * text)
{
  g_autoptr (GError) failure = NULL;
  GstParseContext *context = gst_parse_context_new ();
  g_auto (GStrv) missing = NULL;
  GstElement *element;

  element = gst_parse_launch_full (text, context,
      GST_PARSE_FLAG_PLACE_IN_BIN | GST_PARSE_FLAG_FATAL_ERRORS
      | GST_PARSE_FLAG_NO_SINGLE_ELEMENT_BINS, &failure);
  if (!element) {
    if (g_error_matches (failure, GST_PARSE_ERROR,
            GST_PARSE_ERROR_NO_SUCH_ELEMENT))
      missing = gst_parse_context_get_missing_elements (context);
    element = gst_bin_new (NULL);
    g_object_set_data_full (G_OBJECT (element), ERROR_KEY,
        explain (failure, text, missing), (GDestroyNotify) g_error_free);
  }
  gst_parse_context_free (context);
  return element;
}

/* Returns why @element could not be made from its description, or NULL. */
const GError *
nda_description_get_error (GstElement * element)
{
  return g_object_get_data (G_OBJECT (element), ERROR_KEY);
}

static GQuark
description_quark (void)
{
  return g_quark_from_static_string ("nda-description");
}

/* Reads only our own properties. GStreamer reads all others as usual. */
static gboolean
nda_description_deserialize (GValue * value, const gchar * text,
    GParamSpec * pspec)
{
  if (!pspec || !g_param_spec_get_qdata (pspec, description_quark ()))
    return FALSE;
  g_value_set_object (value, parse (text));
  return TRUE;
}

static void
register_once (void)
{
  static GstValueTable table = {
    .deserialize_with_pspec = nda_description_deserialize,
  };
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    table.type = GST_TYPE_ELEMENT;
    gst_value_register (&table);        /* which keeps the pointer */
    g_once_init_leave (&once, 1);
  }
}

/* Makes a property that takes an element, or the text that describes one. */
GParamSpec *
nda_description_param (const gchar * name, const gchar * nick,
    const gchar * blurb)
{
  GParamSpec *pspec = g_param_spec_object (name, nick, blurb, GST_TYPE_ELEMENT,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);

  register_once ();
  g_param_spec_set_qdata (pspec, description_quark (), GINT_TO_POINTER (TRUE));
  return pspec;
}

/* Whether @pad is a ghost pad for an element that is not a direct child of
 * @bin. Nobody meant such a ghost: gst_parse_bin_from_description () makes them
 * for decodebins. */
static gboolean
is_stray_ghost (GstElement * bin, GstPad * pad)
{
  g_autoptr (GstPad) target = NULL;
  g_autoptr (GstObject) owner = NULL;

  if (!GST_IS_GHOST_PAD (pad))
    return FALSE;
  target = gst_ghost_pad_get_target (GST_GHOST_PAD (pad));
  owner = target ? gst_pad_get_parent (target) : NULL;
  return owner && GST_OBJECT_PARENT (owner) != GST_OBJECT (bin);
}

/* Removes such ghosts of @element: each prevents its target from being
 * linked. */
void
nda_description_drop_strays (GstElement * element)
{
  g_autoptr (GList) pads = g_list_copy (element->pads);

  for (GList * l = pads; l; l = l->next)
    if (is_stray_ghost (element, l->data))
      gst_element_remove_pad (element, l->data);
}

/* Returns a pad of @element in @direction that is not linked (transfer
 * full). */
static GstPad *
find_unlinked (GstElement * element, GstPadDirection direction)
{
  GstPad *found = NULL;

  for (GList * l = element->pads; l && !found; l = l->next) {
    GstPad *pad = l->data;

    if (GST_PAD_DIRECTION (pad) == direction && !gst_pad_is_linked (pad))
      found = gst_object_ref (pad);
  }
  return found;
}

/* Returns a pad (transfer full) of @element in @direction that can be linked,
 * or a new ghost pad for such a pad of one of its children; or NULL. */
GstPad *
nda_description_find_pad (GstElement * element, GstPadDirection direction)
{
  GstPad *pad = find_unlinked (element, direction);
  g_autoptr (GstPad) inner = NULL;

  if (pad || !GST_IS_BIN (element))
    return pad;
  for (GList * l = GST_BIN_CHILDREN (element); l && !inner; l = l->next)
    inner = find_unlinked (l->data, direction);
  if (!inner)
    return NULL;
  pad = gst_ghost_pad_new (NULL, inner);
  gst_pad_set_active (pad, TRUE);
  gst_element_add_pad (element, pad);
  return gst_object_ref (pad);
}

static gboolean
has_sometimes_pads (GstElement * element)
{
  GList *templates = gst_element_class_get_pad_template_list
      (GST_ELEMENT_GET_CLASS (element));

  for (GList * l = templates; l; l = l->next)
    if (GST_PAD_TEMPLATE_DIRECTION (l->data) == GST_PAD_SRC
        && GST_PAD_TEMPLATE_PRESENCE (l->data) == GST_PAD_SOMETIMES)
      return TRUE;
  return FALSE;
}

/* Returns those of @element and its children that get their source pads later,
 * as a decodebin does (transfer container). */
GList *
nda_description_find_dynamic (GstElement * element)
{
  GList *found = NULL;

  if (has_sometimes_pads (element))
    found = g_list_prepend (found, element);
  else if (GST_IS_BIN (element))
    for (GList * l = GST_BIN_CHILDREN (element); l; l = l->next)
      if (has_sometimes_pads (l->data))
        found = g_list_prepend (found, l->data);
  return found;
}
