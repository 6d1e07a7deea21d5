/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyelement.h"

#include "ndapylog.h"
#include "ndapyparameters.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* Garbage is collected after this many calls of a source or sink */
#define CALLS_TO_COLLECT 64
/* A stall that a device's buffer may bridge is none of a plugin that hangs */
#define DEFAULT_DEADLINE (250 * GST_MSECOND)

static GQuark
offset_quark (void)
{
  return g_quark_from_static_string ("nda-py-element-offset");
}

static NdaPyElement *
get_shared (gpointer element)
{
  gpointer offset = g_type_get_qdata (G_OBJECT_TYPE (element),
      offset_quark ());

  return G_STRUCT_MEMBER_P (element, GPOINTER_TO_SIZE (offset));
}

/* --- parameters and properties --- */

static gboolean
set_parameter (gpointer element, const gchar * key, const gchar * value)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gboolean ok = key && value
      && nda_py_host_set_parameter (get_shared (element)->host, key, value);

  nda_py_runners_resume_gil (paused);
  return ok;
}

static gchar *
get_parameter (gpointer element, const gchar * key)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gchar *value = key ?
      nda_py_host_get_parameter (get_shared (element)->host, key) :
      g_strdup ("");

  nda_py_runners_resume_gil (paused);
  return value;
}

static gboolean
reload (gpointer element)
{
  gpointer paused = nda_py_runners_pause_gil ();
  gboolean ok = nda_py_host_reload (get_shared (element)->host);

  nda_py_runners_resume_gil (paused);
  return ok;
}

/* Sets the parameters of @text: now, where there is a plugin; where there is
 * none yet, they are set when it is opened. */
static void
set_parameters (NdaPyElement * self, const gchar * text)
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

    set_parameter (self->element, p->key, p->value);
  }
}

static void
replace_text (gchar ** text, const GValue * value)
{
  g_free (*text);
  *text = g_value_dup_string (value);
}

