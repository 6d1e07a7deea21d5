/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapypaths.h"

#include "ndapylog.h"

/* The virtual environment that VIRTUAL_ENV names, if it has this Python
 * version; the packages of another version cannot be used in this process. */
static gchar *
find_virtual_environment (void)
{
  const gchar *version = "python" NDA_PYTHON_VERSION;
  const gchar *root = g_getenv ("VIRTUAL_ENV");
  g_autofree gchar *packages = NULL;
  g_autofree gchar *python = NULL;

  if (!root || !*root)
    return NULL;
  packages = g_build_filename (root, "lib", version, "site-packages", NULL);
  python = g_build_filename (root, "bin", "python3", NULL);
  if (g_file_test (packages, G_FILE_TEST_IS_DIR)
      && g_file_test (python, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&python);
  GST_WARNING
      ("The virtual environment “%s” is not one of %s and is not used",
      root, version);
  return NULL;
}

/* The interpreter (transfer full): the virtual environment's or the system's.
 * Never the first python3 on PATH, which may be any program. */
gchar *
nda_py_paths_find_python (void)
{
  gchar *environment = find_virtual_environment ();

  return environment ? environment : g_strdup (NDA_PYTHON_EXECUTABLE);
}

/* The folder @name of the package nda (transfer full), such as “plugins”. */
gchar *
nda_py_paths_find_folder (const gchar * name)
{
  const gchar *base = g_getenv ("NDA_PYTHON_DIR");

  return g_build_filename (base && *base ? base : NDA_PYTHON_DIR, "nda", name,
      NULL);
}
