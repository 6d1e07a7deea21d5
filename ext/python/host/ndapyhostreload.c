/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Replaces the plugin by an edited one, from any thread. The edited plugin is
 * loaded and gets the parameters while the old one makes its calls. Then the
 * two are exchanged.
 *
 * If a runner must start on the block thread, the block thread exchanges it,
 * or, if no plugin runs, the thread that loaded it. Every other runner is
 * exchanged by the thread that loaded it, which holds the block thread off as
 * briefly as it can. */

#include "config.h"

#include "ndapyexchange.h"

/* --- any thread --------------------------------------------------------- */

static void
nda_py_host_facts_job (gpointer data)
{
  NdaPySetJob *job = data;

  job->runner->kind->get_facts (job->runner, &job->facts);
}

/* Tells the owner that there is a new plugin. */
static void
report (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;
  NdaPySetJob *job = g_new0 (NdaPySetJob, 1);
  NdaPyRunner *runner;

  if (!nda_py_host_begin_use (self, &job->runner)) {
    g_free (job);
    return;
  }
  runner = nda_py_runner_ref (job->runner);
  if (nda_py_runner_run (runner, nda_py_host_facts_job, job, &error)) {
    nda_py_host_report_facts (self, &job->facts);
    nda_py_runner_unref (job->runner);
    g_free (job);
  } else {
    nda_py_host_give_up (self, error);
  }
  nda_py_host_end_use (self, runner);
}

/* Gives @x->next (transfer full) to the block thread, if the plugin runs or is
 * about to run. FALSE: it does not run, and is held. */
static gboolean
offer (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  while (host->is_held)
    nda_py_host_wait_locked (host);
  if (!host->called && host->state != STATE_RUNNING
      && host->state != STATE_STARTING) {
    host->is_held = x->is_held = TRUE;
    return FALSE;
  }
  g_atomic_pointer_set (&host->next, x->next);
  host->n_told = x->n_told;
  return TRUE;
}

/* Drops an earlier edited plugin that waits for its exchange. FALSE: the host
 * was closed meanwhile, and may have opened another plugin. */
static gboolean
drop_waiting (NdaPyHost * self, const NdaPyRunnerConfig * config)
{
  NdaPyRunner *waiting = NULL;
  gboolean is_open;

  g_mutex_lock (&self->lock);
  is_open = self->config == config;
  if (is_open)
    waiting = nda_py_host_take_next_locked (self);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&waiting, nda_py_runner_unref);
  return is_open;
}

static gboolean
load (NdaPyExchange * x)
{
  x->next = x->kind->open (x->config, &x->error);
  if (!x->next)
    return FALSE;
  if (nda_py_exchange_tell (x) && drop_waiting (x->host, x->config))
    return TRUE;
  if (!x->is_given_up)
    nda_py_runner_unref (x->next);
  return FALSE;
}

static gboolean
load_and_exchange (NdaPyHost * self, const NdaPyRunnerConfig * config,
    GError ** error)
{
  NdaPyExchange *x = nda_py_exchange_new (self, config);
  gboolean is_offered = FALSE, ok = load (x);

  if (ok && x->kind->starts_on_block_thread)
    is_offered = offer (x);
  if (ok && !is_offered)
    ok = nda_py_exchange_run (x);
  nda_py_exchange_free (x, ok ? NULL : error);
  if (ok && !is_offered) {
    report (self);
    self->events->reloaded (self->owner, NULL);
  }
  return ok;
}

/* Waits for other reloads, and returns the configuration to open again (not
 * owned). NULL: the plugin was closed. */
static const NdaPyRunnerConfig *
begin_reload (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->is_reloading && self->state != STATE_UNLOADED)
    nda_py_host_wait_locked (self);
  if (self->state == STATE_UNLOADED)
    return NULL;
  self->is_reloading = TRUE;
  return self->config;
}

static void
end_reload (NdaPyHost * self, const NdaPyRunnerConfig * config)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->config == config)
    self->is_reloading = FALSE;
  nda_py_host_wake_locked (self);
}

/* Loads the plugin again. The caller does not hold the GIL. FALSE: there is no
 * plugin, or the old one stays; the owner was told why. */
gboolean
nda_py_host_reload (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;
  const NdaPyRunnerConfig *config;
  gboolean ok = FALSE;

  if (!nda_py_host_begin_use (self, NULL))
    return FALSE;
  config = begin_reload (self);
  if (config) {
    ok = load_and_exchange (self, config, &error);
    end_reload (self, config);
  }
  if (error)
    self->events->reloaded (self->owner, error);
  nda_py_host_end_use (self, NULL);
  return ok;
}
