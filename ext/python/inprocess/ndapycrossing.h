/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How one thread comes to Python's lock. At most one thread of ours at a time
 * asks for it to call with a block, and one for anything else: NumPy gives the
 * lock up in the middle of each call, and a hundred threads would fight for it
 * there.
 *
 * A thread's first crossing starts its plugin, or is all that it is for, and
 * may take long: those have a baton of their own. So does, as a whole, the
 * thread of a plugin that computes or waits for long: its crossing is then its
 * own, with no baton, and Python's own rules hold between it and the others. It
 * comes back when it has been quick for a while. */

#pragma once

#include "ndapybaton.h"

G_BEGIN_DECLS

typedef struct
{
  NdaPyBaton blocks;            /* block calls */
  NdaPyBaton first_calls;       /* each thread's first: start (), jobs */
  gint n_aside;                 /* [atomic] threads with a crossing their own */
  gint max_aside;               /* [const] */
} NdaPyCrossings;

#define NDA_PY_CROSSINGS_INIT { {.patience = NDA_PY_CROSSING_LONG}, \
    {.patience = NDA_PY_FIRST_CALL_LONG}, 0, NDA_PY_CROSSING_MAX_ASIDE }

/* us. One that takes longer is passed by. */
#define NDA_PY_CROSSING_LONG 2000
#define NDA_PY_FIRST_CALL_LONG 50000
/* So many long ones in succession give a thread its own crossing, and so many
 * quick ones take it away. One alone may be the system's doing. */
#define NDA_PY_CROSSING_N_LONG 2
#define NDA_PY_CROSSING_N_QUICK 64
/* Threads with a crossing of their own at a time */
#define NDA_PY_CROSSING_MAX_ASIDE 8

/* [its thread] */
typedef struct
{
  NdaPyBaton *baton;            /* that it has; or NULL */
  guint64 tenure;
  gboolean has_crossed;
  gint64 due;                   /* us; the last one */
  gint64 entered;               /* us; when it got Python's lock */
  guint n_long;                 /* in succession */
  guint n_quick;                /* in succession */
  gboolean is_aside;            /* its crossing is its own */
} NdaPyCrossing;

/* without Python's lock, `now` in us, monotonic */
void nda_py_crossing_begin (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_pause (NdaPyCrossing * self);
void nda_py_crossing_end (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_clear (NdaPyCrossing * self, NdaPyCrossings * all);

/* with it */
void nda_py_crossing_enter (NdaPyCrossing * self, gint64 now);

G_END_DECLS
