/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Notices when a file is written, or replaced by another file, as editors
 * do. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NdaPyWatch NdaPyWatch;

/* Called on the watch's thread, without a lock */
typedef void (*NdaPyWatchFunc) (gpointer user_data);

NdaPyWatch *nda_py_watch_new (const gchar * path, NdaPyWatchFunc func,
    gpointer user_data);
void nda_py_watch_free (NdaPyWatch * watch);

G_END_DECLS
