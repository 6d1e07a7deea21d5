/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. The keeper, one for each plugin: makes every process (which the
 * kernel kills when the thread that made it ends), logs what it prints, looks
 * at its memory, and replaces it. The block thread makes the calls, and others
 * set parameters and stop, with whatever process there is.
 *
 * LOCKS. lock guards what is marked so. Nobody holds it while a process is
 * asked anything.
 *
 * HAND-OVER. `worker` is the process of the moment, NULL while there is none.
 * Whoever uses it holds a reference. A new one is complete, with parameters and
 * started, before it stands there; the keeper alone puts one there. For an edited
 * plugin it waits until the block thread, `caller`, is out of the one before, and
 * holds that thread back, by `is_paused`, while there may be one of them only.
 *
 * STOP. `is_closing` is set and the keeper woken, which ends at once, or as soon
 * as the process that it makes has answered. */

#include "config.h"

#include "ndapyremotepriv.h"

#include "ndapylog.h"
#include "ndapyproblem.h"
#include "ndapython.h"

#include <glib/gi18n-lib.h>

#include <sys/eventfd.h>
#include <unistd.h>

/* How long a process that just began must have gone well for the next to come
 * at once; else each waits twice as long as the one before */
#define GOOD_TIME (1 * G_TIME_SPAN_SECOND)
#define FIRST_BACK_OFF (100 * G_TIME_SPAN_MILLISECOND)
#define LAST_BACK_OFF (10 * G_TIME_SPAN_SECOND)
/* How long a start waits for a process that is being made */
#define WORKER_TIMEOUT (5 * G_TIME_SPAN_SECOND)
/* How often its memory is looked at, in milliseconds */
#define MEMORY_INTERVAL 100

/* --- parameters --------------------------------------------------------- */

static void
remember_parameter (NdaPyRemote * self, const gchar * key, const gchar * value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_remembered++;
  nda_py_parameters_put (self->parameters, key, value);
}

static NdaPyParameters *
copy_parameters (NdaPyRemote * self, guint * n_remembered)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  NdaPyParameters *copy = nda_py_parameters_new ();

  *n_remembered = self->n_remembered;
  for (guint i = 0; i < self->parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (self->parameters, i);

    g_ptr_array_add (copy, nda_py_parameter_new (p->key, p->value));
  }
  return copy;
}

/* Returns how often one had been remembered by then. */
guint
nda_py_remote_set_parameters_again (NdaPyRemote * self, NdaPyWorker * worker)
{
  guint n_remembered;
  g_autoptr (GPtrArray) parameters = copy_parameters (self, &n_remembered);

  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);

    g_free (nda_py_worker_set_parameter (worker, p->key, p->value));
  }
  return n_remembered;
}

/* --- the keeper --------------------------------------------------------- */

/* Starts the plugin in @worker if it ran before, with what it had then. */
gboolean
nda_py_remote_start_again (NdaPyRemote * self, NdaPyWorker * worker,
    GError ** error)
{
  NdaPyFormat before, format;
  gboolean is_started;

  g_mutex_lock (&self->lock);
  is_started = self->is_started;
  before = format = self->format;
  g_mutex_unlock (&self->lock);

  if (!is_started)
    return TRUE;
  if (!nda_py_worker_start (worker, &format, error))
    return FALSE;
  if (nda_py_format_is_equal (&format, &before))
    return TRUE;
  nda_py_problem_set_format_error (error, self->worker_config.path);
  nda_py_worker_stop (worker);
  return FALSE;
}

/* Puts @worker (transfer full) to use, unless there is no more use for it or
 * the plugin was started or stopped meanwhile. Parameters that were set since
 * @n_remembered of them are set first. In @replaced the process that was there
 * before (transfer full), or NULL. */
gboolean
nda_py_remote_install (NdaPyRemote * self, NdaPyWorker * worker,
    gboolean is_started, guint n_remembered, NdaPyWorker ** replaced)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (self->n_remembered != n_remembered) {
    g_mutex_unlock (&self->lock);
    n_remembered = nda_py_remote_set_parameters_again (self, worker);
    g_mutex_lock (&self->lock);
  }
  ok = !self->is_closing && self->is_started == is_started;
  if (ok) {
    *replaced = self->worker;
    self->worker = worker;
  }
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!ok)
    nda_py_worker_unref (worker);
  return ok;
}

