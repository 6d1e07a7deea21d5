/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One instance of a Python plugin: it makes the calls of the runner as the
 * plugin contract defines them. All functions: GIL held. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

NdaPyRunner *nda_py_plugin_load (const NdaPyRunnerKind * kind,
    const NdaPyRunnerConfig * config, GError ** error);
void nda_py_plugin_close (NdaPyRunner * runner);

gboolean nda_py_plugin_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error);
void nda_py_plugin_stop (NdaPyRunner * runner);

gchar *nda_py_plugin_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value);
gchar *nda_py_plugin_get_parameter (NdaPyRunner * runner, const gchar * key);
void nda_py_plugin_get_facts (NdaPyRunner * runner, NdaPyFacts * facts);
gchar *nda_py_plugin_describe (NdaPyRunner * runner);
void nda_py_plugin_reset (NdaPyRunner * runner);

NdaPyCallResult nda_py_plugin_call (NdaPyRunner * runner,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    gboolean is_gated);
gchar *nda_py_plugin_take_error (NdaPyRunner * runner);

void nda_py_plugin_collect_garbage (NdaPyRunner * runner);

void nda_py_plugin_set_interrupt (NdaPyRunner * runner, gboolean is_wanted);

G_END_DECLS
