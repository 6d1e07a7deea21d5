/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The application's threads: changes of state, which load, start, stop and
 * shut down the plugin. */

#include <Python.h>

#include "config.h"

#include "ndapyelement.h"

#include "ndapyfind.h"
#include "ndapyparameters.h"
#include "ndapython.h"

#include <glib/gi18n-lib.h>

#include <string.h>

static gboolean
load (NdaPyElement * self, GError ** error)
{
  g_autofree gchar *plugin = NULL;
  g_autofree gchar *plugin_path = NULL;
  g_autofree gchar *text = NULL;
  g_autofree gchar *file = NULL;
  g_autoptr (GPtrArray) parameters = NULL;

  GST_OBJECT_LOCK (self->element);
  plugin = g_strdup (self->settings.plugin);
  plugin_path = g_strdup (self->settings.plugin_path);
  text = g_strdup (self->settings.parameters);
  self->is_stale = FALSE;
  GST_OBJECT_UNLOCK (self->element);

  file = nda_py_find_plugin (plugin, plugin_path, error);
  if (!file)
    return FALSE;
  parameters = nda_py_parameters_parse (text, error);
  return parameters && nda_py_host_open (self->host, file, parameters, error);
}

static gboolean
open_plugin (NdaPyElement * self)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (self->lock);
  memset (&self->counters, 0, sizeof (self->counters));
  g_mutex_unlock (self->lock);
  if (load (self, &error))
    return TRUE;
  nda_py_element_post_error (self, error);
  return FALSE;
}

/* A plugin that failed to start is good for nothing more (4.3); and perhaps
 * another was named since. */
static gboolean
start (NdaPyElement * self)
{
  gboolean is_stale;

  GST_OBJECT_LOCK (self->element);
  is_stale = self->is_stale;
  GST_OBJECT_UNLOCK (self->element);

  if (is_stale || nda_py_host_is_spent (self->host)) {
    nda_py_host_close (self->host);
    if (!open_plugin (self))
      return FALSE;
  }
  nda_py_host_arm (self->host);
  return TRUE;
}

static gboolean
stop (NdaPyElement * self, NdaPyElementFunc unblock)
{
  unblock (self->element);
  if (nda_py_host_stop (self->host))
    return TRUE;
  GST_ELEMENT_ERROR (self->element, LIBRARY, SHUTDOWN,
      (_("The plugin does not return from a call, so it cannot be stopped. End "
              "the program, and see what the plugin waits for.")),
      ("neither stop () nor SystemExit ended the call"));
  return FALSE;
}

static GstStateChangeReturn
change_state_without_gil (NdaPyElement * self, GstStateChange transition,
    GstElementClass * parent_class, NdaPyElementFunc unblock)
{
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_plugin (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && !stop (self, unblock))
    return GST_STATE_CHANGE_FAILURE;

  result = parent_class->change_state (self->element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    nda_py_host_close (self->host);
  return result;
}

/* An application in Python may hold the GIL, for which the plugin waits. */
GstStateChangeReturn
nda_py_element_change_state (NdaPyElement * self, GstStateChange transition,
    GstElementClass * parent_class, NdaPyElementFunc unblock)
{
  gpointer paused = nda_python_pause ();
  GstStateChangeReturn result =
      change_state_without_gil (self, transition, parent_class, unblock);

  nda_python_resume (paused);
  return result;
}
