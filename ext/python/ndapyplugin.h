/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One instance of a Python plugin: its calls, as the plugin contract has
 * them, without threads or states. Everything here: GIL held. */

#pragma once

#include <Python.h>

#include "ndapyplanes.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_ROLE_PROCESSOR,
  NDA_PY_ROLE_SOURCE,
  NDA_PY_ROLE_SINK,
} NdaPyRole;

/* What a plugin is started with. A processor takes the stream's channels, at
 * 48 kHz and 512 frames a call; the others have their own of each. */
typedef struct
{
  guint rate;
  guint n_channels;
  guint n_frames;               /* of a call; at most 512 */
} NdaPyFormat;

/* What a plugin says of itself, and may say otherwise after a parameter. */
typedef struct
{
  GstClockTime latency;         /* of a processor */
  guint n_channels;             /* of a source or sink */
} NdaPyFacts;

typedef enum
{
  NDA_PY_CALL_OK,
  NDA_PY_CALL_REFUSED,          /* returned False */
  NDA_PY_CALL_FAILED,           /* an exception, or an array that does not fit */
  NDA_PY_CALL_NO_SPACE,         /* was not made: a sink says it is full */
} NdaPyCallResult;

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
