/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* PipeWire's own elements, pipewiresrc and pipewiresink: their periods, their
 * channels, and the time stamps and the latency that they do not report. The
 * functions are parts of an NdaDeviceKind, which describes each. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void nda_pipewire_source_use_periods (GstElement * device, guint n_periods);
void nda_pipewire_sink_use_periods (GstElement * device, guint n_periods);
void nda_pipewire_set_name (GstElement * device, const gchar * name);
gboolean nda_pipewire_is_loss (GstElement * device, const GError * error);

G_END_DECLS
