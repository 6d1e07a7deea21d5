/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapycrossing.h"

#include "ndablock.h"

#define BLOCK_US (NDA_BLOCK_DURATION / 1000)

/* A live stream is due one block after it was due before, however late it asks;
 * it gains at most one block by that. A stream that asks sooner is due now. */
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
  self->passed = 0;
  self->was_idle = FALSE;
  self->baton = NULL;
  if (self->kind != NDA_PY_CROSSING_IN_TURN)
    return;
  self->baton = self->has_crossed ? &all->blocks : &all->first_calls;
  self->tenure = nda_py_baton_take (self->baton, self->due, &self->passed);
  if (G_UNLIKELY (!self->has_crossed))
    nda_py_baton_wait_for_rest (&all->blocks, NDA_PY_FIRST_CALL_WAIT);
  if (G_UNLIKELY (self->passed))
    self->asked = g_get_monotonic_time ();
}

/* This thread has Python's lock now. */
void
nda_py_crossing_enter (NdaPyCrossing * self, gint64 now)
{
  self->entered = now;
  if (G_UNLIKELY (self->passed)
      && now - self->asked < NDA_PY_CROSSING_AT_ONCE)
    nda_py_baton_tell_idle (self->baton, self->passed);
}

/* This thread gives up Python's lock during its crossing, so that other threads
 * can go on. */
void
nda_py_crossing_pause (NdaPyCrossing * self)
{
  if (self->baton)
    self->was_idle = nda_py_baton_give (self->baton, self->tenure);
  self->baton = NULL;
}

/* Whether one more thread that computes for long may bypass the baton. */
static gboolean
find_room (NdaPyCrossings * all)
{
  if (g_atomic_int_add (&all->n_busy, 1) < NDA_PY_CROSSING_MAX_BUSY)
    return TRUE;
  g_atomic_int_add (&all->n_busy, -1);
  return FALSE;
}

static void
judge (NdaPyCrossing * self, NdaPyCrossings * all, gboolean was_long)
{
  self->n_long = was_long ? self->n_long + 1 : 0;
  self->n_quick = was_long ? 0 : self->n_quick + 1;
  if (self->n_quick >= NDA_PY_CROSSING_N_QUICK)
    nda_py_crossing_clear (self, all);
  else if (self->kind != NDA_PY_CROSSING_IN_TURN)
    return;
  else if (self->was_idle)
    self->kind = NDA_PY_CROSSING_ASIDE;
  else if (self->n_long >= NDA_PY_CROSSING_N_LONG && find_room (all))
    self->kind = NDA_PY_CROSSING_ASIDE_BUSY;
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

/* The thread ends, or its plugin is quick again: it uses the baton again. */
void
nda_py_crossing_clear (NdaPyCrossing * self, NdaPyCrossings * all)
{
  if (self->kind == NDA_PY_CROSSING_ASIDE_BUSY)
    g_atomic_int_add (&all->n_busy, -1);
  self->kind = NDA_PY_CROSSING_IN_TURN;
}
