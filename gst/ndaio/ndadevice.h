/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds an audio device by its name, and tells a real device from the stand-in
 * of autoaudiosrc and autoaudiosink. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Asks the device providers, PulseAudio's first, then PipeWire's, then the
 * others by their rank. Uses the first one that knows @name. */
GstElement *nda_device_make (const gchar * classes, const gchar * name,
    GError ** error);
gboolean nda_device_is_auto (GstElement * element);
/* Returns the element (transfer full) that @auto_element, an autoaudiosrc or
 * autoaudiosink above NULL, has found for a device, or NULL. */
GstElement *nda_device_get_chosen (GstElement * auto_element);

G_END_DECLS
