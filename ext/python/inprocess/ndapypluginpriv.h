/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The plugin, for its own two files alone: ndapyplugin.c has its life cycle and
 * its parameters, ndapyplugincall.c its block calls. */

#pragma once

#include "ndapyplugin.h"

G_BEGIN_DECLS

struct _NdaPyPlugin
{
  gchar *path;
  NdaPyRole role;

  PyObject *module;
  PyObject *instance;

  /* the one AudioBuffer (6.1.1), our array in it, and its memory, which is
   * ours as long as the view is held, whatever the plugin does (6.1.5) */
  PyObject *buffer;
  PyObject *data;
  Py_buffer view;
  NdaPyArray array;

  PyObject *name_data;          /* interned: the attribute and the methods */
  PyObject *name_call;
  PyObject *name_space;

  gboolean is_settled;          /* the collector leaves it alone */
  gboolean returned_false;      /* the last block call failed without error */
};

/* With a Python error set when it fails */
gboolean nda_py_plugin_make_buffer (NdaPyPlugin * plugin, guint n_channels,
    guint n_frames);

G_END_DECLS
