/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Parameters and facts of the plugin, on any thread. */

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndablock.h"
#include "ndapydelay.h"

#include <string.h>

#define SETTLE_TIMEOUT (1 * G_TIME_SPAN_SECOND)

/* --- use of the plugin beside the block thread --------------------------- */

/* Keeps the host from being closed. @runner, unless it is NULL, is set to the
 * plugin (transfer full). FALSE: there is no plugin. */
gboolean
nda_py_host_begin_use (NdaPyHost * self, NdaPyRunner ** runner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->state == STATE_UNLOADED)
    return FALSE;
  self->n_users++;
  if (runner)
    *runner = nda_py_runner_ref (self->runner);
  return TRUE;
}

/* Ends a use with its @runner (transfer full), or NULL. */
void
nda_py_host_end_use (NdaPyHost * self, NdaPyRunner * runner)
{
  g_clear_pointer (&runner, nda_py_runner_unref);
  g_mutex_lock (&self->lock);
  self->n_users--;
  nda_py_host_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

/* --- facts -------------------------------------------------------------- */

/* How many frames a block is held back by a plugin of @facts. */
static guint
count_held (NdaPyHost * self, const NdaPyFacts * facts)
{
  NdaPyFormat format;

  if (self->role != NDA_PY_ROLE_PROCESSOR || facts->is_analyser)
    return 0;
  g_mutex_lock (&self->lock);
  format = self->format;
  g_mutex_unlock (&self->lock);
  /* none is known before the start */
  return format.n_frames == 0 ? facts->delay :
      nda_py_delay_get (&format, facts->delay);
}

/* Stores the plugin's facts, and tells the owner. */
void
nda_py_host_report_facts (NdaPyHost * self, const NdaPyFacts * facts)
{
  guint held = count_held (self, facts);
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = self->held != held;
  self->held = held;
  self->facts = *facts;
  g_mutex_unlock (&self->lock);
  if (changed)
    self->events->latency_changed (self->owner);
}

/* How long a block is held back: the plugin's last reported latency, the
 * collecting of frames for calls, and the filters. */
GstClockTime
nda_py_host_get_latency (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return nda_block_frames_to_time (self->held, NDA_BLOCK_RATE);
}

/* The last facts of the plugin. */
void
nda_py_host_get_facts (NdaPyHost * self, NdaPyFacts * facts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *facts = self->facts;
}

/* The number of channels that a source or sink reported last, or 0. */
guint
nda_py_host_get_n_channels (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->facts.n_channels;
}

/* --- setting ------------------------------------------------------------ */

/* Tells the owner that a call does not return. */
void
nda_py_host_give_up (NdaPyHost * self, const GError * error)
{
  if (self->events->gave_up)
    self->events->gave_up (self->owner, error);
}

/* Called before nda_py_host_set_job (), without the GIL. If another plugin
 * takes this one's place meanwhile, it gets the @parameters too. */
NdaPySetJob *
nda_py_host_begin_set (NdaPyHost * self, NdaPyRunner * runner,
    NdaPyParameters * parameters)
{
  NdaPySetJob *job = g_new0 (NdaPySetJob, 1);

  job->runner = nda_py_runner_ref (runner);
  job->parameters = g_ptr_array_ref (parameters);
  job->is_taken = g_new0 (gboolean, parameters->len);
  job->problems = g_ptr_array_new_with_free_func (g_free);
  nda_py_last_parameters_try (self->last, parameters);
  return job;
}

void
nda_py_host_set_job (gpointer data)
{
  NdaPySetJob *job = data;
  const NdaPyRunnerKind *kind = job->runner->kind;

  for (guint i = 0; i < job->parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (job->parameters, i);
    g_autofree gchar *problem =
        kind->set_parameter (job->runner, p->key, p->value);

    job->is_taken[i] = !problem;
    g_atomic_int_set (&p->is_refused, problem != NULL);
    if (problem) {
      problem[strcspn (problem, "\n")] = '\0';
      g_ptr_array_add (job->problems,
          g_strdup_printf ("%s: %s", p->key, problem));
    }
  }
  kind->get_facts (job->runner, &job->facts);
  job->is_done = TRUE;
}

/* Called after the job, without the GIL: tells the owner the result, and frees
 * @job. */
void
nda_py_host_end_set (NdaPyHost * self, NdaPySetJob * job)
{
  nda_py_last_parameters_settle (self->last, job->is_taken);
  for (guint i = 0; i < job->problems->len; i++)
    self->events->refused (self->owner, g_ptr_array_index (job->problems, i));
  if (job->is_done)
    nda_py_host_report_facts (self, &job->facts);
  g_ptr_array_unref (job->problems);
  g_ptr_array_unref (job->parameters);
  nda_py_runner_unref (job->runner);
  g_free (job->is_taken);
  g_free (job);
}

/* Sets @parameters on a thread that is not in a block call. */
gboolean
nda_py_host_set_now (NdaPyHost * self, NdaPyRunner * runner,
    NdaPyParameters * parameters, GError ** error)
{
  NdaPySetJob *job = nda_py_host_begin_set (self, runner, parameters);

  if (nda_py_runner_run (runner, nda_py_host_set_job, job, error)) {
    nda_py_host_end_set (self, job);
    return TRUE;
  }
  nda_py_last_parameters_settle (self->last, NULL);
  return FALSE;
}

/* Sets @parameters. A failure goes to @error, or, if that is NULL, to the
 * owner. */
static gboolean
set_or_give_up (NdaPyHost * self, NdaPyRunner * runner,
    NdaPyParameters * parameters, GError ** error)
{
  g_autoptr (GError) failure = NULL;

  if (nda_py_host_set_now (self, runner, parameters, &failure))
    return TRUE;
  if (error && !*error)
    *error = g_steal_pointer (&failure);
  else
    nda_py_host_give_up (self, failure);
  return FALSE;
}

/* Takes the pending parameters (transfer full); NULL: none. */
NdaPyParameters *
nda_py_host_take_pending_locked (NdaPyHost * self)
{
  NdaPyParameters *taken = self->pending;

  if (!taken->len)
    return NULL;
  self->pending = nda_py_parameters_new ();
  return taken;
}

static gboolean
is_open_locked (NdaPyHost * self)
{
  return self->state != STATE_UNLOADED && self->state != STATE_SPENT;
}

static gboolean
set_pending (NdaPyHost * self, GError ** error)
{
  NdaPyParameters *parameters;
  NdaPyRunner *runner;
  gboolean ok = TRUE;

  g_mutex_lock (&self->lock);
  if (self->called || self->is_held) {
    g_mutex_unlock (&self->lock);
    return TRUE;
  }
  self->is_held = TRUE;
  runner = self->runner;        /* not exchanged while it is held */
  while (runner && (parameters = nda_py_host_take_pending_locked (self))) {
    g_mutex_unlock (&self->lock);
    ok = set_or_give_up (self, runner, parameters, error);
    g_mutex_lock (&self->lock);
    self->n_unapplied -= parameters->len;
    g_ptr_array_unref (parameters);
  }
  self->is_held = FALSE;
  nda_py_host_wake_locked (self);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Sets the pending parameters, unless another thread does. The block thread
 * waits meanwhile; if it is in a call, it sets them itself. */
gboolean
nda_py_host_set_pending (NdaPyHost * self)
{
  return set_pending (self, NULL);
}

/* Queues @parameter (transfer full). FALSE without a plugin. */
static gboolean
queue_locked (NdaPyHost * self, NdaPyParameter * parameter)
{
  if (!is_open_locked (self)) {
    nda_py_parameter_unref (parameter);
    return FALSE;
  }
  g_ptr_array_add (self->pending, parameter);
  self->n_unapplied++;
  return TRUE;
}

/* Queues a parameter. nda_py_host_set_queued () must follow. FALSE: there is no
 * plugin. The caller may hold a lock, since no callback is called. */
gboolean
nda_py_host_queue_parameter (NdaPyHost * self, const gchar * key,
    const gchar * value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return queue_locked (self, nda_py_parameter_new (key, value));
}

/* Whether this is the block thread between two calls. Queued parameters are
 * then set before the next call. */
static gboolean
is_between_calls (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state == STATE_RUNNING && self->block_thread == g_thread_self ();
}

/* Sets the queued parameters: at once, or at the end of the current block call,
 * or, on the block thread, before the next one. The caller does not hold the
 * GIL. A failure is set in @error, or reported to the owner if @error is NULL.
 */
gboolean
nda_py_host_set_queued (NdaPyHost * self, GError ** error)
{
  gboolean ok;

  if (is_between_calls (self))
    return TRUE;
  if (!nda_py_host_begin_use (self, NULL))
    return FALSE;
  ok = set_pending (self, error);
  nda_py_host_end_use (self, NULL);
  return ok;
}

/* Sets a parameter: at once, or at the end of the current block call. FALSE:
 * there is no plugin, or it has already refused the value. The caller does not
 * hold the GIL. */
gboolean
nda_py_host_set_parameter (NdaPyHost * self, const gchar * key,
    const gchar * value)
{
  NdaPyParameter *parameter;
  gboolean ok;

  if (!nda_py_host_begin_use (self, NULL))
    return FALSE;
  parameter = nda_py_parameter_new (key, value);
  g_mutex_lock (&self->lock);
  ok = queue_locked (self, nda_py_parameter_ref (parameter));
  g_mutex_unlock (&self->lock);
  ok = ok && nda_py_host_set_pending (self)
      && !g_atomic_int_get (&parameter->is_refused);
  nda_py_parameter_unref (parameter);
  nda_py_host_end_use (self, NULL);
  return ok;
}

/* --- getting ------------------------------------------------------------ */

/* A question to the plugin, on a thread that can ask it */
typedef struct
{
  NdaPyRunner *runner;          /* owned reference */
  gchar *key;                   /* owned; NULL: the declarations */
  gchar *text;                  /* owned; the answer */
} GetJob;

static void
nda_py_host_get_job (gpointer data)
{
  GetJob *job = data;
  const NdaPyRunnerKind *kind = job->runner->kind;

  job->text = job->key ? kind->get_parameter (job->runner, job->key) :
      kind->describe (job->runner);
}

/* Waits until the plugin has all parameters that were set before. */
static void
wait_for_parameters (NdaPyHost * self)
{
  gint64 deadline = g_get_monotonic_time () + SETTLE_TIMEOUT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->block_thread == g_thread_self ())
    return;
  while (self->n_unapplied)
    if (!nda_py_host_wait_until_locked (self, deadline))
      return;
}

static gchar *
get_from (NdaPyHost * self, NdaPyRunner * runner, const gchar * key)
{
  g_autoptr (GError) error = NULL;
  GetJob *job = g_new0 (GetJob, 1);
  gchar *text;

  job->runner = nda_py_runner_ref (runner);
  job->key = g_strdup (key);
  if (!nda_py_runner_run (runner, nda_py_host_get_job, job, &error)) {
    nda_py_host_give_up (self, error);
    return NULL;
  }
  text = job->text;
  nda_py_runner_unref (job->runner);
  g_free (job->key);
  g_free (job);
  return text;
}

static gchar *
get (NdaPyHost * self, const gchar * key)
{
  NdaPyRunner *runner;
  gchar *text;

  if (!nda_py_host_begin_use (self, &runner))
    return NULL;
  text = get_from (self, runner, key);
  nda_py_host_end_use (self, runner);
  return text;
}

/* Returns the value of @key (transfer full), "" without a plugin. The caller
 * does not hold the GIL. */
gchar *
nda_py_host_get_parameter (NdaPyHost * self, const gchar * key)
{
  gchar *value;

  wait_for_parameters (self);
  value = get (self, key);
  return value ? value : g_strdup ("");
}

/* Returns the plugin's declarations (transfer full): see the runner's describe
 * (). NULL: there is no plugin, or one of API 1. The caller does not hold the
 * GIL. */
gchar *
nda_py_host_describe (NdaPyHost * self)
{
  return get (self, NULL);
}
