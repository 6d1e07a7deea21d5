/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyproperties.h"

#include "ndapyparameters.h"
#include "ndapyparent.h"

static GType
isolation_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_ISOLATION_THREAD, "On a thread of this process", "thread"},
    {NDA_PY_ISOLATION_PROCESS, "In a process of its own", "process"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPyIsolation",
            values));
  return type;
}

static GType
restart_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_RESTART_NEVER, "Nothing takes its place", "never"},
    {NDA_PY_RESTART_ALWAYS, "Another process takes its place", "always"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPyRestart", values));
  return type;
}

static GType
sandbox_get_type (void)
{
  static const GEnumValue values[] = {
    {NDA_PY_SANDBOX_OFF, "The plugin may do what the user may", "off"},
    {NDA_PY_SANDBOX_ON, "No network, and no writing outside a folder", "on"},
    {0, NULL, NULL},
  };
  static GType type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("NdaPySandbox", values));
  return type;
}

/* --- setting and getting --- */

/* Sets the parameters of @text: now, if there is a plugin; otherwise when it is
 * opened. */
static void
set_parameters (NdaPyShared * self, const gchar * text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) parameters = nda_py_parameters_parse (text, &error);

  if (!parameters) {
    GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
        ("%s", error->message), ("none of these parameters was set"));
    return;
  }
  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);

    nda_py_parent_set_parameter (self, p->key, p->value);
  }
}

static void
replace_text (gchar ** text, const GValue * value)
{
  g_free (*text);
  *text = g_value_dup_string (value);
}

/* Sets a property about the separate process. */
static void
set_of_process (NdaPySettings * settings, guint id, const GValue * value)
{
  switch (id) {
    case NDA_PY_PROP_PYTHON:
      replace_text (&settings->python, value);
      break;
    case NDA_PY_PROP_DEADLINE:
      settings->deadline = g_value_get_uint64 (value);
      break;
    case NDA_PY_PROP_MEMORY_LIMIT:
      settings->memory_limit = g_value_get_uint64 (value);
      break;
    case NDA_PY_PROP_RESTART:
      settings->restart = g_value_get_enum (value);
      break;
    case NDA_PY_PROP_STANDBY:
      settings->standby = g_value_get_boolean (value);
      break;
    case NDA_PY_PROP_GROUP:
      replace_text (&settings->group, value);
      break;
    case NDA_PY_PROP_SANDBOX:
      settings->sandbox = g_value_get_enum (value);
      break;
    case NDA_PY_PROP_SANDBOX_FOLDER:
      replace_text (&settings->sandbox_folder, value);
      break;
    default:
      break;
  }
}

static void
get_of_process (const NdaPySettings * settings, guint id, GValue * value)
{
  switch (id) {
    case NDA_PY_PROP_PYTHON:
      g_value_set_string (value, settings->python);
      break;
    case NDA_PY_PROP_DEADLINE:
      g_value_set_uint64 (value, settings->deadline);
      break;
    case NDA_PY_PROP_MEMORY_LIMIT:
      g_value_set_uint64 (value, settings->memory_limit);
      break;
    case NDA_PY_PROP_RESTART:
      g_value_set_enum (value, settings->restart);
      break;
    case NDA_PY_PROP_STANDBY:
      g_value_set_boolean (value, settings->standby);
      break;
    case NDA_PY_PROP_GROUP:
      g_value_set_string (value, settings->group);
      break;
    case NDA_PY_PROP_SANDBOX:
      g_value_set_enum (value, settings->sandbox);
      break;
    case NDA_PY_PROP_SANDBOX_FOLDER:
      g_value_set_string (value, settings->sandbox_folder);
      break;
    default:
      break;
  }
}

