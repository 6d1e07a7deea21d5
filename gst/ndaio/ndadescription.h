/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Elements written as launch descriptions, for the properties “source” and
 * “sink”. GStreamer's own parser would say of a wrong description only that
 * the property could not be set, and would ghost a pad of the typefind inside
 * a decodebin; so these two properties, and no others, are read here. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GParamSpec *nda_description_param (const gchar * name, const gchar * nick,
    const gchar * blurb);
const GError *nda_description_get_error (GstElement * element);

/* Pads of an element, or of a bin which has none but for its children */
void nda_description_drop_strays (GstElement * element);
GstPad *nda_description_find_pad (GstElement * element,
    GstPadDirection direction);
GList *nda_description_find_dynamic (GstElement * element);

G_END_DECLS
