/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The functions of the block thread: it starts the plugin and makes its block
 * calls. */

#include "config.h"

#include "ndapyhostpriv.h"

#include "ndapyproblem.h"

/* For a job that only waits for the GIL */
#define START_LIMIT (2 * GST_SECOND)

/* Sets pending @parameters, on the thread that has claimed the plugin. Gives up
 * the lock meanwhile. */
static void
set_pending_locked (NdaPyHost * self, NdaPyParameters * parameters)
{
  NdaPySetJob *job;

  g_mutex_unlock (&self->lock);
  job = nda_py_host_begin_set (self, self->called, parameters);
  if (nda_py_runner_kind_enter (self->kind)) {
    nda_py_host_set_job (job);
    nda_py_runner_kind_leave (self->kind);
  }
  nda_py_host_end_set (self, job);
  g_mutex_lock (&self->lock);
  self->n_unapplied -= parameters->len;
  g_ptr_array_unref (parameters);
}

/* Sets all pending parameters while the plugin runs. */
static void
set_all_pending_locked (NdaPyHost * self)
{
  NdaPyParameters *parameters;

  while (G_UNLIKELY (!self->is_stopping
          && (parameters = nda_py_host_take_pending_locked (self))))
    set_pending_locked (self, parameters);
}

/* Claims the plugin for the block thread, which is about to call it. FALSE: the
 * plugin is being stopped. */
static gboolean
claim (NdaPyHost * self)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (G_UNLIKELY (self->is_held && !self->is_stopping))
    nda_py_host_wait_locked (self);
  if (!self->is_stopping)
    self->called = self->runner;
  /* no thread changes it while the plugin is called */
  self->call_latency = self->facts.delay;
  self->called_exchange = self->n_exchanges;
  ok = self->called != NULL;
  /* the block thread itself queued these, for the next call */
  if (ok && self->state == STATE_RUNNING)
    set_all_pending_locked (self);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Ends the claim. */
static void
disclaim (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->called = NULL;
  nda_py_host_wake_locked (self);
}

/* Enters the place where this thread can call the plugin; for a plugin in this
 * process that takes the GIL. FALSE: the plugin is being stopped or Python is
 * gone. */
static gboolean
begin_call (NdaPyHost * self)
{
  if (!claim (self))
    return FALSE;
  if (G_LIKELY (nda_py_runner_kind_enter (self->kind)))
    return TRUE;
  disclaim (self);
  return FALSE;
}

/* Ends a call, outside of Python, with the host in @state, in one step: a
 * stopping thread that sees that the call has ended must see the new state
 * too. */
