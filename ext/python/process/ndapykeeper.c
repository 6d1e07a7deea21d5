/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. The keeper's own thread, one for each plugin: makes every worker
 * (which the kernel kills when the thread that made it ends), logs what it
 * prints, looks at its memory, and replaces it. The block thread makes the
 * calls, and others set parameters and stop, with whatever worker there is.
 *
 * LOCKS. lock guards what is marked so. Nobody holds it while a worker is
 * asked anything.
 *
 * HAND-OVER. `worker` is the process of the moment, NULL while there is none.
 * Whoever uses it holds a reference. A new one is complete, with parameters
 * and started, before it stands there; the keeper's thread alone puts one
 * there.
 *
 * STOP. `is_closing` is set and the keeper woken, which ends at once, or as
 * soon as the worker that it makes has answered. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"
#include "ndapylog.h"
#include "ndapypaths.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How long a process that just began must have gone well for the next to come
 * at once; else each waits twice as long as the one before */
#define GOOD_TIME (1 * G_TIME_SPAN_SECOND)
#define FIRST_BACK_OFF (100 * G_TIME_SPAN_MILLISECOND)
#define LAST_BACK_OFF (10 * G_TIME_SPAN_SECOND)
/* How often its memory is looked at */
#define MEMORY_INTERVAL (100 * GST_MSECOND)

/* --- replacing a worker ------------------------------------------------- */

/* Puts @worker (transfer full) to use, unless there is no more use for it or
 * the plugin was started or stopped meanwhile. Parameters that changed since
 * @n_told of them are set first. */
static gboolean
install (NdaPyKeeper * self, NdaPyWorker * worker, gboolean is_started,
    guint n_told)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (nda_py_last_parameters_get_n_changes (self->config->last) != n_told) {
    g_mutex_unlock (&self->lock);
    n_told = nda_py_worker_set_again (worker);
    g_mutex_lock (&self->lock);
  }
  ok = !self->is_closing && self->is_started == is_started;
  if (ok)
    self->worker = worker;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!ok)
    nda_py_worker_unref (worker);
  return ok;
}

/* Notes the worker that is being made, or NULL. FALSE: there is no more use
 * for it. */
static gboolean
note_next (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->next = worker;
  return !self->is_closing;
}

/* Brings @worker (transfer full) to where the last one was. It counts before
 * the first block can come from it. */
static gboolean
bring_up (NdaPyKeeper * self, NdaPyWorker * worker, GError ** error)
{
  gboolean was_started;
  NdaPyFormat format;
  guint n_told;

  g_mutex_lock (&self->lock);
  was_started = self->is_started;
  format = self->format;
  g_mutex_unlock (&self->lock);

  n_told = nda_py_worker_set_again (worker);
  if (!was_started || nda_py_worker_start_again (worker, &format, error)) {
    note_next (self, NULL);
    self->config->restarted (self->config->owner);
    return install (self, worker, was_started, n_told);
  }
  nda_py_worker_shut_down (worker);
  note_next (self, NULL);
  nda_py_worker_unref (worker);
  return FALSE;
}

/* Keeps the mould of @worker, so that the next one is forked as well. */
static void
keep_mould (NdaPyKeeper * self, NdaPyWorker * worker)
{
  NdaPyMould *mould = nda_py_worker_get_mould (worker);

  if (mould)
    nda_py_mould_ref (mould);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
  self->mould = mould;
}

/* Makes another worker in the place of the last one. */
static gboolean
replace (NdaPyKeeper * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyWorker *worker = nda_py_worker_new (self->config, &error);
  gboolean ok = FALSE;

  if (worker)
    keep_mould (self, worker);
  if (worker && note_next (self, worker)
      && nda_py_worker_load (worker, &error))
    ok = bring_up (self, g_steal_pointer (&worker), &error);
  note_next (self, NULL);
  g_clear_pointer (&worker, nda_py_worker_unref);
  if (error)
    GST_WARNING ("The plugin cannot be restarted: %s", error->message);
  return ok;
}

/* --- the keeper's thread ------------------------------------------------ */

/* Notes how the worker has ended, and lets it go. */
static void
bury (NdaPyKeeper * self)
{
  NdaPyWorker *worker = self->worker;   /* nobody else writes it */
  gchar *death = nda_py_worker_describe_death (worker);

  GST_WARNING ("The process of the plugin “%s” has ended: %s",
      self->config->path, death);
  g_mutex_lock (&self->lock);
  self->worker = NULL;
  g_free (self->death);
  self->death = death;
  g_mutex_unlock (&self->lock);
  nda_py_worker_unref (worker);
}

static gboolean
is_closing (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->is_closing;
}

/* FALSE: there is no more use for the plugin. */
static gboolean
wait_before_restart (NdaPyKeeper * self, gint64 back_off)
{
  gint64 end = self->config->restart == NDA_PY_RESTART_NEVER ? G_MAXINT64 :
      g_get_monotonic_time () + back_off;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_closing
      && g_cond_wait_until (&self->changed, &self->lock, end));
  return !self->is_closing;
}

