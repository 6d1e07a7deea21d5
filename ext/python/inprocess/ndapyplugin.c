/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyplugin.h"

#include "ndapybuffer.h"
#include "ndapyembed.h"
#include "ndapylog.h"
#include "ndapyproblem.h"

typedef struct
{
  NdaPyRunner parent;
  gchar *path;                  /* owned */
  NdaPyRole role;

  PyObject *module;             /* owned */
  PyObject *instance;           /* owned */
  NdaPyBuffer buffer;
  PyObject *name_call;          /* owned; interned: the block method */
  PyObject *name_space;         /* owned; interned: a sink's room */

  gulong thread;                /* of the block calls, as Python names it */
  gboolean is_settled;          /* the collector leaves it alone */
  gboolean returned_false;      /* the last block call failed without error */
} NdaPyPlugin;

static NdaPyPlugin *
get_plugin (NdaPyRunner * runner)
{
  return (NdaPyPlugin *) runner;
}

/* The Python error as a GError: what it is about, and a name in it. */
static void
set_error_from_python (GError ** error, NdaPyProblem problem,
    const gchar * path, const gchar * name)
{
  g_autofree gchar *reason = nda_py_embed_take_error ();

  nda_py_problem_set_error (error, problem, path, name, reason);
}

/* Executes the file and makes an instance. */
static NdaPyPlugin *
make_instance (const NdaPyRunnerConfig * config, GError ** error)
{
  PyObject *loaded = nda_py_embed_call ("load", "(N)",
      PyUnicode_DecodeFSDefault (config->path));
  NdaPyPlugin *self;

  if (!loaded) {
    set_error_from_python (error, NDA_PY_PROBLEM_LOAD, config->path, NULL);
    return NULL;
  }

  self = g_new0 (NdaPyPlugin, 1);
  self->path = g_strdup (config->path);
  self->role = config->role;
  self->module = Py_NewRef (PyTuple_GetItem (loaded, 0));
  self->instance = Py_NewRef (PyTuple_GetItem (loaded, 1));
  if (PyTuple_GetItem (loaded, 2) != Py_True)
    GST_WARNING ("The plugin “%s” is not a BasePlugin; its methods are "
        "looked up by name", self->path);
  Py_DECREF (loaded);

  nda_py_buffer_init (&self->buffer);
  self->name_call =
      PyUnicode_InternFromString (nda_py_role_call_name (self->role));
  self->name_space = PyUnicode_InternFromString ("get_available_space");
  return self;
}

static void
call_and_ignore (const gchar * function)
{
  PyObject *result = nda_py_embed_call (function, "()");

  PyErr_Clear ();
  Py_XDECREF (result);
}

/* Ends the instance and drops every reference (4.1). */
void
nda_py_plugin_close (NdaPyRunner * runner)
{
  NdaPyPlugin *self = get_plugin (runner);
  PyObject *result = nda_py_embed_call ("shut_down", "(OO)", self->module,
      self->instance);

  PyErr_Clear ();
  Py_XDECREF (result);
  nda_py_buffer_clear (&self->buffer);
  Py_CLEAR (self->instance);
  Py_CLEAR (self->module);
  Py_CLEAR (self->name_call);
  Py_CLEAR (self->name_space);
  if (self->is_settled)
    call_and_ignore ("unsettle");
  g_free (self->path);
  g_free (self);
}

/* Calls a method of the life cycle, which must return something true. */
static gboolean
call_truthy (NdaPyPlugin * self, const gchar * method)
{
  PyObject *result = PyObject_CallMethod (self->instance, method, NULL);
  gint truth = result ? PyObject_IsTrue (result) : -1;

  Py_XDECREF (result);
  return truth > 0;
}

static gboolean
call_life_cycle (NdaPyPlugin * self, const gchar * method, GError ** error)
{
  if (call_truthy (self, method))
    return TRUE;
  if (PyErr_Occurred ())
    set_error_from_python (error, NDA_PY_PROBLEM_FAILED, self->path, method);
  else
    nda_py_problem_set_error (error, NDA_PY_PROBLEM_REFUSED, self->path,
        method, NULL);
  return FALSE;
}