/* Makes another process and brings it to where the last one was. It counts
 * before the first block can come from it. */
static gboolean
replace (NdaPyRemote * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyWorker *worker = nda_py_worker_new (&self->worker_config, &error);
  NdaPyWorker *replaced = NULL;
  gboolean was_started;
  guint n_remembered;

  g_mutex_lock (&self->lock);
  was_started = self->is_started;
  g_mutex_unlock (&self->lock);

  if (worker) {
    n_remembered = nda_py_remote_set_parameters_again (self, worker);
    if (nda_py_remote_start_again (self, worker, &error)) {
      self->config.restarted (self->config.owner);
      return nda_py_remote_install (self, worker, was_started, n_remembered,
          &replaced);
    }
    nda_py_worker_shut_down (worker);
    nda_py_worker_unref (worker);
  }
  GST_WARNING ("The plugin cannot be restarted: %s", error->message);
  return FALSE;
}

/* Notes how the process has ended, and lets it go. */
static void
bury (NdaPyRemote * self)
{
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  worker = g_steal_pointer (&self->worker);
  g_free (self->death);
  self->death = worker ? nda_py_worker_describe_death (worker) : NULL;
  g_mutex_unlock (&self->lock);
  if (!worker)
    return;
  GST_WARNING ("The process of the plugin “%s” has ended: %s",
      self->worker_config.path, self->death);
  nda_py_worker_unref (worker);
}

static gboolean
is_closing (NdaPyRemote * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->is_closing;
}

static gboolean
is_to_reload (NdaPyRemote * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->reload != NULL;
}

/* FALSE: there is no more use for the plugin. */
static gboolean
wait_before_restart (NdaPyRemote * self, gint64 back_off)
{
  gint64 end = g_get_monotonic_time () + back_off;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_closing && !self->reload
      && (self->config.restart == NDA_PY_RESTART_NEVER
          || g_get_monotonic_time () < end)) {
    if (self->config.restart == NDA_PY_RESTART_NEVER)
      g_cond_wait (&self->changed, &self->lock);
    else
      g_cond_wait_until (&self->changed, &self->lock, end);
  }
  return !self->is_closing;
}

/* Looks after the process until it has ended, or the keeper is asked for
 * something else. */
static void
look_after (NdaPyRemote * self)
{
  guint64 limit = self->config.memory_limit, n_wakes;
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  worker = nda_py_worker_ref (self->worker);
  g_mutex_unlock (&self->lock);

  while (!nda_py_worker_is_dead (worker) && !is_closing (self)
      && !is_to_reload (self)) {
    nda_py_worker_watch (worker, self->wake_fd, limit ? MEMORY_INTERVAL : -1);
    while (read (self->wake_fd, &n_wakes, sizeof (n_wakes)) > 0);
    if (limit && nda_py_worker_get_memory (worker) > limit)
      nda_py_worker_kill (worker,
          _("it took more memory than “memory-limit”"));
  }
  nda_py_worker_watch (worker, -1, 0);  /* its last words */
  nda_py_worker_unref (worker);
}

/* Keeps a process until there is no more use for it. One that went well for a
 * while is replaced at once. */
static void
keep (NdaPyRemote * self)
{
  gint64 back_off = 0;

  while (TRUE) {
    gint64 begin = g_get_monotonic_time ();

    look_after (self);
    if (is_closing (self))
      return;
    if (is_to_reload (self)) {
      nda_py_remote_reload_now (self);
      continue;
    }
    bury (self);
    if (g_get_monotonic_time () - begin >= GOOD_TIME)
      back_off = 0;
    do {
      if (!wait_before_restart (self, back_off))
        return;
      back_off = CLAMP (back_off * 2, FIRST_BACK_OFF, LAST_BACK_OFF);
    } while (!(is_to_reload (self) ? nda_py_remote_reload_now (self) :
            replace (self)));
  }
}

