/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A leash is an idle connection to PipeWire. It breaks (tears) when the server
 * ends; PipeWire's own elements do not report that. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Opens a leash to the server that this program's PipeWire elements use by
 * default. -1: there is no server. It is closed with close (). */
gint nda_leash_open (void);
/* Whether the server of @leash is gone. Does not wait. */
gboolean nda_leash_is_torn (gint leash);

G_END_DECLS
