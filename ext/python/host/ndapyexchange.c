/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two plugins change places:
 *
 * - A processor is started first, so that no block is lost. It takes the place
 *   of the one before between two blocks, and that one is stopped. It may take
 *   another rate, other frames and channels: the block thread accepts them
 *   before it makes a call (nda_py_host_accept_exchange ()).
 * - A source or sink may have a device that only one can open. The one before
 *   is stopped first. It is started again if the edited one does not start.
 *
 * If a call does not return, the exchange is given up. The call then keeps the
 * exchange and both runners. */

#include "config.h"

#include "ndapyexchange.h"

#include "ndapyproblem.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

/* How long to wait for a block call to end before stop () is called during
 * it */
#define CALL_TIMEOUT (1 * G_TIME_SPAN_SECOND)

NdaPyExchange *
nda_py_exchange_new (NdaPyHost * host, const NdaPyRunnerConfig * config)
{
  NdaPyExchange *x = g_new0 (NdaPyExchange, 1);

  x->host = host;
  x->kind = host->kind;
  x->config = config;
  return x;
}

/* Runs @job on a new thread. */
static gboolean
run_apart (NdaPyExchange * x, NdaPyJob job)
{
  const NdaPyPatience patience = { x->config->path, x->config->timeout,
    x->config->is_closing
  };
  GError *late = NULL;

  if (nda_py_runner_kind_run (x->kind, job, x, &patience, &late))
    return TRUE;
  x->is_given_up = TRUE;
  if (x->late)
    g_error_free (late);
  else
    x->late = late;
  return FALSE;
}

/* Runs @job in a place where the plugins can be called. */
static gboolean
run (NdaPyExchange * x, NdaPyJob job)
{
  if (x->is_given_up)
    return FALSE;
  if (!x->is_block_thread)
    return run_apart (x, job);
  if (!nda_py_runner_kind_enter (x->kind))
    return x->kind->check (x->error ? NULL : &x->error);
  job (x);
  nda_py_runner_kind_leave (x->kind);
  return TRUE;
}

/* Frees the exchange. @error says why the old plugin stays, if it stays. */
void
nda_py_exchange_free (NdaPyExchange * x, GError ** error)
{
  if (x->is_given_up) {
    if (!error)
      nda_py_host_give_up (x->host, x->late);
    g_propagate_error (error, x->late);
    return;
  }
  if (x->error)
    g_propagate_error (error, x->error);
  g_free (x);
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
  if (x->is_started)
    x->kind->get_facts (x->next, &x->next_facts);
}

/* Sets the parameters of the old plugin in the next one, if it does not have
 * them. */
gboolean
nda_py_exchange_tell (NdaPyExchange * x)
{
  NdaPyLastParameters *last = x->host->last;
  gboolean ok;

  if (x->n_told == nda_py_last_parameters_get_n_changes (last))
    return TRUE;
  x->parameters = nda_py_last_parameters_copy (last, &x->n_told);
  ok = run (x, nda_py_exchange_tell_job);
  if (ok)
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

/* Whether the next plugin can go on with the sound. A source or sink must keep
 * its format. A processor's sound can be converted to any format that fits. */
static gboolean
check_next (NdaPyExchange * x)
{
  if (is_device (x))
    return nda_py_problem_check_format (x->config->path, &x->format,
        &x->next_format, &x->error);
  return nda_py_problem_check_fit (x->stream.n_channels, &x->next_format,
      &x->error);
}

static void
nda_py_exchange_start_next_job (gpointer data)
{
  NdaPyExchange *x = data;

  x->next_format = x->stream;
  if (!x->kind->start (x->next, &x->next_format, &x->error))
    return;
  x->is_started = check_next (x);
  if (x->is_started)
    x->kind->get_facts (x->next, &x->next_facts);
  else
    x->kind->stop (x->next);
}

static void
nda_py_exchange_start_before_job (gpointer data)
{
  NdaPyExchange *x = data;
  NdaPyFormat format = x->stream;

  x->kind->start (x->before, &format, NULL);
}

/* Prevents the block thread from beginning a call, and waits until it is in no
 * call. The wait has a limit, since stop () may have to end the call. */
static void
hold (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (x->is_held)
    return;
  g_mutex_lock (&host->lock);
  while (host->is_held)
    nda_py_host_wait_locked (host);
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
  nda_py_host_wake_locked (host);
  g_mutex_unlock (&host->lock);
  nda_py_host_set_pending (host);       /* set meanwhile */
}

/* Reads whether the old plugin runs, and with which format. */
static void
look (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  x->is_running = host->state == STATE_RUNNING;
  x->stream = host->stream;
  x->format = host->format;
}

/* Whether the plugin was neither started nor stopped since @x was read, nor is
 * about to be. The block thread itself may exchange it in any case. */
static gboolean
is_unchanged_locked (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  if (x->is_block_thread)
    return TRUE;
  if (host->runner != x->before)
    return FALSE;
  if ((host->state == STATE_RUNNING) != x->is_running)
    return FALSE;
  if (!x->is_running)
    return !host->called;
  return nda_py_format_is_equal (&host->format, &x->format)
      && nda_py_format_is_equal (&host->stream, &x->stream);
}

/* What the next says of itself is the host's from the first call on. */
static void
take_format_locked (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;

  host->format = x->next_format;
  host->facts = x->next_facts;
  if (!is_device (x))
    host->n_exchanges++;
}

/* Puts the next plugin in the place of the old one. */
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
  if (x->is_started)
    take_format_locked (x);
  nda_py_runner_unref (x->before);      /* the host's; there is x's */
  if (x->is_block_thread)
    host->called = x->next;
  if (host->state == STATE_SPENT)
    host->state = STATE_INITIALIZED;
  return TRUE;
}

