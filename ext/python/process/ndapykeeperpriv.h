/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The keeper, for its own files alone. ndapykeeperwork.c decides which worker
 * is at work and which stands by. ndapykeeperseat.c has the threads, each of
 * which makes and replaces one worker. ndapykeepercalls.c has the calls of the
 * host. ndapykeeper.c opens and closes, and has the paragraph on threads. */

#pragma once

#include "ndapykeeper.h"

#include "ndapyworker.h"

G_BEGIN_DECLS

/* With a standby there are two */
#define NDA_PY_MAX_SEATS 2

typedef struct _NdaPyKeeper NdaPyKeeper;

/* A seat: the place of one worker at a time, and the thread that looks after
 * it */
typedef struct
{
  NdaPyKeeper *keeper;          /* [const] not owned */
  GThread *thread;              /* [const] owned, or NULL */
  gint wake_fd;                 /* [const] wakes the thread */
  NdaPyMould *mould;            /* [its thread] owned, or NULL; for the next */
  NdaPyWorker *worker;          /* [its thread] owned reference, or NULL */
  NdaPyWorker *next;            /* [lock] not owned; while it is made */
} NdaPySeat;

struct _NdaPyKeeper
{
  NdaPyRunner parent;
  NdaPyRunnerConfig *config;    /* [const] owned; names the interpreter */
  NdaPySeat seats[NDA_PY_MAX_SEATS];
  guint n_seats;                /* [const] */

  GMutex lock;
  /* is_open, is_closing, worker, is_starting, is_refreshing, dead */
  GCond changed;
  gboolean is_open;             /* [lock] the first worker has answered */
  GError *error;                /* [lock] owned; why none could be made */
  gboolean is_closing;          /* [lock] */
  NdaPyWorker *worker;          /* [lock] owned reference, or NULL */
  gboolean is_starting;         /* [lock] a thread starts the next one */
  NdaPyWorker *standby;         /* [lock] owned reference, or NULL */
  gboolean is_refreshing;       /* [lock] the standby gets parameters, and is
                                 * not in its place */
  guint n_told;                 /* [lock] changes the standby knows */
  GPtrArray *dead;              /* [lock] owned; workers to release */
  gboolean is_started;          /* [lock] the plugin was started */
  NdaPyFormat format;           /* [lock] with which it was started */
  gchar *death;                 /* [lock] owned; how the last one ended */

  gchar *failure;               /* [block thread] owned; of the last call */
};

/* ndapykeeperwork.c */
NdaPyWorker *nda_py_keeper_get_worker (NdaPyKeeper * self);
NdaPyWorker *nda_py_keeper_switch_over (NdaPyKeeper * self,
    NdaPyWorker * dead);
void nda_py_keeper_release (NdaPyKeeper * self, NdaPyWorker * worker);
gboolean nda_py_keeper_take_in (NdaPyKeeper * self, NdaPyWorker * worker,
    GError ** error);
gboolean nda_py_keeper_is_standby (NdaPyKeeper * self, NdaPyWorker * worker);
void nda_py_keeper_refresh_standby (NdaPyKeeper * self, NdaPyWorker * worker);
void nda_py_keeper_forget (NdaPyKeeper * self, NdaPyWorker * worker,
    gchar * death);
void nda_py_keeper_wake (NdaPyKeeper * self);

/* ndapykeeperseat.c */
gpointer nda_py_seat_thread (gpointer seat);
gpointer nda_py_seat_standby_thread (gpointer seat);

/* ndapykeeper.c */
void nda_py_keeper_tell_end (NdaPyKeeper * self, NdaPyWorker * worker);

/* ndapykeepercalls.c */
gboolean nda_py_keeper_start (NdaPyRunner * runner, NdaPyFormat * format,
    GError ** error);
void nda_py_keeper_stop (NdaPyRunner * runner);
void nda_py_keeper_interrupt (NdaPyRunner * runner);
void nda_py_keeper_kill (NdaPyRunner * runner);
gchar *nda_py_keeper_set_parameter (NdaPyRunner * runner, const gchar * key,
    const gchar * value);
gchar *nda_py_keeper_get_parameter (NdaPyRunner * runner, const gchar * key);
void nda_py_keeper_get_facts (NdaPyRunner * runner, NdaPyFacts * facts);
gchar *nda_py_keeper_describe (NdaPyRunner * runner);
void nda_py_keeper_reset (NdaPyRunner * runner);
NdaPyCallResult nda_py_keeper_call (NdaPyRunner * runner, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated);
gchar *nda_py_keeper_take_error (NdaPyRunner * runner);

G_END_DECLS
