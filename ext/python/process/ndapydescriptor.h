/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Descriptors that are passed to another process. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All our descriptors are at or above this number, so that putting the
 * process's descriptors at their numbers overwrites none of ours */
#define NDA_PY_DESCRIPTOR_FIRST 16

#define NDA_PY_DESCRIPTOR_MAX_SENT 8

gint nda_py_descriptor_move_up (gint fd);
gint nda_py_descriptor_copy (gint fd);
void nda_py_descriptor_close (gint * fd);
gboolean nda_py_descriptor_send (gint socket, const gchar * text,
    const gint * fds, guint n_fds);
gboolean nda_py_descriptor_make_pair (gint type, gint * ours, gint * theirs);

G_END_DECLS
