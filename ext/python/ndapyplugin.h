/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One instance of a Python plugin: its calls, as the plugin contract has
 * them, without threads or states. Everything here: GIL held. */

#pragma once

#include <Python.h>

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ROLE_PROCESSOR,
  NDA_PY_ROLE_SOURCE,
  NDA_PY_ROLE_SINK,
} NdaPyRole;

/* A stretch of audio in system memory: the planes of @n_channels, or one
 * plane that interleaves them. */
typedef struct
{
  gpointer *planes;
  guint n_channels;
  gboolean is_planar;
} NdaPyAudio;

typedef struct _NdaPyPlugin NdaPyPlugin;

NdaPyPlugin *nda_py_plugin_load (const gchar * path, GError ** error);
void nda_py_plugin_shut_down (NdaPyPlugin * plugin);

gboolean nda_py_plugin_initialize (NdaPyPlugin * plugin, NdaPyRole role,
    GError ** error);
gboolean nda_py_plugin_configure (NdaPyPlugin * plugin, guint n_channels,
    GError ** error);
gboolean nda_py_plugin_start (NdaPyPlugin * plugin, GError ** error);
void nda_py_plugin_stop (NdaPyPlugin * plugin);

gchar *nda_py_plugin_set_parameter (NdaPyPlugin * plugin, const gchar * key,
    const gchar * value);
gchar *nda_py_plugin_get_parameter (NdaPyPlugin * plugin, const gchar * key);
GstClockTime nda_py_plugin_get_latency (NdaPyPlugin * plugin);

gboolean nda_py_plugin_process (NdaPyPlugin * plugin, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames);
gchar *nda_py_plugin_take_error (NdaPyPlugin * plugin);

void nda_py_plugin_collect_garbage (void);

G_END_DECLS
