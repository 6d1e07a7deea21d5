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
/* The smallest backlog before a loss. A server keeps at least as much */
#define MIN_BACKLOG (50 * GST_MSECOND)

static void
restart_ages (NdaLagAges * self, GstClockTimeDiff missing)
{
  self->n_seen = 0;
  self->has_usual = FALSE;
  self->most = G_MININT64;
  self->missing = missing;
  self->before = self->lost = G_MININT64 / 2;
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

/* The youngest buffers are now older by @change than those before them. */
static void
note_change (NdaLagAges * self, GstClockTimeDiff change)
{
  if (self->missing == 0 && change > 0) {
    self->before = self->usual;
    self->lost = change;
  }
  self->missing = MAX (self->missing + change, 0);
}

/* Whether the age is nearly what it was before something was missing. */
static gboolean
has_returned (const NdaLagAges * self)
{
  return self->missing > 0 && self->least <= self->before + self->lost / 4;
}

/* What the buffers that were looked at say. Only after a backlog can something
 * be missing, if this clock @sees_backlog. */
static void
judge (NdaLagAges * self, gboolean sees_backlog)
{
  GstClockTimeDiff change = self->least - self->usual;
  gboolean had_backlog =
      self->most - self->least >= (GstClockTimeDiff) MIN_BACKLOG;

  self->n_seen = 0;
  if (!is_steady (self))
    return;
  if (self->has_usual && ABS (change) >= (GstClockTimeDiff) MIN_LAG
      && (change < 0 || had_backlog || !sees_backlog))
    note_change (self, change);
  if (has_returned (self))
    self->missing = 0;
  self->usual = self->most = self->least;
  self->has_usual = TRUE;
}

static void
note_age (NdaLagAges * self, GstClockTimeDiff age, gboolean sees_backlog)
{
  if (self->n_seen == 0)
    self->first = self->least = age;
  self->least = MIN (self->least, age);
  self->most = MAX (self->most, age);
  self->last = age;
  if (++self->n_seen == N_BUFFERS)
    judge (self, sees_backlog);
}

GstClockTimeDiff
nda_lag_note (NdaLag * self, GstClockTimeDiff by_pipeline,
    GstClockTimeDiff by_system)
{
  GstClockTimeDiff more;

  note_age (&self->by_pipeline, by_pipeline, FALSE);
  note_age (&self->by_system, by_system, TRUE);
  more = MIN (self->by_pipeline.missing, self->by_system.missing)
      - self->missing;
  if (more == 0 || (ABS (more) < (GstClockTimeDiff) MIN_LAG
          && more != -self->missing))
    return 0;
  self->missing += more;
  return more;
}
