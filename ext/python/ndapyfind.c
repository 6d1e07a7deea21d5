/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyfind.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <string.h>

static void
add_folders (GPtrArray * folders, const gchar * search_path)
{
  g_auto (GStrv) parts = NULL;

  if (!search_path)
    return;
  parts = g_strsplit (search_path, G_SEARCHPATH_SEPARATOR_S, -1);
  for (guint i = 0; parts[i]; i++)
    if (*parts[i])
      g_ptr_array_add (folders, g_canonicalize_filename (parts[i], NULL));
}

/* Where plugins are looked for, in this order. */
static GPtrArray *
list_folders (const gchar * plugin_path)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  const gchar *base = g_getenv ("NDA_PYTHON_DIR");

  add_folders (folders, plugin_path);
  add_folders (folders, g_getenv ("NDA_PLUGIN_PATH"));
  g_ptr_array_add (folders, g_build_filename (base && *base ? base :
          NDA_PYTHON_DIR, "nda", "plugins", NULL));
  return folders;
}

/* The file must be there to be read: the error of the system says what is
 * wrong with it. */
static gchar *
check_file (const gchar * path, GError ** error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree gchar *absolute = g_canonicalize_filename (path, NULL);
  g_autofree gchar *content = NULL;

  if (g_file_get_contents (absolute, &content, NULL, &failure))
    return g_steal_pointer (&absolute);
  if (g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
        _("There is no plugin file “%s”. Check the element's property "
            "“plugin”."), absolute);
  else
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        _("The plugin file “%s” cannot be read: %s"), absolute,
        failure->message);
  return NULL;
}

static gchar *
find_stem (const gchar * stem, const gchar * plugin_path, GError ** error)
{
  g_autoptr (GPtrArray) folders = list_folders (plugin_path);
  g_autofree gchar *name = g_strconcat (stem, ".py", NULL);
  g_autofree gchar *searched = NULL;

  for (guint i = 0; i < folders->len; i++) {
    g_autofree gchar *path =
        g_build_filename (g_ptr_array_index (folders, i), name, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return check_file (path, error);
  }
  g_ptr_array_add (folders, NULL);
  searched = g_strjoinv (", ", (gchar **) folders->pdata);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _
      ("There is no plugin “%s”: no file “%s” in %s. Name the file itself, or "
          "its folder with “plugin-path” or NDA_PLUGIN_PATH."), stem, name,
      searched);
  return NULL;
}

/* The absolute path (transfer full) of the file that @plugin means: a path, if
 * it has a slash or ends in .py, else the stem of a file in @plugin_path,
 * NDA_PLUGIN_PATH or the installed plugins. */
gchar *
nda_py_find_plugin (const gchar * plugin, const gchar * plugin_path,
    GError ** error)
{
  if (!plugin || !*plugin) {
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        _("No plugin is named. Set the element's property “plugin” to a "
            "Python file or to the name of an installed plugin, such as "
            "plugin=gain."));
    return NULL;
  }
  if (strchr (plugin, '/') || g_str_has_suffix (plugin, ".py"))
    return check_file (plugin, error);
  return find_stem (plugin, plugin_path, error);
}
