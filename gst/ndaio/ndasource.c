/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasource.h"

#include "ndachild.h"
#include "ndadescription.h"
#include "ndaplug.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Makes an error: “file://tone.wav” names a host, and no file. */
static void
fail_of_host (const gchar * uri, GError ** error)
{
  g_autofree gchar *path =
      g_canonicalize_filename (uri + strlen ("file://"), NULL);
  g_autofree gchar *as_uri = g_filename_to_uri (path, NULL, NULL);

  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      _("“%s” is not the URI of a file here, which has three slashes "
          "and the whole path. Write “%s”."), uri, as_uri);
}

/* Whether a local file exists and can be read. An error before the pipeline
 * runs is clearer. */
static gboolean
check_file (const gchar * uri, GError ** error)
{
  g_autofree gchar *path = NULL;

  if (!gst_uri_has_protocol (uri, "file"))
    return TRUE;
  path = g_filename_from_uri (uri, NULL, NULL);
  if (!path) {
    fail_of_host (uri, error);
    return FALSE;
  }
  if (access (path, R_OK) == 0 && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (errno == ENOENT)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        _("There is no file “%s”. Check the property “uri”."), path);
  else
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        _("The file “%s” cannot be read: %s"), path,
        g_strerror (errno ? errno : EISDIR));
  return FALSE;
}

GstElement *
nda_source_make (const gchar * uri, GError ** error)
{
  GstElement *element;

  if (!gst_uri_is_valid (uri)) {
    g_autofree gchar *path = g_canonicalize_filename (uri, NULL);
    g_autofree gchar *as_uri = g_filename_to_uri (path, NULL, NULL);

    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        _("“%s” is not a URI. If it is a file, write “%s”."), uri,
        as_uri);
    return NULL;
  }
  errno = 0;
  if (!check_file (uri, error))
    return NULL;
  element = nda_child_make ("uridecodebin", "source", error);
  if (element)
    g_object_set (element, "uri", uri, "expose-all-streams", FALSE, NULL);
  if (element)
    gst_util_set_object_arg (G_OBJECT (element), "caps", "audio/x-raw(ANY)");
  return element;
}

static gboolean
is_audio (GstPad * pad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (!caps || gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return caps && !gst_caps_is_empty (caps);
  return g_str_equal (gst_structure_get_name (gst_caps_get_structure (caps,
              0)), "audio/x-raw");
}

/* Links @pad to @next, through a ghost pad on each bin between them. */
static gboolean
link_pad (GstPad * pad, GstElement * next)
{
  g_autoptr (GstPad) from = gst_object_ref (pad);
  g_autoptr (GstPad) to = gst_element_get_static_pad (next, "sink");
  GstObject *bin = GST_OBJECT_PARENT (next);

  while (GST_OBJECT_PARENT (GST_PAD_PARENT (from)) != bin) {
    GstElement *parent = GST_ELEMENT (GST_OBJECT_PARENT
        (GST_PAD_PARENT (from)));
    GstPad *ghost = gst_ghost_pad_new (NULL, from);

    gst_pad_set_active (ghost, TRUE);
    gst_element_add_pad (parent, ghost);
    gst_object_replace ((GstObject **) & from, GST_OBJECT (ghost));
  }
  nda_plug_pull (to);
  if (!gst_pad_is_linked (to)
      && GST_PAD_LINK_SUCCESSFUL (gst_pad_link (from, to)))
    return TRUE;
  nda_plug_put (to);
  return FALSE;
}

/* Posts that there is audio that cannot be linked. */
static void
refuse (GstPad * pad, GstElement * bin)
{
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);
  g_autofree gchar *text = gst_caps_to_string (caps);

  GST_ELEMENT_ERROR (bin, STREAM, FORMAT,
      (_("The source's audio has a format that cannot be converted to one "
              "that is wanted here: %s."), text),
      ("pad %s", GST_PAD_NAME (pad)));
}

/* A GstElementForeachPadFunc that stops at the first audio pad */
static gboolean
is_no_audio (GstElement * dynamic, GstPad * pad, gpointer user_data)
{
  return !is_audio (pad);
}

/* Whether @dynamic has a pad with audio that was refused. */
static gboolean
was_refused (GstElement * dynamic)
{
  return !gst_element_foreach_src_pad (dynamic, is_no_audio, NULL);
}

/* Called on a streaming thread: the stream is known now. */
static void
nda_source_on_pad_added (GstElement * dynamic, GstPad * pad, GstElement * next)
{
  g_autoptr (GstPad) to = gst_element_get_static_pad (next, "sink");

  if (GST_PAD_IS_SRC (pad) && is_audio (pad) && !nda_plug_is_linked (to)
      && !link_pad (pad, next))
    refuse (pad, GST_ELEMENT (GST_OBJECT_PARENT (next)));
}

