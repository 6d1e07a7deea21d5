/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Gathers short buffers before a sink that takes only a few of them in each
 * cycle of its server. PipeWire's sink takes two. With blocks of 512 frames and
 * cycles of 2048 it would play half of the time.
 *
 * A source of the same graph gives its blocks of a cycle at once, so nothing
 * waits for the next cycle here. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Gathers the buffers that come to @pad, a sink pad, until they have as many
 * frames as @get_frames returns, by a rate of 48 kHz. What has been gathered
 * goes on before any event, and before a discontinuity. @get_frames is called
 * on the streaming thread, for each buffer; 0: nothing is gathered. */
void nda_gather_add (GstPad * pad, gint (*get_frames) (void));

G_END_DECLS
