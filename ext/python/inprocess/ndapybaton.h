/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A queue of threads in front of a lock that many threads want. One thread at a
 * time has the baton, which is the right to ask for the lock. The others wait
 * in the queue.
 *
 * The baton orders the threads, and does not exclude any. When its holder gives
 * it back, the first thread of the queue is woken, but another thread that asks
 * at that moment may take it first. If nobody in the queue has moved for
 * PATIENCE, its first thread goes ahead and takes the baton from the holder:
 * the holder takes long, or other threads were always quicker. The old holder
 * is then overtaken, and giving the baton back has no effect. An overtaken
 * holder is idle if it waits for something else while the lock is free. The
 * thread that overtook it sees that, and calls nda_py_baton_tell_idle ().
 *
 * A thread that finds the baton taken watches it for a moment before it lines
 * up: most calls take less time than it takes to put a thread to sleep and to
 * wake it. At most one thread at a time watches, and it needs a second
 * processor.
 *
 * Handing the baton to a sleeping thread would be fair but slow: no thread
 * could use it until the system runs that thread. With a hundred threads on two
 * processors all of them would wait. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A tenure is one time that a thread has the baton, or its number. For so many
 * of the last tenures the baton remembers whether they were idle. */
#define NDA_PY_BATON_N_KEPT 64

typedef struct _NdaPyBatonPlace NdaPyBatonPlace;

typedef struct
{
  gint64 patience;              /* [const] us */
  gint64 watch;                 /* [const] us; 0: nobody watches */
  GMutex lock;                  /* the baton lock */
  guint64 n_tenures;            /* [baton lock] so far */
  guint64 tenure;               /* [baton lock] of the holder; 0: no holder */
  gint is_taken;                /* [atomic] whether there is a holder */
  gint is_watched;              /* [atomic] whether a thread watches it */
  NdaPyBatonPlace *first;       /* [baton lock] of the queue; due first */
  guint n_waiting;              /* [baton lock] in the queue */
  gint64 moved;                 /* [baton lock] us; when the queue moved */
  guint n_polite;               /* [baton lock] threads that wait for rest */
  GCond rested;                 /* nobody has the baton or waits for it */
  /* [baton lock] tenures that were overtaken while the lock was free */
  guint64 idle[NDA_PY_BATON_N_KEPT];
} NdaPyBaton;

guint64 nda_py_baton_take (NdaPyBaton * baton, gint64 due, guint64 * passed);
void nda_py_baton_tell_idle (NdaPyBaton * baton, guint64 tenure);
gboolean nda_py_baton_give (NdaPyBaton * baton, guint64 tenure);
void nda_py_baton_wait_for_rest (NdaPyBaton * baton, gint64 patience);
guint nda_py_baton_count_waiting (NdaPyBaton * baton);

G_END_DECLS
