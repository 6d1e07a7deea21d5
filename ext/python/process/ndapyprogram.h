/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The Python program of a worker and of a mould, as a file in memory. It always
 * has the version of this plugin. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gint nda_py_program_make (void);

G_END_DECLS
