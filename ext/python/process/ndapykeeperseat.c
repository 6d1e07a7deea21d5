/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A seat's thread: makes a worker (which the kernel kills when the thread that
 * made it ends), logs what it prints, looks at its memory, and replaces it. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapyawait.h"
#include "ndapylog.h"

#include <glib/gi18n-lib.h>

#include <unistd.h>

/* How long a process that just began must have gone well for the next to come
 * at once; else each waits twice as long as the one before */
#define GOOD_TIME (1 * G_TIME_SPAN_SECOND)
#define FIRST_BACK_OFF (100 * G_TIME_SPAN_MILLISECOND)
#define LAST_BACK_OFF (10 * G_TIME_SPAN_SECOND)
/* How often its memory is looked at */
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

/* Notes the worker that is being made, or NULL. FALSE: there is no more use
 * for it. */
static gboolean
note_next (NdaPySeat * self, NdaPyWorker * worker)
{
  NdaPyKeeper *keeper = self->keeper;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&keeper->lock);

  self->next = worker;
  return !keeper->is_closing;
}

/* Makes a worker and has it taken in. */
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

/* Lets go of dead workers, without the lock. */
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

/* Waits until there is no more use for the plugin, a worker to be let go of, or
 * the time @end is over, in which case it returns TRUE. */
static gboolean
wait_for_change (NdaPyKeeper * self, gint64 end)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_closing && !self->dead->len)
    if (!g_cond_wait_until (&self->changed, &self->lock, end))
      return TRUE;
  return FALSE;
}

/* FALSE: there is no more use for the plugin. */
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

/* Looks after the worker until it has ended, or there is no more use for it. */
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

/* Notes how the worker has ended, and lets it go. */
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

/* Keeps a worker until there is no more use for it. One that went well for a
 * while is replaced at once. */
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

/* Ends the worker, and waits for it: what it has to write, it writes. The
 * keeper has shut it down, but not one that was just told of parameters. */
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

/* The thread of the first seat, whose first worker the keeper opens with. */
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

/* The thread of the second one, whose first worker stands by. */
gpointer
nda_py_seat_standby_thread (gpointer data)
{
  NdaPySeat *self = data;

  replace (self);
  keep (self);
  end (self);
  return NULL;
}
