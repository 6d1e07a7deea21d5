/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyguest.h"

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
  const NdaPyRemoteConfig *config;
  GError *error;
} OpenJob;

static void
open_job (gpointer data)
{
  OpenJob *job = data;
  NdaPyPlugin *plugin = nda_py_plugin_load (job->config->path, &job->error);

  if (plugin
      && !nda_py_plugin_initialize (plugin, job->config->role, &job->error))
    g_clear_pointer (&plugin, nda_py_plugin_shut_down);
  job->guest->plugin = plugin;
}

/* Loads and initialises the plugin; only one in a process of its own has a use
 * for more of @config than path and role. */
gboolean
nda_py_guest_open (NdaPyGuest * self, const NdaPyRemoteConfig * config,
    GError ** error)
{
  OpenJob job = { self, config, NULL };

  if (!is_here (self)) {
    self->remote = nda_py_remote_new (config, error);
    return self->remote != NULL;
  }
  if (!nda_python_start (error) || !nda_python_run (open_job, &job, error))
    return FALSE;
  if (job.error)
    g_propagate_error (error, job.error);
  return self->plugin != NULL;
}

static void
close_job (gpointer data)
{
  NdaPyGuest *self = data;

  g_clear_pointer (&self->plugin, nda_py_plugin_shut_down);
}

/* Shuts the plugin down, if there is one. */
void
nda_py_guest_close (NdaPyGuest * self)
{
  if (self->plugin)
    nda_python_run (close_job, self, NULL);
  g_clear_pointer (&self->remote, nda_py_remote_shut_down);
}

/* Forgets a plugin that is still in a call. */
void
nda_py_guest_abandon (NdaPyGuest * self)
{
  self->plugin = NULL;
  self->remote = NULL;
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
  return self->remote ?
      nda_py_remote_set_parameter (self->remote, key, value) :
      nda_py_plugin_set_parameter (self->plugin, key, value);
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
