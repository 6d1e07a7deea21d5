/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One instance of a Python plugin: its calls, as the plugin contract has
 * them, without threads or states. Everything here: GIL held. */

#pragma once

#include <Python.h>

#include "ndapyrole.h"

G_BEGIN_DECLS

typedef struct _NdaPyPlugin NdaPyPlugin;

NdaPyPlugin *nda_py_plugin_load (const gchar * path, GError ** error);
void nda_py_plugin_shut_down (NdaPyPlugin * plugin);

gboolean nda_py_plugin_initialize (NdaPyPlugin * plugin, NdaPyRole role,
    GError ** error);
gboolean nda_py_plugin_start (NdaPyPlugin * plugin, NdaPyFormat * format,
    GError ** error);
void nda_py_plugin_stop (NdaPyPlugin * plugin);

gchar *nda_py_plugin_set_parameter (NdaPyPlugin * plugin, const gchar * key,
    const gchar * value);
gchar *nda_py_plugin_get_parameter (NdaPyPlugin * plugin, const gchar * key);
void nda_py_plugin_get_facts (NdaPyPlugin * plugin, NdaPyFacts * facts);

NdaPyCallResult nda_py_plugin_call (NdaPyPlugin * plugin,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    gboolean is_gated);
gchar *nda_py_plugin_take_error (NdaPyPlugin * plugin);

void nda_py_plugin_collect_garbage (void);

G_END_DECLS
