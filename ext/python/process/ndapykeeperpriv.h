/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The keeper, for its own files alone: ndapykeeper.c has its thread,
    which makes
 * and replaces workers, ndapykeepercalls.c what the host calls. */

#pragma once

#include "ndapykeeper.h"

#include "ndapyworker.h"

G_BEGIN_DECLS

typedef struct
{
  NdaPyRunner parent;
  NdaPyRunnerConfig *config;    /* [const] owned; names the interpreter */
  GThread *thread;              /* [const] owned */
  gint wake_fd;                 /* [const] the thread's doorbell */
  NdaPyMould *mould;            /* [keeper] owned; of the next one, or NULL */

  GMutex lock;
  GCond changed;                /* is_open, is_closing, worker */
  gboolean is_open;             /* [lock] the first worker has answered */
  GError *error;                /* [lock] owned; why it could not be made */
  gboolean is_closing;          /* [lock] */
  NdaPyWorker *worker;          /* [lock] owned reference, or NULL */
  NdaPyWorker *next;            /* [lock] not owned; it is being made */
  gboolean is_started;          /* [lock] the plugin shall run */
  NdaPyFormat format;           /* [lock] that it was started with */
  gchar *death;                 /* [lock] owned; how the last one ended */

  gchar *failure;               /* [block thread] owned; of the last call */
} NdaPyKeeper;

NdaPyWorker *nda_py_keeper_get_worker (NdaPyKeeper * self);
void nda_py_keeper_tell_end (NdaPyKeeper * self, NdaPyWorker * worker);

gboolean nda_py_keeper_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error);
void nda_py_keeper_stop (NdaPyRunner * runner);
void nda_py_keeper_interrupt (NdaPyRunner * runner);
void nda_py_keeper_kill (NdaPyRunner * runner);
gchar *nda_py_keeper_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value);
gchar *nda_py_keeper_get_parameter (NdaPyRunner * runner, const gchar * key);
void nda_py_keeper_get_facts (NdaPyRunner * runner, NdaPyFacts * facts);
NdaPyCallResult nda_py_keeper_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated);
gchar *nda_py_keeper_take_error (NdaPyRunner * runner);

G_END_DECLS
