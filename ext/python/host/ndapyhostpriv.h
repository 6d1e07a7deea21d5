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

  /* opened and closed when no block thread runs */
  NdaPyGuest guest;

  GMutex lock;
  /* is_calling, is_setting, n_unapplied, n_users went down; is_stopping */
  GCond changed;
  NdaPyHostState state;         /* [host lock] */
  gboolean is_calling;          /* [host lock] the block thread is in Python */
  gboolean is_setting;          /* [host lock] another sets parameters */
  guint n_users;                /* [host lock] others that call the plugin */
  gboolean is_stopping;         /* [host lock] no call may begin */
  GPtrArray *pending;           /* [host lock] owned; parameters to be set */
  guint n_unapplied;            /* [host lock] pending, and being set */
  NdaPyFacts facts;             /* [host lock] what the plugin said last */
  GThread *block_thread;        /* [host lock] not owned */
  gulong python_thread;         /* [host lock] its name in Python */

  gint has_next;                /* [atomic] an edited plugin waits for a block */
  gboolean is_failing;          /* [block thread] in a burst of failures */
  NdaPyFormat format;           /* [block thread] that it was started with */
};

/* [GIL] */
typedef struct
{
  NdaPyHost *host;
  const NdaPyParameters *parameters;
  GPtrArray *problems;          /* owned; what went wrong, one text each */
  NdaPyFacts facts;             /* what the plugin says after it */
} NdaPyParametersJob;

void nda_py_host_parameters_job (gpointer job);

/* without the GIL */
void nda_py_host_report_parameters (NdaPyHost * self,
    NdaPyParametersJob * job);
void nda_py_host_report_facts (NdaPyHost * self, const NdaPyFacts * facts);
NdaPyParameters *nda_py_host_take_pending_locked (NdaPyHost * self);
gboolean nda_py_host_begin_use (NdaPyHost * self);
void nda_py_host_end_use (NdaPyHost * self);
void nda_py_host_set_state (NdaPyHost * self, NdaPyHostState state);

G_END_DECLS
