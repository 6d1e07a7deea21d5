/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A connection to PipeWire on which nothing is ever said. It tears when the
 * server ends, of which PipeWire's own elements say no word. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The open leash to the server that this program's PipeWire elements use by
 * default, or -1 where there is none; closed with close (). */
gint nda_leash_open (void);
/* Whether the server at the other end of @leash is gone. Does not wait. */
gboolean nda_leash_is_torn (gint leash);

G_END_DECLS
