/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An edited plugin, from any thread. It is loaded and told the parameters
 * beside the calls of the one before. Then the two are exchanged:
 *
 * - A processor is started first, so that no block is lost. It takes the place
 *   of the one before between two blocks, and that one is stopped.
 * - A source or sink may have a device that only one can open. The one before
 *   is stopped first. It is started again if the edited one does not start.
 *
 * A runner that starts on the block thread is exchanged by the block thread,
 * or by the thread that loaded it if no plugin runs. Every other runner is
 * exchanged by the thread that loaded it, which holds the block thread off as
 * briefly as it can. */

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndapyproblem.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

/* How long a block call may take to end before stop () is called beside it */
#define CALL_TIMEOUT (1 * G_TIME_SPAN_SECOND)

/* Two runners that change places. Belongs to the thread that exchanges them. */
typedef struct
{
  NdaPyHost *host;
  const NdaPyRunnerKind *kind;
  const NdaPyRunnerConfig *config;
  NdaPyRunner *before;          /* owned once it has lost its place */
  NdaPyRunner *next;            /* owned until it has got the place */
  guint n_told;                 /* changes of the last parameters it knows */
  gboolean is_block_thread;
  gboolean is_held;             /* the block thread cannot begin a call */

  gboolean is_running;          /* the one before */
  NdaPyFormat format;           /* that it was started with */
  gboolean is_started;          /* the next */
  gboolean is_stopped;          /* the host was, while the next started */
  NdaPyParameters *parameters;  /* owned; to be told */
  GError *error;                /* owned; why the one before stays */
} NdaPyExchange;

/* Runs @job where the plugins can be called. */
static gboolean
run (NdaPyExchange * x, NdaPyJob job)
{
  GError **error = x->error ? NULL : &x->error;

  if (!x->is_block_thread)
    return nda_py_runner_kind_run (x->kind, job, x, error);
  if (!nda_py_runner_kind_enter (x->kind))
    return x->kind->check (error);
  job (x);
  nda_py_runner_kind_leave (x->kind);
  return TRUE;
}

static gboolean
is_device (NdaPyExchange * x)
{
  return x->host->role != NDA_PY_ROLE_PROCESSOR;
}

/* --- the steps ---------------------------------------------------------- */

static void
nda_py_exchange_tell_job (gpointer data)
{
  NdaPyExchange *x = data;

  for (guint i = 0; i < x->parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (x->parameters, i);

    g_free (x->kind->set_parameter (x->next, p->key, p->value));
  }
}

/* Tells the next the parameters of the one before, if it does not know them. */
static gboolean
tell (NdaPyExchange * x)
{
  NdaPyLastParameters *last = x->host->last;
  gboolean ok;

  if (x->n_told == nda_py_last_parameters_get_n_changes (last))
    return TRUE;
  x->parameters = nda_py_last_parameters_copy (last, &x->n_told);
  ok = run (x, nda_py_exchange_tell_job);
  g_clear_pointer (&x->parameters, g_ptr_array_unref);
  return ok;
}

static void
nda_py_exchange_stop_before_job (gpointer data)
{
  NdaPyExchange *x = data;

  x->kind->stop (x->before);
}

static void
nda_py_exchange_stop_next_job (gpointer data)
{
  NdaPyExchange *x = data;

  x->kind->stop (x->next);
}

static void
nda_py_exchange_start_next_job (gpointer data)
{
  NdaPyExchange *x = data;
  NdaPyFormat format = x->format;

  if (!x->kind->start (x->next, &format, &x->error))
    return;
  x->is_started = nda_py_problem_check_format (x->config->path, &x->format,
      &format, &x->error);
  if (!x->is_started)
    x->kind->stop (x->next);
}

static void
nda_py_exchange_start_before_job (gpointer data)
{
  NdaPyExchange *x = data;
  NdaPyFormat format = x->format;

  x->kind->start (x->before, &format, NULL);
}

/* Keeps the block thread from beginning a call, and waits until it is in none;
 * not for ever, for stop () may be what ends the call. */
static void
hold (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (x->is_held)
    return;
  g_mutex_lock (&host->lock);
  while (host->is_held)
    g_cond_wait (&host->changed, &host->lock);
  host->is_held = x->is_held = TRUE;
  nda_py_host_wait_for_call_locked (host, NULL, CALL_TIMEOUT);
  g_mutex_unlock (&host->lock);
}

static void
let_go (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (x->is_block_thread || !x->is_held)
    return;
  g_mutex_lock (&host->lock);
  host->is_held = x->is_held = FALSE;
  g_cond_broadcast (&host->changed);
  g_mutex_unlock (&host->lock);
  nda_py_host_set_pending (host);       /* what came meanwhile */
}

/* Looks whether the one before runs, and with what. */
static void
look (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  x->is_running = host->state == STATE_RUNNING;
  x->format = host->format;
}

/* Whether the plugin was neither started nor stopped since x was looked at, nor
 * is about to be. The block thread itself may exchange it all the same. */
static gboolean
is_unchanged_locked (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (x->is_block_thread)
    return TRUE;
  if ((host->state == STATE_RUNNING) != x->is_running)
    return FALSE;
  return x->is_running ? nda_py_format_is_equal (&host->format, &x->format) :
      !host->called;
}

/* Puts the next in the place of the one before. */
static gboolean
swap (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  if (!is_unchanged_locked (x)) {
    g_set_error (&x->error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
        _("The plugin was started or stopped meanwhile"));
    return FALSE;
  }
  x->is_stopped = x->is_started && host->state != STATE_RUNNING;
  host->runner = x->next;
  if (x->is_block_thread)
    host->called = x->next;
  if (host->state == STATE_SPENT)
    host->state = STATE_INITIALIZED;
  return TRUE;
}

