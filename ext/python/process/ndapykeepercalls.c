/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The calls that the host makes to a runner in a separate process. Each call
 * goes to the worker at work. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapyproblem.h"

#include <glib/gi18n-lib.h>

/* How long a start waits for a worker that is being made */
#define WORKER_TIMEOUT (5 * G_TIME_SPAN_SECOND)

static NdaPyKeeper *
get_keeper (NdaPyRunner * runner)
{
  return (NdaPyKeeper *) runner;
}

/* Puts the standby to work if the worker at work is dead. */
static void
replace_dead (NdaPyKeeper * self)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (self);
  NdaPyWorker *next = NULL;

  if (!worker || nda_py_worker_is_dead (worker))
    next = nda_py_keeper_switch_over (self, worker);
  g_clear_pointer (&worker, nda_py_worker_unref);
  g_clear_pointer (&next, nda_py_worker_unref);
}

/* Returns the worker at work, or waits for the next one (transfer full). NULL,
 * with the end of the last worker as a text, if there is none for long. */
static NdaPyWorker *
wait_for_worker (NdaPyKeeper * self, gchar ** death)
{
  gint64 end = g_get_monotonic_time () + WORKER_TIMEOUT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while ((!self->worker || nda_py_worker_is_dead (self->worker))
      && !self->is_closing
      && self->config->restart != NDA_PY_RESTART_NEVER
      && g_cond_wait_until (&self->changed, &self->lock, end));
  if (self->worker)
    return nda_py_worker_ref (self->worker);
  *death = g_strdup (self->death ? self->death : "");
  return NULL;
}

/* Starts the plugin once. FALSE: it did not start; @may_go_on tells whether the
 * process died and the standby or the next process may start it instead. */
static gboolean
start_once (NdaPyKeeper * self, NdaPyFormat * format, gboolean * may_go_on,
    GError ** error)
{
  g_autofree gchar *death = NULL;
  NdaPyWorker *worker;
  gboolean ok;

  replace_dead (self);
  worker = wait_for_worker (self, &death);
  *may_go_on = FALSE;
  if (!worker) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The process of the plugin “%s” has ended: %s"),
        self->config->path, death);
    return FALSE;
  }
  ok = nda_py_worker_start (worker, format, error);
  *may_go_on = (self->n_seats > 1 && nda_py_worker_is_dead (worker))
      || nda_py_worker_died_of_others (worker);
  nda_py_worker_unref (worker);
  return ok;
}

/* Starts the plugin on its process's block thread. */
gboolean
nda_py_keeper_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error)
{
  NdaPyKeeper *self = get_keeper (runner);
  g_autoptr (GError) failure = NULL;
  gboolean may_go_on, ok;

  ok = start_once (self, format, &may_go_on, &failure);
  if (!ok && may_go_on) {
    g_clear_error (&failure);
    ok = start_once (self, format, &may_go_on, &failure);
  }
  g_mutex_lock (&self->lock);
  self->is_started = ok;
  self->format = *format;
  g_mutex_unlock (&self->lock);
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&failure));
  return ok;
}

/* Calls stop (), perhaps during a block call. */
void
nda_py_keeper_stop (NdaPyRunner * runner)
{
  NdaPyKeeper *self = get_keeper (runner);
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  self->is_started = FALSE;
  g_mutex_unlock (&self->lock);
  worker = nda_py_keeper_get_worker (self);
  if (!worker)
    return;
  if (!nda_py_worker_stop (worker))
    nda_py_keeper_tell_end (self, worker);
  nda_py_worker_unref (worker);
}

void
nda_py_keeper_interrupt (NdaPyRunner * runner)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));

  if (!worker)
    return;
  nda_py_worker_interrupt (worker);
  nda_py_worker_unref (worker);
}

void
nda_py_keeper_kill (NdaPyRunner * runner)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));

  if (!worker)
    return;
  nda_py_worker_kill (worker, _("it did not stop"));
  nda_py_worker_unref (worker);
}

/* --- parameters and facts ------------------------------------------------ */

/* If a worker is about to end, its answer does not matter, and the next worker
 * gets the parameter; unless the worker ends because of this parameter. */
