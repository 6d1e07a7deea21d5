/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides which worker is at work and which stands by. A standby is loaded,
 * initialised and has the parameters, but it is not started, since a device can
 * be open only once. Any thread. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapylog.h"

#include <glib/gi18n-lib.h>

#include <unistd.h>

/* The worker at work (transfer full), or NULL. */
NdaPyWorker *
nda_py_keeper_get_worker (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

/* Wakes the threads of the seats. */
void
nda_py_keeper_wake (NdaPyKeeper * self)
{
  const guint64 one = 1;

  for (guint i = 0; i < self->n_seats; i++)
    if (write (self->seats[i].wake_fd, &one, sizeof (one)) < 0)
      GST_WARNING ("The keeper of a plugin cannot be woken");
}

/* Gives a reference (transfer full) to a dead worker to the threads of the
 * seats, since dropping the last one takes time. */
void
nda_py_keeper_release (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->dead, worker);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  nda_py_keeper_wake (self);
}

/* --- putting one to work -------------------------------------------------- */

/* Sets the parameters in @worker that have changed since @n_told, until there
 * are no more. Gives up the lock meanwhile. */
static guint
tell_rest_locked (NdaPyKeeper * self, NdaPyWorker * worker, guint n_told)
{
  while (nda_py_last_parameters_get_n_changes (self->config->last) != n_told) {
    g_mutex_unlock (&self->lock);
    n_told = nda_py_worker_set_again (worker);
    g_mutex_lock (&self->lock);
  }
  return n_told;
}

/* Makes @worker (transfer full) the worker at work, unless it is no longer
 * wanted or the plugin was started or stopped meanwhile. */
static gboolean
install (NdaPyKeeper * self, NdaPyWorker * worker, gboolean is_started,
    guint n_told)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  tell_rest_locked (self, worker, n_told);
  ok = !self->is_closing && self->is_started == is_started;
  if (ok)
    self->worker = worker;
  self->is_starting = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!ok)
    nda_py_worker_unref (worker);
  return ok;
}

static void
end_starting (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_starting = FALSE;
  g_cond_broadcast (&self->changed);
}

/* Brings @worker (transfer full), which has @n_told changes, to the state of
 * the last worker. The caller has set is_starting. The restart is counted
 * before the first block can come from @worker. */
static gboolean
put_to_work (NdaPyKeeper * self, NdaPyWorker * worker, guint n_told,
    GError ** error)
{
  gboolean was_started;
  NdaPyFormat format;

  g_mutex_lock (&self->lock);
  was_started = self->is_started;
  format = self->format;
  n_told = tell_rest_locked (self, worker, n_told);
  g_mutex_unlock (&self->lock);

  if (!was_started || nda_py_worker_start_again (worker, &format, error)) {
    self->config->restarted (self->config->owner);
    return install (self, worker, was_started, n_told);
  }
  end_starting (self);
  nda_py_worker_unref (worker);
  return FALSE;
}

/* Puts the @standby (not owned) to work. FALSE: it does not start. */
static gboolean
start_standby (NdaPyKeeper * self, NdaPyWorker * standby, guint n_told)
{
  g_autoptr (GError) error = NULL;

  if (put_to_work (self, nda_py_worker_ref (standby), n_told, &error))
    return TRUE;
  if (error)
    GST_WARNING ("The standby of a plugin does not start: %s", error->message);
  nda_py_worker_abandon (standby, _("it is not needed any more"));
  return FALSE;
}

/* Makes @worker, which has @n_told changes, the standby, unless it is needed at
 * once. If none is at work, returns the worker that must be started (transfer
 * full), with @n_told changes: the standby before it, if there is one. So each
 * restart takes a standby. */
static NdaPyWorker *
stand_by_or_begin_starting (NdaPyKeeper * self, NdaPyWorker * worker,
    guint * n_told)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  NdaPyWorker *starter = NULL;
  guint n_told_before;
  gboolean must_start;

  *n_told = tell_rest_locked (self, worker, *n_told);
  must_start = !self->worker && !self->is_starting;
  self->is_starting |= must_start;
  if (must_start && (!self->standby || nda_py_worker_is_dead (self->standby)))
    return nda_py_worker_ref (worker);
  if (must_start)
    starter = g_steal_pointer (&self->standby);
  n_told_before = self->n_told;
  self->standby = nda_py_worker_ref (worker);
  self->n_told = *n_told;
  *n_told = n_told_before;
  return starter;
}

/* Takes a new @worker (not owned), which is loaded: puts it to work, or makes
 * it the standby. On a seat's thread. */