/* FALSE: the property is not one of those shared. */
gboolean
nda_py_element_set_property (NdaPyElement * self, guint id,
    const GValue * value)
{
  NdaPySettings *settings = &self->settings;

  if (id >= NDA_PY_N_PROPS)
    return FALSE;
  GST_OBJECT_LOCK (self->element);
  switch (id) {
    case NDA_PY_PROP_PLUGIN:
      replace_text (&settings->plugin, value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_PLUGIN_PATH:
      replace_text (&settings->plugin_path, value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_PARAMETERS:
      replace_text (&settings->parameters, value);
      break;
    case NDA_PY_PROP_ISOLATION:
      settings->isolation = g_value_get_enum (value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_PYTHON:
      replace_text (&settings->python, value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_DEADLINE:
      settings->deadline = g_value_get_uint64 (value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_MEMORY_LIMIT:
      settings->memory_limit = g_value_get_uint64 (value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_RESTART:
      settings->restart = g_value_get_enum (value);
      self->is_stale = TRUE;
      break;
    case NDA_PY_PROP_AUTO_RELOAD:
      settings->auto_reload = g_value_get_boolean (value);
      self->is_stale = TRUE;
      break;
    default:
      break;
  }
  GST_OBJECT_UNLOCK (self->element);

  if (id == NDA_PY_PROP_PARAMETERS)
    set_parameters (self, g_value_get_string (value));
  return TRUE;
}

static GstStructure *
get_stats (NdaPyElement * self)
{
  GstElementFactory *factory = gst_element_get_factory (self->element);
  g_autofree gchar *name = g_strdup_printf ("application/x-%s-stats",
      GST_OBJECT_NAME (factory));

  return nda_stats_snapshot (name, self->fields, self->lock, &self->counters,
      sizeof (self->counters));
}

/* FALSE: the property is not one of those shared. */
gboolean
nda_py_element_get_property (NdaPyElement * self, guint id, GValue * value)
{
  NdaPySettings *settings = &self->settings;

  if (id >= NDA_PY_N_PROPS)
    return FALSE;
  if (id == NDA_PY_PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
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
    case NDA_PY_PROP_AUTO_RELOAD:
      g_value_set_boolean (value, settings->auto_reload);
      break;
    default:
      break;
  }
  GST_OBJECT_UNLOCK (self->element);
  return TRUE;
}

/* --- counting and telling --- */

/* Posts @error, whose first line is for the person and whose others, such as
 * a traceback, are for the developer. Any thread, without a lock and without
 * the GIL. */
void
nda_py_element_post_error (NdaPyElement * self, const GError * error)
{
  gsize n_text = strcspn (error->message, "\n");
  const gchar *details = error->message + n_text;

  gst_element_message_full (self->element, GST_MESSAGE_ERROR,
      error->domain, error->code, g_strndup (error->message, n_text),
      g_strdup (*details ? details + 1 : error->message),
      __FILE__, G_STRFUNC, __LINE__);
}

/* What a host has to tell of a parameter. */
void
nda_py_element_warn_of_parameter (gpointer element, const gchar * text)
{
  GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS,
      (_("The plugin did not take the parameter %s"), text),
      ("set_parameter () failed"));
}

/* Tells now and then of a failure that does not end the stream. The
 * @consequence is a translated sentence. */
void
nda_py_element_report_failure (NdaPyElement * self, NdaPyBlock * block,
    const gchar * consequence)
{
  guint64 n_failed =
      nda_report_limit_count (&self->report, gst_util_get_timestamp ());
  g_autofree gchar *reason = NULL;

  if (block->failure) {
    g_free (self->failure);
    self->failure = g_steal_pointer (&block->failure);
    GST_WARNING_OBJECT (self->element, "%s", self->failure);
  }
  if (!n_failed || !self->failure)
    return;
  reason = g_strndup (self->failure, strcspn (self->failure, "\n"));
  GST_ELEMENT_WARNING (self->element, LIBRARY, FAILED,
      ("%s. %s", reason, consequence),
      ("%" G_GUINT64_FORMAT " failed blocks since the last report; %s",
          n_failed, self->failure));
}

/* What a host has to tell of a plugin's process. */
void
nda_py_element_count_restart (gpointer element)
{
  NdaPyElement *self = get_shared (element);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  self->counters.n_restarts++;
}

/* What a host has to tell of a plugin that was loaded anew. */
void
nda_py_element_note_reload (gpointer element, const GError * error)
{
  NdaPyElement *self = get_shared (element);
  g_autofree gchar *reason = NULL;

  if (!error) {
    g_mutex_lock (self->lock);
    self->counters.n_reloads++;
    g_mutex_unlock (self->lock);
    return;
  }
  reason = g_strndup (error->message, strcspn (error->message, "\n"));
  GST_ELEMENT_WARNING (element, LIBRARY, SETTINGS,
      (_("The edited plugin is not used, the one before goes on: %s"), reason),
      ("%s", error->message));
}

static void
count_call (NdaPyElement * self, const NdaPyBlock * block,
    GstClockTime gil_wait)
{
  NdaPyCounters *counters = &self->counters;
  gboolean is_made = block->result != NDA_PY_CALL_NO_SPACE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  nda_histogram_record (&counters->gil_wait, gil_wait);
  if (is_made)
    nda_histogram_record (&counters->call_time, block->call_time);
  counters->n_failures += block->result == NDA_PY_CALL_FAILED
      || block->result == NDA_PY_CALL_DEAD;
  counters->n_retries += is_made && !block->ok;
}

/* Counts a block that came from the plugin, or went into it. */
void
nda_py_element_count_block (NdaPyElement * self, guint n_frames,
    gboolean is_late)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);

  self->counters.n_blocks++;
  self->counters.n_frames += n_frames;
  self->counters.n_late += is_late;
}

/* Makes one call of a source or sink, and collects garbage after some. An
 * exception is told, with the @consequence, a translated sentence. FALSE when
 * the plugin is being stopped, or Python was finalised by the application. */
gboolean
nda_py_element_call (NdaPyElement * self, NdaPyBlock * block,
    const gchar * consequence)
{
  GstClockTime gil_wait;

  if (!nda_py_host_process (self->host, &block, 1, FALSE, &gil_wait)) {
    g_autoptr (GError) error = NULL;

    if (!nda_py_host_check (self->host, &error))
      nda_py_element_post_error (self, error);
    return FALSE;
  }
  count_call (self, block, gil_wait);
  if (block->result == NDA_PY_CALL_FAILED || block->result == NDA_PY_CALL_DEAD)
    nda_py_element_report_failure (self, block, consequence);
  if (++self->n_calls >= CALLS_TO_COLLECT) {
    nda_py_host_collect (self->host);
    self->n_calls = 0;
  }
  return TRUE;
}

/* --- the class and the instance --- */

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

static void
install_properties (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, NDA_PY_PROP_PLUGIN,
      g_param_spec_string ("plugin", "Plugin",
          "The plugin: the path of a Python file, the name of one in the search "
          "path without its “.py”, such as gain, or its display name", NULL,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PLUGIN_PATH,
      g_param_spec_string ("plugin-path", "Plugin path",
          "Folders in which the plugin is looked for, separated by colons; "
          "then those of the environment variable NDA_PLUGIN_PATH, then the "
          "installed plugins", NULL, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PARAMETERS,
      g_param_spec_string ("parameters", "Parameters",
          "Parameters of the plugin as key=value,key=value; a value with a "
          "comma or a quote in it stands in double quotes. Set while playing, "
          "they are applied between two blocks. What looks secret by its key "
          "reads as ***", NULL, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (class, NDA_PY_PROP_ISOLATION,
      g_param_spec_enum ("isolation", "Isolation",
          "Where the plugin runs: on a thread of this process, or in a process "
          "of its own, which shares no GIL with anything and takes nothing "
          "down when it crashes or hangs", isolation_get_type (),
          NDA_PY_ISOLATION_THREAD, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_PYTHON,
      g_param_spec_string ("python", "Python",
          "The interpreter for isolation=process, such as a virtual "
          "environment's bin/python3: CPython from 3.10 on, with NumPy; the "
          "system's when not set", NULL, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_DEADLINE,
      g_param_spec_uint64 ("deadline", "Deadline",
          "How long a block call may take with isolation=process before the "
          "plugin's process is killed (in nanoseconds); 0: as long as it "
          "likes", 0, G_MAXINT64, DEFAULT_DEADLINE,
          flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_MEMORY_LIMIT,
      g_param_spec_uint64 ("memory-limit", "Memory limit",
          "How much memory the plugin's process may take with "
          "isolation=process before it is killed (in bytes); 0: as much as it "
          "likes", 0, G_MAXUINT64, 0, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_RESTART,
      g_param_spec_enum ("restart", "Restart",
          "What becomes of a plugin whose process has ended: nothing, or "
          "another process takes its place, at once if this one went well "
          "for a second, else after 0.1 s to 10 s", restart_get_type (),
          NDA_PY_RESTART_ALWAYS, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_AUTO_RELOAD,
      g_param_spec_boolean ("auto-reload", "Reload by itself",
          "Load the plugin anew whenever its file is written, as the action "
          "“reload” does", FALSE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, NDA_PY_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Counters since the element left NULL, all from one moment: blocks, "
          "frames, failures, late blocks, and the mean, percentiles and "
          "maximum of call time and GIL wait, in nanoseconds",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_signals (GType type)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /**
   * NdaPyElement::reload:
   *
   * Loads the plugin's file anew, with the parameters that it has. The edited
   * plugin takes the place of the one before between two blocks, and no block is
   * lost. When it does not load or start, the one before goes on, and a warning
   * says why.
   *
   * Returns: whether there is an edited plugin, which loads
   */
  g_signal_new_class_handler ("reload", type, flags, G_CALLBACK (reload), NULL,
      NULL, NULL, G_TYPE_BOOLEAN, 0);

  /**
   * NdaPyElement::set-parameter:
   * @key: the parameter
   * @value: its value, as text
   *
   * Sets a parameter of the plugin, between two of its blocks.
   *
   * Returns: whether there is a plugin to set it (from READY on)
   */
  g_signal_new_class_handler ("set-parameter", type, flags,
      G_CALLBACK (set_parameter), NULL, NULL, NULL, G_TYPE_BOOLEAN, 2,
      G_TYPE_STRING, G_TYPE_STRING);

  /**
   * NdaPyElement::get-parameter:
   * @key: the parameter
   *
   * Asks the plugin for a parameter, after what was set before.
   *
   * Returns: (transfer full): the value as text, "" if there is none
   */
  g_signal_new_class_handler ("get-parameter", type, flags,
      G_CALLBACK (get_parameter), NULL, NULL, NULL, G_TYPE_STRING, 1,
      G_TYPE_STRING);
}

/* Gives @class what the elements share, with an NdaPyElement at @offset of its
 * instances. Its own properties begin with NDA_PY_N_PROPS. */
void
nda_py_element_install (GstElementClass * class, gsize offset)
{
  GType type = G_TYPE_FROM_CLASS (class);

  nda_py_log_init ();
  g_type_set_qdata (type, offset_quark (), GSIZE_TO_POINTER (offset));
  install_properties (G_OBJECT_CLASS (class));
  install_signals (type);
  gst_type_mark_as_plugin_api (isolation_get_type (), 0);
  gst_type_mark_as_plugin_api (restart_get_type (), 0);
}

void
nda_py_element_init (NdaPyElement * self, gpointer element, NdaPyRole role,
    const NdaPyHostEvents * events, const NdaStatsField * fields, GMutex * lock)
{
  self->element = element;
  self->host = nda_py_host_new (role, events, element);
  self->fields = fields;
  self->lock = lock;
  self->settings.deadline = DEFAULT_DEADLINE;
  self->settings.restart = NDA_PY_RESTART_ALWAYS;
}

void
nda_py_element_clear (NdaPyElement * self)
{
  nda_py_host_free (self->host);
  g_free (self->settings.plugin);
  g_free (self->settings.plugin_path);
  g_free (self->settings.parameters);
  g_free (self->settings.python);
  g_free (self->failure);
}
