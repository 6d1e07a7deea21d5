/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The host, for its own two files alone: ndapyhost.c has what any thread and
 * the changes of state do, and the paragraph on threads; ndapyhostblocks.c what
 * the block thread does. */

#pragma once

#include "ndapyhost.h"

G_BEGIN_DECLS

typedef enum
{
  STATE_UNLOADED,
  STATE_INITIALIZED,
  STATE_STARTING,
  STATE_RUNNING,
  STATE_SPENT,                  /* start failed; only good for shutdown */
} NdaPyHostState;

struct _NdaPyHost
{
  NdaPyRole role;               /* [const] */
  const NdaPyHostEvents *events;        /* [const] */
  gpointer owner;               /* [const] not owned */

  /* owned; set by open, freed by close, when no block thread runs. Its
   * content: [GIL] */
  NdaPyPlugin *plugin;

  GMutex lock;
  GCond changed;                /* is_calling, n_unapplied, n_users went down */
  NdaPyHostState state;         /* [host lock] */
  gboolean is_calling;          /* [host lock] the block thread is in Python */
  guint n_users;                /* [host lock] others that call the plugin */
  gboolean is_stopping;         /* [host lock] no call may begin */
  GPtrArray *pending;           /* [host lock] owned; parameters to be set */
  guint n_unapplied;            /* [host lock] pending, and being set */
  GstClockTime latency;         /* [host lock] of the plugin */
  GThread *block_thread;        /* [host lock] not owned */
  gulong python_thread;         /* [host lock] its name in Python */

  gboolean is_failing;          /* [block thread] in a burst of failures */
};

/* [GIL]; returns what went wrong, one text each */
GPtrArray *nda_py_host_apply_parameters (NdaPyHost * self,
    const NdaPyParameters * parameters);

/* without the GIL */
void nda_py_host_report_parameters (NdaPyHost * self, GPtrArray * problems,
    GstClockTime latency);
void nda_py_host_set_state (NdaPyHost * self, NdaPyHostState state);

G_END_DECLS