/* Looks after the worker until it has ended, or there is no more use for it. */
static void
look_after (NdaPyKeeper * self)
{
  guint64 limit = self->config->memory_limit, n_wakes;
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  worker = nda_py_worker_ref (self->worker);
  g_mutex_unlock (&self->lock);

  while (!nda_py_worker_is_dead (worker) && !is_closing (self)) {
    nda_py_worker_log (worker, self->wake_fd,
        nda_py_await_end_of (limit ? MEMORY_INTERVAL : 0));
    while (read (self->wake_fd, &n_wakes, sizeof (n_wakes)) > 0);
    if (limit && nda_py_worker_get_memory (worker) > limit)
      nda_py_worker_kill (worker,
          _("it took more memory than “memory-limit”"));
  }
  nda_py_worker_log_rest (worker);
  nda_py_worker_unref (worker);
}

/* Keeps a worker until there is no more use for it. One that went well for a
 * while is replaced at once. */
static void
keep (NdaPyKeeper * self)
{
  gint64 back_off = 0;

  while (TRUE) {
    gint64 begin = g_get_monotonic_time ();

    look_after (self);
    if (is_closing (self))
      return;
    bury (self);
    if (g_get_monotonic_time () - begin >= GOOD_TIME)
      back_off = 0;
    do {
      if (!wait_before_restart (self, back_off))
        return;
      back_off = CLAMP (back_off * 2, FIRST_BACK_OFF, LAST_BACK_OFF);
    } while (!replace (self));
  }
}

static gpointer
nda_py_keeper_thread (gpointer data)
{
  NdaPyKeeper *self = data;
  GError *error = NULL;
  NdaPyWorker *worker = nda_py_worker_open (self->config, &error);

  g_mutex_lock (&self->lock);
  self->worker = worker;
  self->error = error;
  self->is_open = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);

  if (worker) {
    keep_mould (self, worker);
    keep (self);
  }
  g_mutex_lock (&self->lock);
  worker = g_steal_pointer (&self->worker);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&worker, nda_py_worker_unref);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
  return NULL;
}

/* --- life cycle --------------------------------------------------------- */

static void
free_keeper (NdaPyKeeper * self)
{
  g_clear_pointer (&self->thread, g_thread_join);
  nda_py_descriptor_close (&self->wake_fd);
  g_clear_error (&self->error);
  nda_py_runner_config_free (self->config);
  g_free (self->death);
  g_free (self->failure);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static NdaPyKeeper *
make_keeper (const NdaPyRunnerConfig * config)
{
  NdaPyKeeper *self = g_new0 (NdaPyKeeper, 1);

  nda_py_runner_init (&self->parent, &nda_py_keeper_kind);
  self->config = nda_py_runner_config_copy (config);
  if (!config->python || !*config->python) {
    g_free (self->config->python);
    self->config->python = nda_py_paths_find_python ();
  }
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

/* Begins its thread, and waits for the first worker. */
static gboolean
begin (NdaPyKeeper * self, GError ** error)
{
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake_fd < 0) {
    nda_py_worker_set_no_resources (error, errno);
    return FALSE;
  }
  self->thread = g_thread_try_new ("nda-py-keeper", nda_py_keeper_thread,
      self, error);
  if (!self->thread)
    return FALSE;

  g_mutex_lock (&self->lock);
  while (!self->is_open)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (!self->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

static NdaPyRunner *
nda_py_keeper_open (const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyKeeper *self = make_keeper (config);

  if (begin (self, error))
    return &self->parent;
  free_keeper (self);
  return NULL;
}

/* The worker of the moment (transfer full), or NULL. */
NdaPyWorker *
nda_py_keeper_get_worker (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

/* Warns of what did not come to its end, such as a recording. */
void
nda_py_keeper_tell_end (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_autofree gchar *death = nda_py_worker_describe_death (worker);
  g_autofree gchar *text = nda_py_worker_describe_end (self->config, death);

  GST_WARNING ("%s", text);
  self->config->warn (self->config->owner, text);
}

/* Shuts the plugin down and ends its process. */
static void
nda_py_keeper_close (NdaPyRunner * runner)
{
  NdaPyKeeper *self = (NdaPyKeeper *) runner;
  const guint64 one = 1;
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  if (self->next)
    nda_py_worker_kill (self->next, _("it is not needed any more"));
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  worker = nda_py_keeper_get_worker (self);
  if (worker) {
    if (!nda_py_worker_shut_down (worker))
      nda_py_keeper_tell_end (self, worker);
    nda_py_worker_unref (worker);
  }
  if (write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("The keeper of a plugin cannot be woken");
  free_keeper (self);
}

const NdaPyRunnerKind nda_py_keeper_kind = {
  .open = nda_py_keeper_open,

  .close = nda_py_keeper_close,
  .start = nda_py_keeper_start,
  .stop = nda_py_keeper_stop,
  .set_parameter = nda_py_keeper_set_parameter,
  .get_parameter = nda_py_keeper_get_parameter,
  .get_facts = nda_py_keeper_get_facts,
  .call = nda_py_keeper_call,
  .take_error = nda_py_keeper_take_error,

  .interrupt = nda_py_keeper_interrupt,
  .kill = nda_py_keeper_kill,
};
