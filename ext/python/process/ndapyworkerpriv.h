/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The process, for its own files alone: ndapyworker.c makes and ends it,
 * ndapyworkerask.c asks it, ndapyworkerblocks.c makes its block calls. */

#pragma once

#include "ndapyworker.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* The head of the memory, then text, then audio: as ndapyworker.py has it */
#define NDA_PY_WORKER_TEXT_AT 64
#define NDA_PY_WORKER_AUDIO_AT 32768

typedef struct
{
  guint32 op;
  guint32 n_frames;
  guint32 is_gated;
  guint32 result;
  guint32 rate;
  guint32 n_channels;
  guint32 n_call_frames;
  guint32 n_text;
} NdaPyWorkerHead;

struct _NdaPyWorker
{
  gint ref_count;               /* [atomic] */
  NdaPyWorkerConfig config;     /* [const] owned */

  pid_t pid;                    /* [const] */
  gint pid_fd;                  /* [const] readable when it has ended */
  gint control;                 /* [const] the socket */
  gint request;                 /* [const] the doorbell */
  gint reply;                   /* [const] and the one that answers */
  gint out_fds[2];              /* [making thread] what it prints; -1: ended */
  GString *out_lines[2];        /* [making thread] that are not whole yet */

  NdaPyWorkerHead *memory;      /* [const] mapped */
  NdaPyFormat format;           /* [block thread] */
  gboolean can_spin;            /* [const] there is a second processor */
  gboolean is_quick;            /* [block thread] the last answer came soon */

  GMutex ask_lock;              /* one question at a time */
  GMutex lock;
  gchar *reason;                /* [lock] owned; why it was killed */
  gboolean is_dead;             /* [lock] or about to be */
};

void nda_py_worker_set_problem (NdaPyWorker * worker, const gchar * nick,
    const gchar * name, const gchar * reason, GError ** error);
gchar *nda_py_worker_describe_timeout (GstClockTime timeout);
gboolean nda_py_worker_load (NdaPyWorker * worker, GError ** error);

G_END_DECLS
