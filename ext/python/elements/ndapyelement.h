/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the three elements that host a plugin share: the properties that say
 * which plugin and how, the action signals, the counters, and the life of the
 * plugin with the changes of state. Lies inside each instance, at the place
 * that its class was installed with. */

#pragma once

#include "ndablockqueue.h"
#include "ndapyhost.h"
#include "ndapyrunners.h"
#include "ndapywatch.h"
#include "ndastats.h"

G_BEGIN_DECLS

/* What the application asked for */
typedef struct
{
  gchar *plugin;                /* owned */
  gchar *plugin_path;           /* owned */
  gchar *parameters;            /* owned */
  NdaPyIsolation isolation;
  gchar *python;                /* owned */
  GstClockTime deadline;
  guint64 memory_limit;
  NdaPyRestart restart;
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
  guint64 n_discontinuities;    /* of a source */
  NdaBlockQueueLevel level;     /* of a processor */
  NdaHistogram call_time;
  NdaHistogram gil_wait;
} NdaPyCounters;

typedef struct
{
  GstElement *element;          /* [const] not owned; whose this is */
  NdaPyHost *host;              /* [const] owned; has its own lock */
  NdaPyWatch *watch;            /* [state changes] owned, or NULL */
  const NdaStatsField *fields;  /* [const] of the statistics */
  GMutex *lock;                 /* [const] the counters lock; not owned */

  NdaPySettings settings;       /* [object lock] */
  gboolean is_stale;            /* [object lock] another plugin was named */
  NdaPyCounters counters;       /* [counters lock] */

  /* [block thread] */
  NdaReportLimit report;        /* of failures that do not end the stream */
  gchar *failure;               /* owned; what the last burst began with */
  guint n_calls;                /* since garbage was collected */
} NdaPyElement;

/* The properties that each element begins with */
enum
{
  NDA_PY_PROP_PLUGIN = 1,
  NDA_PY_PROP_PLUGIN_PATH,
  NDA_PY_PROP_PARAMETERS,
  NDA_PY_PROP_ISOLATION,
  NDA_PY_PROP_PYTHON,
  NDA_PY_PROP_DEADLINE,
  NDA_PY_PROP_MEMORY_LIMIT,
  NDA_PY_PROP_RESTART,
  NDA_PY_PROP_AUTO_RELOAD,
  NDA_PY_PROP_STATS,
  NDA_PY_N_PROPS
};

/* The statistics that each element has */
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
    NDA_PY_STATS_FIELD ("queue-level", NDA_STATS_UINT, level.n_blocks), \
    NDA_PY_STATS_FIELD ("max-queue-level", NDA_STATS_UINT, \
        level.max_n_blocks), \
    NDA_PY_STATS_FIELD ("call-time", NDA_STATS_PERCENTILES, call_time), \
    NDA_PY_STATS_FIELD ("gil-wait", NDA_STATS_PERCENTILES, gil_wait)

void nda_py_element_install (GstElementClass * class, gsize offset);

void nda_py_element_init (NdaPyElement * self, gpointer element,
    NdaPyRole role, const NdaPyHostEvents * events,
    const NdaStatsField * fields, GMutex * lock);
void nda_py_element_clear (NdaPyElement * self);

gboolean nda_py_element_set_property (NdaPyElement * self, guint id,
    const GValue * value);
gboolean nda_py_element_get_property (NdaPyElement * self, guint id,
    GValue * value);

/* ndapyelementstate.c. Called around the parent's change of state, without the
 * GIL; the second tells the owner before it waits for a call to end. */
typedef void (*NdaPyElementFunc) (gpointer element);
GstStateChangeReturn nda_py_element_change_state (NdaPyElement * self,
    GstStateChange transition, GstElementClass * parent_class,
    NdaPyElementFunc unblock);

void nda_py_element_post_error (NdaPyElement * self, const GError * error);
void nda_py_element_warn_of_parameter (gpointer element, const gchar * text);
void nda_py_element_count_restart (gpointer element);
void nda_py_element_note_reload (gpointer element, const GError * error);

/* the block thread; counting the blocks themselves is the caller's */
gboolean nda_py_element_call (NdaPyElement * self, NdaPyBlock * block,
    const gchar * consequence);
void nda_py_element_count_block (NdaPyElement * self, guint n_frames,
    gboolean is_late);
void nda_py_element_report_failure (NdaPyElement * self, NdaPyBlock * block,
    const gchar * consequence);

G_END_DECLS
