/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaproof.h"

#include <math.h>

/* In s. With this spacing the MIN_POINTS of a straight line take 4 s, in which
 * the fastest clock that can be followed moves by MIN_ERROR */
#define FIRST_SPACING 0.25
#define MIN_POINTS (NDA_PROOF_N_POINTS / 2)
/* The distance that proves two clocks, in s and in chunks. A sound server's
 * clocks wander by less, end to end */
#define MIN_ERROR 0.008
#define MIN_CHUNKS 1.25
/* In s a second: no two cards differ by more, but the clock of a sound server
 * may, while it wanders in one direction. For such a pace the distance must be
 * WANDER_ERROR (in s) */
#define FAST_PACE 0.00021
#define WANDER_ERROR 0.031
/* How far a point may lie from the straight line, as a part of the error: a
 * step would lie half of the error away */
#define MAX_STRAY 0.25
/* How far the distance between two quarters of the points may differ from a
 * third of the whole: in s at first, and as a part of the whole after a long
 * time (in s). A clock that wanders moves more in some quarters than in
 * others */
#define MIN_PART_ERROR 0.00015
#define MAX_PART_ERROR 0.04
#define LONG_TIME 100.0
/* In s: a change within a second, in addition to the drift, that no clock
 * makes */
#define MIN_STEP 0.002
/* As a part of all seconds: if more seconds have a step, the clock wanders */
#define MAX_STEPS 0.2
/* A pace is measured over PACE_TIME (in s), and needs MIN_OBSERVATIONS */
#define PACE_TIME 1.0
#define MIN_OBSERVATIONS 8
/* How far the median pace may differ from the pace of the whole, as a part of
 * it; and the smallest part of it that is no staircase if chunks slide */
#define MAX_PACE_ERROR 0.5
#define MIN_PACE 0.25
/* In s a second; a faster clock cannot be followed */
#define MAX_PACE 0.00155

void
nda_proof_init (NdaProof * self, gdouble chunk)
{
  *self = (NdaProof) {
  .chunk = chunk,.spacing = FIRST_SPACING};
}

gdouble
nda_proof_get_pace (const NdaProof * self)
{
  gdouble half = self->n_paces / 2.0, n = 0.0;
  guint i = 0;

  if (self->n_paces == 0)
    return 0.0;
  while (n + self->paces[i] < half)
    n += self->paces[i++];
  return ((i + (half - n) / self->paces[i]) * NDA_PROOF_CLASS_PPM
      - NDA_PROOF_MAX_PPM) * 1e-6;
}

/* Adds the difference between this second and the last one, less the drift, to
 * the steps, if it is too large for anything else. A step within a second shows
 * in that second and in the next, so both count, and the one before. */
static void
note_step (NdaProof * self, gdouble middle)
{
  gdouble more = middle - self->last_middle - nda_proof_get_pace (self);
  gboolean is_step = fabs (more) >= MIN_STEP;

  if (self->n_paces > 1) {
    if (is_step && !self->was_step)
      self->steps += self->last_more;
    if (is_step || self->was_step)
      self->steps += more;
    self->last_more = is_step || self->was_step ? 0.0 : more;
    self->was_step = is_step;
    self->n_steps += is_step;
  }
  self->last_middle = middle;
}

/* Counts the pace of the second that has ended: the slope of its line. */
static void
count_pace (NdaProof * self)
{
  gdouble n = self->n_observed;
  gdouble spread = n * self->sum_xx - self->sum_x * self->sum_x;
  gdouble pace, class;

  if (self->n_observed < MIN_OBSERVATIONS || spread <= 0.0)
    return;
  pace = (n * self->sum_xy - self->sum_x * self->sum_y) / spread;
  class = floor ((pace * 1e6 + NDA_PROOF_MAX_PPM) / NDA_PROOF_CLASS_PPM);
  self->paces[(guint) CLAMP (class, 0, NDA_PROOF_N_CLASSES - 1)]++;
  self->n_paces++;
  if (self->chunk == 0.0)
    note_step (self, self->first + self->sum_y / n);
}

static void
begin_second (NdaProof * self, gdouble time, gdouble offset)
{
  self->begin = time;
  self->first = offset;
  self->n_observed = 0;
  self->sum_x = self->sum_y = self->sum_xx = self->sum_xy = 0.0;
}

