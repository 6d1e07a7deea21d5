/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndahop.h"

#include "ndablock.h"
#include "ndachild.h"

/* It is empty but while a speaker keeps its thread; when it is full, the device's
 * own ring holds the rest. A time, for the maximum latency that it answers. */
#define MAX_TIME (16 * NDA_BLOCK_DURATION)

void
nda_hop_put_behind (GstBin * bin, GstElement * element)
{
  GstElement *hop = nda_child_make ("queue", "hop", NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");
  g_autoptr (GstPad) peer = gst_pad_get_peer (pad);
  g_autoptr (GstPad) in = NULL;
  g_autoptr (GstPad) out = NULL;

  if (!hop)
    return;
  g_object_set (hop, "max-size-buffers", 0, "max-size-bytes", 0,
      "max-size-time", (guint64) MAX_TIME, "silent", TRUE, NULL);
  gst_bin_add (bin, hop);
  in = gst_element_get_static_pad (hop, "sink");
  out = gst_element_get_static_pad (hop, "src");
  gst_pad_unlink (pad, peer);
  gst_pad_link (pad, in);
  gst_pad_link (out, peer);
  gst_element_sync_state_with_parent (hop);
}
