/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finding a plugin's file. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Those of @files (paths) that hold a plugin of the display name @name; NULL
 * at an error. In @names (transfer full) which names there are, for a person.
 * Called without the GIL. */
typedef GStrv (*NdaPyDiscoverFunc) (const gchar * name,
    const GPtrArray * files, gchar ** names, GError ** error);

gchar *nda_py_find_plugin (const gchar * plugin, const gchar * plugin_path,
    NdaPyDiscoverFunc discover, GError ** error);

G_END_DECLS
