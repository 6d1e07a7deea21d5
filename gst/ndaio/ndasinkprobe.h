/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The probe before the sink inside an ndasink. It counts the buffers that
 * arrive too late and the time from their time stamps to the moment when they
 * are heard. It brings an audio device that started late back to the latency
 * that the pipeline reports.
 *
 * An audio device takes some time to start. The sound that waited meanwhile
 * would stay waiting, and all later sound would be heard that much later. The
 * first buffers show how late the device began; as much sound is left out,
 * once, in the first quarter of a second. The device's own clock tells how far
 * it has played: neither the room in its buffer nor the pipeline's clock does.
 *
 * Later a device may step, or be permanently ahead (ndabalance.h). The sound is
 * then moved once: some of it is left out, or silence is put before it. Each
 * frame that the device plays without sound is counted (ndaunheard.h). */

#pragma once

#include "ndaclocks.h"
#include "ndameter.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

/* Counts the buffers that arrive at @sink in @meter, and posts warnings in the
 * name of @owner, which outlives the probe. @clocks tell whether the device is
 * followed. */
void nda_sink_probe_add (GstBaseSink * sink, GstElement * owner,
    NdaMeter * meter, NdaClocks * clocks);
void nda_sink_probe_remove (GstBaseSink * sink);

G_END_DECLS
