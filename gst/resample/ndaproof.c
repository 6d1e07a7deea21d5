/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaproof.h"

#include <math.h>

/* s; as many points as a straight line needs then take 4 s, in which the
 * fastest clock that can be followed goes off by as much as is asked for */
#define FIRST_SPACING 0.25
#define MIN_POINTS (NDA_PROOF_N_POINTS / 2)
/* In s, and in chunks; a sound server's clocks wander by less, end to end */
#define MIN_ERROR 0.008
#define MIN_CHUNKS 1.25
/* How far from the straight line a point may lie, in parts of the error: a step
 * would lie half of it away */
#define MAX_STRAY 0.25

void
nda_proof_init (NdaProof * self, gdouble chunk)
{
  self->chunk = chunk;
  self->n_points = 0;
  self->spacing = FIRST_SPACING;
}

/* Makes room: points at twice the distance. */
static void
thin_out (NdaProof * self)
{
  self->n_points /= 2;
  self->spacing *= 2.0;
  for (guint i = 0; i < self->n_points; i++)
    self->distances[i] = self->distances[2 * i + 1];
}

/* Whether it was a straight line from @first, in @since s, to @error beyond. */
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

gboolean
nda_proof_add (NdaProof * self, gdouble since, gdouble distance, gdouble first)
{
  gdouble error = distance - first;
  gdouble min_error = MAX (MIN_ERROR, MIN_CHUNKS * self->chunk);

  if (since < (self->n_points + 1) * self->spacing)
    return FALSE;
  if (self->n_points == NDA_PROOF_N_POINTS)
    thin_out (self);
  self->distances[self->n_points++] = distance;
  return self->n_points >= MIN_POINTS && fabs (error) >= min_error
      && is_even (self, since, first, error);
}
