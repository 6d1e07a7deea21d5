/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The files and folders of a plugin: its file, the modules beside it that it
 * imports, and each folder and symbolic link on the way to them. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Called for each @name that is looked up in @folder on the way */
typedef void (*NdaPyWatchedFunc) (const gchar * folder, const gchar * name,
    gpointer user_data);

GPtrArray *nda_py_watched_list_files (const gchar * path);
gchar *nda_py_watched_make_stamp (const gchar * path);
void nda_py_watched_follow (const gchar * path, NdaPyWatchedFunc func,
    gpointer user_data);

G_END_DECLS
