/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndalog.h"

GstDebugCategory *
nda_log_get_category (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  GstDebugCategory *category = GST_CAT_DEFAULT;

  if (factory)
    GST_DEBUG_CATEGORY_GET (category, GST_OBJECT_NAME (factory));
  return category;
}
