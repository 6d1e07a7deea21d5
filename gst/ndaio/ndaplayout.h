/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the audio device of a sink is in the sound, and how that is moved.
 *
 * All of it on the sink's streaming thread, before a buffer gets to it. */

#pragma once

#include <gst/audio/audio.h>
#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

/* Whether @sink has a device, and the format that it plays. */
gboolean nda_playout_get_format (GstBaseSink * sink, GstAudioInfo * info);

/* How long the device of @sink has sound for, by its own clock; for how long it
 * has had none, if negative. FALSE where that is not known. */
gboolean nda_playout_get_held (GstBaseSink * sink, const GstAudioInfo * info,
    GstClockTimeDiff * held);

/* As much sound has been left out before what comes next. */
void nda_playout_tell_clock (GstBaseSink * sink, GstClockTime left_out);

/* @n_frames of silence, and then @buffer (transfer full). */
GstBuffer *nda_playout_put_silence_before (GstBuffer * buffer, gsize n_frames,
    const GstAudioInfo * info);

/* Whether the device has a clock that the pipeline does not go by. Where it does,
 * sound that is late for the device is late for the pipeline. */
gboolean nda_playout_can_go_on (GstBaseSink * sink);

/* Lets the sound go on where the device is, with @buffer (transfer full), which
 * is heard behind what a device holds else. */
GstBuffer *nda_playout_go_on (GstBaseSink * sink, GstBuffer * buffer,
    const GstAudioInfo * info);

G_END_DECLS
