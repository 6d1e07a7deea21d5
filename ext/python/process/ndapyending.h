/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A descriptor that can be read when a child process has ended. */

#pragma once

#include <glib.h>

#include <sys/types.h>

G_BEGIN_DECLS

gint nda_py_ending_watch (pid_t pid);

G_END_DECLS
