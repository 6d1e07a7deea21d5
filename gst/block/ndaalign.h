/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds the discontinuities of a stream that are not marked. If time stamps are
 * off by 40 ms for a second, that is one: GStreamer's own rule
 * (GstAudioStreamAlign).
 *
 * Buffers stamped on arrival come in bursts. All but the first of a burst were
 * there before their time stamps. So only the first buffer of a burst is
 * checked. The others continue where the one before ended, so no burst sets a
 * clock back.
 *
 * Belongs to one streaming thread: no locks. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct
{
  GstAudioStreamAlign *stream;  /* owned; NULL before there is a rate */
  GstClockTime last;            /* time stamp of the buffer before, or NONE */
  GstClockTime end;             /* of that buffer, counted */
  GstClockTime duration;        /* of that buffer */
} NdaAlign;

void nda_align_init (NdaAlign * align, guint rate);
void nda_align_clear (NdaAlign * align);
/* The next buffer follows no other. */
void nda_align_forget (NdaAlign * align);
/* Whether a buffer of @n_frames at @time, which is valid, does not follow what
 * came before; always where it is @flagged as a discontinuity. */
gboolean nda_align_is_discont (NdaAlign * align, gboolean flagged,
    GstClockTime time, guint n_frames);

G_END_DECLS
