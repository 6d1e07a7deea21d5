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

static void
restart_ages (NdaLagAges * self, GstClockTimeDiff missing)
{
  self->n_seen = 0;
  self->has_usual = FALSE;
  self->missing = missing;
}

void
nda_lag_restart (NdaLag * self)
{
  restart_ages (&self->by_pipeline, self->missing);
  restart_ages (&self->by_system, self->missing);
}

void
nda_lag_forget (NdaLag * self)
{
  self->missing = 0;
  nda_lag_restart (self);
}

/* Whether the ages are steady: while a backlog is caught up with, they become
 * less and less. */
static gboolean
is_steady (const NdaLagAges * self)
{
  return ABS (self->last - self->first) <= (GstClockTimeDiff) MAX_JITTER;
}

/* What the buffers that were looked at say. */
static void
judge (NdaLagAges * self)
{
  GstClockTimeDiff change = self->least - self->usual;

  self->n_seen = 0;
  if (!is_steady (self))
    return;
  self->usual = self->least;
  if (self->has_usual && ABS (change) >= (GstClockTimeDiff) MIN_LAG)
    self->missing = MAX (self->missing + change, 0);
  self->has_usual = TRUE;
}

static void
note_age (NdaLagAges * self, GstClockTimeDiff age)
{
  if (self->n_seen == 0)
    self->first = self->least = age;
  self->least = MIN (self->least, age);
  self->last = age;
  if (++self->n_seen == N_BUFFERS)
    judge (self);
}

GstClockTimeDiff
nda_lag_note (NdaLag * self, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system)
{
  GstClockTimeDiff more;

  note_age (&self->by_pipeline, by_pipeline);
  note_age (&self->by_system, by_system);
  more = MIN (self->by_pipeline.missing, self->by_system.missing)
      - self->missing;
  if (ABS (more) < (GstClockTimeDiff) MIN_LAG)
    return 0;
  self->missing += more;
  return more;
}
