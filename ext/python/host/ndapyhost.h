/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The host of one plugin has its life cycle, its parameters and its block
 * calls, and decides which thread makes them. It uses no pads, and does not
 * know where the plugin runs. */

#pragma once

#include "ndapyparameters.h"
#include "ndapyrunner.h"

G_BEGIN_DECLS

/* One block call. */
typedef struct
{
  NdaPyAudio in;                /* not for a source */
  NdaPyAudio out;               /* not for a sink; may be the same memory */
  guint n_frames;               /* if a source ENDED: frames written */
  gboolean is_gated;            /* of a sink: call only if it has room */

  /* the result */
  NdaPyCallResult result;
  gboolean ok;                  /* if not, out was not written */
  gchar *failure;               /* owned; only for the first in a row */
  GstClockTime call_time;
} NdaPyBlock;

/* Called on any thread, without the GIL and without a lock. */
typedef struct
{
  void (*warn) (gpointer owner, const gchar * text);
  /* a parameter that the plugin did not take, and why */
  void (*refused) (gpointer owner, const gchar * text);
  /* a call of the plugin does not return, and is not waited for any longer */
  void (*gave_up) (gpointer owner, const GError * error);
  void (*latency_changed) (gpointer owner);
  void (*restarted) (gpointer owner);   /* a new process took over */
  void (*stood_by) (gpointer owner);    /* a standby is ready */
  /* the plugin was loaded again, or, with an error, the old one stays */
  void (*reloaded) (gpointer owner, const GError * error);
} NdaPyHostEvents;

/* For nda_py_host_expect_latency () */
#define NDA_PY_HOST_ANY_LATENCY G_MAXUINT

typedef struct _NdaPyHost NdaPyHost;

NdaPyHost *nda_py_host_new (NdaPyRole role, const NdaPyHostEvents * events,
    gpointer owner);
void nda_py_host_free (NdaPyHost * host);

/* For state changes; the caller does not hold the GIL */
gboolean nda_py_host_open (NdaPyHost * host, const NdaPyRunnerKind * kind,
    const NdaPyRunnerConfig * config, NdaPyParameters * parameters,
    GError ** error);
void nda_py_host_arm (NdaPyHost * host);
gboolean nda_py_host_is_spent (NdaPyHost * host);
gboolean nda_py_host_stop (NdaPyHost * host);
void nda_py_host_close (NdaPyHost * host);

/* For the block thread */
gboolean nda_py_host_start (NdaPyHost * host, NdaPyFormat * format,
    GError ** error);
guint nda_py_host_process (NdaPyHost * host, NdaPyBlock ** blocks,
    guint n_blocks, gboolean stop_at_failure, GstClockTime * gil_wait);
void nda_py_host_expect_latency (NdaPyHost * host, guint latency);
guint nda_py_host_get_call_latency (NdaPyHost * host);
gboolean nda_py_host_accept_exchange (NdaPyHost * host, NdaPyFormat * format);
void nda_py_host_reset (NdaPyHost * host);
void nda_py_host_collect (NdaPyHost * host);
gboolean nda_py_host_check (NdaPyHost * host, GError ** error);

/* For any thread */
gboolean nda_py_host_reload (NdaPyHost * host);
gboolean nda_py_host_set_parameter (NdaPyHost * host, const gchar * key,
    const gchar * value);
gboolean nda_py_host_queue_parameter (NdaPyHost * host, const gchar * key,
    const gchar * value);
gboolean nda_py_host_set_queued (NdaPyHost * host, GError ** error);
gchar *nda_py_host_get_parameter (NdaPyHost * host, const gchar * key);
gchar *nda_py_host_describe (NdaPyHost * host);
void nda_py_host_get_facts (NdaPyHost * host, NdaPyFacts * facts);
GstClockTime nda_py_host_get_latency (NdaPyHost * host);
guint nda_py_host_get_n_channels (NdaPyHost * host);

G_END_DECLS
