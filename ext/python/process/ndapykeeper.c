/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A keeper has one worker (a process of the plugin), or two with a standby.
 * Each has a place, called a seat.
 *
 * THREADS. Each seat has a thread: it makes one worker after the other, logs
 * its output, checks its memory, and replaces it. With a standby there are two
 * seats, and their workers take turns: one is at work, the other stands by. The
 * block thread makes the calls to the worker at work. Other threads set
 * parameters and stop.
 *
 * LOCKS. lock guards the fields that are marked so. No thread holds it while it
 * asks a worker anything.
 *
 * HAND-OVER. `worker` is the worker at work, NULL while there is none, and
 * `standby` the one that stands by. A thread that uses one holds a reference. A
 * worker is complete, with parameters and started, before `worker` points to
 * it. Only the thread that sets `is_starting` starts a worker for that place: a
 * seat's thread starts a new one if none is at work, and the thread that makes
 * calls starts the standby if it finds the other worker dead. A standby that
 * gets changed parameters is out of its place meanwhile (`is_refreshing`). The
 * thread that makes calls waits for that, and for `is_starting`, for one
 * deadline at most.
 *
 * STOP. The host sets `is_closing` and wakes the seats. Their threads end at
 * once, or as soon as the worker that they make has answered. */

#include "config.h"

#include "ndapykeeperpriv.h"

#include "ndapydescriptor.h"
#include "ndapylog.h"
#include "ndapypaths.h"
#include "ndapystart.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <sys/eventfd.h>

/* --- life cycle --------------------------------------------------------- */

static void
free_keeper (NdaPyKeeper * self)
{
  for (guint i = 0; i < self->n_seats; i++) {
    g_clear_pointer (&self->seats[i].thread, g_thread_join);
    nda_py_descriptor_close (&self->seats[i].wake_fd);
  }
  g_clear_error (&self->error);
  nda_py_runner_config_free (self->config);
  g_ptr_array_unref (self->dead);
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
  self->dead = g_ptr_array_new_with_free_func ((GDestroyNotify)
      nda_py_worker_unref);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->n_seats = config->has_standby ? 2 : 1;
  for (guint i = 0; i < self->n_seats; i++) {
    self->seats[i].keeper = self;
    self->seats[i].wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  }
  return self;
}

/* Whether all seats have a bell. FALSE: with errno. */
static gboolean
has_doorbells (NdaPyKeeper * self)
{
  for (guint i = 0; i < self->n_seats; i++)
    if (self->seats[i].wake_fd < 0)
      return FALSE;
  return TRUE;
}

static gboolean
begin_thread (NdaPySeat * seat, GThreadFunc thread, GError ** error)
{
  seat->thread = g_thread_try_new ("nda-py-keeper", thread, seat, error);
  return seat->thread != NULL;
}

/* Waits for the first worker. */
static gboolean
wait_until_open (NdaPyKeeper * self, GError ** error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_open)
    g_cond_wait (&self->changed, &self->lock);
  if (!self->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

/* Begins the first seat's thread and waits for it, then begins the other's. */
static gboolean
begin (NdaPyKeeper * self, GError ** error)
{
  g_autoptr (GError) failure = NULL;

  if (!has_doorbells (self)) {
    nda_py_start_set_no_resources (error, errno);
    return FALSE;
  }
  if (!begin_thread (&self->seats[0], nda_py_seat_thread, error)
      || !wait_until_open (self, error))
    return FALSE;
  for (guint i = 1; i < self->n_seats; i++)
    if (!begin_thread (&self->seats[i], nda_py_seat_standby_thread, &failure))
      GST_WARNING ("There is no standby: %s", failure->message);
  return TRUE;
}

static NdaPyRunner *
nda_py_keeper_open (const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyKeeper *self = make_keeper (config);

  if (begin (self, error))
    return &self->parent;
  free_keeper (self);
  return NULL;
}

/* Warns if the plugin did not complete its work, such as a recording. */
void
nda_py_keeper_tell_end (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_autofree gchar *death = nda_py_worker_describe_death (worker);
  g_autofree gchar *text = nda_py_worker_describe_end (self->config, death);

  GST_WARNING ("%s", text);
  self->config->warn (self->config->owner, text);
}

/* Stops the making of workers. Returns the standby (transfer full), or NULL. */
static NdaPyWorker *
begin_closing (NdaPyKeeper * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->is_closing = TRUE;
  for (guint i = 0; i < self->n_seats; i++)
    if (self->seats[i].next)
      nda_py_worker_abandon (self->seats[i].next,
          _("it is not needed any more"));
  g_cond_broadcast (&self->changed);
  return g_steal_pointer (&self->standby);
}

/* Shuts the plugin down in @worker (transfer full), which may be NULL. Of one
 * that is dead it was told when it died. */
static void
shut_down (NdaPyKeeper * self, NdaPyWorker * worker)
{
  if (!worker)
    return;
  if (!nda_py_worker_is_dead (worker) && !nda_py_worker_shut_down (worker))
    nda_py_keeper_tell_end (self, worker);
  nda_py_worker_unref (worker);
}

/* Shuts the plugin down and ends its processes. */
static void
nda_py_keeper_close (NdaPyRunner * runner)
{
  NdaPyKeeper *self = (NdaPyKeeper *) runner;
  NdaPyWorker *standby = begin_closing (self);

  shut_down (self, nda_py_keeper_get_worker (self));
  shut_down (self, standby);
  nda_py_keeper_wake (self);
  free_keeper (self);
}

const NdaPyRunnerKind nda_py_keeper_kind = {
  .open = nda_py_keeper_open,

  .close = nda_py_keeper_close,
  .start = nda_py_keeper_start,
  .stop = nda_py_keeper_stop,
  .set_parameter = nda_py_keeper_set_parameter,
  .get_parameter = nda_py_keeper_get_parameter,
  .get_facts = nda_py_keeper_get_facts,
  .describe = nda_py_keeper_describe,
  .reset = nda_py_keeper_reset,
  .call = nda_py_keeper_call,
  .take_error = nda_py_keeper_take_error,

  .interrupt = nda_py_keeper_interrupt,
  .kill = nda_py_keeper_kill,
};
