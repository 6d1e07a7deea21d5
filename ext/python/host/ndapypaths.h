/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The path of the interpreter, and of the folders of the package nda. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gchar *nda_py_paths_find_python (void);
gchar *nda_py_paths_find_folder (const gchar * name);

G_END_DECLS
