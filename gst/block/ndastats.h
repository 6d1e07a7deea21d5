/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The stats property: counters that agree with each other. An element keeps
 * its counters in one struct under one lock and describes them in a table; the
 * snapshot copies the struct whole, so that a reader never sees half a block.
 *
 * The names are the same everywhere; every table begins with
 * num-blocks and num-frames. */

#pragma once

#include <gst/gst.h>

#include "ndahistogram.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_STATS_UINT64,             /* guint64 */
  NDA_STATS_INT64,              /* gint64 */
  NDA_STATS_UINT,               /* guint */
  NDA_STATS_DOUBLE,             /* gdouble */
  NDA_STATS_STRING,             /* const gchar *, static */
  /* NdaHistogram; becomes avg-, p50-, p99-, p999- and max-NAME, guint64 ns */
  NDA_STATS_PERCENTILES,
  /* NdaHistogram; becomes min-, avg- and max-NAME, guint64 ns */
  NDA_STATS_RANGE,
} NdaStatsKind;

typedef struct
{
  const gchar *name;            /* NULL ends the table */
  NdaStatsKind kind;
  gsize offset;                 /* in the struct of counters */
} NdaStatsField;

GstStructure *nda_stats_snapshot (const gchar * name,
    const NdaStatsField * fields, GMutex * lock, gconstpointer counters,
    gsize n_bytes);
void nda_stats_log (GstElement * element);

/* At most one message of a kind each interval. */
typedef struct
{
  GstClockTime last;            /* when the last one went out, 0: never */
  guint64 n_since;              /* how many happened since */
} NdaReportLimit;

#define NDA_REPORT_INTERVAL (1 * GST_SECOND)

guint64 nda_report_limit_count (NdaReportLimit * limit, GstClockTime now);

G_END_DECLS
