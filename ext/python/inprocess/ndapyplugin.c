/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapyplugin.h"

#include "ndapybuffer.h"
#include "ndapyembed.h"
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
  PyObject *name_space;         /* owned; interned: get_available_space */

  guint n_frames;               /* of a call, fixed at the start */
  gulong thread;                /* of the block calls, Python's number */
  NdaPyCallResult result;       /* of the last block call */
} NdaPyPlugin;

static NdaPyPlugin *
get_plugin (NdaPyRunner * runner)
{
  return (NdaPyPlugin *) runner;
}

static void
call_and_ignore (const gchar * function)
{
  PyObject *result = nda_py_embed_call (function, "()");

  PyErr_Clear ();
  Py_XDECREF (result);
}

/* --- life cycle --------------------------------------------------------- */

/* Executes the file, makes an instance, initialises it and checks that it fits
 * the element (3.6). */
NdaPyRunner *
nda_py_plugin_load (const NdaPyRunnerKind * kind,
    const NdaPyRunnerConfig * config, GError ** error)
{
  PyObject *opened = nda_py_embed_call ("open_plugin", "(Nsz)",
      PyUnicode_DecodeFSDefault (config->path),
      nda_py_role_name (config->role), config->entry);
  NdaPyPlugin *self;

  if (!opened) {
    nda_py_embed_take_problem (config->path, error);
    return NULL;
  }
  self = g_new0 (NdaPyPlugin, 1);
  nda_py_runner_init (&self->parent, kind);
  self->path = g_strdup (config->path);
  self->parent.patience = (NdaPyPatience) {
  self->path, config->timeout, config->is_closing};
  self->role = config->role;
  self->module = Py_NewRef (PyTuple_GetItem (opened, 0));
  self->instance = Py_NewRef (PyTuple_GetItem (opened, 1));
  Py_DECREF (opened);

  nda_py_buffer_init (&self->buffer);
  self->name_call =
      PyUnicode_InternFromString (nda_py_role_call_name (self->role));
  self->name_space = PyUnicode_InternFromString ("get_available_space");
  return &self->parent;
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
  call_and_ignore ("unsettle");
  g_free (self->path);
  g_free (self);
}

static gboolean
parse_format (PyObject * result, NdaPyFormat * format)
{
  gboolean ok = PyArg_ParseTuple (result, "III", &format->rate,
      &format->n_channels, &format->n_frames);

  Py_DECREF (result);
  return ok;
}

/* Configures and starts the plugin. @format has the number of channels that a
 * processor gets; afterwards it has the format with which the plugin
 * started. */
gboolean
nda_py_plugin_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error)
{
  NdaPyPlugin *self = get_plugin (runner);
  g_autofree gchar *reason = NULL;
  PyObject *taken;

  self->thread = PyThread_get_thread_ident ();
  taken = nda_py_embed_call ("start_plugin", "(ONsI)", self->instance,
      PyUnicode_DecodeFSDefault (self->path), nda_py_role_name (self->role),
      format->n_channels);
  if (!taken) {
    nda_py_embed_take_problem (self->path, error);
    return FALSE;
  }
  if (parse_format (taken, format)
      && nda_py_buffer_make (&self->buffer, format->n_channels,
          format->n_frames)) {
    self->n_frames = format->n_frames;
    return TRUE;
  }
  reason = nda_py_embed_take_error ();
  nda_py_problem_set_error (error, NDA_PY_PROBLEM_CONFIGURE, self->path, NULL,
      reason);
  nda_py_plugin_stop (runner);
  return FALSE;
}

/* Calls stop (), whose result does not matter (4.1). */
void
nda_py_plugin_stop (NdaPyRunner * runner)
{
  NdaPyPlugin *self = get_plugin (runner);
  PyObject *result = nda_py_embed_call ("stop_plugin", "(ON)", self->instance,
      PyUnicode_DecodeFSDefault (self->path));

  PyErr_Clear ();
  Py_XDECREF (result);
}

/* --- parameters and facts ------------------------------------------------ */

/* Sets a parameter. Returns an error text (transfer full), or NULL. */
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

/* Reads the facts of the plugin, such as its latency, as they are now. */
void
nda_py_plugin_get_facts (NdaPyRunner * runner, NdaPyFacts * facts)
{
  NdaPyPlugin *self = get_plugin (runner);
  PyObject *said = nda_py_embed_call ("facts", "(Os)", self->instance,
      nda_py_role_name (self->role));
  unsigned long long latency = 0;

  *facts = (NdaPyFacts) {
  0};
  if (said && PyArg_ParseTuple (said, "KIIp", &latency, &facts->n_channels,
          &facts->delay, &facts->is_analyser))
    facts->latency = latency;
  PyErr_Clear ();
  Py_XDECREF (said);
}

/* Returns the plugin's declarations (transfer full). NULL: it is an API 1
 * plugin, which declares nothing. */
gchar *
nda_py_plugin_describe (NdaPyRunner * runner)
{
  PyObject *text = nda_py_embed_call ("describe_plugin", "(O)",
      get_plugin (runner)->instance);
  gchar *description = nda_py_embed_to_text (text);

  Py_XDECREF (text);
  return description;
}

/* Tells the plugin that the next block does not follow the last one. */
void
nda_py_plugin_reset (NdaPyRunner * runner)
{
  PyObject *result = nda_py_embed_call ("reset_plugin", "(O)",
      get_plugin (runner)->instance);

  PyErr_Clear ();
  Py_XDECREF (result);
}