void
nda_proof_observe (NdaProof * self, gdouble time, gdouble offset)
{
  gdouble x, y;

  if (self->n_observed > 0 && fabs (time - self->begin) >= PACE_TIME)
    count_pace (self);
  if (self->n_observed == 0 || fabs (time - self->begin) >= PACE_TIME)
    begin_second (self, time, offset);
  x = time - self->begin;
  y = offset - self->first;
  self->n_observed++;
  self->n_offsets++;
  self->sum_offsets += offset;
  self->sum_x += x;
  self->sum_y += y;
  self->sum_xx += x * x;
  self->sum_xy += x * y;
}

/* Returns the average since the last point. */
static gdouble
take_offset (NdaProof * self)
{
  if (self->n_offsets > 0)
    self->last_offset = self->sum_offsets / self->n_offsets - self->steps;
  self->sum_offsets = 0.0;
  self->n_offsets = 0;
  return self->last_offset;
}

/* Whether the clocks drift apart between steps as fast as on the whole. */
static gboolean
is_drift (const NdaProof * self, gdouble pace)
{
  gdouble median = nda_proof_get_pace (self);

  if (fabs (pace) > MAX_PACE || self->n_steps > MAX_STEPS * self->n_paces)
    return FALSE;
  if (self->chunk > 0.0)
    return fabs (median) >= MIN_PACE * fabs (pace);
  return fabs (median - pace) <= MAX_PACE_ERROR * fabs (pace);
}

/* The average of the @quarter of all points, from single observations. */
static gdouble
get_middle (const NdaProof * self, guint quarter)
{
  guint n = self->n_points / 4;
  gdouble sum = 0.0;

  for (guint i = 0; i < n; i++)
    sum += self->offsets[self->n_points - (4 - quarter) * n + i];
  return sum / n;
}

/* Whether the clocks drifted apart as fast from each quarter to the next. */
static gboolean
is_steady (const NdaProof * self, gdouble since)
{
  gdouble begin = get_middle (self, 0), whole = get_middle (self, 3) - begin;
  gdouble max_error = MAX (MIN_PART_ERROR, fabs (whole)
      * MAX_PART_ERROR * MIN (1.0, since / LONG_TIME));

  if (self->chunk > 0.0)
    return TRUE;
  for (guint i = 1; i < 4; i++) {
    gdouble end = get_middle (self, i);

    if (fabs (end - begin - whole / 3.0) > max_error)
      return FALSE;
    begin = end;
  }
  return TRUE;
}

/* Makes room by doubling the distance of the points. */
static void
thin_out (NdaProof * self)
{
  self->n_points /= 2;
  self->spacing *= 2.0;
  for (guint i = 0; i < self->n_points; i++) {
    self->distances[i] = self->distances[2 * i + 1];
    self->offsets[i] = (self->offsets[2 * i] + self->offsets[2 * i + 1]) / 2.0;
  }
}

/* Whether the points are a straight line from @first, in @since s, to @error
 * beyond. */
static gboolean
is_even (const NdaProof * self, gdouble since, gdouble first, gdouble error)
{
  for (guint i = 0; i < self->n_points; i++) {
    gdouble straight = error * (i + 1) * self->spacing / since;

    if (fabs (self->distances[i] - first - straight) > MAX_STRAY * fabs (error))
      return FALSE;
  }
  return TRUE;
}

/* How far the clocks must drift apart at least, at @pace. */
static gdouble
get_min_error (const NdaProof * self, gdouble pace)
{
  if (self->chunk > 0.0)
    return MAX (MIN_ERROR, MIN_CHUNKS * self->chunk);
  return fabs (pace) > FAST_PACE ? WANDER_ERROR : MIN_ERROR;
}

gboolean
nda_proof_add (NdaProof * self, gdouble since, gdouble distance, gdouble first)
{
  gdouble error = distance - self->steps - first;

  if (since < (self->n_points + 1) * self->spacing)
    return FALSE;
  if (self->n_points == NDA_PROOF_N_POINTS)
    thin_out (self);
  self->distances[self->n_points] = distance - self->steps;
  self->offsets[self->n_points++] = take_offset (self);
  return self->n_points >= MIN_POINTS
      && fabs (error) >= get_min_error (self, error / since)
      && is_even (self, since, first, error)
      && is_steady (self, since)
      && is_drift (self, error / since);
}
