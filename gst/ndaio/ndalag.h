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
 * and does not become less again. There is no loss without a backlog, since the
 * server keeps sound until it has no room. A device that stands still for some
 * cycles of its server records nothing meanwhile. Then the age grows without a
 * backlog, and nothing is missing.
 *
 * The age is taken by two clocks. A sound server's clock may jump by 100 ms in
 * its first seconds, or stand still after a stall and find back later; the
 * system's clock does neither. Frames are missing when both clocks say so. If a
 * clock finds back gradually, what seemed to be missing is no longer missing
 * when the age is nearly what it was before.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Ages by one clock */
typedef struct
{
  guint n_seen;                 /* buffers of the current comparison */
  GstClockTimeDiff first, least, last;  /* ages among them */
  gboolean has_usual;
  GstClockTimeDiff usual;       /* the least of those before */
  GstClockTimeDiff most;        /* since they were last steady */
  GstClockTimeDiff missing;     /* by this clock alone */
  GstClockTimeDiff before;      /* the usual one before something was missing */
  GstClockTimeDiff lost;        /* what was missing at first */
} NdaLagAges;

typedef struct
{
  NdaLagAges by_pipeline, by_system;
  GstClockTimeDiff missing;     /* by both clocks */
} NdaLag;

/* The ages of later buffers cannot be compared with those of earlier ones. What
 * is missing stays so. */
void nda_lag_restart (NdaLag * lag);
/* Nor is anything missing any more. */
void nda_lag_forget (NdaLag * lag);

/* A buffer has come that is so old by the count of frames and each clock,
 * whatever it was counted from. Returns how much more is missing than was known
 * (less, if negative), or 0. */
GstClockTimeDiff nda_lag_note (NdaLag * lag, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system);

G_END_DECLS
