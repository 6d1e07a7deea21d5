/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndatypefind.h"

#include "ndacrypto.h"
#include "ndastream.h"

#include <string.h>

static GstStaticCaps stream_caps = GST_STATIC_CAPS (NDA_SFRAME_CAPS_NAME
    ", version = (int) 1, framing = (string) stream");

static void
nda_type_find_sframe (GstTypeFind * typefind, gpointer unused)
{
  const guint8 *bytes = gst_type_find_peek (typefind, 0, NDA_STREAM_N_MARK);

  if (bytes && memcmp (bytes, NDA_STREAM_MARK, NDA_STREAM_N_MARK) == 0)
    gst_type_find_suggest (typefind, GST_TYPE_FIND_MAXIMUM,
        gst_static_caps_get (&stream_caps));
}

GST_TYPE_FIND_REGISTER_DEFINE (ndasframe, NDA_SFRAME_CAPS_NAME,
    GST_RANK_PRIMARY, nda_type_find_sframe, "nda",
    gst_static_caps_get (&stream_caps), NULL, NULL);
