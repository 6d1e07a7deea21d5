/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element inside an ndasrc or an ndasink: making it, taking it in, seeing
 * whether it is there, and letting it go. Called in a change of state. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GstElement *nda_child_make (const gchar * factory, const gchar * name,
    GError ** error);
gboolean nda_child_add (GstBin * bin, GstElement * child, GError ** error);
gboolean nda_child_probe (GstElement * child, gint * is_opening);
void nda_child_remove (GstBin * bin, GstElement ** child);
void nda_child_post_error (GstElement * bin, const GError * error);

/* The error (transfer full) in @message, which @child has posted, or NULL */
GError *nda_child_parse_error (GstElement * child, GstMessage * message);

/* A GstBin's handle_message: whether @message is to be dropped, for what the
 * stand-in of an autoaudiosrc says is said better by ours. */
gboolean nda_child_is_hushed (GstMessage * message, gint * is_opening);

G_END_DECLS
