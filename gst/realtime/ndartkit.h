/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* RealtimeKit (org.freedesktop.RealtimeKit1): the service of the desktop that
 * gives real-time priority to threads of ordinary users. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* How long a thread may compute without a pause (us), at most, for RealtimeKit
 * to give it priority; and the highest priority that it gives */
gboolean nda_rtkit_get_limits (gint64 * max_run, gint * max_priority,
    GError ** error);
gboolean nda_rtkit_make_realtime (gint thread, guint priority,
    GError ** error);

G_END_DECLS
