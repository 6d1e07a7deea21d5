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
 * HAND-OVER. Parameters set while the plugin runs wait in `pending` until
 * the block thread takes them between two block calls.
 *
 * STOP. The stopper sets `is_stopping`, so that no call begins, and waits a
 * grace for the one that runs. Then it calls the plugin's stop () beside it,
 * which is how some plugins are unblocked (9.2). What still runs after that is
 * sent a SystemExit, which ends any loop in Python. What survives that too is
 * stuck in C, and the stop fails: the thread is left behind. */

#include <Python.h>

#include "config.h"

#include "ndapyhost.h"

#include "ndapylog.h"
#include "ndapython.h"

#include <string.h>

#define STOP_GRACE (60 * G_TIME_SPAN_MILLISECOND)
#define START_TIMEOUT (5 * G_TIME_SPAN_SECOND)
#define STOP_TIMEOUT (2 * G_TIME_SPAN_SECOND)
#define SETTLE_TIMEOUT (1 * G_TIME_SPAN_SECOND)

typedef enum
{
  STATE_UNLOADED,
  STATE_INITIALIZED,
  STATE_STARTING,
  STATE_RUNNING,
  STATE_SPENT,                  /* start failed; only good for shutdown */
} State;

struct _NdaPyHost
{
  NdaPyRole role;               /* [const] */
  const NdaPyHostEvents *events;        /* [const] */
  gpointer owner;               /* [const] not owned */

  /* owned; set by open, freed by close, when no block thread runs. Its
   * content: [GIL] */
  NdaPyPlugin *plugin;

  GMutex lock;
  GCond changed;                /* is_calling, n_unapplied, n_users went down */
  State state;                  /* [host lock] */
  gboolean is_calling;          /* [host lock] the block thread is in Python */
  guint n_users;                /* [host lock] others that call the plugin */
  gboolean is_stopping;         /* [host lock] no call may begin */
  GPtrArray *pending;           /* [host lock] owned; parameters to be set */
  guint n_unapplied;            /* [host lock] pending, and being set */
  GstClockTime latency;         /* [host lock] of the plugin */
  GThread *block_thread;        /* [host lock] not owned */
  gulong python_thread;         /* [host lock] its name in Python */

  gboolean is_failing;          /* [block thread] in a burst of failures */
};

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

static State
get_state (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state;
}

static void
set_state (NdaPyHost * self, State state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
}

/* --- parameters --------------------------------------------------------- */

/* Sets @parameters; GIL held. Returns what went wrong, one text each. */
static GPtrArray *
apply_parameters (NdaPyHost * self, const NdaPyParameters * parameters)
{
  GPtrArray *problems = g_ptr_array_new_with_free_func (g_free);
  NdaPyPlugin *plugin = self->plugin;

  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);
    g_autofree gchar *problem =
        nda_py_plugin_set_parameter (plugin, p->key, p->value);

    if (problem) {
      gchar *line = problem;

      line[strcspn (line, "\n")] = '\0';
      g_ptr_array_add (problems, g_strdup_printf ("%s: %s", p->key, line));
    }
  }
  return problems;
}

/* Tells the owner what came of parameters, when the GIL is given up. */
static void
report_parameters (NdaPyHost * self, GPtrArray * problems, GstClockTime latency)
{
  gboolean changed;

  for (guint i = 0; i < problems->len; i++)
    self->events->warn (self->owner, g_ptr_array_index (problems, i));
  g_ptr_array_unref (problems);

  g_mutex_lock (&self->lock);
  changed = self->latency != latency;
  self->latency = latency;
  g_mutex_unlock (&self->lock);
  if (changed)
    self->events->latency_changed (self->owner);
}

typedef struct
{
  NdaPyHost *host;
  const NdaPyParameters *parameters;
  GPtrArray *problems;
  GstClockTime latency;
} ParametersJob;

static void
parameters_job (gpointer data)
{
  ParametersJob *job = data;

  job->problems = apply_parameters (job->host, job->parameters);
  job->latency = nda_py_plugin_get_latency (job->host->plugin);
}

/* Sets @parameters where no block thread runs. */
static gboolean
set_parameters_now (NdaPyHost * self, const NdaPyParameters * parameters,
    GError ** error)
{
  ParametersJob job = { self, parameters, NULL, 0 };

  if (!parameters->len)
    return TRUE;
  if (!nda_python_run (parameters_job, &job, error))
    return FALSE;
  report_parameters (self, job.problems, job.latency);
  return TRUE;
}

/* Keeps the plugin from being shut down. FALSE: there is none. */
static gboolean
begin_use (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->state == STATE_UNLOADED)
    return FALSE;
  self->n_users++;
  return TRUE;
}

static void
end_use (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_users--;
  g_cond_broadcast (&self->changed);
}

/* Sets a parameter: at once where the plugin does not run, else between the
 * block calls, soon after this returns. FALSE without a plugin. The caller
 * does not hold the GIL. */
gboolean
nda_py_host_set_parameter (NdaPyHost * self, const gchar * key,
    const gchar * value)
{
  g_autoptr (GPtrArray) one = NULL;
  gboolean is_open, is_running, ok;

  g_mutex_lock (&self->lock);
  is_open = self->state != STATE_UNLOADED && self->state != STATE_SPENT;
  is_running = self->state == STATE_STARTING || self->state == STATE_RUNNING;
  if (is_running) {
    g_ptr_array_add (self->pending, nda_py_parameter_new (key, value));
    self->n_unapplied++;
  }
  g_mutex_unlock (&self->lock);

  if (is_running)
    self->events->wake (self->owner);
  if (is_running || !is_open)
    return is_open;

  if (!begin_use (self))
    return FALSE;
  one = nda_py_parameters_new ();
  g_ptr_array_add (one, nda_py_parameter_new (key, value));
  ok = set_parameters_now (self, one, NULL);
  end_use (self);
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

  job->value = nda_py_plugin_get_parameter (job->host->plugin, job->key);
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
  if (begin_use (self)) {
    nda_python_run (get_job, &job, NULL);
    end_use (self);
  }
  return job.value ? job.value : g_strdup ("");
}