static gpointer
keeper_thread (gpointer data)
{
  NdaPyRemote *self = data;
  GError *error = NULL;
  NdaPyWorker *worker = nda_py_worker_new (&self->worker_config, &error);

  g_mutex_lock (&self->lock);
  self->worker = worker;
  self->error = error;
  self->is_open = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);

  if (worker)
    keep (self);
  g_mutex_lock (&self->lock);
  worker = g_steal_pointer (&self->worker);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&worker, nda_py_worker_unref);
  return NULL;
}

/* --- life cycle --------------------------------------------------------- */

static void
free_remote (NdaPyRemote * self)
{
  g_clear_pointer (&self->keeper, g_thread_join);
  close (self->wake_fd);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->parameters);
  g_free (self->worker_config.path);
  g_free (self->worker_config.python);
  g_free (self->death);
  g_free (self->failure);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

/* Loads and initialises a plugin in a process of its own. */
NdaPyRemote *
nda_py_remote_new (const NdaPyRemoteConfig * config, GError ** error)
{
  NdaPyRemote *self = g_new0 (NdaPyRemote, 1);

  self->config = *config;
  self->worker_config.path = g_strdup (config->path);
  self->worker_config.python = config->python && *config->python ?
      g_strdup (config->python) : nda_python_find_executable ();
  self->worker_config.role = config->role;
  self->worker_config.deadline = config->deadline;
  self->parameters = nda_py_parameters_new ();
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->keeper = g_thread_new ("nda-py-keeper", keeper_thread, self);

  g_mutex_lock (&self->lock);
  while (!self->is_open)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (!self->error)
    return self;
  g_propagate_error (error, g_steal_pointer (&self->error));
  free_remote (self);
  return NULL;
}

/* The process of the moment (transfer full), or NULL. */
static NdaPyWorker *
get_worker (NdaPyRemote * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

void
nda_py_remote_wake_keeper (NdaPyRemote * self)
{
  const guint64 one = 1;

  if (write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("The keeper of a plugin cannot be woken");
}

/* Shuts the plugin down and ends its process. */
void
nda_py_remote_shut_down (NdaPyRemote * self)
{
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  worker = get_worker (self);
  if (worker) {
    nda_py_worker_shut_down (worker);
    nda_py_worker_unref (worker);
  }
  nda_py_remote_wake_keeper (self);
  free_remote (self);
}

/* The process of the moment, or the next one (transfer full); NULL when there is
 * none for long. */
static NdaPyWorker *
wait_for_worker (NdaPyRemote * self)
{
  gint64 end = g_get_monotonic_time () + WORKER_TIMEOUT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->worker && !self->is_closing
      && self->config.restart != NDA_PY_RESTART_NEVER
      && g_cond_wait_until (&self->changed, &self->lock, end));
  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

/* Starts the plugin on its process's block thread. */
gboolean
nda_py_remote_start (NdaPyRemote * self, NdaPyFormat * format, GError ** error)
{
  NdaPyWorker *worker = wait_for_worker (self);
  gboolean ok;

  if (!worker) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The process of the plugin “%s” has ended: %s"),
        self->worker_config.path, self->death ? self->death : "");
    return FALSE;
  }
  ok = nda_py_worker_start (worker, format, error);
  g_mutex_lock (&self->lock);
  self->is_started = ok;
  self->format = *format;
  g_mutex_unlock (&self->lock);
  nda_py_worker_unref (worker);
  return ok;
}

/* stop (), beside a block call perhaps. */
void
nda_py_remote_stop (NdaPyRemote * self)
{
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  self->is_started = FALSE;
  g_mutex_unlock (&self->lock);
  worker = get_worker (self);
  if (!worker)
    return;
  nda_py_worker_stop (worker);
  nda_py_worker_unref (worker);
}

/* Sends a SystemExit to the block call. */
void
nda_py_remote_interrupt (NdaPyRemote * self)
{
  NdaPyWorker *worker = get_worker (self);

  if (!worker)
    return;
  nda_py_worker_interrupt (worker);
  nda_py_worker_unref (worker);
}

/* Ends a call that nothing else ended, and the process with it. */
void
nda_py_remote_kill (NdaPyRemote * self)
{
  NdaPyWorker *worker = get_worker (self);

  if (!worker)
    return;
  nda_py_worker_kill (worker, _("it did not stop"));
  nda_py_worker_unref (worker);
}

