/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The worker, for its own files alone: ndapyworker.c makes it, asks it and ends
 * it, ndapyworkerblocks.c has its block calls. */

#pragma once

#include "ndapyworker.h"

#include "ndapygroup.h"
#include "ndapyoutput.h"
#include "ndapyprocess.h"
#include "ndapyquestions.h"
#include "ndapysharedblock.h"

G_BEGIN_DECLS

/* The time for a process that is about to end by itself */
#define NDA_PY_WORKER_EXIT_TIMEOUT (100 * GST_MSECOND)

struct _NdaPyWorker
{
  gint ref_count;               /* [atomic] */
  const NdaPyRunnerConfig *config;      /* [const] not owned */

  guint seat;                   /* [const] */

  NdaPyProcess *process;        /* [const] its own or the group's */
  NdaPyProcess own_process;     /* has its own lock */
  NdaPyMould *mould;            /* [const] owned, or NULL; of its own process */
  NdaPyGroup *group;            /* [const] owned reference, or NULL */
  NdaPyOutput output;           /* [keeper] of its own process */
  NdaPyQuestions questions;     /* has its own lock */
  NdaPySharedBlock block;       /* [block thread] */
  gboolean is_first_call;       /* [block thread] after the start */
  gint is_calling;              /* [atomic] in a block call, or ended in one */
  gint is_late;                 /* [atomic] an answer of it came too late */
  gint is_abandoned;            /* [atomic] nobody waits for its answers */
  gboolean is_late_setting;     /* [the asking thread] a setter did not
                                 * return */
};

void nda_py_worker_set_preparing (NdaPyWorker * self, gboolean is_preparing);
void nda_py_worker_end_silent (NdaPyWorker * self);

G_END_DECLS
