/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The thread of a seat. It makes a worker, logs its output, checks its memory,
 * and replaces it. The kernel kills a worker when the thread that made it
 * ends. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapyawait.h"
#include "ndapylog.h"

#include <glib/gi18n-lib.h>

#include <unistd.h>

/* A process must run well for GOOD_TIME for the next one to start at once.
 * Otherwise the next one waits for FIRST_BACK_OFF, then twice as long each
 * time. */
#define GOOD_TIME (1 * G_TIME_SPAN_SECOND)
#define FIRST_BACK_OFF (100 * G_TIME_SPAN_MILLISECOND)
#define LAST_BACK_OFF (10 * G_TIME_SPAN_SECOND)
/* How often the memory of a process is checked */
#define MEMORY_INTERVAL (100 * GST_MSECOND)

/* --- making a worker ------------------------------------------------------ */

/* Keeps the mould of @worker, so that the next one is forked as well. */
static void
keep_mould (NdaPySeat * self, NdaPyWorker * worker)
{
  NdaPyMould *mould = nda_py_worker_get_mould (worker);

  if (mould)
    nda_py_mould_ref (mould);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
  self->mould = mould;
}

/* Notes the worker that is being made, or NULL. FALSE: it is no longer
 * wanted. */
static gboolean
note_next (NdaPySeat * self, NdaPyWorker * worker)
{
  NdaPyKeeper *keeper = self->keeper;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&keeper->lock);

  self->next = worker;
  return !keeper->is_closing;
}

/* Makes a worker and gives it to the keeper. */
static gboolean
replace (NdaPySeat * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyWorker *worker = nda_py_worker_new (self->keeper->config,
      self - self->keeper->seats, &error);
  gboolean ok = FALSE;

  if (worker)
    keep_mould (self, worker);
  if (worker && note_next (self, worker)
      && nda_py_worker_load (worker, &error))
    ok = nda_py_keeper_take_in (self->keeper, worker, &error);
  note_next (self, NULL);
  if (ok)
    self->worker = worker;
  else
    g_clear_pointer (&worker, nda_py_worker_unref);
  if (error)
    GST_WARNING ("The plugin cannot be restarted: %s", error->message);
  return ok;
}

/* --- looking after it ----------------------------------------------------- */

static gboolean
is_closing (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->is_closing;
}

/* Releases dead workers, without holding the lock. */
static void
let_go (NdaPyKeeper * self)
{
  g_autoptr (GPtrArray) dead = NULL;

  g_mutex_lock (&self->lock);
  dead = self->dead;
  self->dead = g_ptr_array_new_with_free_func ((GDestroyNotify)
      nda_py_worker_unref);
  g_mutex_unlock (&self->lock);
}

/* Waits until the plugin is no longer wanted, a dead worker can be released, or
 * the time @end is over. In the last case it returns TRUE. */
static gboolean
wait_for_change (NdaPyKeeper * self, gint64 end)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_closing && !self->dead->len)
    if (!g_cond_wait_until (&self->changed, &self->lock, end))
      return TRUE;
  return FALSE;
}

/* FALSE: the plugin is no longer wanted. */
static gboolean
wait_before_restart (NdaPyKeeper * self, gint64 back_off)
{
  gint64 end = self->config->restart == NDA_PY_RESTART_NEVER ? G_MAXINT64 :
      g_get_monotonic_time () + back_off;

  while (!wait_for_change (self, end)) {
    if (is_closing (self))
      return FALSE;
    let_go (self);
  }
  return TRUE;
}

/* Looks after the worker until it has ended or is no longer wanted. */
static void
look_after (NdaPySeat * self)
{
  NdaPyWorker *worker = self->worker;
  guint64 limit = self->keeper->config->memory_limit, n_wakes;

  while (!nda_py_worker_is_dead (worker) && !is_closing (self->keeper)) {
    nda_py_worker_log (worker, self->wake_fd,
        nda_py_await_end_of (limit ? MEMORY_INTERVAL : 0));
    while (read (self->wake_fd, &n_wakes, sizeof (n_wakes)) > 0);
    let_go (self->keeper);
    nda_py_keeper_refresh_standby (self->keeper, worker);
    if (limit && nda_py_worker_get_memory (worker) > limit)
      nda_py_worker_kill (worker,
          _("it took more memory than “memory-limit”"));
  }
  nda_py_worker_log_rest (worker);
}

/* Notes how the worker has ended, and releases it. */
static void
bury (NdaPySeat * self)
{
  NdaPyWorker *worker = g_steal_pointer (&self->worker);
  gchar *death = nda_py_worker_describe_death (worker);

  GST_WARNING ("The process of the plugin “%s” has ended: %s",
      self->keeper->config->path, death);
  nda_py_keeper_forget (self->keeper, worker, death);
  nda_py_worker_unref (worker);
  let_go (self->keeper);
}

/* Keeps a worker at this seat until it is no longer wanted. If a worker ran
 * well for a while, it is replaced at once. */
static void
keep (NdaPySeat * self)
{
  gint64 back_off = 0, begin = g_get_monotonic_time ();

  while (TRUE) {
    if (self->worker) {
      begin = g_get_monotonic_time ();
      look_after (self);
      if (is_closing (self->keeper))
        return;
      bury (self);
      if (g_get_monotonic_time () - begin >= GOOD_TIME)
        back_off = 0;
    }
    if (!wait_before_restart (self->keeper, back_off))
      return;
    back_off = CLAMP (back_off * 2, FIRST_BACK_OFF, LAST_BACK_OFF);
    replace (self);
  }
}

/* Ends the worker, and waits until it has ended, so that it can complete its
 * files. The keeper has shut the worker at work down already, but not a
 * standby. */
static void
end (NdaPySeat * self)
{
  if (self->worker) {
    if (nda_py_keeper_is_standby (self->keeper, self->worker))
      nda_py_worker_shut_down (self->worker);
    nda_py_keeper_forget (self->keeper, self->worker, NULL);
    g_clear_pointer (&self->worker, nda_py_worker_unref);
  }
  let_go (self->keeper);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
}

/* The thread of the first seat. The keeper is open when its first worker is
 * ready. */
gpointer
nda_py_seat_thread (gpointer data)
{
  NdaPySeat *self = data;
  NdaPyKeeper *keeper = self->keeper;
  GError *error = NULL;

  self->worker = nda_py_worker_open (keeper->config, &error);
  if (self->worker)
    keep_mould (self, self->worker);
  g_mutex_lock (&keeper->lock);
  if (self->worker)
    keeper->worker = nda_py_worker_ref (self->worker);
  keeper->error = error;
  keeper->is_open = TRUE;
  g_cond_broadcast (&keeper->changed);
  g_mutex_unlock (&keeper->lock);

  if (self->worker)
    keep (self);
  end (self);
  return NULL;
}

/* The thread of the second seat. Its first worker stands by. */
gpointer
nda_py_seat_standby_thread (gpointer data)
{
  NdaPySeat *self = data;

  replace (self);
  keep (self);
  end (self);
  return NULL;
}
