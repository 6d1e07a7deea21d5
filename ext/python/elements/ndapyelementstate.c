/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The application's threads: changes of state, which load, start, stop and
 * shut down the plugin. */

#include "config.h"

#include "ndapyelementstate.h"

#include "ndapyfind.h"
#include "ndapyopen.h"
#include "ndapyparameters.h"
#include "ndapyparent.h"

#include <glib/gi18n-lib.h>

#include <string.h>

static void
nda_py_element_reload_edited (gpointer user_data)
{
  NdaPyShared *self = user_data;

  nda_py_host_reload (self->host);
}

/* Sets the parameters of a plugin that was just opened. An installed plugin
 * must have the same declarations as when it was installed. */
static gboolean
set_up (NdaPyShared * self, const NdaPyParameters * parameters, GError ** error)
{
  const NdaPyDescription *installed = self->installed;
  g_autofree gchar *text = NULL;

  if (!installed)
    text = nda_py_host_describe (self->host);
  else if (!installed->is_api_1)
    text = g_strdup (installed->text);

  if (nda_py_parent_open (self, text, parameters, error))
    return TRUE;
  nda_py_host_close (self->host);
  return FALSE;
}

/* The plugin may be found elsewhere, and be another than the one meant. */
static void
check_plugin_path (NdaPyShared * self, const NdaPySettings * settings)
{
  g_autofree gchar *folder = nda_py_find_missing_folder (settings->plugin_path);

  if (folder)
    GST_ELEMENT_WARNING (self->element, RESOURCE, NOT_FOUND,
        (_("There is no folder “%s”, which “plugin-path” names"),
            folder), (NULL));
}

static gboolean
load_with (NdaPyShared * self, const NdaPySettings * settings, GError ** error)
{
  g_autofree gchar *file = NULL;
  g_autofree gchar *entry = NULL;
  g_autoptr (GPtrArray) parameters = NULL;

  if (self->installed
      && !nda_py_description_check_file (self->installed, error))
    return FALSE;
  file = nda_py_runners_find_plugin (settings->plugin,
      settings->plugin_path, settings->timeout, &entry, error);
  if (!file)
    return FALSE;
  check_plugin_path (self, settings);
  parameters = nda_py_parameters_parse (settings->parameters, error);
  if (!parameters)
    return FALSE;
  if (!nda_py_open_in (self->host,
          nda_py_runners_get_kind (settings->isolation), settings, file, entry,
          error)
      || !set_up (self, parameters, error))
    return FALSE;
  if (settings->auto_reload)
    self->watch = nda_py_watch_new (file, nda_py_element_reload_edited, self);
  return TRUE;
}

static void
close_plugin (NdaPyShared * self)
{
  /* first the host: the watch may be in a reload, for which the host does not
   * wait */
  nda_py_host_close (self->host);
  g_clear_pointer (&self->watch, nda_py_watch_free);
  nda_py_parent_end (self);
}

static gboolean
load (NdaPyShared * self, GError ** error)
{
  NdaPySettings settings;
  gboolean ok;

  GST_OBJECT_LOCK (self->element);
  self->is_stale = FALSE;
  GST_OBJECT_UNLOCK (self->element);
  nda_py_open_copy_settings (self, &settings);
  ok = load_with (self, &settings, error);
  nda_py_open_clear_settings (&settings);
  return ok;
}

static gboolean
open_plugin (NdaPyShared * self)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (self->lock);
  memset (&self->counters, 0, sizeof (self->counters));
  g_mutex_unlock (self->lock);
  nda_py_parent_begin (self);
  if (load (self, &error))
    return TRUE;
  nda_py_parent_end (self);
  nda_py_shared_post_error (self, error);
  return FALSE;
}

/* Opens the plugin again if its start failed, since it cannot be used any more
 * (4.3), or if another plugin was named meanwhile. */
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
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    nda_stats_log (self->element);

  result = parent_class->change_state (self->element, transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_plugin (self);
  return result;
}

/* Gives up the GIL first: an application in Python may hold it, and the plugin
 * waits for it. */
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