/* The latency that the plugin reported last. */
GstClockTime
nda_py_host_get_latency (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->latency;
}

/* --- opening and closing ------------------------------------------------ */

typedef struct
{
  NdaPyHost *host;
  const gchar *path;
  GError *error;
} OpenJob;

static void
open_job (gpointer data)
{
  OpenJob *job = data;
  NdaPyPlugin *plugin = nda_py_plugin_load (job->path, &job->error);

  if (plugin
      && !nda_py_plugin_initialize (plugin, job->host->role, &job->error))
    g_clear_pointer (&plugin, nda_py_plugin_shut_down);
  job->host->plugin = plugin;
}

static void
close_job (gpointer data)
{
  NdaPyHost *self = data;

  g_clear_pointer (&self->plugin, nda_py_plugin_shut_down);
}

/* Loads the plugin file @path, initialises it and sets its parameters. */
gboolean
nda_py_host_open (NdaPyHost * self, const gchar * path,
    const NdaPyParameters * parameters, GError ** error)
{
  OpenJob job = { self, path, NULL };

  if (!nda_python_start (error) || !nda_python_run (open_job, &job, error))
    return FALSE;
  if (job.error) {
    g_propagate_error (error, job.error);
    return FALSE;
  }
  if (!set_parameters_now (self, parameters, error)) {
    nda_python_run (close_job, self, NULL);
    return FALSE;
  }
  set_state (self, STATE_INITIALIZED);
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
 * call of somebody else does not end, it is left as it is. */
void
nda_py_host_close (NdaPyHost * self)
{
  gint64 deadline = g_get_monotonic_time () + STOP_TIMEOUT;
  gboolean is_free;

  g_mutex_lock (&self->lock);
  self->state = STATE_UNLOADED;
  self->latency = 0;
  g_ptr_array_set_size (self->pending, 0);
  self->n_unapplied = 0;
  while (self->n_users
      && g_cond_wait_until (&self->changed, &self->lock, deadline));
  is_free = self->n_users == 0;
  g_mutex_unlock (&self->lock);

  if (!is_free) {
    GST_WARNING ("A plugin's parameter does not return; it is left behind");
    self->plugin = NULL;
  }
  if (self->plugin)
    nda_python_run (close_job, self, NULL);
}

static void
stop_job (gpointer data)
{
  NdaPyHost *self = data;

  nda_py_plugin_stop (self->plugin);
}

static void
interrupt_job (gpointer data)
{
  NdaPyHost *self = data;

  PyThreadState_SetAsyncExc (self->python_thread, PyExc_SystemExit);
}

static void
forget_interrupt_job (gpointer data)
{
  NdaPyHost *self = data;

  PyThreadState_SetAsyncExc (self->python_thread, NULL);
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
  if (nda_python_is_gone ())
    return FALSE;
  GST_WARNING ("A plugin's call does not return; it is interrupted");
  nda_python_run (interrupt_job, self, NULL);
  if (!wait_for_call (self, STOP_TIMEOUT))
    return FALSE;
  nda_python_run (forget_interrupt_job, self, NULL);
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
  wait_for_call_locked (self,
      self->state == STATE_STARTING ? START_TIMEOUT : STOP_GRACE);
  was_running = self->state == STATE_RUNNING;
  if (was_running)
    self->state = STATE_INITIALIZED;
  g_mutex_unlock (&self->lock);

  if (was_running)
    nda_python_run (stop_job, self, NULL);
  return wait_for_call (self, STOP_TIMEOUT) || interrupt_call (self);
}

/* --- the block thread --------------------------------------------------- */

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
static State
enter_starting (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  State before = self->state;

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
  State before;
  gboolean ok;

  /* where somebody keeps the GIL for good, this thread must not wait for it */
  if (!nda_python_run (no_job, NULL, error))
    return FALSE;
  before = enter_starting (self);
  self->is_failing = FALSE;
  nda_python_quicken_thread ();
  if (!begin_call (self, NULL)) {
    set_state (self, before);
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

  report_parameters (self, g_ptr_array_new (), latency);
  return ok;
}

static void
run_block (NdaPyHost * self, NdaPyBlock * block)
{
  GstClockTime begin = gst_util_get_timestamp ();

  block->ok = nda_py_plugin_process (self->plugin, &block->in, &block->out,
      block->n_frames);
  block->call_time = gst_util_get_timestamp () - begin;
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
  GstClockTime begin = gst_util_get_timestamp (), latency = 0;
  GPtrArray *parameters = NULL, *problems = NULL;
  guint n_run = 0;

  if (!begin_call (self, &parameters))
    return 0;
  *gil_wait = gst_util_get_timestamp () - begin;

  if (G_UNLIKELY (parameters != NULL)) {
    problems = apply_parameters (self, parameters);
    latency = nda_py_plugin_get_latency (self->plugin);
  }
  while (n_run < n_blocks) {
    run_block (self, blocks[n_run]);
    if (!blocks[n_run++]->ok && stop_at_failure)
      break;
  }
  end_call (self, parameters ? parameters->len : 0);

  if (G_UNLIKELY (parameters != NULL)) {
    g_ptr_array_unref (parameters);
    report_parameters (self, problems, latency);
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
