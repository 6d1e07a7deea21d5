/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* replay FOLDER...: gives each file of the folders to the fuzz target. */

#include "fuzz.h"

static guint
replay_folder (const gchar * path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint n_files = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *file = g_build_filename (path, name, NULL);
    g_autofree gchar *bytes = NULL;
    gsize n;

    if (!g_file_get_contents (file, &bytes, &n, NULL))
      g_error ("%s cannot be read", file);
    LLVMFuzzerTestOneInput ((const uint8_t *) bytes, n);
    n_files++;
  }
  return n_files;
}

int
main (int argc, char **argv)
{
  guint n_files = 0;

  for (gint i = 1; i < argc; i++)
    n_files += replay_folder (argv[i]);
  g_print ("%u seeds\n", n_files);
  return n_files ? 0 : 1;
}
