/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The processes that a process has started, directly or through others. They
 * are found by a mark in the environment, which each of them inherits, or as
 * children of children. */

#pragma once

#include <glib.h>

#include <sys/types.h>

G_BEGIN_DECLS

/* The environment variable that holds the mark */
#define NDA_PY_DESCENDANTS_MARK "NDA_PYTHON_PROCESS"

gchar *nda_py_descendants_make_mark (void);
void nda_py_descendants_kill (const gchar * mark);
guint64 nda_py_descendants_get_memory (pid_t pid);

G_END_DECLS
