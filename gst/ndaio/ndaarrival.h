/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When buffers arrive at a sink inside an ndasink: whether in time, how long
 * after their time stamps they are heard, and how an audio device that began
 * late is brought back to the latency that the pipeline reports.
 *
 * An audio device takes its time to start, and all that comes after is heard
 * later by that; the sound that waits meanwhile would wait for ever. Once the
 * first blocks have shown by how much, that much of it is left out, once, in the
 * first quarter of a second. Where the device is is told by its own clock, and
 * not by when there is room in it, or by the clock of the pipeline. */

#pragma once

#include "ndameter.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

void nda_arrival_watch (GstBaseSink * sink, GstElement * owner,
    NdaMeter * meter);
void nda_arrival_unwatch (GstBaseSink * sink);

G_END_DECLS
