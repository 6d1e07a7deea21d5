/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndabalance.h"

/* The length of a stretch, in blocks: a third of a second. All values below are
 * averages of stretches */
#define N_STRETCH 32

/* Stretches are level if their averages agree to @tolerance. After @n_level of
 * them their average is the usual one. */
typedef struct
{
  GstClockTimeDiff tolerance;
  gint n_level;
  GstClockTimeDiff least;       /* step */
  guint n_stepping;             /* stretches that it may take; 0: any number */
} Kind;

/* A client of a sound server sees a step only gradually. */
static const Kind small_steps = {
  .tolerance = 1 * GST_MSECOND,
  .n_level = 12,
  .least = 3 * GST_MSECOND,
  .n_stepping = 16
};

/* No clock wanders so far and stays there for ten seconds. */
static const Kind large_steps = {
  .tolerance = 6 * GST_MSECOND,
  .n_level = 30,
  .least = 15 * GST_MSECOND
};

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

static void
restart_steps (NdaSteps * self)
{
  self->n_level = 0;
  self->has_usual = FALSE;
}

void
nda_balance_restart (NdaBalance * self)
{
  self->n_noted = self->n_behind = 0;
  restart_steps (&self->small);
  restart_steps (&self->large);
}

static void
add_level (NdaLevel * sum, const NdaLevel * level)
{
  sum->late += level->late;
  sum->late_by_system += level->late_by_system;
  sum->held += level->held;
}

/* Adds a stretch to those that are level with it. */
static void
add_stretch (NdaSteps * self, const Kind * kind, const NdaLevel * stretch)
{
  if (self->n_level == 0 || MAX (self->most, stretch->late)
      - MIN (self->least, stretch->late) > kind->tolerance) {
    self->n_level = 0;
    self->least = self->most = stretch->late;
    self->sum = (NdaLevel) {
    0, 0, 0};
  }
  self->least = MIN (self->least, stretch->late);
  self->most = MAX (self->most, stretch->late);
  add_level (&self->sum, stretch);
  self->n_level++;
  self->n_since++;
}

static NdaLevel
get_level (const NdaSteps * self)
{
  return (NdaLevel) {
  self->sum.late / self->n_level, self->sum.late_by_system / self->n_level,
        self->sum.held / self->n_level};
}

/* By how much sound is heard later, if not only the pipeline's clock says so.
 * When the device's buffer is full, later sound waits before the device. */
static GstClockTimeDiff
get_step (const NdaSteps * self, const Kind * kind)
{
  NdaLevel level = get_level (self);
  GstClockTimeDiff later = level.late - self->usual.late;
  GstClockTimeDiff by_system =
      level.late_by_system - self->usual.late_by_system;
  GstClockTimeDiff held = level.held - self->usual.held;
  GstClockTimeDiff more = MAX (held, by_system);

  if (later >= kind->least && more >= kind->least)
    return MIN (later, more);
  if (later <= -kind->least && held <= -kind->least)
    return MAX (later, held);
  return 0;
}

static gboolean
is_for_good (const NdaSteps * self, const Kind * kind)
{
  return kind->n_stepping == 0 || (!self->had_underrun
      && self->n_since <= kind->n_stepping + kind->n_level);
}

static GstClockTimeDiff
note_stretch (NdaSteps * self, const Kind * kind, const NdaLevel * stretch)
{
  GstClockTimeDiff step;

  add_stretch (self, kind, stretch);
  if (self->n_level < kind->n_level)
    return 0;
  step = self->has_usual ? get_step (self, kind) : 0;
  if (step != 0 && !is_for_good (self, kind))
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

/* A step moves the sound, so what both have seen before it is void. */
static GstClockTimeDiff
end_stretch (NdaBalance * self)
{
  NdaLevel stretch = {
    .late = self->sum.late / N_STRETCH,
    .late_by_system = self->sum.late_by_system / N_STRETCH,
    .held = self->sum.held
  };
  GstClockTimeDiff step;

  self->n_noted = 0;
  step = note_stretch (&self->small, &small_steps, &stretch);
  if (step != 0)
    self->large.n_level = 0;
  else if ((step = note_stretch (&self->large, &large_steps, &stretch)) != 0)
    self->small.n_level = 0;
  return step;
}

GstClockTimeDiff
nda_balance_note (NdaBalance * self, GstClockTimeDiff late,
    GstClockTimeDiff late_by_system, GstClockTimeDiff held)
{
  if (self->n_noted++ == 0)
    self->sum = (NdaLevel) {
    0, 0, held};
  self->sum.late += late;
  self->sum.late_by_system += late_by_system;
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
  self->small.had_underrun = TRUE;
  if (self->n_behind == 0 || !is_steady) {
    self->n_behind = 0;
    self->first_behind = left;
    self->behind_since = played;
  }
  return ++self->n_behind >= N_BEHIND
      && played >= self->behind_since + self->patience;
}
