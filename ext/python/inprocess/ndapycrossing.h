/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How one thread comes to Python's lock. At most one thread of ours at a time
 * asks for it to call with blocks, and one for anything else: NumPy gives the
 * lock up in the middle of each call, and a hundred threads would fight for it
 * there.
 *
 * A thread's first crossing starts its plugin, or is all that it is for, and
 * may take long: those have a baton of their own.
 *
 * A thread whose crossings are long gets a crossing of its own, with no baton;
 * Python's own rules hold between it and the others. That is so at once for one
 * that waits with Python's lock free, as a source does that reads from a
 * device. Of those that compute for long only a few get it: more would only
 * fight for the lock, and on a machine that cannot keep up every crossing is
 * long, and none by its own doing. A thread comes back when it has been quick
 * for a while. */

#pragma once

#include "ndapybaton.h"

G_BEGIN_DECLS

typedef struct
{
  NdaPyBaton blocks;            /* block calls */
  NdaPyBaton first_calls;       /* each thread's first: start (), jobs */
  gint n_busy;                  /* [atomic] that compute aside */
} NdaPyCrossings;

/* us. Who takes longer is passed by. */
#define NDA_PY_CROSSING_LONG 1000
#define NDA_PY_FIRST_CALL_LONG 50000
/* us. Who gets Python's lock so soon after it passed another by found it free.
 */
#define NDA_PY_CROSSING_AT_ONCE 200
/* So many long ones in succession are not the system's doing. */
#define NDA_PY_CROSSING_N_LONG 2
/* So many quick ones end a crossing of its own. */
#define NDA_PY_CROSSING_N_QUICK 64
/* Threads that compute and have a crossing of their own, at a time */
#define NDA_PY_CROSSING_MAX_BUSY 8

#define NDA_PY_CROSSINGS_INIT { {.patience = NDA_PY_CROSSING_LONG}, \
    {.patience = NDA_PY_FIRST_CALL_LONG}, 0 }

typedef enum
{
  NDA_PY_CROSSING_IN_TURN,
  NDA_PY_CROSSING_ASIDE,        /* it waits for long */
  NDA_PY_CROSSING_ASIDE_BUSY,   /* it computes for long */
} NdaPyCrossingKind;

/* [its thread] */
typedef struct
{
  NdaPyCrossingKind kind;
  NdaPyBaton *baton;            /* that it has; or NULL */
  guint64 tenure;
  guint64 passed;               /* by it, as the baton says */
  gboolean has_crossed;
  gint64 due;                   /* us; the last one */
  gint64 asked;                 /* us; when it asked for Python's lock */
  gint64 entered;               /* us; when it got it */
  gboolean was_idle;            /* in this crossing, as others saw */
  guint n_long;                 /* in succession */
  guint n_quick;                /* in succession */
} NdaPyCrossing;

/* without Python's lock; times in us, monotonic */
void nda_py_crossing_begin (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_pause (NdaPyCrossing * self);
void nda_py_crossing_end (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_clear (NdaPyCrossing * self, NdaPyCrossings * all);

/* with it */
void nda_py_crossing_enter (NdaPyCrossing * self, gint64 now);

G_END_DECLS
