/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The source inside an ndasrc: which one it is, and its first audio pad, which
 * may come only when the stream is known. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GstElement *nda_source_make (GstElement * source, const gchar * uri,
    const gchar * device, GError ** error);
gboolean nda_source_connect (GstElement * source, GstBin * bin,
    GstElement * next);
void nda_source_disconnect (GstElement * source, GstElement * next);

G_END_DECLS