/* FALSE: the property is not one of those shared. */
gboolean
nda_py_properties_set (NdaPyShared * self, guint id, const GValue * value)
{
  NdaPySettings *settings = &self->settings;

  if (id >= NDA_PY_N_PROPS)
    return FALSE;
  GST_OBJECT_LOCK (self->element);
  switch (id) {
    case NDA_PY_PROP_PLUGIN:
      replace_text (&settings->plugin, value);
      break;
    case NDA_PY_PROP_PLUGIN_PATH:
      replace_text (&settings->plugin_path, value);
      break;
    case NDA_PY_PROP_PARAMETERS:
      replace_text (&settings->parameters, value);
      break;
    case NDA_PY_PROP_ISOLATION:
      settings->isolation = g_value_get_enum (value);
      break;
    case NDA_PY_PROP_TIMEOUT:
      settings->timeout = g_value_get_uint64 (value);
      break;
    case NDA_PY_PROP_AUTO_RELOAD:
      settings->auto_reload = g_value_get_boolean (value);
      break;
    default:
      set_of_process (settings, id, value);
      break;
  }
  self->is_stale |= id != NDA_PY_PROP_PARAMETERS;
  self->n_named += id == NDA_PY_PROP_PLUGIN || id == NDA_PY_PROP_PLUGIN_PATH;
  GST_OBJECT_UNLOCK (self->element);

  if (id == NDA_PY_PROP_PARAMETERS)
    set_parameters (self, g_value_get_string (value));
  return TRUE;
}

/* FALSE: the property is not one of those shared. */
gboolean
nda_py_properties_get (NdaPyShared * self, guint id, GValue * value)
{
  NdaPySettings *settings = &self->settings;

  if (id >= NDA_PY_N_PROPS)
    return FALSE;
  if (id == NDA_PY_PROP_STATS) {
    g_value_take_boxed (value, nda_py_shared_get_stats (self));
    return TRUE;
  }
  GST_OBJECT_LOCK (self->element);
  switch (id) {
    case NDA_PY_PROP_PLUGIN:
      g_value_set_string (value, settings->plugin);
      break;
    case NDA_PY_PROP_PLUGIN_PATH:
      g_value_set_string (value, settings->plugin_path);
      break;
    case NDA_PY_PROP_PARAMETERS:
      g_value_take_string (value,
          nda_py_parameters_hide (settings->parameters));
      break;
    case NDA_PY_PROP_ISOLATION:
      g_value_set_enum (value, settings->isolation);
      break;
    case NDA_PY_PROP_TIMEOUT:
      g_value_set_uint64 (value, settings->timeout);
      break;
    case NDA_PY_PROP_AUTO_RELOAD:
      g_value_set_boolean (value, settings->auto_reload);
      break;
    default:
      get_of_process (settings, id, value);
      break;
  }
  GST_OBJECT_UNLOCK (self->element);
  return TRUE;
}

/* --- the class --- */