static gboolean
check_role (NdaPyPlugin * self, GError ** error)
{
  PyObject *info = nda_py_embed_call ("info", "(O)", self->instance);
  const char *found, *name, *api_version;
  gboolean fits;

  if (!info || !PyArg_ParseTuple (info, "sss", &found, &name, &api_version)) {
    set_error_from_python (error, NDA_PY_PROBLEM_INFO, self->path, NULL);
    Py_XDECREF (info);
    return FALSE;
  }
  if (!g_str_equal (api_version, "1"))
    GST_WARNING ("The plugin “%s” asks for API version %s; this is 1",
        self->path, api_version);
  fits = g_str_equal (found, nda_py_role_name (self->role));
  if (!fits)
    nda_py_problem_set_error (error, NDA_PY_PROBLEM_ROLE, self->path,
        nda_py_role_name (self->role), *found ? found : "unknown");
  GST_INFO ("“%s” in %s is a %s", name, self->path, found);
  Py_DECREF (info);
  return fits;
}

/* Loads a plugin, then initialize (), then the check that the plugin fits the
 * element (3.6). */
NdaPyRunner *
nda_py_plugin_load (const NdaPyRunnerKind * kind,
    const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyPlugin *self = make_instance (config, error);

  if (!self)
    return NULL;
  nda_py_runner_init (&self->parent, kind);
  if (!call_life_cycle (self, "initialize", error)
      || !check_role (self, error)) {
    nda_py_plugin_close (&self->parent);
    return NULL;
  }
  call_and_ignore ("settle");
  self->is_settled = TRUE;
  return &self->parent;
}

static gboolean
parse_format (PyObject * result, NdaPyFormat * format)
{
  gboolean ok = result && PyArg_ParseTuple (result, "III", &format->rate,
      &format->n_channels, &format->n_frames);

  Py_XDECREF (result);
  return ok;
}

/* Tells the plugin what there is to tell, between initialize () and start (). */
static gboolean
configure (NdaPyPlugin * self, NdaPyFormat * format)
{
  return parse_format (nda_py_embed_call ("configure", "(OsI)", self->instance,
          nda_py_role_name (self->role), format->n_channels), format);
}

/* Devices fall back to one channel in their start (), so what is true is read
 * after it (5.4). */
static gboolean
look_again (NdaPyPlugin * self, NdaPyFormat * format)
{
  return parse_format (nda_py_embed_call ("look_again", "(OsIII)",
          self->instance, nda_py_role_name (self->role), format->rate,
          format->n_channels, format->n_frames), format)
      && nda_py_buffer_make (&self->buffer, format->n_channels,
      format->n_frames);
}

/* Configures and starts the plugin. @format says how many channels a processor
 * gets, and then what the plugin has started with. */
gboolean
nda_py_plugin_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error)
{
  NdaPyPlugin *self = get_plugin (runner);
  gboolean is_configured;

  self->thread = PyThread_get_thread_ident ();
  is_configured = configure (self, format);
  if (is_configured && !call_life_cycle (self, "start", error))
    return FALSE;
  if (is_configured && look_again (self, format))
    return TRUE;
  set_error_from_python (error, NDA_PY_PROBLEM_CONFIGURE, self->path, NULL);
  if (is_configured)
    nda_py_plugin_stop (runner);
  return FALSE;
}

/* stop (), whose result does not matter (4.1). */
void
nda_py_plugin_stop (NdaPyRunner * runner)
{
  NdaPyPlugin *self = get_plugin (runner);

  if (!call_truthy (self, "stop") && PyErr_Occurred ()) {
    g_autofree gchar *reason = nda_py_embed_take_error ();

    GST_WARNING ("The plugin “%s” failed in its stop (): %s", self->path,
        reason);
  }
}

/* Sets a parameter. Returns what went wrong (transfer full), or NULL. */
gchar *
nda_py_plugin_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value)
{
  PyObject *problem = nda_py_embed_call ("set_parameter", "(Oss)",
      get_plugin (runner)->instance, key, value);
  gchar *text = NULL;

  if (!problem)
    return nda_py_embed_take_error ();
  if (problem != Py_None)
    text = nda_py_embed_to_text (problem);
  Py_DECREF (problem);
  return text;
}

/* A parameter as text (transfer full), "" when it is not known. */
gchar *
nda_py_plugin_get_parameter (NdaPyRunner * runner, const gchar * key)
{
  PyObject *value = nda_py_embed_call ("get_parameter", "(Os)",
      get_plugin (runner)->instance, key);
  gchar *text = nda_py_embed_to_text (value);

  Py_XDECREF (value);
  return text ? text : g_strdup ("");
}

