/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapycrossing.h"

#include "ndablock.h"

#define BLOCK_US (NDA_BLOCK_DURATION / 1000)

/* A live stream is due a block after it was due before, however late it asks;
 * it gains no more than one block by that. One that is faster is due now. */
static gint64
next_due (const NdaPyCrossing * self, gint64 now)
{
  return CLAMP (self->due + (gint64) BLOCK_US, now - (gint64) BLOCK_US, now);
}

/* Waits until this thread may ask for Python's lock. */
void
nda_py_crossing_begin (NdaPyCrossing * self, NdaPyCrossings * all, gint64 now)
{
  self->due = next_due (self, now);
  self->baton = NULL;
  if (self->is_aside)
    return;
  self->baton = self->has_crossed ? &all->blocks : &all->first_calls;
  self->tenure = nda_py_baton_take (self->baton, self->due);
}

/* This thread has Python's lock now. */
void
nda_py_crossing_enter (NdaPyCrossing * self, gint64 now)
{
  self->entered = now;
}

/* Others go on: this thread gives up Python's lock in its crossing. */
void
nda_py_crossing_pause (NdaPyCrossing * self)
{
  if (self->baton)
    nda_py_baton_give (self->baton, self->tenure);
  self->baton = NULL;
}

/* More than run at a time would only fight for Python's lock. On a machine that
 * cannot keep up every crossing is long, and none is so by itself. */
static gboolean
find_room_aside (NdaPyCrossings * all)
{
  if (g_atomic_int_add (&all->n_aside, 1) < all->max_aside)
    return TRUE;
  g_atomic_int_add (&all->n_aside, -1);
  return FALSE;
}

static void
judge (NdaPyCrossing * self, NdaPyCrossings * all, gboolean was_long)
{
  self->n_long = was_long ? self->n_long + 1 : 0;
  self->n_quick = was_long ? 0 : self->n_quick + 1;
  if (!self->is_aside && self->n_long >= NDA_PY_CROSSING_N_LONG)
    self->is_aside = find_room_aside (all);
  else if (self->n_quick >= NDA_PY_CROSSING_N_QUICK)
    nda_py_crossing_clear (self, all);
}

/* The thread ends, or its plugin is quick again. */
void
nda_py_crossing_clear (NdaPyCrossing * self, NdaPyCrossings * all)
{
  if (self->is_aside)
    g_atomic_int_add (&all->n_aside, -1);
  self->is_aside = FALSE;
}

/* This thread has given Python's lock back. */
void
nda_py_crossing_end (NdaPyCrossing * self, NdaPyCrossings * all, gint64 now)
{
  nda_py_crossing_pause (self);
  if (self->has_crossed)
    judge (self, all, now - self->entered > NDA_PY_CROSSING_LONG);
  self->has_crossed = TRUE;
}
