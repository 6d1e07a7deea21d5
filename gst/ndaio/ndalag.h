/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds frames that a device lost without a sign.
 *
 * If nobody reads from a sound server for longer than it can keep frames, it
 * drops them, and its source counts on as if nothing was lost. By that count
 * all later frames are too old by the length of the loss, and so too late to be
 * heard. A loss differs from a backlog by the age of the sound: a backlog is
 * caught up with, but after a loss the age of the youngest buffers has grown
 * and does not become less again.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  guint n_seen;                 /* buffers of the current comparison */
  GstClockTimeDiff first, least, last;  /* ages among them */
  gboolean has_usual;
  GstClockTimeDiff usual;       /* the least age before */
} NdaLag;

void nda_lag_restart (NdaLag * lag);

/* Notes a buffer of @age by the count of frames, from any origin. Returns how
 * much more is missing than was known (less, if negative), or 0. */
GstClockTimeDiff nda_lag_note (NdaLag * lag, GstClockTimeDiff age);

G_END_DECLS
