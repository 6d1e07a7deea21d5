/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every wait for a process is here. A wait ends at a time on the monotonic
 * clock, whatever the process does: we read and write our descriptors without
 * blocking, and the process cannot change that through its own ends. */

#pragma once

#include <gst/gst.h>

#include <poll.h>

G_BEGIN_DECLS

/* Why a wait has ended */
typedef enum
{
  NDA_PY_AWAIT_READY,
  NDA_PY_AWAIT_LATE,            /* the time is over */
  NDA_PY_AWAIT_ENDED,           /* the process has ended */
} NdaPyAwait;

gint64 nda_py_await_end_of (GstClockTime timeout);
gint nda_py_await_any (struct pollfd *fds, guint n_fds, gint64 end);
NdaPyAwait nda_py_await (gint fd, gshort events, gint end_fd, gint64 end);
gboolean nda_py_await_is_readable (gint fd);
gboolean nda_py_await_reap (pid_t pid, gint64 end);

G_END_DECLS
