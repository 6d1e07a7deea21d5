/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The part of the host that is written in Python: the module made of
 * ndapyembed.py, which is compiled into this plugin. All functions: GIL
 * held. */

#pragma once

#include <Python.h>

#include <glib.h>

G_BEGIN_DECLS

gboolean nda_py_embed_start (gboolean is_ours);
PyObject *nda_py_embed_call (const gchar * function, const gchar * format, ...);
gchar *nda_py_embed_take_error (void);
void nda_py_embed_take_problem (const gchar * path, GError ** error);
gchar *nda_py_embed_to_text (PyObject * object);

G_END_DECLS
