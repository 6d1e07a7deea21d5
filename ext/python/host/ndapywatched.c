/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapywatched.h"

#include <string.h>
#include <sys/stat.h>

/* The number of symbolic links that the system follows on the way to a file */
#define MAX_LINKS 40
/* How many files of a plugin are watched at most; a folder of modules may be
 * large */
#define MAX_FILES 256

/* --- the files ---------------------------------------------------------- */

static gboolean
is_listed (const GPtrArray * files, const gchar * path)
{
  for (guint i = 0; i < files->len; i++)
    if (g_str_equal (g_ptr_array_index (files, i), path))
      return TRUE;
  return FALSE;
}

static void
add_file (GPtrArray * files, gchar * path)
{
  if (files->len < MAX_FILES && !is_listed (files, path)
      && g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_ptr_array_add (files, path);
  else
    g_free (path);
}

/* Adds the files of a package. */
static void
add_package (GPtrArray * files, const gchar * folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".py"))
      add_file (files, g_build_filename (folder, name, NULL));
}

/* Adds the module @name, if it is in @folder. */
static void
add_module (GPtrArray * files, const gchar * folder, const gchar * name)
{
  g_autofree gchar *base = g_strconcat (name, ".py", NULL);
  g_autofree gchar *package = g_build_filename (folder, name, NULL);

  add_file (files, g_build_filename (folder, base, NULL));
  if (g_file_test (package, G_FILE_TEST_IS_DIR))
    add_package (files, package);
}

/* Adds the modules of an import's list, such as “one, two.three as four”. */
static void
add_modules (GPtrArray * files, const gchar * folder, const gchar * list)
{
  g_auto (GStrv) names = g_strsplit (list, ",", -1);

  for (guint i = 0; names[i]; i++) {
    gchar *name = g_strstrip (names[i]);

    name[strcspn (name, ". \t#;")] = '\0';
    if (*name)
      add_module (files, folder, name);
  }
}

/* Adds the modules of @folder that the file @path imports. */
static void
add_imports (GPtrArray * files, const gchar * folder, const gchar * path)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    const gchar *line = g_strchug (lines[i]);

    if (g_str_has_prefix (line, "import "))
      add_modules (files, folder, line + strlen ("import "));
    else if (g_str_has_prefix (line, "from ") && strstr (line, " import "))
      add_modules (files, folder, line + strlen ("from "));
  }
}

/* Returns the plugin's file @path and the modules beside it that its text
 * imports (transfer full). */
GPtrArray *
nda_py_watched_list_files (const gchar * path)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *folder = g_path_get_dirname (path);

  g_ptr_array_add (files, g_strdup (path));
  for (guint i = 0; i < files->len; i++)
    add_imports (files, folder, g_ptr_array_index (files, i));
  return files;
}

/* Returns a text (transfer full) that changes when one of the files is written;
 * NULL: there is no plugin now. */
gchar *
nda_py_watched_make_stamp (const gchar * path)
{
  g_autoptr (GPtrArray) files = nda_py_watched_list_files (path);
  GString *stamp;
  struct stat status;

  if (stat (path, &status) < 0)
    return NULL;
  stamp = g_string_new (NULL);
  for (guint i = 0; i < files->len; i++)
    if (stat (g_ptr_array_index (files, i), &status) == 0)
      g_string_append_printf (stamp, "%s %lld %lld %lld %lld.%ld\n",
          (const gchar *) g_ptr_array_index (files, i),
          (long long) status.st_dev, (long long) status.st_ino,
          (long long) status.st_size, (long long) status.st_mtim.tv_sec,
          (long) status.st_mtim.tv_nsec);
  return g_string_free (stamp, FALSE);
}

/* --- the way to them ---------------------------------------------------- */

/* Returns the target of the symbolic link @path, with @rest after it (transfer
 * full); NULL: it is not a link. */
static gchar *
follow_link (const gchar * folder, const gchar * path, gchar ** rest)
{
  g_autofree gchar *target = g_file_read_link (path, NULL);
  g_autofree gchar *behind = NULL;
  g_autofree gchar *whole = NULL;

  if (!target)
    return NULL;
  behind = g_strjoinv ("/", rest);
  whole = g_build_filename (target, behind, NULL);
  return g_canonicalize_filename (whole, folder);
}

static void
follow (const gchar * path, guint n_links, NdaPyWatchedFunc func,
    gpointer user_data)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  g_autofree gchar *folder = g_strdup ("/");

  for (guint i = 0; names[i]; i++) {
    g_autofree gchar *here = g_build_filename (folder, names[i], NULL);
    g_autofree gchar *target = NULL;

    if (!*names[i])
      continue;
    func (folder, names[i], user_data);
    target = follow_link (folder, here, names + i + 1);
    if (target) {
      if (n_links < MAX_LINKS)
        follow (target, n_links + 1, func, user_data);
      return;
    }
    g_free (folder);
    folder = g_steal_pointer (&here);
  }
}

/* Calls @func for each name on the way to the absolute @path: that of a folder,
 * of a symbolic link, and of the file itself. */
void
nda_py_watched_follow (const gchar * path, NdaPyWatchedFunc func,
    gpointer user_data)
{
  follow (path, 0, func, user_data);
}
