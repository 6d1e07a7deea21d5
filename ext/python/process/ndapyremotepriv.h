/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The plugin in a process of its own, for its own files alone: ndapyremote.c
 * has the paragraph on threads, ndapyremotereload.c puts another process in the
 * place of one that runs. */

#pragma once

#include "ndapyremote.h"
#include "ndapyworker.h"

G_BEGIN_DECLS

/* A request to the keeper, and what came of it */
typedef struct
{
  gboolean is_done;
  gboolean ok;
  GError *error;                /* owned, unless ok */
} NdaPyReload;

struct _NdaPyRemote
{
  NdaPyRemoteConfig config;     /* [const] */
  NdaPyWorkerConfig worker_config;      /* [const] owned */
  GThread *keeper;              /* [const] owned */
  gint wake_fd;                 /* [const] the keeper's doorbell */

  GMutex lock;
  GCond changed;                /* is_open, is_closing, worker, caller... */
  gboolean is_open;             /* [lock] the first process has answered */
  GError *error;                /* [lock] owned; why it could not be made */
  gboolean is_closing;          /* [lock] */
  NdaPyWorker *worker;          /* [lock] owned reference, or NULL */
  NdaPyParameters *parameters;  /* [lock] owned; the last of each key */
  guint n_remembered;           /* [lock] how often one was put there */
  gboolean is_started;          /* [lock] the plugin shall run */
  NdaPyFormat format;           /* [lock] that it was started with */
  gchar *death;                 /* [lock] owned; how the last one ended */
  NdaPyWorker *caller;          /* [lock] not owned; in a block call */
  gboolean is_paused;           /* [lock] no block call may begin */
  NdaPyReload *reload;          /* [lock] not owned; what the keeper is asked */

  gchar *failure;               /* [block thread] owned; of the last call */
};

/* the keeper */
guint nda_py_remote_set_parameters_again (NdaPyRemote * self,
    NdaPyWorker * worker);
gboolean nda_py_remote_start_again (NdaPyRemote * self, NdaPyWorker * worker,
    GError ** error);
gboolean nda_py_remote_install (NdaPyRemote * self, NdaPyWorker * worker,
    gboolean is_started, guint n_remembered, NdaPyWorker ** replaced);
gboolean nda_py_remote_reload_now (NdaPyRemote * self);

/* any thread */
void nda_py_remote_wake_keeper (NdaPyRemote * self);

G_END_DECLS
