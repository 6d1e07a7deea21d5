/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndafile.h"

#include "ndachild.h"
#include "ndawavsink.h"

#include <gst/audio/audio.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  const gchar *suffix;
  const gchar *caps;            /* NULL: the encoder's own caps */
  const gchar *encoder;         /* NULL: our own sink writes the file */
  const gchar *muxer;           /* NULL: the encoder writes it */
} Format;

static const Format formats[] = {
  {".wav", NULL, NULL, NULL},
  {".flac", "audio/x-raw, format = (string) { S24_32LE, S24LE, S16LE }",
      "flacenc", NULL},
  {".ogg", NULL, "vorbisenc", "oggmux"},
};

static const Format *
find_format (const gchar * location, GError ** error)
{
  g_autofree gchar *lower = g_ascii_strdown (location, -1);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (lower, formats[i].suffix))
      return &formats[i];
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      _("The file “%s” has none of the suffixes .wav (32-bit float), .flac "
          "(24 bits) and .ogg (lossy), by which its format is chosen."),
      location);
  return NULL;
}

/* Reports faults now that would otherwise appear when the stream has begun. */
static gboolean
check_location (const gchar * location, gboolean overwrite, GError ** error)
{
  g_autofree gchar *folder = g_path_get_dirname (location);
  gboolean exists = g_file_test (location, G_FILE_TEST_EXISTS);

  if (exists && !overwrite) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
        _("The file “%s” is there already. Name another one, or set "
            "overwrite=true to replace it."), location);
    return FALSE;
  }
  if (access (exists ? location : folder, W_OK) == 0
      && !g_file_test (location, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE,
      _("The file “%s” cannot be written: %s. Check the folder and its "
          "permissions."), location,
      g_strerror (exists && access (location, W_OK) == 0 ? EISDIR : errno));
  return FALSE;
}

static GstElement *
add (GstElement * bin, const gchar * factory, GstElement * previous,
    GError ** error)
{
  GstElement *element = nda_child_make (factory, NULL, error);

  if (element) {
    gst_bin_add (GST_BIN (bin), element);
    if (previous)
      gst_element_link (previous, element);
  }
  return element;
}

static GstElement *
add_format (GstElement * bin, const Format * format, GError ** error)
{
  GstElement *filter = add (bin, "capsfilter", NULL, error);
  GstElement *encoder = filter ? add (bin, format->encoder, filter, error) :
      NULL;

  if (encoder && format->caps)
    gst_util_set_object_arg (G_OBJECT (filter), "caps", format->caps);
  return encoder && format->muxer ? add (bin, format->muxer, encoder, error) :
      encoder;
}

static void
ghost_first (GstElement * bin)
{
  g_autoptr (GstPad) pad = gst_bin_find_unlinked_pad (GST_BIN (bin),
      GST_PAD_SINK);

  gst_element_add_pad (bin, gst_ghost_pad_new ("sink", pad));
}

static GstElement *
make_bin (const Format * format, const gchar * location, GError ** error)
{
  GstElement *bin = gst_bin_new ("sink");
  GstElement *last, *filesink = NULL;

  last = add_format (bin, format, error);
  if (last)
    filesink = add (bin, "filesink", last, error);
  if (!filesink) {
    gst_object_unref (bin);
    return NULL;
  }
  g_object_set (filesink, "location", location, NULL);
  ghost_first (bin);
  return bin;
}

/* Returns an element (floating) that writes @location. It replaces an existing
 * file only if @overwrite says so. */
GstElement *
nda_file_make_sink (const gchar * location, gboolean overwrite, GError ** error)
{
  const Format *format = find_format (location, error);

  if (!format || !check_location (location, overwrite, error))
    return NULL;
  return format->encoder ? make_bin (format, location, error) :
      nda_wav_sink_new ("sink", location);
}

/* Removes the file at @location if the pipeline has failed before it wrote
 * anything, so that the next try is not refused. */
void
nda_file_forget_empty (const gchar * location)
{
  GStatBuf about;

  if (g_stat (location, &about) == 0 && S_ISREG (about.st_mode)
      && about.st_size == 0)
    g_unlink (location);
}
