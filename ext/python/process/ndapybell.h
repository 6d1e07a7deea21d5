/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A doorbell between two processes, which is an eventfd, and of which this one
 * never waits: whether an eventfd makes one wait is set for both at once, and a
 * write may wait where the other has filled it. This side therefore only takes
 * what there is, in a way that never waits.
 *
 * To hear the other is to take what it has added. To ring is to empty an
 * eventfd that was full: the other waits by filling it again. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint nda_py_bell_new (gboolean is_full);
gboolean nda_py_bell_take (gint bell);

G_END_DECLS
