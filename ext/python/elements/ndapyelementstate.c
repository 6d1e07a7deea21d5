/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The application's threads: changes of state, which load, start, stop and
 * shut down the plugin. */

#include "config.h"

#include "ndapyelementstate.h"

#include "ndapyparameters.h"

#include <glib/gi18n-lib.h>

#include <string.h>

static void
copy_settings (NdaPyShared * self, NdaPySettings * copy)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  *copy = self->settings;
  copy->plugin = g_strdup (copy->plugin);
  copy->plugin_path = g_strdup (copy->plugin_path);
  copy->parameters = g_strdup (copy->parameters);
  copy->python = g_strdup (copy->python);
  copy->sandbox_folder = g_strdup (copy->sandbox_folder);
  copy->group = g_strdup (copy->group);
  self->is_stale = FALSE;
}

static void
clear_settings (NdaPySettings * copy)
{
  g_free (copy->plugin);
  g_free (copy->plugin_path);
  g_free (copy->parameters);
  g_free (copy->python);
  g_free (copy->sandbox_folder);
  g_free (copy->group);
}

static void
nda_py_element_reload_edited (gpointer user_data)
{
  NdaPyShared *self = user_data;

  nda_py_host_reload (self->host);
}

static gboolean
load_with (NdaPyShared * self, const NdaPySettings * settings, GError ** error)
{
  g_autofree gchar *file = NULL;
  g_autoptr (GPtrArray) parameters = NULL;
  NdaPyRunnerConfig config = { NULL };

  file = nda_py_runners_find_plugin (settings->plugin,
      settings->plugin_path, settings->timeout, error);
  if (!file)
    return FALSE;
  parameters = nda_py_parameters_parse (settings->parameters, error);
  if (!parameters)
    return FALSE;
  config.path = file;
  config.python = settings->python;
  config.deadline = settings->deadline;
  config.timeout = settings->timeout;
  config.memory_limit = settings->memory_limit;
  config.restart = settings->restart;
  config.has_standby = settings->standby;
  config.group = settings->group;
  config.sandbox = settings->sandbox;
  config.sandbox_folder = settings->sandbox_folder;
  if (!nda_py_host_open (self->host,
          nda_py_runners_get_kind (settings->isolation), &config, parameters,
          error))
    return FALSE;
  if (settings->auto_reload)
    self->watch = nda_py_watch_new (file, nda_py_element_reload_edited, self);
  return TRUE;
}

static void
close_plugin (NdaPyShared * self)
{
  g_clear_pointer (&self->watch, nda_py_watch_free);
  nda_py_host_close (self->host);
}

static gboolean
load (NdaPyShared * self, GError ** error)
{
  NdaPySettings settings;
  gboolean ok;

  copy_settings (self, &settings);
  ok = load_with (self, &settings, error);
  clear_settings (&settings);
  return ok;
}

static gboolean
open_plugin (NdaPyShared * self)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (self->lock);
  memset (&self->counters, 0, sizeof (self->counters));
  g_mutex_unlock (self->lock);
  if (load (self, &error))
    return TRUE;
  nda_py_shared_post_error (self, error);
  return FALSE;
}

/* A plugin that failed to start is good for nothing more (4.3); and perhaps
 * another was named since. */
static gboolean
start (NdaPyShared * self)
{
  gboolean is_stale;

  GST_OBJECT_LOCK (self->element);
  is_stale = self->is_stale;
  GST_OBJECT_UNLOCK (self->element);

  if (is_stale || nda_py_host_is_spent (self->host)) {
    close_plugin (self);
    if (!open_plugin (self))
      return FALSE;
  }
  nda_py_host_arm (self->host);
  return TRUE;
}

static gboolean
stop (NdaPyShared * self)
{
  nda_py_element_unblock (NDA_PY_ELEMENT (self->element));
  if (nda_py_host_stop (self->host))
    return TRUE;
  GST_ELEMENT_ERROR (self->element, LIBRARY, SHUTDOWN,
      (_("The plugin does not return from a call, so it cannot be stopped. End "
              "the program, and see what the plugin waits for.")),
      ("neither stop () nor SystemExit ended the call"));
  return FALSE;
}

static GstStateChangeReturn
change_state_without_gil (NdaPyShared * self, GstStateChange transition,
    GstElementClass * parent_class)
{
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_plugin (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && !stop (self))
    return GST_STATE_CHANGE_FAILURE;

  result = parent_class->change_state (self->element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_plugin (self);
  return result;
}

/* An application in Python may hold the GIL, for which the plugin waits. */
GstStateChangeReturn
nda_py_element_change_state (NdaPyElement * self, GstStateChange transition,
    GstElementClass * parent_class)
{
  gpointer paused = nda_py_runners_pause_gil ();
  GstStateChangeReturn result =
      change_state_without_gil (nda_py_element_get_shared (self), transition,
      parent_class);

  nda_py_runners_resume_gil (paused);
  return result;
}
