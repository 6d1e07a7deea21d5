/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A thread of its own for what lies behind an element, as a queue that waits for
 * nothing. A device's thread that pushes into a speaker waits for room there, and
 * comes back to its own device when the speaker's has let it: when frames come
 * then says nothing of their device's clock. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Puts it behind @element, a child of @bin that is linked to another. Called in
 * READY. */
void nda_hop_put_behind (GstBin * bin, GstElement * element);

G_END_DECLS
