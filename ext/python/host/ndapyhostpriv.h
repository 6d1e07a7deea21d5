/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The host, for its own files alone. Each file uses only the files named before
 * it: ndapyhostparameters.c sets parameters; ndapyhost.c opens, stops and
 * closes, and has the paragraph on threads; ndapyhostreload.c exchanges the
 * plugin for an edited one; ndapyhostblocks.c has the functions of the block
 * thread. */

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
  NdaPyLastParameters *last;    /* [const] owned; has its own lock */

  /* [const] while a plugin is open; changed under the host lock */
  const NdaPyRunnerKind *kind;  /* NULL until a plugin is opened */
  NdaPyRunnerConfig *config;    /* owned */

  GMutex lock;
  /* signals that called, is_held, n_unapplied, n_users or is_reloading went
   * down, or is_stopping up */
  GCond changed;
  guint n_waiting;              /* [host lock] threads, for that */
  NdaPyHostState state;         /* [host lock] */
  NdaPyRunner *runner;          /* [host lock] owned; the plugin */
  /* [host lock] not owned; the runner that the block thread calls, or NULL */
  NdaPyRunner *called;
  NdaPyFormat stream;           /* [host lock] what the start was told */
  NdaPyFormat format;           /* [host lock] that it was started with */
  gboolean is_held;             /* [host lock] the block thread must not call */
  guint n_users;                /* [host lock] others that call the plugin */
  gint is_closing;              /* [atomic] the users stop waiting */
  gboolean is_stopping;         /* [host lock] no call may begin */
  GPtrArray *pending;           /* [host lock] owned; parameters to be set */
  guint n_unapplied;            /* [host lock] pending or being set */
  NdaPyFacts facts;             /* [host lock] as last reported */
  guint held;                   /* [host lock] frames a block is held back */
  GThread *block_thread;        /* [host lock] not owned */

  gboolean is_reloading;        /* [host lock] one reload at a time */
  /* [host lock] owned; an edited plugin that waits until the block thread
   * exchanges it. Written atomically, since the block thread checks without the
   * lock whether there is one */
  NdaPyRunner *next;
  guint n_told;                 /* [host lock] changes of `last` it knows */
  guint n_exchanges;            /* [host lock] of processors that ran */

  gboolean is_failing;          /* [block thread] the last call failed */
  guint call_latency;           /* [block thread] of the calls made last */
  guint expected_latency;       /* [block thread] without it, none are made */
  guint called_exchange;        /* [block thread] n_exchanges, at those calls */
  /* [block thread] n_exchanges that its caller knows of; the same as above */
  guint known_exchange;
};

/* Parameters that are being set, and the results */
typedef struct
{
  NdaPyRunner *runner;          /* owned reference */
  NdaPyParameters *parameters;  /* owned reference */
  gboolean *is_taken;           /* owned; a flag for each */
  GPtrArray *problems;          /* owned; texts of the failures */
  NdaPyFacts facts;             /* the plugin's facts afterwards */
  gboolean is_done;
} NdaPySetJob;

/* ndapyhostparameters.c */
void nda_py_host_give_up (NdaPyHost * self, const GError * error);
NdaPySetJob *nda_py_host_begin_set (NdaPyHost * self, NdaPyRunner * runner,
    NdaPyParameters * parameters);
void nda_py_host_set_job (gpointer job);        /* a call */
void nda_py_host_end_set (NdaPyHost * self, NdaPySetJob * job);
gboolean nda_py_host_set_now (NdaPyHost * self, NdaPyRunner * runner,
    NdaPyParameters * parameters, GError ** error);
gboolean nda_py_host_set_pending (NdaPyHost * self);
NdaPyParameters *nda_py_host_take_pending_locked (NdaPyHost * self);
void nda_py_host_report_facts (NdaPyHost * self, const NdaPyFacts * facts);
gboolean nda_py_host_begin_use (NdaPyHost * self, NdaPyRunner ** runner);
void nda_py_host_end_use (NdaPyHost * self, NdaPyRunner * runner);

/* ndapyhostwait.c */
void nda_py_host_wake_locked (NdaPyHost * self);
void nda_py_host_wait_locked (NdaPyHost * self);
gboolean nda_py_host_wait_until_locked (NdaPyHost * self, gint64 deadline);

/* ndapyhost.c */
NdaPyRunner *nda_py_host_take_next_locked (NdaPyHost * self);
gboolean nda_py_host_wait_for_call_locked (NdaPyHost * self,
    NdaPyRunner * runner, gint64 timeout);
gboolean nda_py_host_end_call_of (NdaPyHost * self, NdaPyRunner * runner);

/* ndapyhostreload.c: on the block thread, with the plugin claimed, without
 * GIL */
gboolean nda_py_host_exchange (NdaPyHost * self, GError ** error);

G_END_DECLS
