/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The child of an ndasrc or ndasink, which is the source or sink inside: making
 * it, taking it in, opening it, and letting it go.
 *
 * Called in a change of state, unless something else is said. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* An element (floating) of @factory, or NULL. */
GstElement *nda_child_make (const gchar * factory, const gchar * name,
    GError ** error);

gboolean nda_child_add (GstBin * bin, GstElement * child, GError ** error);

/* Brings @child to NULL and out of @bin, if it is there. */
void nda_child_remove (GstBin * bin, GstElement * child);

/* Whether @child, if it is an autoaudiosrc or autoaudiosink, finds a device in
 * READY, where it then is; other elements say themselves what they miss.
 * Meanwhile *@is_opening [atomic] is TRUE. */
gboolean nda_child_has_device (GstElement * child, gint * is_opening);

/* Closes the device in @child, which was lost. An autoaudiosrc or autoaudiosink
 * keeps what it has chosen. Called on the loss thread. */
void nda_child_close (GstElement * child);
/* Brings @child from there to PLAYING beside @bin, which plays already and
 * whose children's states do not include that of @child; FALSE when its device
 * is not there. What was chosen before is tried first; an autoaudiosrc chooses
 * another only if it @may_choose. Called on the loss thread. */
gboolean nda_child_reopen (GstElement * child, GstElement * bin,
    gboolean may_choose);
/* Leaves the state of @child to its bin again. Any thread. */
void nda_child_give_back (GstElement * child);

/* Posts @error, whose text is for the person. Any thread. */
void nda_child_post_error (GstElement * bin, const GError * error);

/* The error (transfer full) in @message, which @child has posted, or NULL. Any
 * thread. */
GError *nda_child_parse_error (GstElement * child, GstMessage * message);

/* A GstBin's handle_message: whether @message is to be dropped, since it is
 * what the stand-in of an autoaudiosrc says, and the bin has better words. Any
 * thread. */
gboolean nda_child_is_hushed (GstMessage * message, gint * is_opening);

G_END_DECLS