/* Starts the next if the one before runs, and puts it in that one's place. */
static gboolean
bring_in (NdaPyExchange * x)
{
  look (x);
  if (is_device (x) || !x->is_running) {
    hold (x);
    look (x);
  }
  if (!tell (x))
    return FALSE;
  if (x->is_running && is_device (x))
    run (x, nda_py_exchange_stop_before_job);
  if (x->is_running && !(run (x, nda_py_exchange_start_next_job)
          && x->is_started))
    return FALSE;
  hold (x);
  return tell (x) && swap (x);
}

/* Ends the one before, which a block call may still be in. Whoever stopped the
 * host has stopped it, and not the next. */
static void
retire_before (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (!x->is_block_thread) {
    g_mutex_lock (&host->lock);
    nda_py_host_wait_for_call_locked (host, x->before, CALL_TIMEOUT);
    g_mutex_unlock (&host->lock);
  }
  if (x->is_stopped)
    run (x, nda_py_exchange_stop_next_job);
  else if (x->is_running && !is_device (x))
    run (x, nda_py_exchange_stop_before_job);
  if (x->is_block_thread || nda_py_host_end_call_of (host, x->before))
    nda_py_runner_unref (x->before);
}

/* Ends the next, and lets the one before go on. */
static void
drop_next (NdaPyExchange * x)
{
  if (x->is_started)
    run (x, nda_py_exchange_stop_next_job);
  nda_py_runner_unref (x->next);
  if (x->is_running && is_device (x)) {
    look (x);
    if (x->is_running)
      run (x, nda_py_exchange_start_before_job);
  }
}

/* Lets the next take the place of the one before. When this fails, the one
 * before goes on. */
static gboolean
exchange (NdaPyExchange * x, GError ** error)
{
  NdaPyHost *host = x->host;
  gboolean ok;

  g_mutex_lock (&host->lock);
  x->before = host->runner;
  g_mutex_unlock (&host->lock);
  ok = bring_in (x);
  if (ok) {
    let_go (x);
    retire_before (x);
    g_clear_error (&x->error);
  } else {
    drop_next (x);
    let_go (x);
    g_propagate_error (error, x->error);
  }
  return ok;
}

/* Exchanges the plugin for the edited one that waits, if there is one still.
 * The block thread has claimed the plugin, and is outside. */
gboolean
nda_py_host_exchange (NdaPyHost * self, GError ** error)
{
  NdaPyExchange x = {.host = self,.kind = self->kind,.config = self->config,
    .is_block_thread = TRUE,.is_held = TRUE
  };

  g_mutex_lock (&self->lock);
  x.next = nda_py_host_take_next_locked (self);
  x.n_told = self->n_told;
  g_mutex_unlock (&self->lock);
  return !x.next || exchange (&x, error);
}

/* --- any thread --------------------------------------------------------- */

static void
nda_py_host_facts_job (gpointer data)
{
  NdaPySetJob *job = data;

  job->runner->kind->get_facts (job->runner, &job->facts);
}

/* Tells the owner that the plugin is another now. */
static void
report (NdaPyHost * self)
{
  NdaPySetJob job = { NULL };

  if (nda_py_host_begin_use (self, &job.runner)) {
    if (nda_py_runner_kind_run (job.runner->kind, nda_py_host_facts_job, &job,
            NULL))
      nda_py_host_report_facts (self, &job.facts);
    nda_py_host_end_use (self, job.runner);
  }
  self->events->reloaded (self->owner, NULL);
}

/* Leaves @x->next (transfer full) to the block thread, if the plugin runs or is
 * about to. FALSE: it does not, and is held. */
static gboolean
offer (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  while (host->is_held)
    g_cond_wait (&host->changed, &host->lock);
  if (!host->called && (host->state == STATE_INITIALIZED
          || host->state == STATE_SPENT)) {
    host->is_held = x->is_held = TRUE;
    return FALSE;
  }
  g_atomic_pointer_set (&host->next, x->next);
  host->n_told = x->n_told;
  return TRUE;
}

/* Drops a plugin that was loaded before and waits to be exchanged. FALSE: the
 * host was closed meanwhile, and may have opened another plugin. */
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
load (NdaPyExchange * x, GError ** error)
{
  x->next = x->kind->open (x->config, error);
  if (!x->next)
    return FALSE;
  if (tell (x) && drop_waiting (x->host, x->config))
    return TRUE;
  nda_py_runner_unref (x->next);
  if (x->error)
    g_propagate_error (error, x->error);
  return FALSE;
}

static gboolean
load_and_exchange (NdaPyHost * self, const NdaPyRunnerConfig * config,
    GError ** error)
{
  NdaPyExchange x = {.host = self,.kind = self->kind,.config = config };

  if (!load (&x, error))
    return FALSE;
  if (x.kind->starts_on_block_thread && offer (&x))
    return TRUE;
  if (!exchange (&x, error))
    return FALSE;
  report (self);
  return TRUE;
}

/* What is opened anew (not owned), once no other thread does it; NULL: nothing,
 * the plugin was closed. */
static const NdaPyRunnerConfig *
begin_reload (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->is_reloading && self->state != STATE_UNLOADED)
    g_cond_wait (&self->changed, &self->lock);
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
  g_cond_broadcast (&self->changed);
}

/* Loads the plugin anew. The caller does not hold the GIL. FALSE: there is
 * none, or it is the one before; the owner was told why. */
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
