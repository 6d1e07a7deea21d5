/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asking plugins for their display names, in a process of its own: a file that
 * ends it, crashes or never returns does nothing to this one. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GStrv nda_py_discover (const gchar * name, const GPtrArray * files,
    GstClockTime timeout, gchar ** names, GError ** error);

G_END_DECLS
