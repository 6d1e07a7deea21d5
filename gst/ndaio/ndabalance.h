/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides when the sound is permanently out of step with its device, so that it
 * has to be moved once.
 *
 * A buffer that comes late has less time left in the device, by the same
 * amount. So its lateness does not change the time from its time stamp to the
 * moment when it is heard. That time shows the latency, and the errors of the
 * clocks. A sound server's clocks wander by milliseconds, and after a stall it
 * takes them seconds to become right again; no sound is moved for that. A
 * device that skips a period, or plays one twice, makes a step: its latency is
 * level for seconds, changes within a few seconds, and is level again. If only
 * the pipeline's clock steps, the device holds as much sound as before, the
 * sound is as old by the system's clock, and no sound is moved. A change that
 * is larger than any wander is corrected too, however it came, and by a clock
 * that is never quite level.
 *
 * A device is permanently ahead when all buffers come too late by the same
 * amount, and they are no burst after a stall.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstClockTimeDiff late;        /* average lateness of the sound */
  GstClockTimeDiff late_by_system;      /* by that clock, from any zero */
  GstClockTimeDiff held;        /* held by the device, at most */
} NdaLevel;

/* Looks for one kind of step */
typedef struct
{
  GstClockTimeDiff least, most; /* late, of the level stretches so far */
  NdaLevel sum;                 /* of all level stretches */
  gint n_level;                 /* number of level stretches */
  NdaLevel usual;               /* the level to return to */
  gboolean has_usual;
  guint n_since;                /* stretches since that level */
  gboolean had_underrun;        /* a buffer came too late since then */
} NdaSteps;

typedef struct
{
  NdaLevel sum;                 /* of the current stretch */
  guint n_noted;                /* buffers in it */
  NdaSteps small, large;

  GstClockTime patience;        /* for how long all are too late at least */
  guint n_behind;               /* buffers too late, without one in time */
  GstClockTimeDiff first_behind;        /* time left at the first of them, */
  GstClockTime behind_since;    /* and the device's position then */
} NdaBalance;

/* The device's clock is a sound server's estimate, by which the device goes on
 * for a while when it stands still: sound that is in time seems to be late. So
 * it takes longer until all sound counts as permanently late. */
void nda_balance_set_estimated (NdaBalance * balance, gboolean is_estimated);

/* Called after the sound was moved, or the sink has started again */
void nda_balance_restart (NdaBalance * balance);

/* Notes a buffer that comes when the device holds sound for @held, and is heard
 * @late after its proper time: @late_by_system by the system's clock, from any
 * zero that stays the same until the next restart. Returns by how much all
 * sound is heard later (or earlier, if negative) because of a step; the caller
 * moves it back. 0: there was no step. */
GstClockTimeDiff nda_balance_note (NdaBalance * balance, GstClockTimeDiff late,
    GstClockTimeDiff late_by_system, GstClockTimeDiff held);

/* Notes a buffer that comes @left before the device takes it (too late if
 * negative), when the device has played up to @played by its own clock. TRUE:
 * all sound is permanently late. */
gboolean nda_balance_is_behind (NdaBalance * balance, GstClockTimeDiff left,
    GstClockTime played);

G_END_DECLS