/* --- blocks ------------------------------------------------------------- */

/* Whether the method @name returned something true; -1 with a Python error set.
 * A coroutine is an error, although it is true: Python has run nothing of
 * it. */
static gint
is_true (PyObject * answer, PyObject * name)
{
  PyObject *judged;
  gint truth;

  if (G_LIKELY (PyBool_Check (answer)))
    return answer == Py_True;
  judged = nda_py_embed_call ("at_once", "(OO)", answer, name);
  truth = judged ? PyObject_IsTrue (judged) : -1;
  Py_XDECREF (judged);
  return truth;
}

/* Whether @answer is the last one of a source. It then tells the number of
 * frames that the source has given. */
static gboolean
has_ended (NdaPyPlugin * self, PyObject * answer)
{
  PyObject *n_last = self->role == NDA_PY_ROLE_SOURCE ?
      nda_py_embed_call ("last_frames", "(O)", answer) : NULL;
  glong n = n_last && n_last != Py_None ? PyLong_AsLong (n_last) : -1;

  PyErr_Clear ();
  Py_XDECREF (n_last);
  if (n < 0)
    return FALSE;
  self->parent.n_last = MIN (n, (glong) self->buffer.array.n_frames);
  return TRUE;
}

static NdaPyCallResult
call_method (NdaPyPlugin * self)
{
  PyObject *args[] = { self->instance, self->buffer.object };
  PyObject *result = PyObject_VectorcallMethod (self->name_call, args,
      2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
  gint truth;
  gboolean is_none = result == Py_None;

  if (!result)
    return NDA_PY_CALL_FAILED;
  if (G_UNLIKELY (!PyBool_Check (result)) && has_ended (self, result)) {
    Py_DECREF (result);
    return NDA_PY_CALL_ENDED;
  }
  truth = is_true (result, self->name_call);
  Py_DECREF (result);
  if (G_LIKELY (truth > 0))
    return NDA_PY_CALL_OK;
  if (truth)
    return NDA_PY_CALL_FAILED;
  return is_none ? NDA_PY_CALL_NOTHING : NDA_PY_CALL_REFUSED;
}

/* Whether a sink says that @n_frames would fit (6.2.2). A sink that cannot say
 * counts as having room for a block. */
static NdaPyCallResult
ask_for_space (NdaPyPlugin * self, guint n_frames)
{
  PyObject *space = PyObject_CallMethodNoArgs (self->instance,
      self->name_space);
  gdouble n_free = space ? PyFloat_AsDouble (space) : -1.0;
  NdaPyCallResult result = NDA_PY_CALL_OK;

  if (!PyErr_Occurred ()) {
    result = n_free >= n_frames ? NDA_PY_CALL_OK : NDA_PY_CALL_NO_SPACE;
  } else {
    PyErr_Clear ();
    if (space && is_true (space, self->name_space) < 0)
      result = NDA_PY_CALL_FAILED;
  }
  Py_XDECREF (space);
  return result;
}

/* Fills the plugin's array. A sink gets a short last block as it is, a
 * processor gets it with zeros behind it (6.1.7), a source gets zeros
 * (6.1.6). */
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
  NdaPyCallResult result = NDA_PY_CALL_OK;

  g_assert (n_frames <= self->n_frames);
  if (is_gated)
    result = ask_for_space (self, n_frames);
  self->result = result;
  if (result != NDA_PY_CALL_OK)
    return result;
  result = NDA_PY_CALL_FAILED;
  if (fill_buffer (self, in, n_frames))
    result = call_method (self);
  if (result == NDA_PY_CALL_OK
      && !nda_py_buffer_restore (&self->buffer, self->role != NDA_PY_ROLE_SINK))
    result = NDA_PY_CALL_FAILED;
  self->result = result;
  if (G_UNLIKELY (result == NDA_PY_CALL_ENDED)) {
    nda_py_planes_store (&self->buffer.array, out, self->parent.n_last);
    return result;
  }
  if (G_UNLIKELY (result != NDA_PY_CALL_OK)) {
    nda_py_buffer_put_back (&self->buffer);
    return result;
  }
  if (out)
    nda_py_planes_store (&self->buffer.array, out, n_frames);
  return NDA_PY_CALL_OK;
}

/* Returns what this thread printed last in the plugin (transfer full), or
 * NULL. */
static gchar *
take_printed (void)
{
  PyObject *printed = nda_py_embed_call ("take_printed", "()");
  gchar *text = nda_py_embed_to_text (printed);

  PyErr_Clear ();
  Py_XDECREF (printed);
  return text;
}

/* Returns why the last block call failed (transfer full). Clears the Python
 * error. */
gchar *
nda_py_plugin_take_error (NdaPyRunner * runner)
{
  NdaPyPlugin *self = get_plugin (runner);
  g_autofree gchar *text = NULL;

  if (self->result == NDA_PY_CALL_FAILED)
    text = nda_py_embed_take_error ();
  else
    text = take_printed ();
  return nda_py_problem_describe_failure (self->path, self->role,
      self->result, text);
}

/* Lets Python's garbage collector work between two blocks. */
void
nda_py_plugin_collect_garbage (NdaPyRunner * runner)
{
  call_and_ignore ("collect");
}

/* Asks Python to raise a SystemExit in the block call, or cancels that. */
void
nda_py_plugin_set_interrupt (NdaPyRunner * runner, gboolean is_wanted)
{
  PyThreadState_SetAsyncExc (get_plugin (runner)->thread,
      is_wanted ? PyExc_SystemExit : NULL);
}
