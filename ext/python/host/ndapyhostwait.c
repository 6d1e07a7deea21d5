/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Waiting for what another thread does with the host. */

#include "config.h"

#include "ndapyhostpriv.h"

/* Wakes the threads that wait. The block thread calls this with each block, and
 * a thread hardly ever waits: without one there is no call to the system. */
void
nda_py_host_wake_locked (NdaPyHost * self)
{
  if (G_UNLIKELY (self->n_waiting))
    g_cond_broadcast (&self->changed);
}

/* Gives up the host lock until nda_py_host_wake_locked (). */
void
nda_py_host_wait_locked (NdaPyHost * self)
{
  self->n_waiting++;
  g_cond_wait (&self->changed, &self->lock);
  self->n_waiting--;
}

/* The same until @deadline (us, monotonic). FALSE: it is over. */
gboolean
nda_py_host_wait_until_locked (NdaPyHost * self, gint64 deadline)
{
  gboolean in_time;

  self->n_waiting++;
  in_time = g_cond_wait_until (&self->changed, &self->lock, deadline);
  self->n_waiting--;
  return in_time;
}
