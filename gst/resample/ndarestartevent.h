/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The event by which an element that plays sound tells upstream that its device
 * and the device's clock have started again. An ndaresample that follows that
 * clock then finds the device's position again. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define NDA_RESTART_EVENT "nda-device-restarted"

static inline GstEvent *
nda_restart_event_new (void)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new_empty (NDA_RESTART_EVENT));
}

static inline gboolean
nda_restart_event_is (GstEvent * event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_UPSTREAM
      && gst_event_has_name (event, NDA_RESTART_EVENT);
}

G_END_DECLS
