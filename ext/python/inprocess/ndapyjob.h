/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs: slow calls of Python, such as loading, stop () and parameters. Each job
 * has its own short-lived thread. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

gboolean nda_py_job_run (NdaPyJob job, gpointer data,
    const NdaPyPatience * patience, GError ** error);
void nda_py_job_note_method (const gchar * method);

G_END_DECLS
