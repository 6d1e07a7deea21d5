/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finding a plugin's file. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

gchar *nda_py_find_plugin (const gchar * plugin, const gchar * plugin_path,
    GstClockTime timeout, GError ** error);
gchar *nda_py_find_missing_folder (const gchar * plugin_path);
gchar *nda_py_find_split (const gchar * plugin, gchar ** entry);

G_END_DECLS
