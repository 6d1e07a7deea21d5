/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The providers of audio devices, and their devices. These functions may wait
 * for a sound server. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The factories (transfer full) that offer devices of @classes: PulseAudio's
 * first, then PipeWire's, then the others by their rank. */
GList *nda_device_list_factories (const gchar * classes);

/* The devices (transfer full) of @classes that @factory offers. */
GList *nda_device_list_get (GstDeviceProviderFactory * factory,
    const gchar * classes);

/* Whether the server that speaks PulseAudio's protocol here is PipeWire, by the
 * properties of its devices. */
gboolean nda_device_list_is_pulse_of_pipewire (void);

G_END_DECLS