static void
end_call (NdaPyHost * self, NdaPyHostState state)
{
  g_mutex_lock (&self->lock);
  if (self->state != STATE_INITIALIZED) /* it was stopped meanwhile */
    self->state = state;
  if (state == STATE_RUNNING)
    set_all_pending_locked (self);
  self->called = NULL;
  nda_py_host_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static void
nda_py_host_no_job (gpointer unused)
{
}

/* FALSE: other code keeps the GIL for good, so this thread must not wait for
 * it. */
static gboolean
can_enter (NdaPyHost * self, GError ** error)
{
  const NdaPyPatience patience = { NULL, START_LIMIT, NULL };

  return nda_py_runner_kind_run (self->kind, nda_py_host_no_job, NULL,
      &patience, error);
}

/* Returns the state before. */
static NdaPyHostState
enter_starting (NdaPyHost * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  NdaPyHostState before = self->state;

  self->state = STATE_STARTING;
  self->block_thread = g_thread_self ();
  return before;
}

static void
leave_starting (NdaPyHost * self, NdaPyHostState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
}

/* Stops a plugin that runs, before it is started again (5.7). */
static gboolean
stop_running (NdaPyHost * self)
{
  if (!begin_call (self))
    return FALSE;
  self->kind->stop (self->called);
  nda_py_runner_kind_leave (self->kind);
  disclaim (self);
  return TRUE;
}

/* Exchanges the plugin for an edited one that waits, while the old one does not
 * run. */
static void
exchange_at_rest (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;

  if (!claim (self))
    return;
  nda_py_host_exchange (self, &error);
  disclaim (self);
  self->events->reloaded (self->owner, error);
}

static gboolean
start_plugin (NdaPyHost * self, NdaPyFormat * format, GError ** error)
{
  const NdaPyFormat stream = *format;
  NdaPyFacts facts = { 0 };
  gboolean ok = self->kind->start (self->called, format, error);

  if (ok)
    self->kind->get_facts (self->called, &facts);
  nda_py_runner_kind_leave (self->kind);

  if (ok) {
    g_mutex_lock (&self->lock);
    self->stream = stream;
    self->format = *format;
    self->known_exchange = self->n_exchanges;
    g_mutex_unlock (&self->lock);
  }
  nda_py_host_report_facts (self, &facts);
  end_call (self, ok ? STATE_RUNNING : STATE_SPENT);
  return ok;
}

/* Configures and starts the plugin. A plugin that runs is stopped first (5.7).
 * @format has the number of channels that a processor gets; afterwards it has
 * the format that the plugin takes. FALSE without @error set: the plugin is
 * being stopped. */
gboolean
nda_py_host_start (NdaPyHost * self, NdaPyFormat * format, GError ** error)
{
  NdaPyHostState before;

  if (!can_enter (self, error))
    return FALSE;
  before = enter_starting (self);
  self->is_failing = FALSE;
  if (self->kind->quicken_thread)
    self->kind->quicken_thread ();
  if (before == STATE_RUNNING && stop_running (self))
    before = STATE_INITIALIZED;
  if (before != STATE_RUNNING && g_atomic_pointer_get (&self->next))
    exchange_at_rest (self);
  if (before != STATE_RUNNING && begin_call (self))
    return start_plugin (self, format, error);
  leave_starting (self, before);
  return FALSE;
}

/* Runs one block. Reads the clock only once: @now is the time when the last
 * block ended. */
static void
run_block (NdaPyHost * self, NdaPyBlock * block, GstClockTime * now)
{
  GstClockTime begin = *now;

  block->result = self->kind->call (self->called,
      self->role == NDA_PY_ROLE_SOURCE ? NULL : &block->in,
      self->role == NDA_PY_ROLE_SINK ? NULL : &block->out, block->n_frames,
      block->is_gated);
  *now = gst_util_get_timestamp ();
  block->call_time = *now - begin;
  block->ok = block->result == NDA_PY_CALL_OK;
  if (G_UNLIKELY (block->result == NDA_PY_CALL_ENDED))
    block->n_frames = self->called->n_last;
  block->failure = NULL;
  if (G_LIKELY (block->ok)) {
    self->is_failing = FALSE;
  } else if (nda_py_problem_is_failure (self->role, block->result)) {
    g_autofree gchar *failure = self->kind->take_error (self->called);

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

/* Exchanges the plugin for an edited one, between blocks. */
static void
exchange_between_blocks (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyFacts facts = { 0 };

  if (!claim (self))
    return;
  nda_py_host_exchange (self, &error);
  if (nda_py_runner_kind_enter (self->kind)) {
    self->kind->get_facts (self->called, &facts);
    nda_py_runner_kind_leave (self->kind);
  }
  end_call (self, STATE_RUNNING);
  nda_py_host_report_facts (self, &facts);
  self->events->reloaded (self->owner, error);
}

/* From now on calls are made only while the plugin delays by @latency, or by
 * any amount with NDA_PY_HOST_ANY_LATENCY. The host may learn of another
 * latency at any moment. */
void
nda_py_host_expect_latency (NdaPyHost * self, guint latency)
{
  self->expected_latency = latency;
}

/* The plugin's latency when the last calls were made, or when none were made
 * because it was not the expected one; in frames at its own rate. */
guint
nda_py_host_get_call_latency (NdaPyHost * self)
{
  return self->call_latency;
}

/* Whether an edited processor, or one that is about to be, is called in the
 * place of the one that the caller knows. Then what it takes goes to @format,
 * and from now on it is the one that is known; until then, no call is made. */
gboolean
nda_py_host_accept_exchange (NdaPyHost * self, NdaPyFormat * format)
{
  gboolean is_another;

  if (G_UNLIKELY (g_atomic_pointer_get (&self->next) != NULL))
    exchange_between_blocks (self);
  g_mutex_lock (&self->lock);
  is_another = self->known_exchange != self->n_exchanges;
  self->known_exchange = self->n_exchanges;
  *format = self->format;
  g_mutex_unlock (&self->lock);
  return is_another;
}

static gboolean
is_expected (NdaPyHost * self)
{
  if (self->called_exchange != self->known_exchange)
    return FALSE;
  return self->expected_latency == NDA_PY_HOST_ANY_LATENCY
      || self->expected_latency == self->call_latency;
}

/* Runs @blocks through the plugin under one acquisition of the GIL, whose
 * length goes to @gil_wait. Returns how many were run: fewer when one failed
 * and @stop_at_failure or the plugin is being stopped, which may be why it
 * failed; none when it was being stopped before, delays by another amount than
 * is expected, or is another that was not accepted. */
guint
nda_py_host_process (NdaPyHost * self, NdaPyBlock ** blocks, guint n_blocks,
    gboolean stop_at_failure, GstClockTime * gil_wait)
{
  GstClockTime begin, now;
  guint n_run = 0;

  if (G_UNLIKELY (g_atomic_pointer_get (&self->next) != NULL))
    exchange_between_blocks (self);
  begin = gst_util_get_timestamp ();
  if (!begin_call (self))
    return 0;
  now = gst_util_get_timestamp ();
  *gil_wait = now - begin;

  while (n_run < n_blocks && G_LIKELY (is_expected (self))) {
    run_block (self, blocks[n_run], &now);
    if (G_UNLIKELY (!blocks[n_run++]->ok)
        && (stop_at_failure || is_stopping (self)))
      break;
  }
  nda_py_runner_kind_leave (self->kind);
  end_call (self, STATE_RUNNING);
  return n_run;
}

/* Tells the plugin that the next block does not follow the last one. */
void
nda_py_host_reset (NdaPyHost * self)
{
  if (!self->kind->reset || !begin_call (self))
    return;
  self->kind->reset (self->called);
  nda_py_runner_kind_leave (self->kind);
  end_call (self, STATE_RUNNING);
}

/* Lets Python's garbage collector run, between blocks. */
void
nda_py_host_collect (NdaPyHost * self)
{
  if (!self->kind->collect_garbage || !begin_call (self))
    return;
  self->kind->collect_garbage (self->called);
  nda_py_runner_kind_leave (self->kind);
  end_call (self, STATE_RUNNING);
}

/* FALSE: no call is possible any more, since Python has ended. */
gboolean
nda_py_host_check (NdaPyHost * self, GError ** error)
{
  const NdaPyRunnerKind *kind = self->kind;

  return !kind || !kind->check || kind->check (error);
}
