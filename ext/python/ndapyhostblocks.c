/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block thread: starts the plugin and makes its block calls. */

#include <Python.h>

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndapython.h"

/* The block thread is out of Python; @n_applied parameters were set. */
static void
end_call_and_unlock (NdaPyHost * self, guint n_applied)
{
  self->is_calling = FALSE;
  self->n_unapplied -= n_applied;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Takes the GIL and, with @parameters, those that wait. FALSE when the plugin
 * is being stopped or Python is gone. */
static gboolean
begin_call (NdaPyHost * self, GPtrArray ** parameters)
{
  g_mutex_lock (&self->lock);
  if (self->is_stopping) {
    g_mutex_unlock (&self->lock);
    return FALSE;
  }
  self->is_calling = TRUE;
  if (G_UNLIKELY (parameters && self->pending->len)) {
    *parameters = self->pending;
    self->pending = nda_py_parameters_new ();
  }
  g_mutex_unlock (&self->lock);

  if (G_LIKELY (nda_python_enter ()))
    return TRUE;
  g_mutex_lock (&self->lock);
  end_call_and_unlock (self, 0);
  return FALSE;
}

static void
end_call (NdaPyHost * self, guint n_applied)
{
  nda_python_leave ();
  g_mutex_lock (&self->lock);
  end_call_and_unlock (self, n_applied);
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
configure_and_start (NdaPyHost * self, gboolean is_running, guint n_channels,
    GError ** error)
{
  if (is_running)
    nda_py_plugin_stop (self->plugin);
  return nda_py_plugin_configure (self->plugin, n_channels, error)
      && nda_py_plugin_start (self->plugin, error);
}

static void
no_job (gpointer unused)
{
}

/* Configures and starts the plugin; one that runs is stopped before (5.7).
 * FALSE without @error set means that it is being stopped. */
gboolean
nda_py_host_start (NdaPyHost * self, guint n_channels, GError ** error)
{
  GstClockTime latency = 0;
  NdaPyHostState before;
  gboolean ok;

  /* where somebody keeps the GIL for good, this thread must not wait for it */
  if (!nda_python_run (no_job, NULL, error))
    return FALSE;
  before = enter_starting (self);
  self->is_failing = FALSE;
  nda_python_quicken_thread ();
  if (!begin_call (self, NULL)) {
    nda_py_host_set_state (self, before);
    return FALSE;
  }
  ok = configure_and_start (self, before == STATE_RUNNING, n_channels, error);
  if (ok)
    latency = nda_py_plugin_get_latency (self->plugin);
  nda_python_leave ();

  /* in one step: a stopper that sees the call ended must see how */
  g_mutex_lock (&self->lock);
  self->state = ok ? STATE_RUNNING : STATE_SPENT;
  end_call_and_unlock (self, 0);

  nda_py_host_report_parameters (self, g_ptr_array_new (), latency);
  return ok;
}

/* Takes the time only once a block: @now is when the last one ended. */
static void
run_block (NdaPyHost * self, NdaPyBlock * block, GstClockTime * now)
{
  GstClockTime begin = *now;

  block->ok = nda_py_plugin_process (self->plugin, &block->in, &block->out,
      block->n_frames);
  *now = gst_util_get_timestamp ();
  block->call_time = *now - begin;
  block->failure = NULL;
  if (G_UNLIKELY (!block->ok)) {
    g_autofree gchar *failure = nda_py_plugin_take_error (self->plugin);

    if (!self->is_failing)
      block->failure = g_steal_pointer (&failure);
  }
  self->is_failing = !block->ok;
}

/* Runs @blocks through the plugin under one acquisition of the GIL, whose
 * length goes to @gil_wait, after setting what parameters wait. Returns how
 * many were run: fewer when one failed and @stop_at_failure, none when the
 * plugin is being stopped. */
guint
nda_py_host_process (NdaPyHost * self, NdaPyBlock ** blocks, guint n_blocks,
    gboolean stop_at_failure, GstClockTime * gil_wait)
{
  GstClockTime begin = gst_util_get_timestamp (), now, latency = 0;
  GPtrArray *parameters = NULL, *problems = NULL;
  guint n_run = 0;

  if (!begin_call (self, &parameters))
    return 0;
  now = gst_util_get_timestamp ();
  *gil_wait = now - begin;

  if (G_UNLIKELY (parameters != NULL)) {
    problems = nda_py_host_apply_parameters (self, parameters);
    latency = nda_py_plugin_get_latency (self->plugin);
    now = gst_util_get_timestamp ();
  }
  while (n_run < n_blocks) {
    run_block (self, blocks[n_run], &now);
    if (!blocks[n_run++]->ok && stop_at_failure)
      break;
  }
  end_call (self, parameters ? parameters->len : 0);

  if (G_UNLIKELY (parameters != NULL)) {
    g_ptr_array_unref (parameters);
    nda_py_host_report_parameters (self, problems, latency);
  }
  return n_run;
}

/* Lets Python's garbage collector run, between blocks. */
void
nda_py_host_collect (NdaPyHost * self)
{
  if (!begin_call (self, NULL))
    return;
  nda_py_plugin_collect_garbage ();
  end_call (self, 0);
}
