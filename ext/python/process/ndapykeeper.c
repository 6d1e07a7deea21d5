/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. The keeper's own thread, one for each plugin: makes every worker
 * (which the kernel kills when the thread that made it ends), logs what it
 * prints, looks at its memory, and replaces it. The block thread makes the
 * calls, and others set parameters and stop, with whatever worker there is.
 *
 * LOCKS. lock guards what is marked so. Nobody holds it while a worker is
 * asked anything.
 *
 * HAND-OVER. `worker` is the process of the moment, NULL while there is none.
 * Whoever uses it holds a reference. A new one is complete, with parameters
 * and started, before it stands there; the keeper's thread alone puts one
 * there.
 *
 * STOP. `is_closing` is set and the keeper woken, which ends at once, or as
 * soon as the worker that it makes has answered. */

#include "config.h"

#include "ndapykeeper.h"

#include "ndapydescriptor.h"
#include "ndapylog.h"
#include "ndapypaths.h"
#include "ndapyworker.h"

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

typedef struct
{
  NdaPyRunner parent;
  NdaPyRunnerConfig *config;    /* [const] owned; names the interpreter */
  GThread *thread;              /* [const] owned */
  gint wake_fd;                 /* [const] the thread's doorbell */

  GMutex lock;
  GCond changed;                /* is_open, is_closing, worker */
  gboolean is_open;             /* [lock] the first worker has answered */
  GError *error;                /* [lock] owned; why it could not be made */
  gboolean is_closing;          /* [lock] */
  NdaPyWorker *worker;          /* [lock] owned reference, or NULL */
  gboolean is_started;          /* [lock] the plugin shall run */
  NdaPyFormat format;           /* [lock] that it was started with */
  gchar *death;                 /* [lock] owned; how the last one ended */

  gchar *failure;               /* [block thread] owned; of the last call */
} NdaPyKeeper;

static NdaPyKeeper *
get_keeper (NdaPyRunner * runner)
{
  return (NdaPyKeeper *) runner;
}

/* --- replacing a worker ------------------------------------------------- */

/* Puts @worker (transfer full) to use, unless there is no more use for it or
 * the plugin was started or stopped meanwhile. Parameters that changed since
 * @n_told of them are set first. */
static gboolean
install (NdaPyKeeper * self, NdaPyWorker * worker, gboolean is_started,
    guint n_told)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  while (nda_py_last_parameters_get_n_changes (self->config->last) != n_told) {
    g_mutex_unlock (&self->lock);
    n_told = nda_py_worker_set_again (worker);
    g_mutex_lock (&self->lock);
  }
  ok = !self->is_closing && self->is_started == is_started;
  if (ok)
    self->worker = worker;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  if (!ok)
    nda_py_worker_unref (worker);
  return ok;
}

/* Makes another worker and brings it to where the last one was. It counts
 * before the first block can come from it. */
static gboolean
replace (NdaPyKeeper * self)
{
  g_autoptr (GError) error = NULL;
  NdaPyWorker *worker = nda_py_worker_open (self->config, &error);
  gboolean was_started;
  NdaPyFormat format;
  guint n_told;

  g_mutex_lock (&self->lock);
  was_started = self->is_started;
  format = self->format;
  g_mutex_unlock (&self->lock);

  if (worker) {
    n_told = nda_py_worker_set_again (worker);
    if (!was_started || nda_py_worker_start_again (worker, &format, &error)) {
      self->config->restarted (self->config->owner);
      return install (self, worker, was_started, n_told);
    }
    nda_py_worker_shut_down (worker);
    nda_py_worker_unref (worker);
  }
  GST_WARNING ("The plugin cannot be restarted: %s", error->message);
  return FALSE;
}

/* --- the keeper's thread ------------------------------------------------ */

/* Notes how the worker has ended, and lets it go. */
static void
bury (NdaPyKeeper * self)
{
  NdaPyWorker *worker = self->worker;   /* nobody else writes it */
  gchar *death = nda_py_worker_describe_death (worker);

  GST_WARNING ("The process of the plugin “%s” has ended: %s",
      self->config->path, death);
  g_mutex_lock (&self->lock);
  self->worker = NULL;
  g_free (self->death);
  self->death = death;
  g_mutex_unlock (&self->lock);
  nda_py_worker_unref (worker);
}

