/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The exchange of a plugin for an edited one that is loaded. */

#pragma once

#include "ndapyhostpriv.h"

G_BEGIN_DECLS

/* Two runners that change places: `before` is the old plugin, `next` the edited
 * one. Belongs to the thread that exchanges them or, if the exchange was given
 * up, to the job that does not return. */
typedef struct
{
  NdaPyHost *host;
  const NdaPyRunnerKind *kind;
  const NdaPyRunnerConfig *config;
  NdaPyRunner *before;          /* owned reference */
  NdaPyRunner *next;            /* owned until the host owns it */
  guint n_told;                 /* parameter changes that next has */
  gboolean is_block_thread;
  gboolean is_held;             /* the block thread cannot begin a call */

  gboolean is_given_up;         /* a job has not returned */
  gboolean is_running;          /* the one before */
  NdaPyFormat stream;           /* what its start was told */
  NdaPyFormat format;           /* that it was started with */
  gboolean is_started;          /* the next */
  NdaPyFormat next_format;      /* that it was started with */
  NdaPyFacts next_facts;        /* what it says of itself since */
  gboolean is_stopped;          /* the host was, while the next started */
  NdaPyParameters *parameters;  /* owned; to be told */
  GError *error;                /* owned; why the one before stays */
  GError *late;                 /* owned; names a job that did not return */
} NdaPyExchange;

NdaPyExchange *nda_py_exchange_new (NdaPyHost * host,
    const NdaPyRunnerConfig * config);
void nda_py_exchange_free (NdaPyExchange * x, GError ** error);
gboolean nda_py_exchange_tell (NdaPyExchange * x);
gboolean nda_py_exchange_run (NdaPyExchange * x);

G_END_DECLS
