/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndabursts.h"

#include <stdlib.h>

#define N_TO_SKIP 8
/* So many of NDA_BURSTS_N bursts may have another length: a thread that was
 * held up finds two at once, or sees one in two parts */
#define N_OTHERS (NDA_BURSTS_N / 8)

void
nda_bursts_restart (NdaBursts * self)
{
  self->last = GST_CLOCK_TIME_NONE;
  self->length = 0;
  self->n_to_skip = N_TO_SKIP;
  self->n_bursts = 0;
}

static int
nda_bursts_compare (gconstpointer a, gconstpointer b)
{
  const GstClockTime *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* The median length, if nearly all bursts have it; else 0. */
static GstClockTime
judge (NdaBursts * self)
{
  GstClockTime middle;
  guint n_alike = 0;

  qsort (self->bursts, NDA_BURSTS_N, sizeof (self->bursts[0]),
      nda_bursts_compare);
  middle = self->bursts[NDA_BURSTS_N / 2];
  for (guint i = 0; i < NDA_BURSTS_N; i++)
    n_alike += self->bursts[i] + GST_MSECOND > middle
        && self->bursts[i] < middle + GST_MSECOND;
  return n_alike >= NDA_BURSTS_N - N_OTHERS ? middle : 0;
}

static GstClockTime
end_burst (NdaBursts * self)
{
  if (self->n_to_skip) {
    self->n_to_skip--;
    return 0;
  }
  self->bursts[self->n_bursts++] = self->length;
  if (self->n_bursts < NDA_BURSTS_N)
    return 0;
  self->n_bursts = 0;
  return judge (self);
}

GstClockTime
nda_bursts_note (NdaBursts * self, GstClockTime now, GstClockTime duration)
{
  GstClockTime length = 0;

  if (GST_CLOCK_TIME_IS_VALID (self->last)
      && now - self->last >= duration / 2) {
    length = end_burst (self);
    self->length = 0;
  }
  self->length += duration;
  self->last = now;
  return length;
}