/* Whether @worker was replaced. */
static gboolean
is_replaced (NdaPyRemote * self, NdaPyWorker * worker)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->worker && self->worker != worker;
}

/* Sets a parameter, in this process and those that replace it. Returns what
 * went wrong (transfer full), or NULL; one that is ending has nothing to say. */
gchar *
nda_py_remote_set_parameter (NdaPyRemote * self, const gchar * key,
    const gchar * value)
{
  gboolean is_over;
  gchar *problem;

  do {
    NdaPyWorker *worker = get_worker (self);

    problem = worker ? nda_py_worker_set_parameter (worker, key, value) : NULL;
    if (problem && nda_py_worker_is_dead (worker))
      g_clear_pointer (&problem, g_free);
    if (!problem)
      remember_parameter (self, key, value);
    is_over = problem || !is_replaced (self, worker);
    g_clear_pointer (&worker, nda_py_worker_unref);
  } while (!is_over);
  return problem;
}

/* A parameter as text (transfer full), "" when it is not known. */
gchar *
nda_py_remote_get_parameter (NdaPyRemote * self, const gchar * key)
{
  NdaPyWorker *worker = get_worker (self);
  gchar *value;

  if (!worker)
    return g_strdup ("");
  value = nda_py_worker_get_parameter (worker, key);
  nda_py_worker_unref (worker);
  return value;
}

void
nda_py_remote_get_facts (NdaPyRemote * self, NdaPyFacts * facts)
{
  NdaPyWorker *worker = get_worker (self);

  *facts = (NdaPyFacts) {
  0};
  if (!worker)
    return;
  nda_py_worker_get_facts (worker, facts);
  nda_py_worker_unref (worker);
}

/* --- blocks ------------------------------------------------------------- */

static gchar *
describe_death (NdaPyRemote * self, NdaPyWorker * worker)
{
  g_autofree gchar *death = NULL;

  if (worker) {
    death = nda_py_worker_describe_death (worker);
  } else {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

    death = g_strdup (self->death ? self->death : _("it has ended"));
  }
  return g_strdup_printf (_("The process of the plugin “%s” has ended: %s"),
      self->worker_config.path, death);
}

static gchar *
describe_failure (NdaPyRemote * self, NdaPyWorker * worker,
    NdaPyCallResult result)
{
  g_autofree gchar *reason = NULL;

  if (result == NDA_PY_CALL_DEAD)
    return describe_death (self, worker);
  if (result == NDA_PY_CALL_FAILED)
    reason = nda_py_worker_take_text (worker);
  return nda_py_problem_describe_failure (self->worker_config.path,
      self->worker_config.role, reason);
}

/* The process of the moment (transfer full), or NULL. While the plugin is being
 * exchanged, no call begins. */
static NdaPyWorker *
begin_call (NdaPyRemote * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (G_UNLIKELY (self->is_paused))
    g_cond_wait (&self->changed, &self->lock);
  self->caller = self->worker;
  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

static void
end_call (NdaPyRemote * self, NdaPyWorker * worker)
{
  g_mutex_lock (&self->lock);
  self->caller = NULL;
  if (G_UNLIKELY (self->reload != NULL))
    g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  nda_py_worker_unref (worker);
}

/* Makes one block call, as nda_py_plugin_call () does; DEAD while there is
 * nobody to make it. */
NdaPyCallResult
nda_py_remote_call (NdaPyRemote * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyWorker *worker = begin_call (self);
  NdaPyCallResult result = NDA_PY_CALL_DEAD;

  if (worker)
    result = nda_py_worker_call (worker, in, out, n_frames, is_gated);
  if (G_UNLIKELY (result != NDA_PY_CALL_OK && result != NDA_PY_CALL_NO_SPACE)) {
    g_free (self->failure);
    self->failure = describe_failure (self, worker, result);
  }
  if (worker)
    end_call (self, worker);
  return result;
}

/* Why the last block call failed (transfer full). */
gchar *
nda_py_remote_take_error (NdaPyRemote * self)
{
  return g_steal_pointer (&self->failure);
}
