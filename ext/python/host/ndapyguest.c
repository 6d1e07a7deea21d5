/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyguest.h"

#include "ndapyproblem.h"

/* --- where calls can be made -------------------------------------------- */

/* Whether the plugin runs in this process. */
static gboolean
is_here (NdaPyGuest * self)
{
  return self->isolation == NDA_PY_ISOLATION_THREAD;
}

/* Runs @job where it can call the plugin, and waits for it. */
gboolean
nda_py_guest_run (NdaPyGuest * self, NdaPythonJob job, gpointer data,
    GError ** error)
{
  if (is_here (self))
    return nda_python_run (job, data, error);
  job (data);
  return TRUE;
}

/* Makes this thread, the block thread, one that can call the plugin. */
gboolean
nda_py_guest_enter (NdaPyGuest * self)
{
  return !is_here (self) || nda_python_enter ();
}

void
nda_py_guest_leave (NdaPyGuest * self)
{
  if (is_here (self))
    nda_python_leave ();
}

/* Quickens the calling thread, which makes the block calls. */
void
nda_py_guest_quicken_thread (NdaPyGuest * self)
{
  if (is_here (self))
    nda_python_quicken_thread ();
}

/* Whether there is no Python any more for a plugin in this process. */
gboolean
nda_py_guest_is_gone (NdaPyGuest * self)
{
  return is_here (self) && nda_python_is_gone ();
}

typedef struct
{
  gulong thread;
  PyObject *exception;          /* borrowed */
} InterruptJob;

static void
interrupt_job (gpointer data)
{
  InterruptJob *job = data;

  PyThreadState_SetAsyncExc (job->thread, job->exception);
}

/* Sends a SystemExit to a call that its plugin's stop () did not end, which ends
 * a loop in Python. */
void
nda_py_guest_interrupt (NdaPyGuest * self, gulong python_thread)
{
  InterruptJob job = { python_thread, PyExc_SystemExit };

  if (is_here (self))
    nda_python_run (interrupt_job, &job, NULL);
  else if (self->remote)
    nda_py_remote_interrupt (self->remote);
}

void
nda_py_guest_forget_interrupt (NdaPyGuest * self, gulong python_thread)
{
  InterruptJob job = { python_thread, NULL };

  if (is_here (self))
    nda_python_run (interrupt_job, &job, NULL);
}

/* Ends a call by the end of its process, if it has one. */
void
nda_py_guest_kill (NdaPyGuest * self)
{
  if (self->remote)
    nda_py_remote_kill (self->remote);
}

/* --- life cycle --------------------------------------------------------- */

typedef struct
{
  NdaPyGuest *guest;
  GError *error;
} GuestJob;

static NdaPyPlugin *
load (NdaPyGuest * self, GError ** error)
{
  NdaPyPlugin *plugin = nda_py_plugin_load (self->path, error);

  if (plugin && !nda_py_plugin_initialize (plugin, self->role, error))
    g_clear_pointer (&plugin, nda_py_plugin_shut_down);
  return plugin;
}

static void
open_job (gpointer data)
{
  GuestJob *job = data;

  job->guest->plugin = load (job->guest, &job->error);
}

static gboolean
open_here (NdaPyGuest * self, GError ** error)
{
  GuestJob job = { self, NULL };

  if (!nda_python_start (error) || !nda_python_run (open_job, &job, error))
    return FALSE;
  if (job.error)
    g_propagate_error (error, job.error);
  return self->plugin != NULL;
}

static void
forget (NdaPyGuest * self)
{
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->parameters, g_ptr_array_unref);
}

/* Loads and initialises the plugin; only one in a process of its own has a use
 * for more of @config than path and role. */
gboolean
nda_py_guest_open (NdaPyGuest * self, const NdaPyRemoteConfig * config,
    GError ** error)
{
  if (!is_here (self)) {
    self->remote = nda_py_remote_new (config, error);
    return self->remote != NULL;
  }
  self->path = g_strdup (config->path);
  self->role = config->role;
  self->parameters = nda_py_parameters_new ();
  if (open_here (self, error))
    return TRUE;
  forget (self);
  return FALSE;
}

static void
close_job (gpointer data)
{
  NdaPyGuest *self = data;

  g_clear_pointer (&self->next, nda_py_plugin_shut_down);
  g_clear_pointer (&self->plugin, nda_py_plugin_shut_down);
}

/* Shuts the plugin down, if there is one. */
void
nda_py_guest_close (NdaPyGuest * self)
{
  if (self->plugin)
    nda_python_run (close_job, self, NULL);
  g_clear_pointer (&self->remote, nda_py_remote_shut_down);
  forget (self);
}

/* Forgets a plugin that is still in a call. */
void
nda_py_guest_abandon (NdaPyGuest * self)
{
  self->plugin = self->next = NULL;
  self->remote = NULL;
  self->parameters = NULL;
}

