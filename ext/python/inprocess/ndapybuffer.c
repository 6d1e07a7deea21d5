/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapybuffer.h"

#include "ndapyembed.h"

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

/* Makes the AudioBuffer, unless there is one of that shape already. */
gboolean
nda_py_buffer_make (NdaPyBuffer * self, guint n_channels, guint n_frames)
{
  PyObject *made;

  if (self->array.n_channels == n_channels && self->array.n_frames == n_frames)
    return TRUE;
  made = nda_py_embed_call ("make_buffer", "(II)", n_channels, n_frames);
  if (!made)
    return FALSE;
  drop (self);
  self->object = Py_NewRef (PyTuple_GetItem (made, 0));
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
