/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asking plugins for their display names. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

GStrv nda_py_discover (const gchar * name, const GPtrArray * files,
    gchar ** names, GError ** error);

G_END_DECLS
