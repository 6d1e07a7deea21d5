/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The one place that waits for a process. Each wait ends at a time on the
 * monotonic clock, whatever the process does: our descriptors are read and
 * written without blocking, and nothing that the process can set about its own
 * ends changes that. */

#pragma once

#include <gst/gst.h>

#include <poll.h>

G_BEGIN_DECLS

/* What a wait came to */
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

G_END_DECLS
