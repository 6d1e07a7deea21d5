/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. State-change threads open, stop and close, one at a time; the
 * element sees to that. The block thread starts the plugin and makes its block
 * calls. Anybody may set or get a parameter.
 *
 * LOCKS. host->lock guards what is marked [host lock]. It is never held
 * together with the GIL, and nothing is called back under it.
 *
 * HAND-OVER. Parameters set during a block call wait in `pending`, and the
 * block thread sets them at its end. Between two calls whoever sets one does it
 * at once, and with it what others want set meanwhile; `is_setting` then makes
 * the next block call wait.
 *
 * An edited plugin is loaded beside the calls of the one before. The block thread
 * finds `has_next` and starts it before its next call; at rest whoever loaded it
 * exchanges the two, with `is_setting` set.
 *
 * STOP. The stopper sets `is_stopping`, so that no call begins, and waits a
 * grace for the one that runs. Then it calls the plugin's stop () beside it,
 * which is how some plugins are unblocked (9.2). What still runs after that is
 * sent a SystemExit, which ends any loop in Python. What survives that too is
 * stuck in C: a process of its own is killed; a thread is left behind, and the
 * stop fails. */

#include <Python.h>

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndapylog.h"

#include <string.h>

#define STOP_GRACE (60 * G_TIME_SPAN_MILLISECOND)
#define START_TIMEOUT (5 * G_TIME_SPAN_SECOND)
#define STOP_TIMEOUT (2 * G_TIME_SPAN_SECOND)
#define SETTLE_TIMEOUT (1 * G_TIME_SPAN_SECOND)

NdaPyHost *
nda_py_host_new (NdaPyRole role, const NdaPyHostEvents * events, gpointer owner)
{
  NdaPyHost *self = g_new0 (NdaPyHost, 1);

  self->role = role;
  self->events = events;
  self->owner = owner;
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
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static NdaPyHostState
get_state (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state;
}

void
nda_py_host_set_state (NdaPyHost * self, NdaPyHostState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
}

/* --- parameters --------------------------------------------------------- */

/* Called with the GIL held. */
void
nda_py_host_parameters_job (gpointer data)
{
  NdaPyParametersJob *job = data;
  NdaPyGuest *guest = &job->host->guest;

  job->problems = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < job->parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (job->parameters, i);
    g_autofree gchar *problem =
        nda_py_guest_set_parameter (guest, p->key, p->value);

    if (problem) {
      problem[strcspn (problem, "\n")] = '\0';
      g_ptr_array_add (job->problems,
          g_strdup_printf ("%s: %s", p->key, problem));
    }
  }
  nda_py_guest_get_facts (guest, &job->facts);
}

/* Keeps what the plugin says of itself, and tells the owner. */
void
nda_py_host_report_facts (NdaPyHost * self, const NdaPyFacts * facts)
{
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = self->facts.latency != facts->latency;
  self->facts = *facts;
  g_mutex_unlock (&self->lock);
  if (changed)
    self->events->latency_changed (self->owner);
}

/* Tells the owner what came of parameters. */
void
nda_py_host_report_parameters (NdaPyHost * self, NdaPyParametersJob * job)
{
  for (guint i = 0; i < job->problems->len; i++)
    self->events->warn (self->owner, g_ptr_array_index (job->problems, i));
  g_ptr_array_unref (job->problems);
  nda_py_host_report_facts (self, &job->facts);
}

/* Sets @parameters on a thread that is not in a block call. */
static gboolean
set_parameters_now (NdaPyHost * self, const NdaPyParameters * parameters,
    GError ** error)
{
  NdaPyParametersJob job = { self, parameters, NULL, {0} };

  if (!nda_py_guest_run (&self->guest, nda_py_host_parameters_job, &job, error))
    return FALSE;
  nda_py_host_report_parameters (self, &job);
  return TRUE;
}

