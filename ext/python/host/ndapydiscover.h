/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asks plugins for their display names, in a separate process: if a file ends
 * that process, crashes or never returns, this process is not affected. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GStrv nda_py_discover (const gchar * name, const GPtrArray * files,
    GstClockTime timeout, gchar ** names, GError ** error);

G_END_DECLS
