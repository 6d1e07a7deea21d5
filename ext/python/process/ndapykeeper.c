/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. Each seat has a thread of its own: it makes one worker after the
 * other, logs what it prints, looks at its memory, and replaces it. With a
 * standby there are two seats, and their workers are at work by turns. The
 * block thread makes the calls, and others set parameters and stop, with
 * whatever worker is at work.
 *
 * LOCKS. lock guards what is marked so. Nobody holds it while a worker is
 * asked anything.
 *
 * HAND-OVER. `worker` is the process of the moment, NULL while there is none,
 * and `standby` one that waits. Whoever uses one holds a reference. A worker is
 * complete, with parameters and started, before it stands in `worker`. Whoever
 * sets `is_starting`, and nobody else meanwhile, starts one for that place: a
 * seat's thread a new one where none is at work, the thread that makes calls
 * the standby when it finds the other one dead.
 *
 * STOP. `is_closing` is set and the seats are woken, which end at once, or as
 * soon as the worker that they make has answered. */

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

/* FALSE, with errno. */
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

/* Begins the first seat's thread, and then the other's, which is not waited
 * for. */
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

/* Warns of what did not come to its end, such as a recording. */
void
nda_py_keeper_tell_end (NdaPyKeeper * self, NdaPyWorker * worker)
{
  g_autofree gchar *death = nda_py_worker_describe_death (worker);
  g_autofree gchar *text = nda_py_worker_describe_end (self->config, death);

  GST_WARNING ("%s", text);
  self->config->warn (self->config->owner, text);
}

/* Has no worker made any more. Returns the standby (transfer full), or NULL. */
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
