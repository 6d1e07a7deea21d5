/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. State-change threads open, stop and close, one at a time; the
 * element ensures that. The block thread starts the plugin and makes its block
 * calls. Any thread may set or get a parameter, and reload the plugin.
 *
 * LOCKS. host->lock guards the fields marked [host lock]. It is never held
 * together with the GIL, and no callback is called under it.
 *
 * HAND-OVER. `called` is the runner that the block thread calls; the block
 * thread sets it before the first call and clears it after the last one. A
 * thread that sets `is_held` prevents the block thread from setting `called`.
 * Every other thread that uses the plugin holds a reference, and `n_users`
 * keeps the plugin from being closed.
 *
 * Parameters set during a block call wait in `pending`, and the block thread
 * sets them when the call ends. Between two calls, the thread that sets a
 * parameter holds the block thread off. It sets all pending parameters, its own
 * and those that others add meanwhile.
 *
 * An edited plugin is loaded while the old one makes its calls. Then the two
 * are exchanged: by the block thread, which finds `next`, or by the thread that
 * loaded the edited plugin, which holds the block thread off
 * (ndapyhostreload.c).
 *
 * STOP. The stopping thread sets `is_stopping`, so that no call begins, and
 * waits a short time for the call that runs. Then it calls the plugin's stop ()
 * during that call, which is how some plugins are unblocked (9.2). If the call
 * still runs after that, it gets a SystemExit, which ends any loop in Python.
 * If the call survives that too, it is stuck in C: a separate process is
 * killed. A thread cannot be killed: it is abandoned, and the stop fails. */

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndapylog.h"

#define STOP_GRACE (60 * G_TIME_SPAN_MILLISECOND)
#define START_TIMEOUT (5 * G_TIME_SPAN_SECOND)
#define STOP_TIMEOUT (2 * G_TIME_SPAN_SECOND)

