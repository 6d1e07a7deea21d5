/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file that an ndasink writes. The suffix of its name decides the
 * format. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GstElement *nda_file_make_sink (const gchar * location, gboolean overwrite,
    GError ** error);
void nda_file_forget_empty (const gchar * location);

G_END_DECLS
