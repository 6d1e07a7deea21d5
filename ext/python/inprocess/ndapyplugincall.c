/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block calls of a plugin: process_audio (), read_audio (),
 * write_audio (). */

#include <Python.h>

#include "config.h"

#include "ndapypluginpriv.h"

#include "ndapyembed.h"
#include "ndapyproblem.h"

static gboolean
put_back_data (NdaPyPlugin * self)
{
  return !PyObject_SetAttr (self->buffer, self->name_data, self->data);
}

/* If the plugin bound another array, takes that one's content, unless what a
 * sink leaves there, and puts ours back (6.1.4, 6.2.4). */
static gboolean
restore_data (NdaPyPlugin * self)
{
  PyObject *bound = PyObject_GetAttr (self->buffer, self->name_data);
  PyObject *adopted = NULL;

  if (G_LIKELY (bound == self->data)) {
    Py_DECREF (bound);
    return TRUE;
  }
  if (self->role == NDA_PY_ROLE_SINK) {
    Py_XDECREF (bound);
    PyErr_Clear ();
    return put_back_data (self);
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

static NdaPyCallResult
call_method (NdaPyPlugin * self)
{
  PyObject *args[] = { self->instance, self->buffer };
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
  if (self->role == NDA_PY_ROLE_SINK
      && !nda_py_plugin_make_buffer (self, self->array.n_channels, n_frames))
    return FALSE;
  if (in)
    nda_py_planes_load (&self->array, in, n_frames);
  if (!in || n_frames < self->array.n_frames)
    nda_py_planes_clear (&self->array, in ? n_frames : 0);
  return TRUE;
}

/* Makes one block call: of @n_frames of @in, but for a source, to @out, but for
 * a sink; both may be the same memory. If @is_gated, a sink is asked before
 * whether it has room. When it fails nothing is written to @out, and
 * nda_py_plugin_take_error () must follow. */
NdaPyCallResult
nda_py_plugin_call (NdaPyPlugin * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyCallResult result = NDA_PY_CALL_FAILED;

  if (is_gated && !has_space (self, n_frames))
    return NDA_PY_CALL_NO_SPACE;
  if (fill_buffer (self, in, n_frames))
    result = call_method (self);
  if (result == NDA_PY_CALL_OK && !restore_data (self))
    result = NDA_PY_CALL_FAILED;
  self->returned_false = result == NDA_PY_CALL_REFUSED;
  if (G_UNLIKELY (result != NDA_PY_CALL_OK)) {
    put_back_data_after_failure (self);
    return result;
  }
  if (out)
    nda_py_planes_store (&self->array, out, n_frames);
  return NDA_PY_CALL_OK;
}

/* Why the last block call failed (transfer full). Clears the Python error. */
gchar *
nda_py_plugin_take_error (NdaPyPlugin * self)
{
  g_autofree gchar *reason = NULL;

  if (!self->returned_false || PyErr_Occurred ())
    reason = nda_py_embed_take_error ();
  return nda_py_problem_describe_failure (self->path, self->role, reason);
}
