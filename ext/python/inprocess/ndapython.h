/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The interpreter: one in a process, started by the first bridge that leaves
 * NULL or found running, never finalised by us.
 *
 * The GIL is a lock, the outermost one. Nothing of ours is locked while it is
 * taken or held, and whoever waits for a thread that may want it gives it up
 * first: nda_python_pause () and nda_python_resume () around the wait. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long a state change waits for the GIL */
#define NDA_PYTHON_TIMEOUT (2 * G_TIME_SPAN_SECOND)

gboolean nda_python_start (GError ** error);

/* Called on a thread of its own, GIL held. */
typedef void (*NdaPythonJob) (gpointer data);

gboolean nda_python_run (NdaPythonJob job, gpointer data, GError ** error);

gboolean nda_python_enter (void);
void nda_python_leave (void);

gpointer nda_python_pause (void);
void nda_python_resume (gpointer paused);

gchar *nda_python_find_executable (void);

gboolean nda_python_is_gone (void);
GError *nda_python_gone_error (void);

/* Quickens the calling thread, which makes the block calls. */
void nda_python_quicken_thread (void);

G_END_DECLS
