/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides when the sound on its way to a device is out of step with the device
 * for good, so that it has to be moved once.
 *
 * A buffer that comes late has less time left in the device, by as much, so its
 * lateness cancels out of the time from its time stamp to when it is heard.
 * What is left in that time is the latency, and what the clocks are said to be.
 * A sound server's clocks wander by milliseconds, and after a stall it takes
 * them seconds to find back; nothing is moved for that. A device that skips a
 * period, or plays one twice, steps: its latency is level for seconds, changes
 * within a few, and is level again. Where only the pipeline's clock steps, the
 * device has as much in hand as before, and nothing is moved. What no clock
 * wanders is moved also when it came bit by bit.
 *
 * A device is ahead for good when all buffers come too late, always by as much,
 * and not in a burst that makes up for a stall.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstClockTimeDiff late;        /* that sound is, on average */
  GstClockTimeDiff held;        /* by the device, at most */
} NdaLevel;

typedef struct
{
  NdaLevel sum;                 /* of the stretch of buffers that has begun */
  guint n_noted;                /* buffers in it */
  GstClockTimeDiff least, most; /* late, of the level stretches up to now */
  NdaLevel level_sum;           /* of all of them */
  gint n_level;                 /* how many they are */
  NdaLevel usual;               /* where sound belongs */
  gboolean has_usual;
  guint n_since;                /* stretches since it was there */
  gboolean had_underrun;        /* and a buffer has come too late since */

  guint n_behind;               /* buffers too late, without one in time */
  GstClockTimeDiff first_behind;        /* what was left then, */
  GstClockTime behind_since;    /* and where it was */
} NdaBalance;

/* After the sound was moved, or the sink began anew */
void nda_balance_restart (NdaBalance * balance);

/* A buffer comes when the device holds sound for @held, and is heard @late
 * after it should be. Returns by how much later (or earlier, if negative) all
 * sound has come to be heard in a step, and is expected to be moved back by the
 * caller; 0 if it has not. */
GstClockTimeDiff nda_balance_note (NdaBalance * balance, GstClockTimeDiff late,
    GstClockTimeDiff held);

/* A buffer comes when @left is left before the device takes it, too late if
 * that is negative. The device has played up to @played by its own clock. TRUE
 * if all sound is late for good. */
gboolean nda_balance_is_behind (NdaBalance * balance, GstClockTimeDiff left,
    GstClockTime played);

G_END_DECLS