static gboolean
is_closing (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->is_closing;
}

/* FALSE: there is no more use for the plugin. */
static gboolean
wait_before_restart (NdaPyKeeper * self, gint64 back_off)
{
  gint64 end = self->config->restart == NDA_PY_RESTART_NEVER ? G_MAXINT64 :
      g_get_monotonic_time () + back_off;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_closing
      && g_cond_wait_until (&self->changed, &self->lock, end));
  return !self->is_closing;
}

/* Looks after the worker until it has ended, or there is no more use for it. */
static void
look_after (NdaPyKeeper * self)
{
  guint64 limit = self->config->memory_limit, n_wakes;
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  worker = nda_py_worker_ref (self->worker);
  g_mutex_unlock (&self->lock);

  while (!nda_py_worker_is_dead (worker) && !is_closing (self)) {
    nda_py_worker_log (worker, self->wake_fd, limit ? MEMORY_INTERVAL : -1);
    while (read (self->wake_fd, &n_wakes, sizeof (n_wakes)) > 0);
    if (limit && nda_py_worker_get_memory (worker) > limit)
      nda_py_worker_kill (worker,
          _("it took more memory than “memory-limit”"));
  }
  nda_py_worker_log (worker, -1, 0);    /* its last words */
  nda_py_worker_unref (worker);
}

/* Keeps a worker until there is no more use for it. One that went well for a
 * while is replaced at once. */
static void
keep (NdaPyKeeper * self)
{
  gint64 back_off = 0;

  while (TRUE) {
    gint64 begin = g_get_monotonic_time ();

    look_after (self);
    if (is_closing (self))
      return;
    bury (self);
    if (g_get_monotonic_time () - begin >= GOOD_TIME)
      back_off = 0;
    do {
      if (!wait_before_restart (self, back_off))
        return;
      back_off = CLAMP (back_off * 2, FIRST_BACK_OFF, LAST_BACK_OFF);
    } while (!replace (self));
  }
}

