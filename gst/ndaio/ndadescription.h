/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads elements that are written as launch descriptions, for the properties
 * “source” and “sink”. For a wrong description GStreamer's own parser would say
 * only that the property could not be set. It would also make a ghost of a pad
 * inside a decodebin. So these two properties, and no others, are read here. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GParamSpec *nda_description_param (const gchar * name, const gchar * nick,
    const gchar * blurb);
const GError *nda_description_get_error (GstElement * element);

/* The pads of an element, or of a bin which has pads only on its children */
void nda_description_drop_strays (GstElement * element);
GstPad *nda_description_find_pad (GstElement * element,
    GstPadDirection direction);
GList *nda_description_find_dynamic (GstElement * element);

G_END_DECLS
