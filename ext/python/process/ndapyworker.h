/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A worker is one process that runs one plugin, by the program ndapyworker.py.
 *
 * THREADS. The keeper (ndapykeeper.h) makes the worker, loads the plugin, logs
 * the output and reaps the process. The block thread starts the plugin and
 * makes its calls. Any thread may ask the worker something or kill it
 * meanwhile, if it holds a reference. */

#pragma once

#include "ndapymould.h"
#include "ndapyrunner.h"

G_BEGIN_DECLS

typedef struct _NdaPyWorker NdaPyWorker;

/* For the keeper */
NdaPyWorker *nda_py_worker_new (const NdaPyRunnerConfig * config, guint seat,
    GError ** error);
gboolean nda_py_worker_load (NdaPyWorker * worker, GError ** error);
NdaPyWorker *nda_py_worker_open (const NdaPyRunnerConfig * config,
    GError ** error);
guint nda_py_worker_set_again (NdaPyWorker * worker);
gboolean nda_py_worker_start_again (NdaPyWorker * worker,
    const NdaPyFormat * before, GError ** error);
NdaPyMould *nda_py_worker_get_mould (NdaPyWorker * worker);
void nda_py_worker_log (NdaPyWorker * worker, gint wake_fd, gint64 end);
void nda_py_worker_log_rest (NdaPyWorker * worker);

NdaPyWorker *nda_py_worker_ref (NdaPyWorker * worker);
void nda_py_worker_unref (NdaPyWorker * worker);

/* For the block thread */
gboolean nda_py_worker_start (NdaPyWorker * worker, NdaPyFormat * format,
    GError ** error);
NdaPyCallResult nda_py_worker_call (NdaPyWorker * worker,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    gboolean is_gated);
void nda_py_worker_reset (NdaPyWorker * worker);
guint nda_py_worker_get_n_last (NdaPyWorker * worker);
gboolean nda_py_worker_was_late (NdaPyWorker * worker);
void nda_py_worker_skip_first_call (NdaPyWorker * worker);
gchar *nda_py_worker_describe_failure (NdaPyWorker * worker,
    NdaPyCallResult result);

/* For any thread */
gchar *nda_py_worker_set_parameter (NdaPyWorker * worker, const gchar * key,
    const gchar * value);
gchar *nda_py_worker_get_parameter (NdaPyWorker * worker, const gchar * key);
void nda_py_worker_get_facts (NdaPyWorker * worker, NdaPyFacts * facts);
gchar *nda_py_worker_describe (NdaPyWorker * worker);
gboolean nda_py_worker_died_setting (NdaPyWorker * worker);
gboolean nda_py_worker_died_of_others (NdaPyWorker * worker);
gboolean nda_py_worker_stop (NdaPyWorker * worker);
void nda_py_worker_interrupt (NdaPyWorker * worker);
gboolean nda_py_worker_shut_down (NdaPyWorker * worker);
void nda_py_worker_abandon (NdaPyWorker * worker, const gchar * reason);
void nda_py_worker_kill (NdaPyWorker * worker, const gchar * reason);
gboolean nda_py_worker_is_dead (NdaPyWorker * worker);
gchar *nda_py_worker_describe_death (NdaPyWorker * worker);
guint64 nda_py_worker_get_memory (NdaPyWorker * worker);

gchar *nda_py_worker_describe_end (const NdaPyRunnerConfig * config,
    const gchar * death);

G_END_DECLS
