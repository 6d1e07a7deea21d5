/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All that the elements need from inprocess/ and process/: the kinds of
 * runners, and this process's Python. The elements do not include the headers
 * of these rooms; ext/python/ndapyrunners.c does. */

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

/* Stand around a wait for a thread that may want the GIL: the first gives the
 * GIL up, if this thread holds it. */
gpointer nda_py_runners_pause_gil (void);
void nda_py_runners_resume_gil (gpointer paused);

G_END_DECLS
