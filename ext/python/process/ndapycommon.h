/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process that several owners share. It is found by a key, or made by the
 * first owner that needs it, and it ends with the last reference. A mould
 * (ndapymould.h) and a group (ndapygroup.h) are such processes.
 *
 * THREADS. Each such process has one thread, which spawns it, logs its output
 * and reaps it. The thread stays until the last reference is dropped, even if
 * its process has ended: for the kernel this thread is the parent of the
 * processes that were forked. Any thread may hold references. */

#pragma once

#include "ndapyoutput.h"
#include "ndapyprocess.h"

G_BEGIN_DECLS

typedef struct _NdaPyCommon NdaPyCommon;

typedef enum
{
  NDA_PY_COMMON_BEGINNING,
  NDA_PY_COMMON_READY,
  NDA_PY_COMMON_UNFIT,          /* and another one would be unfit too */
  NDA_PY_COMMON_ENDED,
} NdaPyCommonState;

typedef struct
{
  gsize n_bytes;                /* of the whole struct */
  const gchar *thread_name;
  /* on its thread: makes the process, and returns its state */
  NdaPyCommonState (*begin) (NdaPyCommon * self);
  void (*end) (NdaPyCommon * self);     /* on its thread: ends it, or kills */
  void (*clear) (NdaPyCommon * self);   /* frees all but the parent */
} NdaPyCommonKind;

struct _NdaPyCommon
{
  const NdaPyCommonKind *kind;  /* [const] */
  gint ref_count;               /* [registry lock] */
  gchar *key;                   /* [const] owned */
  GThread *thread;              /* [const] owned; NULL: no thread */
  gint wake_fd;                 /* [const] rung when unused */

  NdaPyProcess process;         /* has its own lock */
  NdaPyOutput output;           /* [its thread] */

  GMutex lock;
  GCond changed;                /* state */
  NdaPyCommonState state;       /* [lock] */
};

/* Sets up the fields after the parent, from @data, before the thread begins */
typedef void (*NdaPyCommonSetUp) (NdaPyCommon * self, gconstpointer data);

NdaPyCommon *nda_py_common_get (const NdaPyCommonKind * kind,
    const gchar * key, NdaPyCommonSetUp set_up, gconstpointer data);
NdaPyCommon *nda_py_common_ref (NdaPyCommon * common);
void nda_py_common_unref (NdaPyCommon * common);

/* With the lock held: whether the process can be asked */
gboolean nda_py_common_is_ready_locked (NdaPyCommon * common);

G_END_DECLS
