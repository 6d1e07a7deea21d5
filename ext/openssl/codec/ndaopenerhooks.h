/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The functions that an opener, and its candidates, call on their owner. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Called on the opener's thread. Each may be NULL. */
typedef struct
{
  /* a base key of 16 to 64 bytes (transfer full), or NULL */
  GBytes *(*request_key) (gpointer owner, guint64 kid, guint suite);
  gint64 (*get_real_time) (gpointer owner);     /* microseconds since 1970 */
  gint64 (*get_monotonic_time) (gpointer owner);        /* microseconds */
} NdaOpenerHooks;

G_END_DECLS
