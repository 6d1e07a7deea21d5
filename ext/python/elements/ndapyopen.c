/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Opens the plugin that an element's settings name: for the element, or only to
 * ask it for its declarations. */

#include "config.h"

#include "ndapyopen.h"

/* Copies the current settings, for the caller. */
void
nda_py_open_copy_settings (NdaPyShared * self, NdaPySettings * copy)
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
}

void
nda_py_open_clear_settings (NdaPySettings * copy)
{
  g_free (copy->plugin);
  g_free (copy->plugin_path);
  g_free (copy->parameters);
  g_free (copy->python);
  g_free (copy->sandbox_folder);
  g_free (copy->group);
}

/* Opens the plugin @file in @host, without parameters. @entry is the function
 * or class in it; NULL: the only one. */
gboolean
nda_py_open_in (NdaPyHost * host, const NdaPyRunnerKind * kind,
    const NdaPySettings * settings, gchar * file, gchar * entry,
    GError ** error)
{
  g_autoptr (GPtrArray) none = nda_py_parameters_new ();
  NdaPyRunnerConfig config = {.path = file,.entry = entry };

  config.python = settings->python;
  config.deadline = settings->deadline;
  config.timeout = settings->timeout;
  config.memory_limit = settings->memory_limit;
  config.restart = settings->restart;
  config.has_standby = settings->standby;
  config.group = settings->group;
  config.sandbox = settings->sandbox;
  config.sandbox_folder = settings->sandbox_folder;
  return nda_py_host_open (host, kind, &config, none, error);
}

/* --- asking a plugin what it declares, in NULL ---------------------------- */

static void
nda_py_open_ignore_text (gpointer owner, const gchar * text)
{
}

static void
nda_py_open_ignore_error (gpointer owner, const GError * error)
{
}

static void
nda_py_open_ignore (gpointer owner)
{
}

static const NdaPyHostEvents ignored_events = {
  .warn = nda_py_open_ignore_text,
  .refused = nda_py_open_ignore_text,
  .gave_up = nda_py_open_ignore_error,
  .latency_changed = nda_py_open_ignore,
  .restarted = nda_py_open_ignore,
  .reloaded = nda_py_open_ignore_error,
};

/* Whether @file may be a plugin of API 1, which has a create_plugin () and
 * declares nothing. Opening it only to find that out may open its device. */
static gboolean
may_be_of_api_1 (const gchar * file)
{
  g_autofree gchar *content = NULL;

  return g_file_get_contents (file, &content, NULL, NULL)
      && g_regex_match_simple ("^\\s*(async\\s+)?def\\s+create_plugin\\b"
      "|^\\s*create_plugin\\s*=|^\\s*(from|import)\\b.*\\bcreate_plugin\\b",
      content, G_REGEX_MULTILINE | G_REGEX_RAW, 0);
}

static gchar *
ask_apart (NdaPyShared * self, NdaPySettings * settings, GError ** error)
{
  g_autofree gchar *entry = NULL;
  g_autofree gchar *file = nda_py_runners_find_plugin (settings->plugin,
      settings->plugin_path, settings->timeout, &entry, error);
  NdaPyHost *host;
  gchar *text = NULL;

  if (!file || may_be_of_api_1 (file))
    return NULL;
  host = nda_py_host_new (self->role, &ignored_events, self);
  settings->restart = NDA_PY_RESTART_NEVER;
  settings->standby = FALSE;
  g_clear_pointer (&settings->group, g_free);
  if (nda_py_open_in (host, nda_py_runners_get_kind (NDA_PY_ISOLATION_PROCESS),
          settings, file, entry, error)) {
    text = nda_py_host_describe (host);
    nda_py_host_close (host);
  }
  nda_py_host_free (host);
  return text;
}

/* Returns the declarations of the plugin that is named (transfer full). A
 * separate process asks the plugin, with the limits of the element's
 * properties. NULL: there are none, or the plugin cannot be asked. */
gchar *
nda_py_open_ask (NdaPyShared * self, GError ** error)
{
  gpointer paused = nda_py_runners_pause_gil ();
  NdaPySettings settings;
  gchar *text;

  nda_py_open_copy_settings (self, &settings);
  text = ask_apart (self, &settings, error);
  nda_py_open_clear_settings (&settings);
  nda_py_runners_resume_gil (paused);
  return text;
}
