/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The source inside an ndasrc: the decoder for a URI, and the first audio pad
 * of any source, which may appear only when the stream is known. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An element (floating) that plays @uri. */
GstElement *nda_source_make (const gchar * uri, GError ** error);

/* The error of a source that cannot play @uri, with what to do about it
 * (transfer full). */
GError *nda_source_reword (const GError * failure, const gchar * uri,
    const gchar * missing);

/* Links @source to @next, both children of @bin, now or when its pads appear.
 * FALSE: it has no pad to link. */
gboolean nda_source_connect (GstElement * source, GstBin * bin,
    GstElement * next);
/* Undoes that, when @source is in NULL. */
void nda_source_disconnect (GstElement * source, GstElement * next);

G_END_DECLS
