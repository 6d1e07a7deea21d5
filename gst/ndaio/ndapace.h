/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether a device has a pace of its own. ALSA's `null` and `file` take sound,
 * and give it, as fast as the computer can, and so run their clocks. What is
 * late, lost or silent by such a clock means nothing.
 *
 * Belongs to one thread or lock. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean has_begun;
  GstClockTimeDiff first_device, first_time;
  gboolean has_run_away;
} NdaPace;

void nda_pace_restart (NdaPace * pace);

/* The device is at @device when it is @time by a clock of someone else. Returns
 * whether it has run away, now or before. */
gboolean nda_pace_note (NdaPace * pace, GstClockTimeDiff device,
    GstClockTimeDiff time);

G_END_DECLS