/* What it says of itself now. */
void
nda_py_plugin_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  NdaPyPlugin *self = get_plugin (runner);
  PyObject *said = nda_py_embed_call ("facts", "(Os)", self->instance,
      nda_py_role_name (self->role));
  unsigned long long latency = 0;

  *facts = (NdaPyFacts) {
  0};
  if (said && PyArg_ParseTuple (said, "KI", &latency, &facts->n_channels))
    facts->latency = latency;
  PyErr_Clear ();
  Py_XDECREF (said);
}

/* --- blocks ------------------------------------------------------------- */

static NdaPyCallResult
call_method (NdaPyPlugin * self)
{
  PyObject *args[] = { self->instance, self->buffer.object };
  PyObject *result = PyObject_VectorcallMethod (self->name_call, args,
      2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
  gint truth;

  if (!result)
    return NDA_PY_CALL_FAILED;
  truth = result == Py_True ? 1 : PyObject_IsTrue (result);
  Py_DECREF (result);
  if (G_LIKELY (truth > 0))
    return NDA_PY_CALL_OK;
  return truth ? NDA_PY_CALL_FAILED : NDA_PY_CALL_REFUSED;
}

/* Whether a sink says that @n_frames would fit (6.2.2); one that cannot say
 * has room for a block. */
static gboolean
has_space (NdaPyPlugin * self, guint n_frames)
{
  PyObject *space = PyObject_CallMethodNoArgs (self->instance,
      self->name_space);
  gdouble n_free = space ? PyFloat_AsDouble (space) : -1.0;

  Py_XDECREF (space);
  if (!PyErr_Occurred ())
    return n_free >= n_frames;
  PyErr_Clear ();
  return TRUE;
}

/* A sink is shown a short last block as it is, a processor with zeros behind
 * it (6.1.7); a source finds zeros (6.1.6). */
static gboolean
fill_buffer (NdaPyPlugin * self, const NdaPyAudio * in, guint n_frames)
{
  const NdaPyArray *array = &self->buffer.array;

  if (self->role == NDA_PY_ROLE_SINK
      && !nda_py_buffer_make (&self->buffer, array->n_channels, n_frames))
    return FALSE;
  if (in)
    nda_py_planes_load (array, in, n_frames);
  if (!in || n_frames < array->n_frames)
    nda_py_planes_clear (array, in ? n_frames : 0);
  return TRUE;
}

NdaPyCallResult
nda_py_plugin_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyPlugin *self = get_plugin (runner);
  NdaPyCallResult result = NDA_PY_CALL_FAILED;

  if (is_gated && !has_space (self, n_frames))
    return NDA_PY_CALL_NO_SPACE;
  if (fill_buffer (self, in, n_frames))
    result = call_method (self);
  if (result == NDA_PY_CALL_OK
      && !nda_py_buffer_restore (&self->buffer, self->role != NDA_PY_ROLE_SINK))
    result = NDA_PY_CALL_FAILED;
  self->returned_false = result == NDA_PY_CALL_REFUSED;
  if (G_UNLIKELY (result != NDA_PY_CALL_OK)) {
    nda_py_buffer_put_back (&self->buffer);
    return result;
  }
  if (out)
    nda_py_planes_store (&self->buffer.array, out, n_frames);
  return NDA_PY_CALL_OK;
}

/* Why the last block call failed (transfer full). Clears the Python error. */
gchar *
nda_py_plugin_take_error (NdaPyRunner * runner)
{
  NdaPyPlugin *self = get_plugin (runner);
  g_autofree gchar *reason = NULL;

  if (!self->returned_false || PyErr_Occurred ())
    reason = nda_py_embed_take_error ();
  return nda_py_problem_describe_failure (self->path, self->role, reason);
}

/* What the collector may do between two blocks. */
void
nda_py_plugin_collect_garbage (NdaPyRunner * runner)
{
  call_and_ignore ("collect");
}

/* Has a SystemExit raised in the block call, or takes it back. */
void
nda_py_plugin_set_interrupt (NdaPyRunner * runner, gboolean is_wanted)
{
  PyThreadState_SetAsyncExc (get_plugin (runner)->thread,
      is_wanted ? PyExc_SystemExit : NULL);
}
