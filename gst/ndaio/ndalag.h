/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames that a device lost without a word.
 *
 * A sound server that nobody reads from for longer than it can keep frames lets
 * them go, and its source counts on as if it had not. What comes after is older
 * by what is missing, by its count, and so too late to be heard for as long as
 * it runs. It is told from a backlog, which is caught up with, by its age: that
 * of the youngest of some buffers has grown, and does not get less any more.
 *
 * The age is taken by two clocks. A sound server's clock may jump by 100 ms in
 * its first seconds, or stand still after a stall and find back later; the
 * system's clock does neither. Frames are missing when both clocks say so.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Ages by one clock */
typedef struct
{
  guint n_seen;                 /* buffers, of those looked at together */
  GstClockTimeDiff first, least, last;  /* ages among them */
  gboolean has_usual;
  GstClockTimeDiff usual;       /* the least of those before */
  GstClockTimeDiff missing;     /* by this clock alone */
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
