/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A bell is an eventfd by which two processes wake each other. This process
 * must never wait on it. Whether an eventfd is blocking is set for both
 * processes at once, and a write may wait if the other process has filled the
 * eventfd. So this side only reads, in a way that never waits.
 *
 * To hear the other process, this side takes the value that the other has
 * added. To ring, this side empties an eventfd that was full: the other process
 * waits by filling it again. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint nda_py_bell_new (gboolean is_full);
gboolean nda_py_bell_take (gint bell);

G_END_DECLS
