/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One process that runs one plugin, ndapyworker.py: made, asked, killed. Blocks
 * lie in memory that both share, sealed against other sizes; a doorbell
 * (eventfd) rings for each, another for what came of it. Everything else is
 * asked over a socket.
 *
 * THREADS. It is made by a thread that outlives it: the kernel kills the process
 * when that thread ends. The block thread starts the plugin and makes its calls;
 * others may ask and kill it meanwhile. */

#pragma once

#include "ndapyrole.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *path;                  /* owned; of the plugin */
  gchar *python;                /* owned; the interpreter */
  NdaPyRole role;
  GstClockTime deadline;        /* of a block call; 0: none */
} NdaPyWorkerConfig;

typedef struct _NdaPyWorker NdaPyWorker;

NdaPyWorker *nda_py_worker_new (const NdaPyWorkerConfig * config,
    GError ** error);
NdaPyWorker *nda_py_worker_ref (NdaPyWorker * worker);
void nda_py_worker_unref (NdaPyWorker * worker);

/* the block thread */
gboolean nda_py_worker_start (NdaPyWorker * worker, NdaPyFormat * format,
    GError ** error);
NdaPyCallResult nda_py_worker_call (NdaPyWorker * worker,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    gboolean is_gated);
gchar *nda_py_worker_take_text (NdaPyWorker * worker);

/* any thread */
gchar *nda_py_worker_set_parameter (NdaPyWorker * worker, const gchar * key,
    const gchar * value);
gchar *nda_py_worker_get_parameter (NdaPyWorker * worker, const gchar * key);
void nda_py_worker_get_facts (NdaPyWorker * worker, NdaPyFacts * facts);
void nda_py_worker_stop (NdaPyWorker * worker);
void nda_py_worker_interrupt (NdaPyWorker * worker);
void nda_py_worker_shut_down (NdaPyWorker * worker);
void nda_py_worker_kill (NdaPyWorker * worker, const gchar * reason);
gchar *nda_py_worker_describe_death (NdaPyWorker * worker);
gboolean nda_py_worker_is_dead (NdaPyWorker * worker);

/* the thread that made it */
void nda_py_worker_watch (NdaPyWorker * worker, gint wake_fd, gint timeout);
guint64 nda_py_worker_get_memory (NdaPyWorker * worker);

G_END_DECLS
