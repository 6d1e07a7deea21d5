/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The GIL of this process's interpreter.
 *
 * The GIL is a lock, the outermost one. We hold no lock while we take or hold
 * the GIL. A thread that waits for another thread, which may want the GIL,
 * gives the GIL up first: nda_py_gil_pause () and nda_py_gil_resume () stand
 * around the wait. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean nda_py_gil_enter (void);
void nda_py_gil_leave (void);
void nda_py_gil_leave_for_good (void);
guint nda_py_gil_count_entries (void);

gpointer nda_py_gil_pause (void);
void nda_py_gil_resume (gpointer paused);

/* GIL held */
gulong nda_py_gil_get_thread (void);
void nda_py_gil_interrupt (gulong thread);

gboolean nda_py_gil_watch_exit (void);
gboolean nda_py_gil_is_gone (void);
gboolean nda_py_gil_check (GError ** error);

G_END_DECLS
