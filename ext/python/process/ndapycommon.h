/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process that several have in common: found by a key, or made by the first
 * who needs it, and ended with the last reference. A mould and a group are of
 * this form.
 *
 * THREADS. A thread of its own spawns it, logs what it prints and reaps it. It
 * stays until the last reference is dropped, although its process may have
 * ended: for the kernel it is the one that made what was forked from it. Any
 * thread may hold references. */

#pragma once

#include "ndapyoutput.h"
#include "ndapyprocess.h"

G_BEGIN_DECLS

typedef struct _NdaPyCommon NdaPyCommon;

typedef enum
{
  NDA_PY_COMMON_BEGINNING,
  NDA_PY_COMMON_READY,
  NDA_PY_COMMON_UNFIT,          /* and another would be no better */
  NDA_PY_COMMON_ENDED,
} NdaPyCommonState;

typedef struct
{
  gsize n_bytes;                /* of the whole */
  const gchar *thread_name;
  /* its thread: makes the process; what to become */
  NdaPyCommonState (*begin) (NdaPyCommon * self);
  void (*end) (NdaPyCommon * self);     /* its thread: has it end, or kills */
  void (*clear) (NdaPyCommon * self);   /* what is beside the parent */
} NdaPyCommonKind;

struct _NdaPyCommon
{
  const NdaPyCommonKind *kind;  /* [const] */
  gint ref_count;               /* [registry lock] */
  gchar *key;                   /* [const] owned */
  GThread *thread;              /* [const] owned; NULL: there is none to have */
  gint wake_fd;                 /* [const] rung when nobody needs it */

  NdaPyProcess process;         /* has its own lock */
  NdaPyOutput output;           /* [its thread] */

  GMutex lock;
  GCond changed;                /* state */
  NdaPyCommonState state;       /* [lock] */
};

/* Sets up what is beside the parent, from @data, before the thread begins */
typedef void (*NdaPyCommonSetUp) (NdaPyCommon * self, gconstpointer data);

NdaPyCommon *nda_py_common_get (const NdaPyCommonKind * kind,
    const gchar * key, NdaPyCommonSetUp set_up, gconstpointer data);
NdaPyCommon *nda_py_common_ref (NdaPyCommon * common);
void nda_py_common_unref (NdaPyCommon * common);

G_END_DECLS
