/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block thread: starts the plugin and makes its block calls. */

#include <Python.h>

#include "config.h"

#include "ndapyhostpriv.h"

/* Takes the GIL. FALSE when the plugin is being stopped or Python is gone. */
static gboolean
begin_call (NdaPyHost * self)
{
  g_mutex_lock (&self->lock);
  while (G_UNLIKELY (self->is_setting && !self->is_stopping))
    g_cond_wait (&self->changed, &self->lock);
  self->is_calling = !self->is_stopping;
  if (!self->is_calling) {
    g_mutex_unlock (&self->lock);
    return FALSE;
  }
  g_mutex_unlock (&self->lock);

  if (G_LIKELY (nda_py_guest_enter (&self->guest)))
    return TRUE;
  g_mutex_lock (&self->lock);
  self->is_calling = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return FALSE;
}

/* Sets what was asked for during the call. Gives up the lock meanwhile. */
static void
set_pending_locked (NdaPyHost * self, NdaPyParameters * parameters)
{
  NdaPyParametersJob job = { self, parameters, NULL, {0} };

  g_mutex_unlock (&self->lock);
  if (nda_py_guest_enter (&self->guest)) {
    nda_py_host_parameters_job (&job);
    nda_py_guest_leave (&self->guest);
    nda_py_host_report_parameters (self, &job);
  }
  g_mutex_lock (&self->lock);
  self->n_unapplied -= parameters->len;
  g_ptr_array_unref (parameters);
}

/* Ends a call, out of Python, with the host in @state, in one step: a stopper
 * that sees the call ended must see how. */
static void
end_call (NdaPyHost * self, NdaPyHostState state)
{
  NdaPyParameters *parameters;

  g_mutex_lock (&self->lock);
  if (self->state != STATE_INITIALIZED) /* that it was stopped to meanwhile */
    self->state = state;
  while (G_UNLIKELY (state == STATE_RUNNING && !self->is_stopping
          && (parameters = nda_py_host_take_pending_locked (self))))
    set_pending_locked (self, parameters);
  self->is_calling = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* The state to come back to if the start cannot begin. */
static NdaPyHostState
enter_starting (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  NdaPyHostState before = self->state;

  self->state = STATE_STARTING;
  self->block_thread = g_thread_self ();
  self->python_thread = PyThread_get_thread_ident ();
  return before;
}

static gboolean
start_plugin (NdaPyHost * self, gboolean is_running, NdaPyFormat * format,
    NdaPyFacts * facts, GError ** error)
{
  if (is_running)
    nda_py_guest_stop (&self->guest);
  if (nda_py_guest_has_next (&self->guest))
    nda_py_guest_exchange (&self->guest, NULL, NULL);
  if (!nda_py_guest_start (&self->guest, format, error))
    return FALSE;
  self->format = *format;
  nda_py_guest_get_facts (&self->guest, facts);
  return TRUE;
}

static void
no_job (gpointer unused)
{
}

/* Configures and starts the plugin; one that runs is stopped before (5.7).
 * @format says how many channels a processor gets, and then what the plugin
 * takes. FALSE without @error set means that it is being stopped. */
gboolean
nda_py_host_start (NdaPyHost * self, NdaPyFormat * format, GError ** error)
{
  NdaPyFacts facts = { 0 };
  NdaPyHostState before;
  gboolean ok;

  /* where somebody keeps the GIL for good, this thread must not wait for it */
  if (!nda_py_guest_run (&self->guest, no_job, NULL, error))
    return FALSE;
  before = enter_starting (self);
  self->is_failing = FALSE;
  nda_py_guest_quicken_thread (&self->guest);
  if (!begin_call (self)) {
    nda_py_host_set_state (self, before);
    return FALSE;
  }
  ok = start_plugin (self, before == STATE_RUNNING, format, &facts, error);
  nda_py_guest_leave (&self->guest);

  nda_py_host_report_facts (self, &facts);
  end_call (self, ok ? STATE_RUNNING : STATE_SPENT);
  return ok;
}

/* Whether @result is one that the policy for failures is about: a source may
 * have nothing, and a sink be full. */
static gboolean
is_failure (NdaPyHost * self, NdaPyCallResult result)
{
  return result == NDA_PY_CALL_FAILED || result == NDA_PY_CALL_DEAD
      || (result == NDA_PY_CALL_REFUSED && self->role == NDA_PY_ROLE_PROCESSOR);
}

/* Takes the time only once a block: @now is when the last one ended. */
static void
run_block (NdaPyHost * self, NdaPyBlock * block, GstClockTime * now)
{
  GstClockTime begin = *now;

  block->result = nda_py_guest_call (&self->guest,
      self->role == NDA_PY_ROLE_SOURCE ? NULL : &block->in,
      self->role == NDA_PY_ROLE_SINK ? NULL : &block->out, block->n_frames,
      block->is_gated);
  *now = gst_util_get_timestamp ();
  block->call_time = *now - begin;
  block->ok = block->result == NDA_PY_CALL_OK;
  block->failure = NULL;
  if (G_LIKELY (block->ok)) {
    self->is_failing = FALSE;
  } else if (is_failure (self, block->result)) {
    g_autofree gchar *failure = nda_py_guest_take_error (&self->guest);

    if (!self->is_failing)
      block->failure = g_steal_pointer (&failure);
    self->is_failing = TRUE;
  }
}

static gboolean
is_stopping (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->is_stopping;
}

/* Lets an edited plugin take the place of the one before, between two blocks. */
static void
exchange (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyFacts facts = { 0 };

  if (!begin_call (self))
    return;
  g_atomic_int_set (&self->has_next, FALSE);
  if (nda_py_guest_has_next (&self->guest))     /* else a start has come first */
    nda_py_guest_exchange (&self->guest, &self->format, &error);
  nda_py_guest_get_facts (&self->guest, &facts);
  nda_py_guest_leave (&self->guest);
  end_call (self, STATE_RUNNING);
  nda_py_host_report_facts (self, &facts);
  self->events->reloaded (self->owner, error);
}

/* Runs @blocks through the plugin under one acquisition of the GIL, whose
 * length goes to @gil_wait. Returns how many were run: fewer when one failed and
 * @stop_at_failure or the plugin is being stopped, which may be why it failed;
 * none when it was being stopped before. */
guint
nda_py_host_process (NdaPyHost * self, NdaPyBlock ** blocks, guint n_blocks,
    gboolean stop_at_failure, GstClockTime * gil_wait)
{
  GstClockTime begin, now;
  guint n_run = 0;

  if (G_UNLIKELY (g_atomic_int_get (&self->has_next)))
    exchange (self);
  begin = gst_util_get_timestamp ();
  if (!begin_call (self))
    return 0;
  now = gst_util_get_timestamp ();
  *gil_wait = now - begin;

  while (n_run < n_blocks) {
    run_block (self, blocks[n_run], &now);
    if (G_UNLIKELY (!blocks[n_run++]->ok)
        && (stop_at_failure || is_stopping (self)))
      break;
  }
  nda_py_guest_leave (&self->guest);
  end_call (self, STATE_RUNNING);
  return n_run;
}

/* Lets Python's garbage collector run, between blocks. */
void
nda_py_host_collect (NdaPyHost * self)
{
  if (!begin_call (self))
    return;
  nda_py_guest_collect (&self->guest);
  nda_py_guest_leave (&self->guest);
  end_call (self, STATE_RUNNING);
}
