/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plugs for pads inside a bin that wait to be linked.
 *
 * GStreamer's parser makes a ghost pad for an unlinked pad that it finds in a
 * bin, or in the bins inside: gst-launch-1.0 does so for the value of a
 * property such as playbin's “audio-sink”. A pad with a plug counts as linked.
 * The plug is a pad without an element, and refuses whatever comes to it. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Gives @pad a plug for its life, and puts it in. Once. */
void nda_plug_add (GstPad * pad);

/* Puts the plug of @pad in unless the pad is linked, or pulls it out. Any
 * thread. */
void nda_plug_put (GstPad * pad);
void nda_plug_pull (GstPad * pad);
/* Whether @pad is linked, and to more than its plug. Any thread. */
gboolean nda_plug_is_linked (GstPad * pad);

/* Plugs (transfer full) in all unlinked pads of @element and those inside it.
 * Each is pulled when the array lets go of it. */
GPtrArray *nda_plugs_new (GstElement * element);

G_END_DECLS
