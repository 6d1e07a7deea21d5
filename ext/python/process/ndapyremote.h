/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One plugin in a process of its own, as long as it is wanted: when the process
 * dies, hangs or grows too big, another takes its place, with the parameters
 * that were set and, if the plugin ran, started. */

#pragma once

#include "ndapyparameters.h"
#include "ndapyrole.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_PY_RESTART_NEVER,
  NDA_PY_RESTART_ALWAYS,
} NdaPyRestart;

typedef struct
{
  const gchar *path;            /* of the plugin */
  const gchar *python;          /* the interpreter, or NULL: the system's */
  NdaPyRole role;
  GstClockTime deadline;        /* of a block call; 0: none */
  guint64 memory_limit;         /* bytes; 0: none */
  NdaPyRestart restart;
  /* Called on the keeper, without a lock, when another process is ready */
  void (*restarted) (gpointer owner);
  gpointer owner;
} NdaPyRemoteConfig;

typedef struct _NdaPyRemote NdaPyRemote;

NdaPyRemote *nda_py_remote_new (const NdaPyRemoteConfig * config,
    GError ** error);
void nda_py_remote_shut_down (NdaPyRemote * remote);
gboolean nda_py_remote_reload (NdaPyRemote * remote, GError ** error);

/* the block thread */
gboolean nda_py_remote_start (NdaPyRemote * remote, NdaPyFormat * format,
    GError ** error);
NdaPyCallResult nda_py_remote_call (NdaPyRemote * remote,
    const NdaPyAudio * in, const NdaPyAudio * out, guint n_frames,
    gboolean is_gated);
gchar *nda_py_remote_take_error (NdaPyRemote * remote);

/* any thread */
void nda_py_remote_stop (NdaPyRemote * remote);
gchar *nda_py_remote_set_parameter (NdaPyRemote * remote, const gchar * key,
    const gchar * value);
gchar *nda_py_remote_get_parameter (NdaPyRemote * remote, const gchar * key);
void nda_py_remote_get_facts (NdaPyRemote * remote, NdaPyFacts * facts);
void nda_py_remote_interrupt (NdaPyRemote * remote);
void nda_py_remote_kill (NdaPyRemote * remote);

G_END_DECLS
