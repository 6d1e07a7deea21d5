/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapypluginpriv.h"

#include "ndablock.h"
#include "ndapyembed.h"
#include "ndapylog.h"
#include "ndapyproblem.h"

/* The Python error as a GError: what it is about, and a name in it. */
static void
set_error_from_python (GError ** error, NdaPyProblem problem,
    const gchar * path, const gchar * name)
{
  g_autofree gchar *reason = nda_py_embed_take_error ();

  nda_py_problem_set_error (error, problem, path, name, reason);
}

/* Executes the file and makes an instance. */
NdaPyPlugin *
nda_py_plugin_load (const gchar * path, GError ** error)
{
  PyObject *loaded = nda_py_embed_call ("load", "(N)",
      PyUnicode_DecodeFSDefault (path));
  NdaPyPlugin *self;

  if (!loaded) {
    set_error_from_python (error, NDA_PY_PROBLEM_LOAD, path, NULL);
    return NULL;
  }

  self = g_new0 (NdaPyPlugin, 1);
  self->path = g_strdup (path);
  self->module = Py_NewRef (PyTuple_GetItem (loaded, 0));
  self->instance = Py_NewRef (PyTuple_GetItem (loaded, 1));
  if (PyTuple_GetItem (loaded, 2) != Py_True)
    GST_WARNING ("The plugin “%s” is not a BasePlugin; its methods are "
        "looked up by name", path);
  Py_DECREF (loaded);

  self->name_data = PyUnicode_InternFromString ("data");
  self->name_space = PyUnicode_InternFromString ("get_available_space");
  return self;
}

static void
drop_buffer (NdaPyPlugin * self)
{
  if (self->view.obj)
    PyBuffer_Release (&self->view);
  Py_CLEAR (self->buffer);
  Py_CLEAR (self->data);
  self->array = (NdaPyArray) {
  NULL};
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
nda_py_plugin_shut_down (NdaPyPlugin * self)
{
  PyObject *result = nda_py_embed_call ("shut_down", "(OO)", self->module,
      self->instance);

  PyErr_Clear ();
  Py_XDECREF (result);
  drop_buffer (self);
  Py_CLEAR (self->instance);
  Py_CLEAR (self->module);
  Py_CLEAR (self->name_data);
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
check_role (NdaPyPlugin * self, NdaPyRole role, GError ** error)
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
  fits = g_str_equal (found, nda_py_role_name (role));
  if (!fits)
    nda_py_problem_set_error (error, NDA_PY_PROBLEM_ROLE, self->path,
        nda_py_role_name (role), *found ? found : "unknown");
  GST_INFO ("“%s” in %s is a %s", name, self->path, found);
  Py_DECREF (info);
  return fits;
}

/* initialize (), then the check that the plugin fits the element (3.6). */
gboolean
nda_py_plugin_initialize (NdaPyPlugin * self, NdaPyRole role, GError ** error)
{
  if (!call_life_cycle (self, "initialize", error)
      || !check_role (self, role, error))
    return FALSE;
  self->role = role;
  self->name_call = PyUnicode_InternFromString (nda_py_role_call_name (role));
  call_and_ignore ("settle");
  self->is_settled = TRUE;
  return TRUE;
}

/* Makes the AudioBuffer, if there is none of that shape. */
gboolean
nda_py_plugin_make_buffer (NdaPyPlugin * self, guint n_channels, guint n_frames)
{
  PyObject *made;

  if (self->array.n_channels == n_channels && self->array.n_frames == n_frames)
    return TRUE;
  made = nda_py_embed_call ("make_buffer", "(II)", n_channels, n_frames);
  if (!made)
    return FALSE;
  drop_buffer (self);
  self->buffer = Py_NewRef (PyTuple_GetItem (made, 0));
  self->data = Py_NewRef (PyTuple_GetItem (made, 1));
  Py_DECREF (made);
  if (PyObject_GetBuffer (self->data, &self->view,
          PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)) {
    self->view.obj = NULL;
    return FALSE;
  }
  g_assert (self->view.len == (Py_ssize_t) (n_channels * n_frames
          * sizeof (gfloat)));
  self->array = (NdaPyArray) {
  self->view.buf, n_channels, n_frames};
  return TRUE;
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
      && nda_py_plugin_make_buffer (self, format->n_channels, format->n_frames);
}

/* Configures and starts the plugin. @format says how many channels a processor
 * gets, and then what the plugin has started with. */
gboolean
nda_py_plugin_start (NdaPyPlugin * self, NdaPyFormat * format, GError ** error)
{
  gboolean is_configured = configure (self, format);

  if (is_configured && !call_life_cycle (self, "start", error))
    return FALSE;
  if (is_configured && look_again (self, format))
    return TRUE;
  set_error_from_python (error, NDA_PY_PROBLEM_CONFIGURE, self->path, NULL);
  if (is_configured)
    nda_py_plugin_stop (self);
  return FALSE;
}

/* stop (), whose result does not matter (4.1). */
void
nda_py_plugin_stop (NdaPyPlugin * self)
{
  if (!call_truthy (self, "stop") && PyErr_Occurred ()) {
    g_autofree gchar *reason = nda_py_embed_take_error ();

    GST_WARNING ("The plugin “%s” failed in its stop (): %s", self->path,
        reason);
  }
}

/* Sets a parameter. Returns what went wrong (transfer full), or NULL. */
gchar *
nda_py_plugin_set_parameter (NdaPyPlugin * self, const gchar * key,
    const gchar * value)
{
  PyObject *problem = nda_py_embed_call ("set_parameter", "(Oss)",
      self->instance, key, value);
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
nda_py_plugin_get_parameter (NdaPyPlugin * self, const gchar * key)
{
  PyObject *value = nda_py_embed_call ("get_parameter", "(Os)",
      self->instance, key);
  gchar *text = nda_py_embed_to_text (value);

  Py_XDECREF (value);
  return text ? text : g_strdup ("");
}

/* What it says of itself now. */
void
nda_py_plugin_get_facts (NdaPyPlugin * self, NdaPyFacts * facts)
{
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

/* What the collector may do between two blocks. */
void
nda_py_plugin_collect_garbage (void)
{
  call_and_ignore ("collect");
}
