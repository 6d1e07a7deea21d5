/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The child of an ndasrc or ndasink is the source or sink inside. These
 * functions make it, add it, open it, and remove it.
 *
 * They are called in a change of state, unless their comment says otherwise. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An element (floating) of @factory, or NULL. */
GstElement *nda_child_make (const gchar * factory, const gchar * name,
    GError ** error);

gboolean nda_child_add (GstBin * bin, GstElement * child, GError ** error);

/* Sets @child to NULL and removes it from @bin, if it is there. */
void nda_child_remove (GstBin * bin, GstElement * child);

/* Whether @child, if it is an autoaudiosrc or autoaudiosink, finds a device in
 * READY; it stays in READY then. Other elements report a missing device
 * themselves. Meanwhile *@is_opening [atomic] is TRUE. */
gboolean nda_child_has_device (GstElement * child, gint * is_opening);

/* Closes the lost device in @child. An autoaudiosrc or autoaudiosink keeps its
 * choice. Called on the loss thread. */
void nda_child_close (GstElement * child);
/* Brings @child from that state to PLAYING inside @bin, which plays already and
 * whose state does not include the state of @child. FALSE: the device is not
 * there. The element that was chosen before is tried first; an autoaudiosrc
 * chooses another only if @may_choose. Called on the loss thread. */
gboolean nda_child_reopen (GstElement * child, GstElement * bin,
    gboolean may_choose);
/* Lets the bin control the state of @child again. Any thread. */
void nda_child_give_back (GstElement * child);

/* Posts @error, whose text is for the user. Any thread. */
void nda_child_post_error (GstElement * bin, const GError * error);

/* Whether @message is the error of a source whose format downstream does not
 * take. */
gboolean nda_child_is_not_negotiated (GstMessage * message);

/* The error (transfer full) in @message, which @child has posted, or NULL. Any
 * thread. */
GError *nda_child_parse_error (GstElement * child, GstMessage * message);

/* For a GstBin's handle_message: whether to drop @message, because the stand-in
 * of an autoaudiosrc posts it and the bin posts a better one. Any thread. */
gboolean nda_child_is_hushed (GstMessage * message, gint * is_opening);

G_END_DECLS
