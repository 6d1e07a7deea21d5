/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Positions for channels that come without: sound that was encrypted, or is
 * mixed by an application, has a number of channels and does not say where they
 * are. audioconvert cannot mix such channels.
 *
 * Where the sink takes them as they are, they pass. Where it does not, three to
 * eight channels get GStreamer's usual positions (six are 5.1), so that they
 * can be mixed. What still cannot be mixed is an error. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether an audioconvert inside @bin takes as many channels as @caps (fixed)
 * say; otherwise posts an error. Called on a streaming thread. */
gboolean nda_positions_check (GstElement * bin, GstCaps * caps);

/* @ghost is the sink pad of a bin whose first element is an audioconvert. */
void nda_positions_watch (GstPad * ghost);

G_END_DECLS