/* --- an edited plugin --------------------------------------------------- */

static void
reload_job (gpointer data)
{
  GuestJob *job = data;
  NdaPyGuest *self = job->guest;
  NdaPyPlugin *next = load (self, &job->error);

  if (!next)
    return;
  for (guint i = 0; i < self->parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (self->parameters, i);

    g_free (nda_py_plugin_set_parameter (next, p->key, p->value));
  }
  g_clear_pointer (&self->next, nda_py_plugin_shut_down);
  self->next = next;
}

/* Executes the file anew. One in this process then waits to be exchanged for the
 * one before, where no block call can be; in one of its own it is already. When
 * this fails, the plugin is what it was. */
gboolean
nda_py_guest_reload (NdaPyGuest * self, GError ** error)
{
  GuestJob job = { self, NULL };

  if (!is_here (self))
    return nda_py_remote_reload (self->remote, error);
  if (!nda_python_run (reload_job, &job, error))
    return FALSE;
  if (!job.error)
    return TRUE;
  g_propagate_error (error, job.error);
  return FALSE;
}

/* Whether one waits to be exchanged. */
gboolean
nda_py_guest_has_next (NdaPyGuest * self)
{
  return self->next != NULL;
}

/* Starts the next with the format that the one before @running has. */
static gboolean
start_next (NdaPyGuest * self, NdaPyPlugin * next, const NdaPyFormat * running,
    GError ** error)
{
  NdaPyFormat format = *running;

  if (!nda_py_plugin_start (next, &format, error))
    return FALSE;
  if (nda_py_format_is_equal (&format, running))
    return TRUE;
  nda_py_problem_set_format_error (error, self->path);
  nda_py_plugin_stop (next);
  return FALSE;
}

/* Lets the next take the place of the one before, which runs if there is a
 * @running format. There may be only one of a source's or sink's device, so that
 * is stopped before the next is started. When that fails, the one before goes
 * on. */
gboolean
nda_py_guest_exchange (NdaPyGuest * self, const NdaPyFormat * running,
    GError ** error)
{
  NdaPyPlugin *next = g_steal_pointer (&self->next);
  gboolean is_device = self->role != NDA_PY_ROLE_PROCESSOR;
  NdaPyFormat format;

  if (running && is_device)
    nda_py_plugin_stop (self->plugin);
  if (running && !start_next (self, next, running, error)) {
    nda_py_plugin_shut_down (next);
    format = *running;
    if (is_device)
      nda_py_plugin_start (self->plugin, &format, NULL);
    return FALSE;
  }
  if (running && !is_device)
    nda_py_plugin_stop (self->plugin);
  nda_py_plugin_shut_down (self->plugin);
  self->plugin = next;
  return TRUE;
}

/* --- calls -------------------------------------------------------------- */

gboolean
nda_py_guest_start (NdaPyGuest * self, NdaPyFormat * format, GError ** error)
{
  return self->remote ? nda_py_remote_start (self->remote, format, error) :
      nda_py_plugin_start (self->plugin, format, error);
}

void
nda_py_guest_stop (NdaPyGuest * self)
{
  if (self->remote)
    nda_py_remote_stop (self->remote);
  else
    nda_py_plugin_stop (self->plugin);
}

gchar *
nda_py_guest_set_parameter (NdaPyGuest * self, const gchar * key,
    const gchar * value)
{
  gchar *problem;

  if (self->remote)
    return nda_py_remote_set_parameter (self->remote, key, value);
  problem = nda_py_plugin_set_parameter (self->plugin, key, value);
  if (!problem)
    nda_py_parameters_put (self->parameters, key, value);
  return problem;
}

gchar *
nda_py_guest_get_parameter (NdaPyGuest * self, const gchar * key)
{
  return self->remote ? nda_py_remote_get_parameter (self->remote, key) :
      nda_py_plugin_get_parameter (self->plugin, key);
}

void
nda_py_guest_get_facts (NdaPyGuest * self, NdaPyFacts * facts)
{
  if (self->remote)
    nda_py_remote_get_facts (self->remote, facts);
  else
    nda_py_plugin_get_facts (self->plugin, facts);
}

NdaPyCallResult
nda_py_guest_call (NdaPyGuest * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  return self->remote ?
      nda_py_remote_call (self->remote, in, out, n_frames, is_gated) :
      nda_py_plugin_call (self->plugin, in, out, n_frames, is_gated);
}

gchar *
nda_py_guest_take_error (NdaPyGuest * self)
{
  return self->remote ? nda_py_remote_take_error (self->remote) :
      nda_py_plugin_take_error (self->plugin);
}

/* A process of its own collects by itself, between two blocks. */
void
nda_py_guest_collect (NdaPyGuest * self)
{
  if (!self->remote)
    nda_py_plugin_collect_garbage ();
}
