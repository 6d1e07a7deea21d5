/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Gives positions to channels without any. Sound that was encrypted, or is
 * mixed by an application, has a number of channels and does not tell their
 * positions. audioconvert cannot mix such channels.
 *
 * If the sink takes them without positions, they pass unchanged. If not, three
 * to eight channels get GStreamer's usual positions (six are 5.1), so that they
 * can be mixed. Other channels are an error. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Whether an audioconvert inside @bin takes as many channels as @caps (fixed)
 * have; otherwise posts an error. Called on a streaming thread. */
gboolean nda_positions_check (GstElement * bin, GstCaps * caps);

/* Handles the caps at @ghost, the sink pad of a bin whose first element is an
 * audioconvert. */
void nda_positions_watch (GstPad * ghost);

G_END_DECLS
