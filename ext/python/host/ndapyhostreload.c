/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An edited plugin, from any thread: it is loaded, initialised and given the
 * parameters of the one before, which works on meanwhile. Its start is the block
 * thread's, before the next block; a plugin that does not run is exchanged at
 * once, and one in a process of its own exchanges itself. */

#include <Python.h>

#include "config.h"

#include "ndapyhostpriv.h"

static void
exchange_job (gpointer data)
{
  NdaPyHost *self = data;

  if (nda_py_guest_has_next (&self->guest))
    nda_py_guest_exchange (&self->guest, NULL, NULL);
}

/* Exchanges a plugin that does not run; the block thread waits meanwhile. FALSE:
 * it runs, or is about to. */
static gboolean
exchange_at_rest (NdaPyHost * self)
{
  gboolean is_at_rest;

  g_mutex_lock (&self->lock);
  while (self->is_setting)
    g_cond_wait (&self->changed, &self->lock);
  is_at_rest = !self->is_calling && (self->state == STATE_INITIALIZED
      || self->state == STATE_SPENT);
  self->is_setting = is_at_rest;
  g_mutex_unlock (&self->lock);
  if (!is_at_rest)
    return FALSE;

  nda_py_guest_run (&self->guest, exchange_job, self, NULL);
  g_mutex_lock (&self->lock);
  self->is_setting = FALSE;
  if (self->state == STATE_SPENT)
    self->state = STATE_INITIALIZED;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
facts_job (gpointer data)
{
  NdaPyParametersJob *job = data;

  nda_py_guest_get_facts (&job->host->guest, &job->facts);
}

/* Tells the owner that the plugin is another now. */
static void
report (NdaPyHost * self)
{
  NdaPyParametersJob job = { self, NULL, NULL, {0} };

  if (nda_py_guest_run (&self->guest, facts_job, &job, NULL))
    nda_py_host_report_facts (self, &job.facts);
  self->events->reloaded (self->owner, NULL);
}

static gboolean
reload (NdaPyHost * self, GError ** error)
{
  if (!nda_py_guest_reload (&self->guest, error))
    return FALSE;
  if (exchange_at_rest (self)
      || self->guest.isolation == NDA_PY_ISOLATION_PROCESS)
    report (self);
  else
    g_atomic_int_set (&self->has_next, TRUE);
  return TRUE;
}

/* Loads the plugin anew. The caller does not hold the GIL. FALSE: there is none,
 * or it is the one before; the owner was told why. */
gboolean
nda_py_host_reload (NdaPyHost * self)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (!nda_py_host_begin_use (self))
    return FALSE;
  ok = reload (self, &error);
  if (!ok)
    self->events->reloaded (self->owner, error);
  nda_py_host_end_use (self);
  return ok;
}
