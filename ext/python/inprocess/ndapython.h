/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The interpreter: one in a process, started by the first plugin or found
 * running, never finalised by us. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean nda_python_start (GError ** error);

/* Quickens the calling thread, which makes the block calls. */
void nda_python_quicken_thread (void);

G_END_DECLS