gchar *
nda_py_keeper_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value)
{
  NdaPyKeeper *self = get_keeper (runner);
  NdaPyWorker *worker = nda_py_keeper_get_worker (self);
  gchar *problem;

  if (!worker)
    return NULL;
  problem = nda_py_worker_set_parameter (worker, key, value);
  if (!problem && self->n_seats > 1)
    nda_py_keeper_wake (self);  /* the standby gets it too */
  if (problem && nda_py_worker_is_dead (worker)
      && !nda_py_worker_died_setting (worker))
    g_clear_pointer (&problem, g_free);
  nda_py_worker_unref (worker);
  return problem;
}

gchar *
nda_py_keeper_get_parameter (NdaPyRunner * runner, const gchar * key)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));
  gchar *value;

  if (!worker)
    return g_strdup ("");
  value = nda_py_worker_get_parameter (worker, key);
  nda_py_worker_unref (worker);
  return value;
}

void
nda_py_keeper_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));

  *facts = (NdaPyFacts) {
  0};
  if (!worker)
    return;
  nda_py_worker_get_facts (worker, facts);
  nda_py_worker_unref (worker);
}

gchar *
nda_py_keeper_describe (NdaPyRunner * runner)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));
  gchar *text;

  if (!worker)
    return NULL;
  text = nda_py_worker_describe (worker);
  nda_py_worker_unref (worker);
  return text;
}

/* --- blocks ------------------------------------------------------------- */

/* Why there is no worker to make a call (transfer full). */
static gchar *
describe_death (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return nda_py_worker_describe_end (self->config,
      self->death ? self->death : _("it has ended"));
}

/* Puts the standby to work after @dead died in a call, and returns it (transfer
 * full), or NULL. If a block hung in @dead, its call in the standby does not
 * get the longer time of a first call, since it would hang there too. */
static NdaPyWorker *
call_in (NdaPyKeeper * self, NdaPyWorker * dead)
{
  NdaPyWorker *next = nda_py_keeper_switch_over (self, dead);

  if (next && dead && nda_py_worker_was_late (dead))
    nda_py_worker_skip_first_call (next);
  return next;
}

/* Notes why a call with this @result in @worker failed. @worker may be NULL. */
static void
note_failure (NdaPyKeeper * self, NdaPyWorker * worker, NdaPyCallResult result)
{
  g_free (self->failure);
  self->failure = worker ? nda_py_worker_describe_failure (worker, result) :
      describe_death (self);
}

/* Makes one block call. DEAD: there is no worker. If the process ends during
 * the call, the block goes to the standby. */
NdaPyCallResult
nda_py_keeper_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyKeeper *self = get_keeper (runner);
  NdaPyWorker *worker = nda_py_keeper_get_worker (self), *next;
  NdaPyCallResult result = NDA_PY_CALL_DEAD;

  if (worker)
    result = nda_py_worker_call (worker, in, out, n_frames, is_gated);
  if (G_UNLIKELY (result == NDA_PY_CALL_DEAD)
      && (next = call_in (self, worker))) {
    if (worker)
      nda_py_keeper_release (self, worker);
    worker = next;
    result = nda_py_worker_call (worker, in, out, n_frames, is_gated);
  }
  if (G_UNLIKELY (result == NDA_PY_CALL_ENDED))
    runner->n_last = nda_py_worker_get_n_last (worker);
  if (G_UNLIKELY (nda_py_problem_is_failure (self->config->role, result)))
    note_failure (self, worker, result);
  if (worker && G_UNLIKELY (result == NDA_PY_CALL_DEAD))
    nda_py_keeper_release (self, worker);
  else if (worker)
    nda_py_worker_unref (worker);
  return result;
}

/* A new worker needs no reset. */
void
nda_py_keeper_reset (NdaPyRunner * runner)
{
  NdaPyWorker *worker = nda_py_keeper_get_worker (get_keeper (runner));

  if (!worker)
    return;
  nda_py_worker_reset (worker);
  nda_py_worker_unref (worker);
}

gchar *
nda_py_keeper_take_error (NdaPyRunner * runner)
{
  return g_steal_pointer (&get_keeper (runner)->failure);
}
