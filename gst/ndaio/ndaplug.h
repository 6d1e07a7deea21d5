/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plugs for pads inside a bin that wait to be linked.
 *
 * GStreamer's parser makes a ghost pad for an unlinked pad that it finds in a
 * bin, or in the bins inside: gst-launch-1.0 does so for the value of a
 * property such as playbin's “audio-sink”. A plug prevents that: a pad with a
 * plug counts as linked. The plug is a pad without an element, and refuses all
 * data. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Gives @pad a plug for its life, and links it. Called once. */
void nda_plug_add (GstPad * pad);

/* Links the plug of @pad unless the pad is linked, or unlinks it. Any
 * thread. */
void nda_plug_put (GstPad * pad);
void nda_plug_pull (GstPad * pad);
/* Whether @pad is linked to another pad than its plug. Any thread. */
gboolean nda_plug_is_linked (GstPad * pad);

/* Links plugs (transfer full) to all unlinked pads of @element and its
 * children. A plug is unlinked when the array frees it. */
GPtrArray *nda_plugs_new (GstElement * element);

G_END_DECLS
