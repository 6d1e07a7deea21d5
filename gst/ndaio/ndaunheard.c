/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaunheard.h"

void
nda_unheard_restart (NdaUnheard * self)
{
  self->has_last = self->has_end = FALSE;
}

/* Counts the silent frames around the last buffer, which ends at @end. */
static guint64
count_silent (const NdaUnheard * self, guint64 end)
{
  guint64 begin = end - self->n_frames, n_silent = 0;

  if (self->has_end && begin > self->end)
    n_silent += begin - self->end;
  if (self->taken > begin)
    n_silent += MIN (self->taken - begin, self->n_frames);
  return n_silent;
}

guint64
nda_unheard_note (NdaUnheard * self, guint64 end, gint64 n_late, gsize n_frames)
{
  gboolean has_place = self->has_last && end >= self->n_frames;
  guint64 n_silent = has_place ? count_silent (self, end) : 0;

  self->has_end = self->has_last;
  self->has_last = TRUE;
  self->end = end;
  self->taken = n_late > 0 ? end + n_late : end;
  self->n_frames = n_frames;
  return n_silent;
}