/* What waits to be set (transfer full); NULL: nothing. */
NdaPyParameters *
nda_py_host_take_pending_locked (NdaPyHost * self)
{
  NdaPyParameters *taken = self->pending;

  if (!taken->len)
    return NULL;
  self->pending = nda_py_parameters_new ();
  return taken;
}

/* Keeps the plugin from being shut down. FALSE: there is none. */
gboolean
nda_py_host_begin_use (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->state == STATE_UNLOADED)
    return FALSE;
  self->n_users++;
  return TRUE;
}

void
nda_py_host_end_use (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_users--;
  g_cond_broadcast (&self->changed);
}

static gboolean
is_open_locked (NdaPyHost * self)
{
  return self->state != STATE_UNLOADED && self->state != STATE_SPENT;
}

/* Sets what waits, where nobody else does. The block thread waits meanwhile,
 * and sets it itself when it is in a call. */
static gboolean
set_pending (NdaPyHost * self)
{
  NdaPyParameters *parameters;
  gboolean ok = TRUE;

  g_mutex_lock (&self->lock);
  if (self->is_calling || self->is_setting) {
    g_mutex_unlock (&self->lock);
    return TRUE;
  }
  self->is_setting = TRUE;
  while ((parameters = nda_py_host_take_pending_locked (self))) {
    g_mutex_unlock (&self->lock);
    ok = set_parameters_now (self, parameters, NULL);
    g_mutex_lock (&self->lock);
    self->n_unapplied -= parameters->len;
    g_ptr_array_unref (parameters);
  }
  self->is_setting = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Sets a parameter: at once, or at the end of the block call that is being
 * made. FALSE without a plugin. The caller does not hold the GIL. */
gboolean
nda_py_host_set_parameter (NdaPyHost * self, const gchar * key,
    const gchar * value)
{
  gboolean ok;

  if (!nda_py_host_begin_use (self))
    return FALSE;
  g_mutex_lock (&self->lock);
  ok = is_open_locked (self);
  if (ok) {
    g_ptr_array_add (self->pending, nda_py_parameter_new (key, value));
    self->n_unapplied++;
  }
  g_mutex_unlock (&self->lock);
  ok = ok && set_pending (self);
  nda_py_host_end_use (self);
  return ok;
}

typedef struct
{
  NdaPyHost *host;
  const gchar *key;
  gchar *value;
} GetJob;

static void
get_job (gpointer data)
{
  GetJob *job = data;

  job->value = nda_py_guest_get_parameter (&job->host->guest, job->key);
}

/* Waits until what was set before has reached the plugin. */
static void
wait_for_parameters (NdaPyHost * self)
{
  gint64 deadline = g_get_monotonic_time () + SETTLE_TIMEOUT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->block_thread == g_thread_self ())
    return;
  while (self->n_unapplied)
    if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
      return;
}

/* What the plugin says of @key (transfer full), "" without a plugin. The
 * caller does not hold the GIL. */
gchar *
nda_py_host_get_parameter (NdaPyHost * self, const gchar * key)
{
  GetJob job = { self, key, NULL };

  wait_for_parameters (self);
  if (nda_py_host_begin_use (self)) {
    nda_py_guest_run (&self->guest, get_job, &job, NULL);
    nda_py_host_end_use (self);
  }
  return job.value ? job.value : g_strdup ("");
}

/* The latency that the plugin reported last. */
GstClockTime
nda_py_host_get_latency (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->facts.latency;
}

/* The channels that the plugin, a source or sink, reported last, or 0. */
guint
nda_py_host_get_n_channels (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->facts.n_channels;
}

/* --- opening and closing ------------------------------------------------ */

static void
on_restarted (gpointer owner)
{
  NdaPyHost *self = owner;

  self->events->restarted (self->owner);
}

