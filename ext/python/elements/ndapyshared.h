/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The part of each of the three elements that host a plugin: the host, the
 * settings, and the counters. */

#pragma once

#include "ndablockqueue.h"
#include "ndapydescription.h"
#include "ndapyhost.h"
#include "ndapyrunners.h"
#include "ndapywatch.h"
#include "ndastats.h"

G_BEGIN_DECLS

/* The settings of the application */
typedef struct
{
  gchar *plugin;                /* owned */
  gchar *plugin_path;           /* owned */
  gchar *parameters;            /* owned */
  NdaPyIsolation isolation;
  gchar *python;                /* owned */
  GstClockTime deadline;
  GstClockTime timeout;
  guint64 memory_limit;
  NdaPyRestart restart;
  NdaPySandbox sandbox;
  gchar *sandbox_folder;        /* owned */
  gboolean standby;
  gchar *group;                 /* owned */
  gboolean auto_reload;
} NdaPySettings;

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  guint64 n_failures;
  guint64 n_late;               /* GIL wait and call longer than the block */
  guint64 n_retries;
  guint64 n_reloads;
  guint64 n_restarts;
  guint64 n_standbys;
  guint64 n_discontinuities;    /* of a source */
  NdaBlockQueueLevel level;     /* of a processor */
  guint n_realtime_threads;     /* of a processor */
  NdaHistogram call_time;
  NdaHistogram gil_wait;
} NdaPyCounters;

typedef struct _NdaPyShared NdaPyShared;

struct _NdaPyShared
{
  GstElement *element;          /* [const] not owned; the element */
  NdaPyRole role;               /* [const] */
  NdaPyHost *host;              /* [const] owned; has its own lock */
  NdaPyWatch *watch;            /* [state changes] owned, or NULL */
  const NdaStatsField *fields;  /* [const] of the statistics */
  GMutex *lock;                 /* [const] the counters lock; not owned */

  NdaPySettings settings;       /* [object lock] */
  gboolean is_stale;            /* [object lock] settings have changed */
  guint n_named;                /* [object lock] how often plugin was set */
  gboolean is_up;               /* [object lock] out of NULL */
  gboolean is_open;             /* [object lock] there is a plugin */
  struct _NdaPyChild *child;    /* [object lock] owned, or NULL */
  guint n_named_of_child;       /* [object lock] n_named when it was made */
  GPtrArray *unheard;           /* [object lock] owned; refused in NULL */
  GThread *controller;          /* [atomic] not owned; sets bindings */
  const NdaPyDescription *installed;    /* [const] not owned, or NULL */
  /* [const] while a plugin is open. An edited plugin took the place of the old
   * one. Called on any thread, without a lock and without the GIL */
  void (*reloaded) (NdaPyShared * self);
  /* [const] A property of the child has changed, which an installed plugin has
   * too; or NULL. Called on any thread, without a lock */
  void (*notify) (NdaPyShared * self, const gchar * property);
  NdaPyCounters counters;       /* [counters lock] */

  /* All fields below: [block thread] */
  NdaReportLimit report;        /* of failures that do not end the stream */
  NdaReportLimit refusals;      /* of values that bindings have set */
  gchar *failure;               /* owned; the first of a row of failures */
  guint n_calls;                /* since garbage was collected */
};

/* Longer than any stall that a device's buffer absorbs, so that such a stall is
 * not taken for a plugin that hangs */
#define NDA_PY_DEFAULT_DEADLINE (250 * GST_MSECOND)

/* A plugin may load a neural network, or write a recording to its end */
#define NDA_PY_DEFAULT_TIMEOUT (30 * GST_SECOND)

/* The statistics of each element */
#define NDA_PY_STATS_FIELD(name, kind, member) \
    { name, kind, G_STRUCT_OFFSET (NdaPyCounters, member) }
#define NDA_PY_STATS_FIELDS \
    NDA_PY_STATS_FIELD ("num-blocks", NDA_STATS_UINT64, n_blocks), \
    NDA_PY_STATS_FIELD ("num-frames", NDA_STATS_UINT64, n_frames), \
    NDA_PY_STATS_FIELD ("num-failures", NDA_STATS_UINT64, n_failures), \
    NDA_PY_STATS_FIELD ("num-late", NDA_STATS_UINT64, n_late), \
    NDA_PY_STATS_FIELD ("num-retries", NDA_STATS_UINT64, n_retries), \
    NDA_PY_STATS_FIELD ("num-reloads", NDA_STATS_UINT64, n_reloads), \
    NDA_PY_STATS_FIELD ("num-restarts", NDA_STATS_UINT64, n_restarts), \
    NDA_PY_STATS_FIELD ("num-standbys", NDA_STATS_UINT64, n_standbys), \
    NDA_PY_STATS_FIELD ("queue-level", NDA_STATS_UINT, level.n_blocks), \
    NDA_PY_STATS_FIELD ("max-queue-level", NDA_STATS_UINT, \
        level.max_n_blocks), \
    NDA_PY_STATS_FIELD ("call-time", NDA_STATS_PERCENTILES, call_time), \
    NDA_PY_STATS_FIELD ("gil-wait", NDA_STATS_PERCENTILES, gil_wait)

void nda_py_shared_init (NdaPyShared * self, GstElement * element,
    NdaPyRole role, const NdaStatsField * fields, GMutex * lock);
void nda_py_shared_clear (NdaPyShared * self);

/* For any thread, with or without the GIL */
gboolean nda_py_shared_set_parameter (NdaPyShared * self, const gchar * key,
    const gchar * value);
gchar *nda_py_shared_get_parameter (NdaPyShared * self, const gchar * key);
gboolean nda_py_shared_reload (NdaPyShared * self);
GstStructure *nda_py_shared_get_stats (NdaPyShared * self);

/* For any thread, without the GIL */
void nda_py_shared_post_error (NdaPyShared * self, const GError * error);

/* For the block thread; the caller counts the blocks itself */
GstFlowReturn nda_py_shared_start (NdaPyShared * self, NdaPyFormat * format);
gboolean nda_py_shared_call (NdaPyShared * self, NdaPyBlock * block,
    const gchar * consequence);
void nda_py_shared_count_calls (NdaPyShared * self, NdaPyBlock * const *calls,
    guint n_calls, guint64 n_frames, GstClockTime gil_wait,
    const NdaPyFormat * format);
void nda_py_shared_count_block (NdaPyShared * self, guint n_frames,
    gboolean is_late);
void nda_py_shared_report_failure (NdaPyShared * self, NdaPyBlock * block,
    const gchar * consequence);
const gchar *nda_py_shared_get_failure (NdaPyShared * shared);

G_END_DECLS
