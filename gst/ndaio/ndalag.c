/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndalag.h"

/* How many buffers are compared. A backlog, which comes at once, is not much
 * longer. */
#define N_BUFFERS 16
/* Ages that differ by no more than this belong to one steady pace */
#define MAX_JITTER (15 * GST_MSECOND)
/* The smallest loss. The clock of a sound server's source does not change by so
 * much */
#define MIN_LAG (20 * GST_MSECOND)

void
nda_lag_restart (NdaLag * self)
{
  self->n_seen = 0;
  self->has_usual = FALSE;
}

/* Whether the ages are steady: while a backlog is caught up with, they become
 * less and less. */
static gboolean
is_steady (const NdaLag * self)
{
  return ABS (self->last - self->first) <= (GstClockTimeDiff) MAX_JITTER;
}

/* Judges the buffers that were compared. */
static GstClockTimeDiff
judge (NdaLag * self)
{
  GstClockTimeDiff change = self->least - self->usual;

  self->n_seen = 0;
  if (!is_steady (self))
    return 0;
  self->usual = self->least;
  if (!self->has_usual) {
    self->has_usual = TRUE;
    return 0;
  }
  return ABS (change) >= (GstClockTimeDiff) MIN_LAG ? change : 0;
}

GstClockTimeDiff
nda_lag_note (NdaLag * self, GstClockTimeDiff age)
{
  if (self->n_seen == 0)
    self->first = self->least = age;
  self->least = MIN (self->least, age);
  self->last = age;
  return ++self->n_seen == N_BUFFERS ? judge (self) : 0;
}