/* Loads a plugin, initialises it and sets its parameters. */
gboolean
nda_py_host_open (NdaPyHost * self, const NdaPyHostConfig * config,
    const NdaPyParameters * parameters, GError ** error)
{
  const NdaPyRemoteConfig opened = {
    config->path, config->python, self->role, config->deadline,
    config->memory_limit, config->restart, on_restarted, self
  };

  self->guest.isolation = config->isolation;
  if (!nda_py_guest_open (&self->guest, &opened, error))
    return FALSE;
  if (!set_parameters_now (self, parameters, error)) {
    nda_py_guest_close (&self->guest);
    return FALSE;
  }
  nda_py_host_set_state (self, STATE_INITIALIZED);
  return TRUE;
}

/* Lets calls begin again after a stop. */
void
nda_py_host_arm (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_stopping = FALSE;
}

/* Whether the plugin must be loaded anew before it can start (4.3). */
gboolean
nda_py_host_is_spent (NdaPyHost * self)
{
  return get_state (self) == STATE_SPENT;
}

/* Shuts the plugin down, if there is one. It must have been stopped. Where a
 * call of somebody else does not end, as any to a process does, it is left as it
 * is. */
void
nda_py_host_close (NdaPyHost * self)
{
  gint64 deadline = self->guest.isolation == NDA_PY_ISOLATION_PROCESS ?
      G_MAXINT64 : g_get_monotonic_time () + STOP_TIMEOUT;
  gboolean is_free;

  g_mutex_lock (&self->lock);
  self->state = STATE_UNLOADED;
  self->facts = (NdaPyFacts) {
  0};
  self->n_unapplied -= self->pending->len;
  g_ptr_array_set_size (self->pending, 0);
  while (self->n_users
      && g_cond_wait_until (&self->changed, &self->lock, deadline));
  is_free = self->n_users == 0;
  g_mutex_unlock (&self->lock);

  if (!is_free) {
    GST_WARNING ("A plugin's parameter does not return; it is left behind");
    nda_py_guest_abandon (&self->guest);
  }
  nda_py_guest_close (&self->guest);
}

static void
stop_job (gpointer data)
{
  NdaPyHost *self = data;

  nda_py_guest_stop (&self->guest);
}

/* Waits until the block thread is out of Python. FALSE at the timeout. */
static gboolean
wait_for_call_locked (NdaPyHost * self, gint64 timeout)
{
  gint64 deadline = g_get_monotonic_time () + timeout;

  while (self->is_calling)
    if (!g_cond_wait_until (&self->changed, &self->lock, deadline))
      return !self->is_calling;
  return TRUE;
}

static gboolean
wait_for_call (NdaPyHost * self, gint64 timeout)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return wait_for_call_locked (self, timeout);
}

/* Ends a call that its plugin's stop () did not end. */
static gboolean
interrupt_call (NdaPyHost * self)
{
  if (nda_py_guest_is_gone (&self->guest))
    return FALSE;
  GST_WARNING ("A plugin's call does not return; it is interrupted");
  nda_py_guest_interrupt (&self->guest, self->python_thread);
  if (!wait_for_call (self, STOP_TIMEOUT)) {
    nda_py_guest_kill (&self->guest);
    return wait_for_call (self, STOP_TIMEOUT);
  }
  nda_py_guest_forget_interrupt (&self->guest, self->python_thread);
  return TRUE;
}

/* Stops the plugin, from a thread other than the block thread, which may be in
 * a call. FALSE when that call does not end by any means. */
gboolean
nda_py_host_stop (NdaPyHost * self)
{
  gboolean was_running;

  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  g_cond_broadcast (&self->changed);
  wait_for_call_locked (self,
      self->state == STATE_STARTING ? START_TIMEOUT : STOP_GRACE);
  was_running = self->state == STATE_RUNNING;
  if (was_running)
    self->state = STATE_INITIALIZED;
  g_mutex_unlock (&self->lock);

  if (was_running)
    nda_py_guest_run (&self->guest, stop_job, self, NULL);
  if (!wait_for_call (self, STOP_TIMEOUT) && !interrupt_call (self))
    return FALSE;
  if (was_running)
    set_pending (self);         /* what came during the last call */
  return TRUE;
}
