/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The one AudioBuffer of a plugin (6.1.1), and our array in it. While we hold
 * the view, the array's memory stays valid, whatever the plugin does (6.1.5).
 * All functions: GIL held. The numbers in brackets are rules of the plugin
 * contract. */

#pragma once

#include <Python.h>

#include "ndapyplanes.h"

G_BEGIN_DECLS

typedef struct
{
  PyObject *object;             /* owned; the AudioBuffer */
  PyObject *data;               /* owned; our array in it */
  PyObject *name_data;          /* owned; interned: its attribute */
  Py_buffer view;
  NdaPyArray array;
} NdaPyBuffer;

void nda_py_buffer_init (NdaPyBuffer * buffer);
void nda_py_buffer_clear (NdaPyBuffer * buffer);

/* Both return FALSE with a Python error set. */
gboolean nda_py_buffer_make (NdaPyBuffer * buffer, guint n_channels,
    guint n_frames);
gboolean nda_py_buffer_restore (NdaPyBuffer * buffer, gboolean is_wanted);

void nda_py_buffer_put_back (NdaPyBuffer * buffer);

G_END_DECLS
