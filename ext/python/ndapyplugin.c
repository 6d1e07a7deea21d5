/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyplugin.h"

#include "ndablock.h"
#include "ndapyembed.h"
#include "ndapylog.h"
#include "ndapyplanes.h"

#include <glib/gi18n-lib.h>

#include <string.h>

struct _NdaPyPlugin
{
  gchar *path;

  PyObject *module;
  PyObject *instance;

  /* the one AudioBuffer (6.1.1), our array in it, and its memory, which is
   * ours as long as the view is held, whatever the plugin does (6.1.5) */
  PyObject *buffer;
  PyObject *data;
  Py_buffer view;
  guint n_channels;

  PyObject *name_data;          /* interned: the attribute and the method */
  PyObject *name_process;

  gboolean is_settled;          /* the collector leaves it alone */
  gboolean returned_false;      /* the last block call failed without error */
};

static const gchar *
role_name (NdaPyRole role)
{
  static const gchar *const names[] = {
    [NDA_PY_ROLE_PROCESSOR] = "Processor",
    [NDA_PY_ROLE_SOURCE] = "AudioSource",
    [NDA_PY_ROLE_SINK] = "AudioSink",
  };
  return names[role];
}

/* The Python error as a GError: @format has one %s for the plugin's path and
 * one for what Python says. */
static void
set_error_from_python (GError ** error, GQuark domain, gint code,
    const gchar * format, const gchar * path)
{
  g_autofree gchar *reason = nda_py_embed_take_error ();

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  g_set_error (error, domain, code, format, path, reason);
#pragma GCC diagnostic pop
}

/* Executes the file and makes an instance. */
NdaPyPlugin *
nda_py_plugin_load (const gchar * path, GError ** error)
{
  PyObject *loaded = nda_py_embed_call ("load", "(N)",
      PyUnicode_DecodeFSDefault (path));
  NdaPyPlugin *self;

  if (!loaded) {
    set_error_from_python (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        _("The plugin “%s” cannot be loaded: %s"), path);
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
  self->name_process = PyUnicode_InternFromString ("process_audio");
  return self;
}

static void
drop_buffer (NdaPyPlugin * self)
{
  if (self->view.obj)
    PyBuffer_Release (&self->view);
  Py_CLEAR (self->buffer);
  Py_CLEAR (self->data);
  self->n_channels = 0;
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
  Py_CLEAR (self->name_process);
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
  g_autofree gchar *reason = NULL;

  if (call_truthy (self, method))
    return TRUE;
  if (!PyErr_Occurred ()) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The plugin “%s” refused: its %s () did not return True. It may "
            "have printed why; GST_DEBUG=ndapython:4 shows it."),
        self->path, method);
    return FALSE;
  }
  reason = nda_py_embed_take_error ();
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The plugin “%s” failed in its %s (): %s"), self->path, method,
      reason);
  return FALSE;
}

static gboolean
check_role (NdaPyPlugin * self, NdaPyRole role, GError ** error)
{
  PyObject *info = nda_py_embed_call ("info", "(O)", self->instance);
  const char *found, *name, *api_version;
  gboolean fits;

  if (!info || !PyArg_ParseTuple (info, "sss", &found, &name, &api_version)) {
    set_error_from_python (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS,
        _("The plugin “%s” does not say what it is: %s"), self->path);
    Py_XDECREF (info);
    return FALSE;
  }
  if (!g_str_equal (api_version, "1"))
    GST_WARNING ("The plugin “%s” asks for API version %s; this is 1",
        self->path, api_version);
  fits = g_str_equal (found, role_name (role));
  if (!fits)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        _
        ("The plugin “%s” is of the type “%s”, but this element runs plugins "
            "of the type “%s”"), self->path, *found ? found : "unknown",
        role_name (role));
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
  call_and_ignore ("settle");
  self->is_settled = TRUE;
  return TRUE;
}

static gboolean
make_buffer (NdaPyPlugin * self, guint n_channels)
{
  PyObject *made = nda_py_embed_call ("make_buffer", "(I)", n_channels);

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
  g_assert (self->view.len == (Py_ssize_t) (n_channels * NDA_BLOCK_FRAMES
          * sizeof (gfloat)));
  self->n_channels = n_channels;
  return TRUE;
}

