/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndalog.h"

GstDebugCategory *
nda_log_get_category (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  GstDebugCategory *category = NULL;

  /* an element of an installed plugin has no category of its name */
  if (factory)
    GST_DEBUG_CATEGORY_GET (category, GST_OBJECT_NAME (factory));
  return category ? category : GST_CAT_DEFAULT;
}
