/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a plugin can run, and what this process's Python is asked for: all that
 * the elements take from inprocess/ and process/, which they do not include:
 * ext/python/ndapyrunners.c, which knows all rooms, does. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ISOLATION_THREAD,
  NDA_PY_ISOLATION_PROCESS,
} NdaPyIsolation;

const NdaPyRunnerKind *nda_py_runners_get_kind (NdaPyIsolation isolation);

gchar *nda_py_runners_find_plugin (const gchar * plugin,
    const gchar * plugin_path, GstClockTime timeout, gchar ** entry,
    GError ** error);

/* Around a wait for a thread that may want the GIL: gives it up, where this
 * thread holds it. */
gpointer nda_py_runners_pause_gil (void);
void nda_py_runners_resume_gil (gpointer paused);

G_END_DECLS
