/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a thread gets Python's lock. A crossing is one visit of a thread to
 * Python: it asks for the lock, calls Python, and gives the lock back. At most
 * one thread of ours at a time asks for the lock to call with blocks, and one
 * for any other call. NumPy gives the lock up in the middle of each call, and
 * many threads that ask for it then would compete for it (ndapybaton.h).
 *
 * A thread's first crossing starts its plugin, or is the only one of a job, and
 * may take long. These crossings have a separate baton. Each of them lets the
 * blocks that wait go first, for a while.
 *
 * A thread with long crossings bypasses the baton. Python's own rules then hold
 * between this thread and the others. A thread that waits while Python's lock
 * is free, such as a source that reads from a device, bypasses it at once. Of
 * the threads that compute for long only a few may: more would only compete for
 * the lock, and on an overloaded machine every crossing is long, through no
 * fault of the thread. A thread uses the baton again when it has been quick for
 * a while. */

#pragma once

#include "ndapybaton.h"

G_BEGIN_DECLS

typedef struct
{
  NdaPyBaton blocks;            /* block calls */
  NdaPyBaton first_calls;       /* a thread's first call: start (), jobs */
  gint n_busy;                  /* [atomic] threads in state ASIDE_BUSY */
} NdaPyCrossings;

/* us. A thread that takes longer is overtaken. */
#define NDA_PY_CROSSING_LONG 1000
#define NDA_PY_FIRST_CALL_LONG 50000
/* us. A thread that finds the baton taken watches it for so long. */
#define NDA_PY_CROSSING_WATCH 20
/* us. For so long at most a first call waits until no block does. */
#define NDA_PY_FIRST_CALL_WAIT 5000
/* us. A thread that overtook another one and gets Python's lock within this
 * time found the lock free: the other thread was idle. */
#define NDA_PY_CROSSING_AT_ONCE 200
/* So many long crossings in succession are the plugin's doing. Fewer may be the
 * system's. */
#define NDA_PY_CROSSING_N_LONG 2
/* After so many quick crossings a thread uses the baton again. */
#define NDA_PY_CROSSING_N_QUICK 64
/* How many threads that compute for long may bypass the baton at a time */
#define NDA_PY_CROSSING_MAX_BUSY 8

#define NDA_PY_CROSSINGS_INIT { \
    {.patience = NDA_PY_CROSSING_LONG, .watch = NDA_PY_CROSSING_WATCH}, \
    {.patience = NDA_PY_FIRST_CALL_LONG}, 0 }

typedef enum
{
  NDA_PY_CROSSING_IN_TURN,
  NDA_PY_CROSSING_ASIDE,        /* bypasses the baton, since it waits */
  NDA_PY_CROSSING_ASIDE_BUSY,   /* bypasses the baton, since it computes */
} NdaPyCrossingKind;

/* [its thread] */
typedef struct
{
  NdaPyCrossingKind kind;
  NdaPyBaton *baton;            /* held by this thread, or NULL */
  guint64 tenure;
  guint64 passed;               /* the tenure that it overtook, or 0 */
  gboolean has_crossed;
  gint64 due;                   /* us; the last one */
  gint64 asked;                 /* us; when it asked for Python's lock */
  gint64 entered;               /* us; when it got Python's lock */
  gboolean was_idle;            /* in this crossing, as another thread saw */
  guint n_long;                 /* in succession */
  guint n_quick;                /* in succession */
} NdaPyCrossing;

/* Called without Python's lock. All times are in us, monotonic. */
void nda_py_crossing_begin (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_pause (NdaPyCrossing * self);
void nda_py_crossing_end (NdaPyCrossing * self, NdaPyCrossings * all,
    gint64 now);
void nda_py_crossing_clear (NdaPyCrossing * self, NdaPyCrossings * all);

/* Called with Python's lock. */
void nda_py_crossing_enter (NdaPyCrossing * self, gint64 now);

G_END_DECLS