/* Removes the ghost pads of @bin whose target has gone */
static void
remove_empty_ghosts (GstElement * bin)
{
  g_autoptr (GList) pads = g_list_copy (bin->pads);

  for (GList * l = pads; l; l = l->next) {
    g_autoptr (GstPad) target = GST_IS_GHOST_PAD (l->data) ?
        gst_ghost_pad_get_target (l->data) : NULL;

    if (GST_IS_GHOST_PAD (l->data) && !target)
      gst_element_remove_pad (bin, l->data);
  }
}

/* Called on a streaming thread, or in a change of state. If a stream ends and
 * another follows, as in an Ogg radio, the next pad takes the place. */
static void
nda_source_on_pad_removed (GstElement * dynamic, GstPad * pad,
    GstElement * next)
{
  g_autoptr (GstPad) to = gst_element_get_static_pad (next, "sink");
  GstObject *parent = GST_OBJECT_PARENT (dynamic);

  while (parent && parent != GST_OBJECT_PARENT (next)) {
    remove_empty_ghosts (GST_ELEMENT (parent));
    parent = GST_OBJECT_PARENT (parent);
  }
  nda_plug_put (to);
}

/* Called on a streaming thread: there will be no other pads. */
static void
nda_source_on_no_more_pads (GstElement * dynamic, GstElement * next)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (next, "sink");
  GstElement *bin = GST_ELEMENT (GST_OBJECT_PARENT (next));
  g_autofree gchar *uri = NULL;

  if (nda_plug_is_linked (pad) || was_refused (dynamic))
    return;
  g_object_get (bin, "uri", &uri, NULL);
  GST_ELEMENT_ERROR (bin, STREAM, WRONG_TYPE,
      (_("There is no audio in “%s”."),
          uri ? uri : GST_OBJECT_NAME (dynamic)),
      ("no audio pad among those of %s", GST_OBJECT_NAME (dynamic)));
}

gboolean
nda_source_connect (GstElement * source, GstBin * bin, GstElement * next)
{
  g_autoptr (GList) dynamic = nda_description_find_dynamic (source);
  g_autoptr (GstPad) pad = NULL;

  nda_description_drop_strays (source);
  for (GList * l = dynamic; l; l = l->next) {
    g_signal_connect_object (l->data, "pad-added",
        G_CALLBACK (nda_source_on_pad_added), next, 0);
    g_signal_connect_object (l->data, "pad-removed",
        G_CALLBACK (nda_source_on_pad_removed), next, 0);
    g_signal_connect_object (l->data, "no-more-pads",
        G_CALLBACK (nda_source_on_no_more_pads), next, 0);
  }
  if (dynamic)
    return TRUE;
  pad = nda_description_find_pad (source, GST_PAD_SRC);
  return pad && link_pad (pad, next);
}

void
nda_source_disconnect (GstElement * source, GstElement * next)
{
  g_autoptr (GList) dynamic = nda_description_find_dynamic (source);
  g_autoptr (GstPad) to = gst_element_get_static_pad (next, "sink");

  for (GList * l = dynamic; l; l = l->next)
    g_signal_handlers_disconnect_by_data (l->data, next);
  nda_plug_put (to);
}

static gboolean
is_encrypted (const GError * failure)
{
  return g_error_matches (failure, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT)
      || g_error_matches (failure, GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECRYPT_NOKEY);
}

static gboolean
lacks_decoder (const GError * failure)
{
  return g_error_matches (failure, GST_CORE_ERROR,
      GST_CORE_ERROR_MISSING_PLUGIN)
      || g_error_matches (failure, GST_STREAM_ERROR,
      GST_STREAM_ERROR_CODEC_NOT_FOUND);
}

/* In @missing what GStreamer calls what it lacks, or NULL. */
GError *
nda_source_reword (const GError * failure, const gchar * uri,
    const gchar * missing)
{
  if (is_encrypted (failure))
    return g_error_new (failure->domain, failure->code,
        _("“%s” is encrypted: %s Instead of “uri”, set “source” to "
            "“filesrc location=FILE ! ndadecrypt key-file=KEY”."), uri,
        failure->message);
  if (lacks_decoder (failure))
    return g_error_new (failure->domain, failure->code,
        _("“%s” cannot be played: “%s” is missing. Install "
            "gstreamer1.0-libav, which has most decoders on Debian; the rest "
            "are in gstreamer1.0-plugins-bad and gstreamer1.0-plugins-ugly."),
        uri, missing ? missing : failure->message);
  return g_error_new (failure->domain, failure->code,
      _("“%s” cannot be played: %s"), uri, failure->message);
}
