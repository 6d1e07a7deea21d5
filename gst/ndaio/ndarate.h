/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element inside ndasrc and ndasink that brings sound to another rate:
 * ndaresample, or where that is not installed audioresample, which then says
 * so as soon as it has something to do. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A new one (floating) for @bin; NULL when there is neither. @rate: that of
 * the output, or 0 for that of the input if downstream takes it. */
GstElement *nda_rate_make (GstElement * bin, const gchar * name, guint rate,
    GError ** error);

G_END_DECLS
