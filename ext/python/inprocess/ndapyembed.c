/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyembed.h"

#include "ndapyembed-source.h"
#include "ndapyjob.h"
#include "ndapylog.h"
#include "ndapyparameters.h"
#include "ndapypaths.h"
#include "ndapyproblem.h"

#define FILE_NAME "<ndapyembed>"

/* [GIL] the dictionary of the module; it lives as long as the interpreter */
static PyObject *functions;

/* log (is_error, line): logs a line that a plugin printed, or a line for its
 * author. */
static PyObject *
nda_py_embed_log (PyObject * self, PyObject * args)
{
  g_autofree gchar *text = NULL;
  PyObject *line;
  int is_error;

  if (!PyArg_ParseTuple (args, "pU", &is_error, &line))
    return NULL;
  text = nda_py_embed_to_text (line);
  if (is_error)
    GST_WARNING ("%s", text);
  else
    GST_INFO ("%s", text);
  Py_RETURN_NONE;
}

/* calling (method): this thread is about to call this method of a plugin. */
static PyObject *
nda_py_embed_calling (PyObject * self, PyObject * method)
{
  const char *text = PyUnicode_AsUTF8 (method);

  if (!text)
    return NULL;
  nda_py_job_note_method (text);
  Py_RETURN_NONE;
}

static gboolean
run_source (PyObject * dict)
{
  static PyMethodDef calling_def =
      { "calling", nda_py_embed_calling, METH_O, NULL };
  static PyMethodDef log_def = { "log", nda_py_embed_log, METH_VARARGS, NULL };
  PyObject *code = Py_CompileString (nda_py_embed_source, FILE_NAME,
      Py_file_input);
  PyObject *log = PyCFunction_New (&log_def, NULL);
  PyObject *calling = PyCFunction_New (&calling_def, NULL);
  PyObject *name = PyUnicode_FromString (FILE_NAME);
  PyObject *result = NULL;

  if (code && log && calling && name
      && !PyDict_SetItemString (dict, "__builtins__", PyEval_GetBuiltins ())
      && !PyDict_SetItemString (dict, "__name__", name)
      && !PyDict_SetItemString (dict, "__file__", name)
      && !PyDict_SetItemString (dict, "log", log)
      && !PyDict_SetItemString (dict, "calling", calling))
    result = PyEval_EvalCode (code, dict, dict);
  Py_XDECREF (code);
  Py_XDECREF (log);
  Py_XDECREF (calling);
  Py_XDECREF (name);
  Py_XDECREF (result);
  return result != NULL;
}

/* Makes the module. On failure a Python error is set. */
gboolean
nda_py_embed_start (gboolean is_ours)
{
  g_autofree gchar *api = nda_py_paths_find_folder ("api");
  PyObject *result;

  if (!functions) {
    PyObject *dict = PyDict_New ();

    if (!dict || !run_source (dict)) {
      Py_XDECREF (dict);
      return FALSE;
    }
    functions = dict;
  }
  result = nda_py_embed_call ("start", "(iNs)", is_ours ? 1 : 0,
      PyUnicode_DecodeFSDefault (api), NDA_PY_SECRET_WORDS);
  Py_XDECREF (result);
  return result != NULL;
}

/* Calls @function with the arguments that Py_BuildValue () makes of @format,
 * which is in parentheses. Returns a new reference, or NULL with a Python error
 * set. */
PyObject *
nda_py_embed_call (const gchar * function, const gchar * format, ...)
{
  PyObject *callee = PyDict_GetItemString (functions, function);
  PyObject *args, *result;
  va_list list;

  g_assert (callee && *format == '(');
  va_start (list, format);
  args = Py_VaBuildValue (format, list);
  va_end (list);
  if (!args)
    return NULL;
  result = PyObject_CallObject (callee, args);
  Py_DECREF (args);
  return result;
}

/* @object as text, or NULL. Leaves no Python error. */
gchar *
nda_py_embed_to_text (PyObject * object)
{
  PyObject *bytes = object && PyUnicode_Check (object) ?
      PyUnicode_AsEncodedString (object, "utf-8", "replace") : NULL;
  gchar *text = bytes ? g_strdup (PyBytes_AsString (bytes)) : NULL;

  Py_XDECREF (bytes);
  PyErr_Clear ();
  return text;
}

static PyObject *
take_exception (void)
{
#if PY_VERSION_HEX >= 0x030C0000
  return PyErr_GetRaisedException ();
#else
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (!type)
    return NULL;
  PyErr_NormalizeException (&type, &value, &traceback);
  if (traceback && value)
    PyException_SetTraceback (value, traceback);
  Py_XDECREF (type);
  Py_XDECREF (traceback);
  return value;
#endif
}

/* Clears the Python error and returns its text: a line for the user, which
 * names file and line, and then the traceback. */
gchar *
nda_py_embed_take_error (void)
{
  PyObject *exception = take_exception ();
  PyObject *text = NULL;
  gchar *reason = NULL;

  if (exception && functions)
    text = nda_py_embed_call ("describe", "(O)", exception);
  if (text)
    reason = nda_py_embed_to_text (text);
  if (!reason && exception)
    reason = g_strdup (Py_TYPE (exception)->tp_name);
  PyErr_Clear ();
  Py_XDECREF (text);
  Py_XDECREF (exception);
  return reason ? reason : g_strdup ("no reason given");
}

/* Item @i of a tuple, as text (transfer full). */
static gchar *
take_text (PyObject * tuple, Py_ssize_t i)
{
  gchar *text = nda_py_embed_to_text (PyTuple_GetItem (tuple, i));

  return text ? text : g_strdup ("");
}

/* Clears the Python error and sets @error to the fault of the plugin @path. */
void
nda_py_embed_take_problem (const gchar * path, GError ** error)
{
  PyObject *exception = take_exception ();
  PyObject *problem = exception ?
      nda_py_embed_call ("problem", "(O)", exception) : NULL;
  g_autofree gchar *nick = NULL, *name = NULL, *reason = NULL;

  Py_XDECREF (exception);
  if (!problem || PyTuple_Size (problem) != 3) {
    reason = nda_py_embed_take_error ();
    nda_py_problem_set_error (error, NDA_PY_PROBLEM_LOAD, path, NULL, reason);
  } else {
    nick = take_text (problem, 0);
    name = take_text (problem, 1);
    reason = take_text (problem, 2);
    nda_py_problem_set_error (error, nda_py_problem_from_nick (nick), path,
        name, reason);
  }
  Py_XDECREF (problem);
}