/* Tells the plugin rate and channels, between initialize () and start (). */
gboolean
nda_py_plugin_configure (NdaPyPlugin * self, guint n_channels, GError ** error)
{
  PyObject *result = NULL;

  if (self->n_channels == n_channels || make_buffer (self, n_channels))
    result = nda_py_embed_call ("configure", "(OI)", self->instance,
        n_channels);
  if (!result) {
    set_error_from_python (error, GST_LIBRARY_ERROR,
        GST_LIBRARY_ERROR_SETTINGS,
        _("The plugin “%s” cannot be configured: %s"), self->path);
    return FALSE;
  }
  Py_DECREF (result);
  return TRUE;
}

gboolean
nda_py_plugin_start (NdaPyPlugin * self, GError ** error)
{
  return call_life_cycle (self, "start", error);
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

GstClockTime
nda_py_plugin_get_latency (NdaPyPlugin * self)
{
  PyObject *value = nda_py_embed_call ("latency", "(O)", self->instance);
  guint64 latency = value ? PyLong_AsUnsignedLongLong (value) : 0;

  Py_XDECREF (value);
  if (PyErr_Occurred ()) {
    PyErr_Clear ();
    return 0;
  }
  return latency;
}

static gboolean
put_back_data (NdaPyPlugin * self)
{
  return !PyObject_SetAttr (self->buffer, self->name_data, self->data);
}

/* If the plugin bound another array, takes that one's content and puts ours
 * back (6.1.4). */
static gboolean
restore_data (NdaPyPlugin * self)
{
  PyObject *bound = PyObject_GetAttr (self->buffer, self->name_data);
  PyObject *adopted = NULL;

  if (G_LIKELY (bound == self->data)) {
    Py_DECREF (bound);
    return TRUE;
  }
  if (bound)
    adopted = nda_py_embed_call ("adopt", "(OO)", self->data, bound);
  Py_XDECREF (bound);
  Py_XDECREF (adopted);
  return adopted && put_back_data (self);
}

/* After a failed call, which may have bound anything; keeps its error. */
static void
put_back_data_after_failure (NdaPyPlugin * self)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  put_back_data (self);
  PyErr_Restore (type, value, traceback);
}

static gboolean
call_process (NdaPyPlugin * self)
{
  PyObject *args[] = { self->instance, self->buffer };
  PyObject *result = PyObject_VectorcallMethod (self->name_process, args,
      2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
  gint truth;

  if (!result)
    return FALSE;
  truth = result == Py_True ? 1 : PyObject_IsTrue (result);
  Py_DECREF (result);
  self->returned_false = truth == 0;
  return truth > 0;
}

/* Runs @n_frames of @in through process_audio () to @out, which may be the
 * same memory. When it fails nothing is written to @out, and
 * nda_py_plugin_take_error () must follow. */
gboolean
nda_py_plugin_process (NdaPyPlugin * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames)
{
  gboolean ok;

  self->returned_false = FALSE;
  nda_py_planes_load (self->view.buf, in, n_frames);
  ok = call_process (self) && restore_data (self);
  if (G_UNLIKELY (!ok)) {
    put_back_data_after_failure (self);
    return FALSE;
  }
  nda_py_planes_store (self->view.buf, out, n_frames);
  return TRUE;
}

/* Why the last block call failed (transfer full). Clears the Python error. */
gchar *
nda_py_plugin_take_error (NdaPyPlugin * self)
{
  g_autofree gchar *reason = NULL;

  if (self->returned_false && !PyErr_Occurred ())
    return
        g_strdup_printf (_("The plugin “%s” failed: its process_audio () "
            "returned False"), self->path);
  reason = nda_py_embed_take_error ();
  return g_strdup_printf (_("The plugin “%s” failed: %s"), self->path,
      reason);
}

/* What the collector may do between two blocks. */
void
nda_py_plugin_collect_garbage (void)
{
  call_and_ignore ("collect");
}