static gpointer
nda_py_keeper_thread (gpointer data)
{
  NdaPyKeeper *self = data;
  GError *error = NULL;
  NdaPyWorker *worker = nda_py_worker_open (self->config, &error);

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
free_keeper (NdaPyKeeper * self)
{
  g_clear_pointer (&self->thread, g_thread_join);
  nda_py_descriptor_close (&self->wake_fd);
  g_clear_error (&self->error);
  nda_py_runner_config_free (self->config);
  g_free (self->death);
  g_free (self->failure);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static NdaPyKeeper *
make_keeper (const NdaPyRunnerConfig * config)
{
  NdaPyKeeper *self = g_new0 (NdaPyKeeper, 1);

  nda_py_runner_init (&self->parent, &nda_py_keeper_kind);
  self->config = nda_py_runner_config_copy (config);
  if (!config->python || !*config->python) {
    g_free (self->config->python);
    self->config->python = nda_py_paths_find_python ();
  }
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("nda-py-keeper", nda_py_keeper_thread, self);
  return self;
}

static NdaPyRunner *
nda_py_keeper_open (const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyKeeper *self = make_keeper (config);

  g_mutex_lock (&self->lock);
  while (!self->is_open)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  if (!self->error)
    return &self->parent;
  g_propagate_error (error, g_steal_pointer (&self->error));
  free_keeper (self);
  return NULL;
}

/* The worker of the moment (transfer full), or NULL. */
static NdaPyWorker *
get_worker (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->worker ? nda_py_worker_ref (self->worker) : NULL;
}

/* Shuts the plugin down and ends its process. */
static void
nda_py_keeper_close (NdaPyRunner * runner)
{
  NdaPyKeeper *self = get_keeper (runner);
  const guint64 one = 1;
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
  if (write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("The keeper of a plugin cannot be woken");
  free_keeper (self);
}

/* The worker of the moment, or the next one (transfer full). NULL when there is
 * none for long, with how the last one died. */
static NdaPyWorker *
wait_for_worker (NdaPyKeeper * self, gchar ** death)
{
  gint64 end = g_get_monotonic_time () + WORKER_TIMEOUT;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->worker && !self->is_closing
      && self->config->restart != NDA_PY_RESTART_NEVER
      && g_cond_wait_until (&self->changed, &self->lock, end));
  if (self->worker)
    return nda_py_worker_ref (self->worker);
  *death = g_strdup (self->death ? self->death : "");
  return NULL;
}

/* Starts the plugin on its process's block thread. */
static gboolean
nda_py_keeper_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error)
{
  NdaPyKeeper *self = get_keeper (runner);
  g_autofree gchar *death = NULL;
  NdaPyWorker *worker = wait_for_worker (self, &death);
  gboolean ok;

  if (!worker) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The process of the plugin “%s” has ended: %s"),
        self->config->path, death);
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
static void
nda_py_keeper_stop (NdaPyRunner * runner)
{
  NdaPyKeeper *self = get_keeper (runner);
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

static void
nda_py_keeper_interrupt (NdaPyRunner * runner)
{
  NdaPyWorker *worker = get_worker (get_keeper (runner));

  if (!worker)
    return;
  nda_py_worker_interrupt (worker);
  nda_py_worker_unref (worker);
}

static void
nda_py_keeper_kill (NdaPyRunner * runner)
{
  NdaPyWorker *worker = get_worker (get_keeper (runner));

  if (!worker)
    return;
  nda_py_worker_kill (worker, _("it did not stop"));
  nda_py_worker_unref (worker);
}

/* --- parameters and facts ------------------------------------------------ */

/* One that is ending has nothing to say: the next will be told. */
static gchar *
nda_py_keeper_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value)
{
  NdaPyWorker *worker = get_worker (get_keeper (runner));
  gchar *problem;

  if (!worker)
    return NULL;
  problem = nda_py_worker_set_parameter (worker, key, value);
  if (problem && nda_py_worker_is_dead (worker))
    g_clear_pointer (&problem, g_free);
  nda_py_worker_unref (worker);
  return problem;
}

static gchar *
nda_py_keeper_get_parameter (NdaPyRunner * runner, const gchar * key)
{
  NdaPyWorker *worker = get_worker (get_keeper (runner));
  gchar *value;

  if (!worker)
    return g_strdup ("");
  value = nda_py_worker_get_parameter (worker, key);
  nda_py_worker_unref (worker);
  return value;
}

static void
nda_py_keeper_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  NdaPyWorker *worker = get_worker (get_keeper (runner));

  *facts = (NdaPyFacts) {
  0};
  if (!worker)
    return;
  nda_py_worker_get_facts (worker, facts);
  nda_py_worker_unref (worker);
}

/* --- blocks ------------------------------------------------------------- */

/* Why there is no worker to make a call (transfer full). */
static gchar *
describe_death (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return nda_py_worker_describe_end (self->config,
      self->death ? self->death : _("it has ended"));
}

/* Makes one block call; DEAD while there is nobody to make it. */
static NdaPyCallResult
nda_py_keeper_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyKeeper *self = get_keeper (runner);
  NdaPyWorker *worker = get_worker (self);
  NdaPyCallResult result = NDA_PY_CALL_DEAD;

  if (worker)
    result = nda_py_worker_call (worker, in, out, n_frames, is_gated);
  if (G_UNLIKELY (result != NDA_PY_CALL_OK && result != NDA_PY_CALL_NO_SPACE)) {
    g_free (self->failure);
    self->failure = worker ? nda_py_worker_describe_failure (worker, result) :
        describe_death (self);
  }
  if (worker)
    nda_py_worker_unref (worker);
  return result;
}

static gchar *
nda_py_keeper_take_error (NdaPyRunner * runner)
{
  return g_steal_pointer (&get_keeper (runner)->failure);
}

const NdaPyRunnerKind nda_py_keeper_kind = {
  .open = nda_py_keeper_open,

  .close = nda_py_keeper_close,
  .start = nda_py_keeper_start,
  .stop = nda_py_keeper_stop,
  .set_parameter = nda_py_keeper_set_parameter,
  .get_parameter = nda_py_keeper_get_parameter,
  .get_facts = nda_py_keeper_get_facts,
  .call = nda_py_keeper_call,
  .take_error = nda_py_keeper_take_error,

  .interrupt = nda_py_keeper_interrupt,
  .kill = nda_py_keeper_kill,
};
