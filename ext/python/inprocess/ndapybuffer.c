/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapybuffer.h"

#include "ndapyembed.h"

#include <string.h>

void
nda_py_buffer_init (NdaPyBuffer * self)
{
  self->name_data = PyUnicode_InternFromString ("data");
}

static void
drop (NdaPyBuffer * self)
{
  if (self->view.obj)
    PyBuffer_Release (&self->view);
  Py_CLEAR (self->object);
  Py_CLEAR (self->data);
  self->array = (NdaPyArray) {
  NULL};
}

void
nda_py_buffer_clear (NdaPyBuffer * self)
{
  drop (self);
  Py_CLEAR (self->name_data);
}

/* Makes the memory of the array. The host holds the memory itself, not the
 * array: the plugin can have its array let go of it. */
static gboolean
make_memory (Py_buffer * view, gsize n_bytes)
{
  PyObject *memory = PyByteArray_FromStringAndSize (NULL, n_bytes);
  gboolean ok = memory && !PyObject_GetBuffer (memory, view, PyBUF_WRITABLE);

  Py_XDECREF (memory);
  if (ok)
    memset (view->buf, 0, n_bytes);
  return ok;
}

/* Makes the AudioBuffer, unless there is one of that shape already. */
gboolean
nda_py_buffer_make (NdaPyBuffer * self, guint n_channels, guint n_frames)
{
  Py_buffer view;
  PyObject *made;

  if (self->array.n_channels == n_channels && self->array.n_frames == n_frames)
    return TRUE;
  if (!make_memory (&view, sizeof (gfloat) * n_channels * n_frames))
    return FALSE;
  made = nda_py_embed_call ("make_buffer", "(IIO)", n_channels, n_frames,
      view.obj);
  if (!made) {
    PyBuffer_Release (&view);
    return FALSE;
  }
  drop (self);
  self->view = view;
  self->object = Py_NewRef (PyTuple_GetItem (made, 0));
  self->data = Py_NewRef (PyTuple_GetItem (made, 1));
  Py_DECREF (made);
  self->array = (NdaPyArray) {
  self->view.buf, n_channels, n_frames};
  return TRUE;
}

static gboolean
put_back (NdaPyBuffer * self)
{
  return !PyObject_SetAttr (self->object, self->name_data, self->data);
}

/* If the plugin bound another array, copies that array's content, if it
 * @is_wanted, and binds our array again (6.1.4, 6.2.4). */
gboolean
nda_py_buffer_restore (NdaPyBuffer * self, gboolean is_wanted)
{
  PyObject *bound = PyObject_GetAttr (self->object, self->name_data);
  PyObject *adopted = NULL;

  if (G_LIKELY (bound == self->data)) {
    Py_DECREF (bound);
    return TRUE;
  }
  if (!is_wanted) {
    Py_XDECREF (bound);
    PyErr_Clear ();
    return put_back (self);
  }
  if (bound)
    adopted = nda_py_embed_call ("adopt", "(OO)", self->data, bound);
  Py_XDECREF (bound);
  Py_XDECREF (adopted);
  return adopted && put_back (self);
}

/* Binds our array again after a failed call, which may have bound any object.
 * Keeps the Python error. */
void
nda_py_buffer_put_back (NdaPyBuffer * self)
{
  PyObject *type, *value, *traceback;

  PyErr_Fetch (&type, &value, &traceback);
  if (self->object)
    put_back (self);
  PyErr_Restore (type, value, traceback);
}