gboolean
nda_py_keeper_take_in (NdaPyKeeper * self, NdaPyWorker * worker,
    GError ** error)
{
  guint n_told = nda_py_worker_set_again (worker);
  NdaPyWorker *starter = stand_by_or_begin_starting (self, worker, &n_told);

  if (starter == worker) {
    if (put_to_work (self, starter, n_told, error))
      return TRUE;
    nda_py_worker_shut_down (worker);
    return FALSE;
  }
  if (starter) {
    start_standby (self, starter, n_told);
    nda_py_worker_unref (starter);
  }
  self->config->stood_by (self->config->owner);
  return TRUE;
}

/* --- the standby ---------------------------------------------------------- */

/* Takes the standby (transfer full), if it is @worker or @worker is NULL. */
static NdaPyWorker *
take_standby_locked (NdaPyKeeper * self, NdaPyWorker * worker)
{
  if (!self->standby || (worker && self->standby != worker))
    return NULL;
  return g_steal_pointer (&self->standby);
}

gboolean
nda_py_keeper_is_standby (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->standby == worker;
}

/* Sets changed parameters in @worker, if it stands by. On its seat's thread. */
void
nda_py_keeper_refresh_standby (NdaPyKeeper * self, NdaPyWorker * worker)
{
  NdaPyWorker *standby;

  g_mutex_lock (&self->lock);
  if (nda_py_last_parameters_get_n_changes (self->config->last) != self->n_told
      && (standby = take_standby_locked (self, worker))) {
    self->is_refreshing = TRUE;
    self->n_told = tell_rest_locked (self, standby, self->n_told);
    self->standby = standby;
    self->is_refreshing = FALSE;
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
}

/* Forgets @worker, which has ended; @death (transfer full) says how. On its
 * seat's thread. */
void
nda_py_keeper_forget (NdaPyKeeper * self, NdaPyWorker * worker, gchar * death)
{
  NdaPyWorker *standby, *at_work = NULL;

  g_mutex_lock (&self->lock);
  standby = take_standby_locked (self, worker);
  if (self->worker == worker)
    at_work = g_steal_pointer (&self->worker);
  g_free (self->death);
  self->death = death;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&standby, nda_py_worker_unref);
  g_clear_pointer (&at_work, nda_py_worker_unref);
}

/* Whether another thread is about to have a worker for the place of @dead: it
 * starts one, or gives the standby a changed parameter. */
static gboolean
is_about_to_locked (NdaPyKeeper * self, NdaPyWorker * dead)
{
  return self->n_seats > 1 && (!self->worker || self->worker == dead)
      && !self->is_closing && (self->is_starting || self->is_refreshing);
}

/* Waits for such a thread, for as long as a block call may take. */
static void
wait_for_others_locked (NdaPyKeeper * self, NdaPyWorker * dead)
{
  GstClockTime deadline = self->config->deadline;
  gint64 end = deadline ? g_get_monotonic_time () + GST_TIME_AS_USECONDS
      (deadline) : G_MAXINT64;

  while (is_about_to_locked (self, dead)
      && g_cond_wait_until (&self->changed, &self->lock, end));
}

/* Returns the worker (transfer full) for the place of @dead, or of no worker if
 * a seat's thread has removed @dead already. If @must_start, it is the standby
 * with @n_told changes, and otherwise a worker that has been started meanwhile.
 * NULL: there is none. */
static NdaPyWorker *
begin_switch (NdaPyKeeper * self, NdaPyWorker * dead, gboolean * must_start,
    guint * n_told)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *must_start = FALSE;
  wait_for_others_locked (self, dead);
  if (self->worker && self->worker != dead)
    return nda_py_worker_ref (self->worker);
  if (self->is_starting || self->is_closing || !self->standby)
    return NULL;
  if (self->worker)
    g_ptr_array_add (self->dead, g_steal_pointer (&self->worker));
  self->is_starting = *must_start = TRUE;
  *n_told = self->n_told;
  return take_standby_locked (self, NULL);
}

/* Puts the standby to work in place of @dead (not owned), or if no worker is at
 * work. Returns the worker that is at work then (transfer full), or NULL. */
NdaPyWorker *
nda_py_keeper_switch_over (NdaPyKeeper * self, NdaPyWorker * dead)
{
  gboolean must_start;
  guint n_told;
  NdaPyWorker *standby = begin_switch (self, dead, &must_start, &n_told);

  if (!must_start)
    return standby;
  if (start_standby (self, standby, n_told)) {
    nda_py_keeper_wake (self);
    return standby;
  }
  nda_py_keeper_release (self, standby);
  return NULL;
}
