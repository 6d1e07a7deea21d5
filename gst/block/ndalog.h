/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The debug log for code that several elements share. Each element has a debug
 * category, which is called as its factory is. Code that belongs to one element
 * defines GST_CAT_DEFAULT. Shared code uses these macros, and so writes in the
 * category of the element that it works for. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The category of @element's factory; GStreamer's default category if there is
 * none. It is looked up by name: not for every buffer. */
GstDebugCategory *nda_log_get_category (GstElement * element);

/* The category is not looked up if no category logs at that level. */
#define NDA_LOG(level, element, ...) \
    GST_CAT_LEVEL_LOG (nda_log_get_category (GST_ELEMENT_CAST (element)), \
        level, element, __VA_ARGS__)
#define NDA_LOG_WARNING(element, ...) \
    NDA_LOG (GST_LEVEL_WARNING, element, __VA_ARGS__)
#define NDA_LOG_INFO(element, ...) \
    NDA_LOG (GST_LEVEL_INFO, element, __VA_ARGS__)
#define NDA_LOG_DEBUG(element, ...) \
    NDA_LOG (GST_LEVEL_DEBUG, element, __VA_ARGS__)

G_END_DECLS