NdaPyHost *
nda_py_host_new (NdaPyRole role, const NdaPyHostEvents * events, gpointer owner)
{
  NdaPyHost *self = g_new0 (NdaPyHost, 1);

  self->role = role;
  self->events = events;
  self->owner = owner;
  self->expected_latency = NDA_PY_HOST_ANY_LATENCY;
  self->last = nda_py_last_parameters_new ();
  self->pending = nda_py_parameters_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

/* Frees a host that is closed. */
void
nda_py_host_free (NdaPyHost * self)
{
  g_ptr_array_unref (self->pending);
  nda_py_last_parameters_free (self->last);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* --- opening and closing ------------------------------------------------ */

static void
nda_py_host_restarted (gpointer owner)
{
  NdaPyHost *self = owner;

  self->events->restarted (self->owner);
}

static void
nda_py_host_stood_by (gpointer owner)
{
  NdaPyHost *self = owner;

  self->events->stood_by (self->owner);
}

static void
nda_py_host_warn (gpointer owner, const gchar * text)
{
  NdaPyHost *self = owner;

  self->events->warn (self->owner, text);
}

static void
nda_py_host_refused (gpointer owner, const gchar * text)
{
  NdaPyHost *self = owner;

  self->events->refused (self->owner, text);
}

static NdaPyRunnerConfig *
make_config (NdaPyHost * self, const NdaPyRunnerConfig * asked)
{
  NdaPyRunnerConfig *config = nda_py_runner_config_copy (asked);

  config->is_closing = &self->is_closing;
  config->role = self->role;
  config->last = self->last;
  config->restarted = nda_py_host_restarted;
  config->stood_by = nda_py_host_stood_by;
  config->warn = nda_py_host_warn;
  config->refused = nda_py_host_refused;
  config->owner = self;
  return config;
}

/* Loads a plugin of @kind, initialises it and sets its parameters. */
gboolean
nda_py_host_open (NdaPyHost * self, const NdaPyRunnerKind * kind,
    const NdaPyRunnerConfig * config, NdaPyParameters * parameters,
    GError ** error)
{
  NdaPyRunnerConfig *own = make_config (self, config);
  NdaPyRunner *runner;

  nda_py_last_parameters_clear (self->last);
  runner = kind->open (own, error);
  if (!runner || !nda_py_host_set_now (self, runner, parameters, error)) {
    g_clear_pointer (&runner, nda_py_runner_unref);
    nda_py_runner_config_free (own);
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  self->kind = kind;
  self->config = own;
  self->runner = runner;
  self->state = STATE_INITIALIZED;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Lets calls begin again after a stop. */
void
nda_py_host_arm (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_stopping = FALSE;
}

/* Whether the plugin must be loaded again before it can start (4.3). */
gboolean
nda_py_host_is_spent (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state == STATE_SPENT;
}

/* Takes the edited plugin that waits for the block thread (transfer full); or
 * NULL. */
NdaPyRunner *
nda_py_host_take_next_locked (NdaPyHost * self)
{
  NdaPyRunner *next = self->next;

  g_atomic_pointer_set (&self->next, NULL);
  return next;
}

/* Waits until no other thread uses the plugin. FALSE at the timeout. */
static gboolean
wait_for_users_locked (NdaPyHost * self)
{
  gint64 deadline = g_get_monotonic_time () + STOP_TIMEOUT;

  while (self->n_users)
    if (!nda_py_host_wait_until_locked (self, deadline))
      return FALSE;
  return TRUE;
}

/* Waits until no other thread uses the plugin. A call that takes longer than
 * the timeout is given up. FALSE: a thread still uses it. */
static gboolean
end_users_locked (NdaPyHost * self)
{
  gboolean is_free = wait_for_users_locked (self);

  if (is_free)
    return TRUE;
  g_atomic_int_set (&self->is_closing, TRUE);
  is_free = wait_for_users_locked (self);
  g_atomic_int_set (&self->is_closing, FALSE);
  return is_free;
}

/* Ends the plugin, if this is its last reference. */
static void
drop (NdaPyHost * self, NdaPyRunner * runner)
{
  g_autoptr (GError) error = NULL;

  if (runner && !nda_py_runner_unref_or_tell (runner, &error))
    nda_py_host_give_up (self, error);
}

/* Shuts the plugin down, if there is one. It must have been stopped. If another
 * thread is in a call that does not return, that thread keeps the plugin and
 * all that the call uses, and shuts the plugin down when it comes back. */
void
nda_py_host_close (NdaPyHost * self)
{
  NdaPyRunner *runner, *next;
  NdaPyRunnerConfig *config;
  gboolean is_free;

  g_mutex_lock (&self->lock);
  self->state = STATE_UNLOADED;
  self->facts = (NdaPyFacts) {
  0};
  self->held = 0;
  self->stream = self->format = (NdaPyFormat) {
  0};
  self->n_unapplied -= self->pending->len;
  g_ptr_array_set_size (self->pending, 0);
  is_free = end_users_locked (self);
  runner = g_steal_pointer (&self->runner);
  next = nda_py_host_take_next_locked (self);
  config = g_steal_pointer (&self->config);
  self->is_reloading = FALSE;
  g_mutex_unlock (&self->lock);

  drop (self, next);
  drop (self, runner);
  if (is_free && config)
    nda_py_runner_config_free (config);
  else if (!is_free)
    GST_WARNING ("A call of a plugin does not return; it is left behind");
}

/* --- stopping ----------------------------------------------------------- */

/* Waits until the block thread is not in @runner. If @runner is NULL, waits
 * until it is in no call. FALSE at the timeout. */
gboolean
nda_py_host_wait_for_call_locked (NdaPyHost * self, NdaPyRunner * runner,
    gint64 timeout)
{
  gint64 deadline = g_get_monotonic_time () + timeout;

  while (self->called && (!runner || self->called == runner))
    if (!nda_py_host_wait_until_locked (self, deadline))
      return !self->called || (runner && self->called != runner);
  return TRUE;
}

static gboolean
wait_for_call (NdaPyHost * self, NdaPyRunner * runner, gint64 timeout)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return nda_py_host_wait_for_call_locked (self, runner, timeout);
}

static void
nda_py_host_stop_job (gpointer data)
{
  NdaPyRunner *runner = data;

  runner->kind->stop (runner);
}

/* Returns the runner that the block thread is in (transfer full), if it is
 * @runner or @runner is NULL. */
static NdaPyRunner *
get_called (NdaPyHost * self, NdaPyRunner * runner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->called || (runner && self->called != runner))
    return NULL;
  return nda_py_runner_ref (self->called);
}

/* Ends a call in @called that stop () did not end. */
static gboolean
interrupt_call (NdaPyHost * self, NdaPyRunner * called)
{
  const NdaPyRunnerKind *kind = called->kind;

  if (kind->check && !kind->check (NULL))
    return FALSE;
  GST_WARNING ("A plugin's call does not return; it is interrupted");
  kind->interrupt (called);
  if (!wait_for_call (self, called, STOP_TIMEOUT)) {
    if (kind->kill)
      kind->kill (called);
    return wait_for_call (self, called, STOP_TIMEOUT);
  }
  if (kind->forget_interrupt)
    kind->forget_interrupt (called);
  return TRUE;
}

/* Waits for a call in @runner to return, and ends a call that does not. If
 * @runner is NULL, the call may be in any runner. stop () was called before.
 * FALSE: the call cannot be ended. */
gboolean
nda_py_host_end_call_of (NdaPyHost * self, NdaPyRunner * runner)
{
  NdaPyRunner *called;
  gboolean ok;

  if (wait_for_call (self, runner, STOP_TIMEOUT))
    return TRUE;
  called = get_called (self, runner);
  if (!called)
    return TRUE;
  ok = interrupt_call (self, called);
  nda_py_runner_unref (called);
  return ok;
}

/* Changes the state from running to initialised. Returns the plugin (transfer
 * full). @was_running tells whether it ran. */
static NdaPyRunner *
begin_stop (NdaPyHost * self, gboolean * was_running)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_stopping = TRUE;
  nda_py_host_wake_locked (self);
  nda_py_host_wait_for_call_locked (self, NULL,
      self->state == STATE_STARTING ? START_TIMEOUT : STOP_GRACE);
  *was_running = self->state == STATE_RUNNING;
  if (*was_running)
    self->state = STATE_INITIALIZED;
  return self->runner ? nda_py_runner_ref (self->runner) : NULL;
}

/* Calls stop (). If stop () does not return, its job keeps the plugin, which
 * cannot be used any more. */
static void
call_stop (NdaPyHost * self, NdaPyRunner * runner)
{
  g_autoptr (GError) error = NULL;

  nda_py_runner_ref (runner);
  if (nda_py_runner_run (runner, nda_py_host_stop_job, runner, &error)) {
    nda_py_runner_unref (runner);
    return;
  }
  g_mutex_lock (&self->lock);
  self->state = STATE_SPENT;
  g_mutex_unlock (&self->lock);
  nda_py_host_give_up (self, error);
}

/* Stops the plugin, from another thread than the block thread, which may be in
 * a call. FALSE: that call cannot be ended. */
gboolean
nda_py_host_stop (NdaPyHost * self)
{
  gboolean was_running, ok;
  NdaPyRunner *runner = begin_stop (self, &was_running);

  if (!runner)
    return TRUE;
  if (was_running)
    call_stop (self, runner);
  nda_py_runner_unref (runner);
  ok = nda_py_host_end_call_of (self, NULL);
  if (ok && was_running && !nda_py_host_is_spent (self))
    nda_py_host_set_pending (self);     /* set during */
  return ok;
}
