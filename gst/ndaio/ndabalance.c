/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndabalance.h"

/* The length of a stretch, in blocks: a third of a second. All values below are
 * averages of stretches */
#define N_STRETCH 32
/* Stretches are level if their averages agree to LEVEL. After N_LEVEL level
 * stretches (4 s) their average is the usual one */
#define LEVEL (1 * GST_MSECOND)
#define N_LEVEL 12
/* The smallest step, and how many stretches it may take: a client of a sound
 * server sees a step only gradually */
#define MIN_STEP ((GstClockTimeDiff) (3 * GST_MSECOND))
#define N_STEPPING 16
/* No clock wanders so far and stays there for so many stretches */
#define MIN_FAR ((GstClockTimeDiff) (15 * GST_MSECOND))
#define N_FAR 30

/* If so many buffers in a row are too late, all by the same amount except for
 * jitter, and the device has played on for so long, the next buffers will be
 * late too */
#define N_BEHIND 12
#define MIN_BEHIND (110 * GST_MSECOND)
/* PipeWire's estimate for PulseAudio's protocol has found back by then */
#define MIN_BEHIND_ESTIMATED (4 * GST_SECOND)
#define BEHIND_JITTER ((GstClockTimeDiff) (15 * GST_MSECOND))

void
nda_balance_set_estimated (NdaBalance * self, gboolean is_estimated)
{
  self->patience = is_estimated ? MIN_BEHIND_ESTIMATED : MIN_BEHIND;
}

void
nda_balance_restart (NdaBalance * self)
{
  self->n_noted = self->n_level = self->n_behind = 0;
  self->has_usual = FALSE;
}

/* Adds the stretch that ends now to those that are level with it. */
static void
add_stretch (NdaBalance * self)
{
  GstClockTimeDiff late = self->sum.late / N_STRETCH;
  GstClockTimeDiff held = self->sum.held;

  if (self->n_level == 0
      || MAX (self->most, late) - MIN (self->least, late) >
      (GstClockTimeDiff) LEVEL) {
    self->n_level = 0;
    self->least = self->most = late;
    self->level_sum = (NdaLevel) {
    0, 0};
  }
  self->least = MIN (self->least, late);
  self->most = MAX (self->most, late);
  self->level_sum.late += late;
  self->level_sum.held += held;
  self->n_level++;
  self->n_since++;
  self->n_noted = 0;
}

static NdaLevel
get_level (const NdaBalance * self)
{
  return (NdaLevel) {
  self->level_sum.late / self->n_level, self->level_sum.held / self->n_level};
}

/* By how much both have changed: the time when sound is heard, and the sound
 * that the device holds. */
static GstClockTimeDiff
get_step (const NdaBalance * self)
{
  NdaLevel level = get_level (self);
  GstClockTimeDiff later = level.late - self->usual.late;
  GstClockTimeDiff more = level.held - self->usual.held;

  if (later >= MIN_STEP && more >= MIN_STEP)
    return MIN (later, more);
  if (later <= -MIN_STEP && more <= -MIN_STEP)
    return MAX (later, more);
  return 0;
}

static gboolean
is_for_good (const NdaBalance * self, GstClockTimeDiff step)
{
  return (self->n_since <= N_STEPPING + N_LEVEL && !self->had_underrun)
      || (self->n_level >= N_FAR && ABS (step) >= MIN_FAR);
}

static GstClockTimeDiff
end_stretch (NdaBalance * self)
{
  GstClockTimeDiff step;

  add_stretch (self);
  if (self->n_level < N_LEVEL)
    return 0;
  step = self->has_usual ? get_step (self) : 0;
  if (step != 0 && !is_for_good (self, step))
    return 0;
  if (step == 0)
    self->usual = get_level (self);
  else
    self->n_level = 0;
  self->has_usual = TRUE;
  self->n_since = 0;
  self->had_underrun = FALSE;
  return step;
}

GstClockTimeDiff
nda_balance_note (NdaBalance * self, GstClockTimeDiff late,
    GstClockTimeDiff held)
{
  if (self->n_noted++ == 0)
    self->sum = (NdaLevel) {
    0, held};
  self->sum.late += late;
  self->sum.held = MAX (self->sum.held, held);
  return self->n_noted == N_STRETCH ? end_stretch (self) : 0;
}

gboolean
nda_balance_is_behind (NdaBalance * self, GstClockTimeDiff left,
    GstClockTime played)
{
  gboolean is_steady = ABS (left - self->first_behind) <= BEHIND_JITTER;

  if (left >= 0) {
    self->n_behind = 0;
    return FALSE;
  }
  self->had_underrun = TRUE;
  if (self->n_behind == 0 || !is_steady) {
    self->n_behind = 0;
    self->first_behind = left;
    self->behind_since = played;
  }
  return ++self->n_behind >= N_BEHIND
      && played >= self->behind_since + self->patience;
}
