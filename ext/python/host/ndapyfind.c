/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyfind.h"

#include "ndapydiscover.h"
#include "ndapypaths.h"

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

/* The folders that are searched for plugins, in this order. */
static GPtrArray *
list_folders (const gchar * plugin_path)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);

  add_folders (folders, plugin_path);
  add_folders (folders, g_getenv ("NDA_PLUGIN_PATH"));
  g_ptr_array_add (folders, nda_py_paths_find_folder ("plugins"));
  return folders;
}

/* Checks that the file can be read. The system's error says what is wrong with
 * it. */
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

/* Whether a file is a helper of plugins and not a plugin (12.1). */
static gboolean
is_helper (const gchar * stem)
{
  static const gchar *const helpers[] = {
    "base_plugin", "plugin_loader", "cython_compiler", "test_plugins", NULL
  };

  return *stem == '_' || *stem == '.' || g_str_has_prefix (stem, "setup_")
      || g_strv_contains (helpers, stem);
}

static gboolean
is_candidate (const gchar * path)
{
  g_autofree gchar *stem = g_path_get_basename (path);

  if (!g_str_has_suffix (stem, ".py"))
    return FALSE;
  stem[strlen (stem) - strlen (".py")] = '\0';
  return !is_helper (stem) && g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

static gint
nda_py_find_compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar * const *) a, *(const gchar * const *) b);
}

/* The plugin files of a folder, sorted. */
static GPtrArray *
list_candidates (const gchar * folder)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    if (is_candidate (path))
      g_ptr_array_add (files, g_steal_pointer (&path));
  }
  g_ptr_array_sort (files, nda_py_find_compare_paths);
  return files;
}

/* The plugin files of the first folder that has any. Only these plugins can be
 * found by their display names. */
static GPtrArray *
list_first_candidates (const GPtrArray * folders)
{
  GPtrArray *files = NULL;

  for (guint i = 0; i < folders->len && (!files || !files->len); i++) {
    g_clear_pointer (&files, g_ptr_array_unref);
    files = list_candidates (g_ptr_array_index (folders, i));
  }
  return files;
}

static gchar *
find_stem (const gchar * stem, const GPtrArray * folders)
{
  g_autofree gchar *name = g_strconcat (stem, ".py", NULL);

  if (is_helper (stem) || strchr (stem, '/'))
    return NULL;
  for (guint i = 0; i < folders->len; i++) {
    g_autofree gchar *path =
        g_build_filename (g_ptr_array_index (folders, i), name, NULL);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* What was searched (transfer full), and which of it is not there. */
static gchar *
list_searched (GPtrArray * folders)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < folders->len; i++) {
    const gchar *folder = g_ptr_array_index (folders, i);

    g_string_append_printf (text, "%s%s%s", i ? ", " : "", folder,
        g_file_test (folder, G_FILE_TEST_IS_DIR) ? "" :
        _(" (there is no such folder)"));
  }
  return g_string_free (text, FALSE);
}

/* What the user may do about a name that nothing was found by. */
static gchar *
advise (const gchar * plugin)
{
  g_autofree gchar *here = g_strdup_printf ("./%s.py", plugin);

  if (g_file_test (here, G_FILE_TEST_EXISTS))
    return g_strdup_printf (_("For the file in this folder write “%s”."),
        here);
  return g_strdup (_("Name the file itself, or its folder with "
          "“plugin-path” or NDA_PLUGIN_PATH."));
}

static void
set_not_found (GError ** error, const gchar * plugin, GPtrArray * folders,
    const gchar * names)
{
  g_autofree gchar *searched = list_searched (folders);
  g_autofree gchar *advice = advise (plugin);

  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _("There is no plugin “%s”: no file “%s.py” in %s, and none "
          "that is called so among %s. %s"), plugin, plugin, searched,
      names && *names ? names : _("no plugins"), advice);
}

/* The file of the plugin with the display name @name. */
static gchar *
find_display_name (const gchar * name, GPtrArray * folders,
    GstClockTime timeout, GError ** error)
{
  g_autoptr (GPtrArray) files = list_first_candidates (folders);
  g_autofree gchar *names = NULL;
  g_autofree gchar *all = NULL;
  g_auto (GStrv) found = nda_py_discover (name, files, timeout, &names, error);

  if (!found)
    return NULL;
  if (g_strv_length (found) == 1)
    return g_strdup (found[0]);
  if (!found[0]) {
    set_not_found (error, name, folders, names);
    return NULL;
  }
  all = g_strjoinv (", ", found);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      _("More than one plugin is called “%s”: %s. Set the element's "
          "property “plugin” to the file that you mean."), name, all);
  return NULL;
}

static gboolean
is_path (const gchar * plugin)
{
  if (g_str_has_suffix (plugin, ".py") || g_path_is_absolute (plugin))
    return TRUE;
  /* a display name may have a slash in it: “AM/FM” */
  return strchr (plugin, '/')
      && (*plugin == '.' || g_file_test (plugin, G_FILE_TEST_EXISTS));
}

/* Returns the absolute path (transfer full) of the file that @plugin means.
 * @plugin is a path if it is absolute, begins with a dot, ends in .py or
 * exists. Otherwise it is the stem of a file in @plugin_path, NDA_PLUGIN_PATH
 * or the installed plugins. Otherwise it is the display name of a plugin in the
 * first of these folders that has plugins; each plugin may take @timeout to
 * answer. */
gchar *
nda_py_find_plugin (const gchar * plugin, const gchar * plugin_path,
    GstClockTime timeout, GError ** error)
{
  g_autoptr (GPtrArray) folders = NULL;
  g_autofree gchar *path = NULL;

  if (!plugin || !*plugin) {
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        _("No plugin is named. Set the element's property “plugin” to a "
            "Python file or to the name of an installed plugin, such as "
            "plugin=gain."));
    return NULL;
  }
  if (is_path (plugin))
    return check_file (plugin, error);
  folders = list_folders (plugin_path);
  path = find_stem (plugin, folders);
  return path ? check_file (path, error) :
      find_display_name (plugin, folders, timeout, error);
}

/* The first folder of @plugin_path that is not there (transfer full), or NULL.
 */
gchar *
nda_py_find_missing_folder (const gchar * plugin_path)
{
  g_autoptr (GPtrArray) folders = g_ptr_array_new_with_free_func (g_free);

  add_folders (folders, plugin_path);
  for (guint i = 0; i < folders->len; i++)
    if (!g_file_test (g_ptr_array_index (folders, i), G_FILE_TEST_IS_DIR))
      return g_strdup (g_ptr_array_index (folders, i));
  return NULL;
}

/* What of @plugin means a file (transfer full), and in @entry (transfer full)
 * the function or class in it, or NULL: “file.py:name” has one. */
gchar *
nda_py_find_split (const gchar * plugin, gchar ** entry)
{
  const gchar *end = plugin ? strrchr (plugin, ':') : NULL;

  *entry = NULL;
  if (!end || !end[1] || strchr (end, '/')
      || end - plugin < 3 || strncmp (end - 3, ".py", 3) != 0)
    return g_strdup (plugin);
  *entry = g_strdup (end + 1);
  return g_strndup (plugin, end - plugin);
}
