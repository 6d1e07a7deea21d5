/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The playout position of a sink: how far its device has played the sound, and
 * two ways to move the sound against the device.
 *
 * All functions are called on the sink's streaming thread, before a buffer
 * reaches it. */

#pragma once

#include "ndadevicekind.h"

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

typedef struct
{
  GstBaseSink *sink;            /* [const] not owned */
  const NdaDeviceKind *kind;    /* [const] of the sink */
} NdaPlayout;

void nda_playout_init (NdaPlayout * playout, GstBaseSink * sink);

/* Whether the sink has a device that is open, and the format that it plays. */
gboolean nda_playout_get_format (const NdaPlayout * playout,
    GstAudioInfo * info);

/* How long the device has sound for, by its own clock; if negative, for how
 * long it has had none. FALSE: unknown. */
gboolean nda_playout_get_held (const NdaPlayout * playout,
    const GstAudioInfo * info, GstClockTimeDiff * held);

/* The device's frame after the last one that it was given. FALSE: unknown. */
gboolean nda_playout_get_end (const NdaPlayout * playout, guint64 * frame);

/* How far ahead of its clock the device has taken sound. */
GstClockTime nda_playout_get_ahead (const NdaPlayout * playout,
    const GstAudioInfo * info);

/* Tells the device's clock that @left_out of sound is left out before the next
 * buffer; if negative, that silence is put in. */
void nda_playout_tell_clock (const NdaPlayout * playout,
    GstClockTimeDiff left_out);

/* Returns @n_frames of silence with @buffer (transfer full) after them. */
GstBuffer *nda_playout_put_silence_before (GstBuffer * buffer, gsize n_frames,
    const GstAudioInfo * info);

/* Whether the device has a clock that is not the pipeline's. With one clock,
 * sound that is late for the device is late for the pipeline too. */
gboolean nda_playout_can_go_on (const NdaPlayout * playout);

/* Moves the sound to the device's present position: @buffer (transfer full) is
 * heard as soon as the device has played all that it still holds. */
GstBuffer *nda_playout_go_on (const NdaPlayout * playout, GstBuffer * buffer,
    const GstAudioInfo * info);

G_END_DECLS
