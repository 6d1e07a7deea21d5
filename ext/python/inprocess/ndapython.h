/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The interpreter. A process has one: the first plugin starts it, or finds it
 * running. We never finalise it. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean nda_python_start (GError ** error);

/* Shortens the timer slack of the calling thread, which makes block calls. */
void nda_python_quicken_thread (void);

G_END_DECLS
