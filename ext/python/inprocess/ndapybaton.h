/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stands before a lock that many threads want: one of them at a time goes
 * on and asks for the lock; the others wait here, in a row.
 *
 * The baton orders and excludes nobody. It is free again when its holder gives
 * it, and who comes at that moment may take it; the first of the row is woken.
 * A row in which nobody has moved for PATIENCE lets its first go on beside
 * whoever has the baton, because the holder takes long or others were always
 * quicker. The holder of before is passed by: what it gives back is nothing. It
 * may have waited for something else meanwhile, with the lock free: who passed
 * it by sees that, and tells.
 *
 * To hand the baton to a thread that sleeps would be fair and slow: nobody has
 * it until the system runs that thread. With a hundred threads on two
 * processors all of them would wait for that. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of the last tenures it is kept whether they were idle. */
#define NDA_PY_BATON_N_KEPT 64

typedef struct _NdaPyBatonPlace NdaPyBatonPlace;

typedef struct
{
  gint64 patience;              /* [const] us */
  GMutex lock;                  /* the baton lock */
  guint64 n_tenures;            /* [baton lock] so far */
  guint64 tenure;               /* [baton lock] who has it; 0: nobody */
  NdaPyBatonPlace *first;       /* [baton lock] of the row; due first */
  guint n_waiting;              /* [baton lock] in the row */
  gint64 moved;                 /* [baton lock] us; when the row moved */
  /* [baton lock] tenures that were passed by with the lock free */
  guint64 idle[NDA_PY_BATON_N_KEPT];
} NdaPyBaton;

guint64 nda_py_baton_take (NdaPyBaton * baton, gint64 due, guint64 * passed);
void nda_py_baton_tell_idle (NdaPyBaton * baton, guint64 tenure);
gboolean nda_py_baton_give (NdaPyBaton * baton, guint64 tenure);
guint nda_py_baton_count_waiting (NdaPyBaton * baton);

G_END_DECLS