/* Starts the next plugin if the old one runs, and puts it in its place. */
static gboolean
bring_in (NdaPyExchange * x)
{
  look (x);
  if (is_device (x) || !x->is_running) {
    hold (x);
    look (x);
  }
  if (!nda_py_exchange_tell (x))
    return FALSE;
  if (x->is_running && is_device (x))
    run (x, nda_py_exchange_stop_before_job);
  if (x->is_running && !(run (x, nda_py_exchange_start_next_job)
          && x->is_started))
    return FALSE;
  hold (x);
  return nda_py_exchange_tell (x) && swap (x);
}

/* Ends the old plugin, which a block call may still use. If the host was
 * stopped, only the old plugin was stopped with it, and not the next. */
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
  if (!x->is_given_up && (x->is_block_thread
          || nda_py_host_end_call_of (host, x->before)))
    nda_py_runner_unref (x->before);
}

/* Ends the next plugin, and lets the old one go on. */
static void
drop_next (NdaPyExchange * x)
{
  if (x->is_given_up)
    return;
  if (x->is_started)
    run (x, nda_py_exchange_stop_next_job);
  nda_py_runner_unref (x->next);
  if (x->is_running && is_device (x)) {
    look (x);
    if (x->is_running)
      run (x, nda_py_exchange_start_before_job);
  }
  if (!x->is_given_up)
    nda_py_runner_unref (x->before);
}

/* Takes a reference to the old plugin, if it is still the host's; it may have
 * been closed. */
static gboolean
take_before (NdaPyExchange * x)
{
  NdaPyHost *host = x->host;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->lock);

  if (host->config != x->config || !host->runner)
    return FALSE;
  x->before = nda_py_runner_ref (host->runner);
  return TRUE;
}

/* Puts the next plugin in the place of the old one. If this fails, the old one
 * goes on. */
gboolean
nda_py_exchange_run (NdaPyExchange * x)
{
  gboolean ok;

  if (!take_before (x)) {
    nda_py_runner_unref (x->next);
    let_go (x);
    return FALSE;
  }
  ok = bring_in (x);
  if (ok) {
    let_go (x);
    retire_before (x);
    g_clear_error (&x->error);
  } else {
    drop_next (x);
    let_go (x);
  }
  return ok;
}

/* Exchanges the plugin for the edited one that waits, if it still waits. The
 * block thread has claimed the plugin, and does not hold the GIL. */
gboolean
nda_py_host_exchange (NdaPyHost * self, GError ** error)
{
  NdaPyExchange *x = nda_py_exchange_new (self, self->config);
  gboolean ok;

  x->is_block_thread = x->is_held = TRUE;
  g_mutex_lock (&self->lock);
  x->next = nda_py_host_take_next_locked (self);
  x->n_told = self->n_told;
  g_mutex_unlock (&self->lock);
  ok = !x->next || nda_py_exchange_run (x);
  nda_py_exchange_free (x, error);
  return ok;
}