static void
install_what_runs (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, NDA_PY_PROP_PLUGIN,
      g_param_spec_string ("plugin", "Plugin",
          "The plugin: the path of a Python file, the name of a file in the "
          "search path without “.py”, such as gain, or its display name",
          NULL, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PLUGIN_PATH,
      g_param_spec_string ("plugin-path", "Plugin path",
          "Folders that are searched for the plugin, separated by colons. The "
          "folders of the environment variable NDA_PLUGIN_PATH are searched "
          "next, then the installed plugins", NULL,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PARAMETERS,
      g_param_spec_string ("parameters", "Parameters",
          "Parameters of the plugin as key=value,key=value. A value with a "
          "comma or a quote in it stands in double quotes. Values set while "
          "playing are applied between two blocks. A value whose key looks "
          "secret reads as ***", NULL, flags | GST_PARAM_MUTABLE_PLAYING));
}

static void
install_how_it_runs (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, NDA_PY_PROP_ISOLATION,
      g_param_spec_enum ("isolation", "Isolation",
          "Where the plugin runs: on a thread of this process, or in a process "
          "of its own, which has its own GIL and harms nothing else when it "
          "crashes or hangs", isolation_get_type (),
          NDA_PY_ISOLATION_THREAD, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PYTHON,
      g_param_spec_string ("python", "Python",
          "The interpreter for isolation=process, such as a virtual "
          "environment's bin/python3: CPython 3.10 or later, with NumPy. If "
          "not set, the system's", NULL, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_DEADLINE,
      g_param_spec_uint64 ("deadline", "Deadline",
          "How long a block call may take with isolation=process before the "
          "plugin's process is killed (in nanoseconds); 0: no limit. The first "
          "call after a start, which may compile, may take as long as "
          "“timeout” if that is longer", 0, G_MAXINT64,
          NDA_PY_DEFAULT_DEADLINE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_TIMEOUT,
      g_param_spec_uint64 ("timeout", "Timeout",
          "How long any other call of the plugin may take: its module code, "
          "initialize (), start (), stop (), shutdown (), or a parameter (in "
          "nanoseconds). After that the element stops waiting, and a warning "
          "or error names the call", 1, G_MAXINT64, NDA_PY_DEFAULT_TIMEOUT,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_MEMORY_LIMIT,
      g_param_spec_uint64 ("memory-limit", "Memory limit",
          "How much memory the plugin's process may take with "
          "isolation=process before it is killed (in bytes); 0: no limit", 0,
          G_MAXUINT64, 0, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_RESTART,
      g_param_spec_enum ("restart", "Restart",
          "Whether another process takes the place of a plugin's process that "
          "has ended: never, or always, at once if the process ran well for a "
          "second, otherwise after 0.1 s to 10 s", restart_get_type (),
          NDA_PY_RESTART_ALWAYS, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_AUTO_RELOAD,
      g_param_spec_boolean ("auto-reload", "Reload by itself",
          "Load the plugin again whenever its file is written, as the action "
          "“reload” does", FALSE, flags | GST_PARAM_MUTABLE_READY));
}

static void
install_how_many (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, NDA_PY_PROP_STANDBY,
      g_param_spec_boolean ("standby", "Standby",
          "With isolation=process, whether a second process waits with the "
          "plugin loaded and initialised and the parameters set. When the "
          "first process ends or misses its deadline, the second one gets the "
          "block. Takes twice the memory", FALSE,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_GROUP,
      g_param_spec_string ("group", "Group",
          "With isolation=process, the name of a group: the plugins of all "
          "elements with the same group share one process, and end and start "
          "again together. If not set, a process for this plugin alone", NULL,
          flags | GST_PARAM_MUTABLE_READY));
}

static void
install_what_it_may (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, NDA_PY_PROP_SANDBOX,
      g_param_spec_enum ("sandbox", "Sandbox",
          "With isolation=process, what the plugin may do. off: all that the "
          "user may do. on: read files, and write in “sandbox-folder”, but "
          "not use the network or touch other processes. If the system cannot "
          "make the sandbox, the plugin is not loaded",
          sandbox_get_type (), NDA_PY_SANDBOX_OFF,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_SANDBOX_FOLDER,
      g_param_spec_string ("sandbox-folder", "Sandbox folder",
          "The folder in which the plugin may write with sandbox=on. If not "
          "set, it may write nowhere", NULL, flags | GST_PARAM_MUTABLE_READY));
}

/* Gives @class the properties that the elements share, and their types. */
void
nda_py_properties_install (GObjectClass * class)
{
  install_what_runs (class);
  install_how_it_runs (class);
  install_how_many (class);
  install_what_it_may (class);
  g_object_class_install_property (class, NDA_PY_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters since the element left NULL, all from one moment: "
          "num-blocks, num-frames, num-failures, num-late, num-retries, "
          "num-reloads, num-restarts, num-standbys, queue-level, "
          "max-queue-level; avg-, p50-, p99-, p999- and max-call-time, avg-, "
          "p50-, p99-, p999- and max-gil-wait (ns); of a bridge "
          "num-realtime-threads, of a source num-discontinuities",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_type_mark_as_plugin_api (isolation_get_type (), 0);
  gst_type_mark_as_plugin_api (restart_get_type (), 0);
  gst_type_mark_as_plugin_api (sandbox_get_type (), 0);
}
