/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An edited plugin takes the place of the one that runs, in a process of its
 * own. That of a processor is ready before the other is let go, between two
 * blocks. There may be only one of a source's or sink's device, so the other is
 * stopped first, and no block call begins meanwhile; it is started again when
 * the edited one does not start. */

#include "config.h"

#include "ndapyremotepriv.h"

#include <glib/gi18n-lib.h>

/* How long a block call may take to end before stop () is called beside it */
#define CALL_TIMEOUT (1 * G_TIME_SPAN_SECOND)

/* Waits until @worker is in no block call. */
static void
wait_for_call_locked (NdaPyRemote * self, NdaPyWorker * worker)
{
  gint64 end = g_get_monotonic_time () + CALL_TIMEOUT;

  while (worker && self->caller == worker
      && g_cond_wait_until (&self->changed, &self->lock, end));
}

/* Stops the plugin that runs, and lets no block call begin. */
static void
pause (NdaPyRemote * self)
{
  NdaPyWorker *worker;

  g_mutex_lock (&self->lock);
  self->is_paused = TRUE;
  worker = self->is_started ? self->worker : NULL;
  wait_for_call_locked (self, worker);
  g_mutex_unlock (&self->lock);
  if (worker)
    nda_py_worker_stop (worker);
}

/* Lets block calls begin again: in the process that is there now, which is the
 * one that was stopped unless @is_other. */
static void
resume (NdaPyRemote * self, gboolean is_other)
{
  NdaPyWorker *worker;
  NdaPyFormat format;

  g_mutex_lock (&self->lock);
  worker = self->is_started && !is_other ? self->worker : NULL;
  format = self->format;
  g_mutex_unlock (&self->lock);
  if (worker)
    nda_py_worker_start (worker, &format, NULL);

  g_mutex_lock (&self->lock);
  self->is_paused = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Ends @worker (transfer full), which is not in use any more; a processor's was
 * not stopped yet. */
static void
retire (NdaPyRemote * self, NdaPyWorker * worker, gboolean is_running)
{
  g_mutex_lock (&self->lock);
  wait_for_call_locked (self, worker);
  g_mutex_unlock (&self->lock);
  if (is_running)
    nda_py_worker_stop (worker);
  nda_py_worker_shut_down (worker);
  nda_py_worker_watch (worker, -1, 0);  /* its last words */
  nda_py_worker_unref (worker);
}

/* Starts @worker (transfer full) and puts it to use. */
static gboolean
exchange (NdaPyRemote * self, NdaPyWorker * worker, GError ** error)
{
  gboolean is_device = self->config.role != NDA_PY_ROLE_PROCESSOR;
  NdaPyWorker *replaced = NULL;
  gboolean was_started, ok;
  guint n_remembered;

  g_mutex_lock (&self->lock);
  was_started = self->is_started;
  g_mutex_unlock (&self->lock);
  n_remembered = nda_py_remote_set_parameters_again (self, worker);
  if (is_device)
    pause (self);
  ok = nda_py_remote_start_again (self, worker, error);
  if (!ok) {
    nda_py_worker_shut_down (worker);
    nda_py_worker_unref (worker);
  } else {
    ok = nda_py_remote_install (self, worker, was_started, n_remembered,
        &replaced);
    if (!ok)
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
          _("The plugin was started or stopped meanwhile"));
  }
  if (is_device)
    resume (self, ok);
  if (replaced)
    retire (self, replaced, was_started && !is_device);
  return ok;
}

/* Does what the keeper was asked for. Whether there is a process now. */
gboolean
nda_py_remote_reload_now (NdaPyRemote * self)
{
  GError *error = NULL;
  NdaPyWorker *worker = nda_py_worker_new (&self->worker_config, &error);
  gboolean ok = worker && exchange (self, worker, &error), has_worker;

  g_mutex_lock (&self->lock);
  self->reload->ok = ok;
  self->reload->error = error;
  self->reload->is_done = TRUE;
  self->reload = NULL;
  has_worker = self->worker != NULL;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return has_worker;
}

/* Executes the file anew, in another process, and waits until that has taken
 * the place of this one. When it fails, the plugin is what it was. */
gboolean
nda_py_remote_reload (NdaPyRemote * self, GError ** error)
{
  NdaPyReload reload = { FALSE, FALSE, NULL };

  g_mutex_lock (&self->lock);
  while (self->reload && !self->is_closing)
    g_cond_wait (&self->changed, &self->lock);
  if (!self->is_closing) {
    self->reload = &reload;
    g_cond_broadcast (&self->changed);
    nda_py_remote_wake_keeper (self);
    while (!reload.is_done)
      g_cond_wait (&self->changed, &self->lock);
  }
  g_mutex_unlock (&self->lock);
  if (reload.error)
    g_propagate_error (error, reload.error);
  return reload.ok;
}
