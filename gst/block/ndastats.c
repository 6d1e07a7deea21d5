/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndastats.h"

#include "ndalog.h"

#include <string.h>

static void
set_time (GstStructure * stats, const gchar * prefix, const gchar * name,
    GstClockTime value)
{
  g_autofree gchar *field = g_strconcat (prefix, name, NULL);

  gst_structure_set (stats, field, G_TYPE_UINT64, (guint64) value, NULL);
}

static void
set_percentiles (GstStructure * stats, const gchar * name,
    const NdaHistogram * times)
{
  set_time (stats, "avg-", name, nda_histogram_mean (times));
  set_time (stats, "p50-", name, nda_histogram_percentile (times, 500));
  set_time (stats, "p99-", name, nda_histogram_percentile (times, 990));
  set_time (stats, "p999-", name, nda_histogram_percentile (times, 999));
  set_time (stats, "max-", name, times->max);
}

static void
set_range (GstStructure * stats, const gchar * name, const NdaHistogram * times)
{
  set_time (stats, "min-", name, times->min);
  set_time (stats, "avg-", name, nda_histogram_mean (times));
  set_time (stats, "max-", name, times->max);
}

static void
set_field (GstStructure * stats, const NdaStatsField * field,
    gconstpointer value)
{
  switch (field->kind) {
    case NDA_STATS_UINT64:
      gst_structure_set (stats, field->name, G_TYPE_UINT64,
          *(const guint64 *) value, NULL);
      break;
    case NDA_STATS_INT64:
      gst_structure_set (stats, field->name, G_TYPE_INT64,
          *(const gint64 *) value, NULL);
      break;
    case NDA_STATS_UINT:
      gst_structure_set (stats, field->name, G_TYPE_UINT,
          *(const guint *) value, NULL);
      break;
    case NDA_STATS_DOUBLE:
      gst_structure_set (stats, field->name, G_TYPE_DOUBLE,
          *(const gdouble *) value, NULL);
      break;
    case NDA_STATS_STRING:
      gst_structure_set (stats, field->name, G_TYPE_STRING,
          *(const gchar * const *) value, NULL);
      break;
    case NDA_STATS_PERCENTILES:
      set_percentiles (stats, field->name, value);
      break;
    case NDA_STATS_RANGE:
      set_range (stats, field->name, value);
      break;
  }
}

/* Copies @n_bytes of @counters under @lock and makes a structure called @name
 * from them, with the @fields of the table. */
GstStructure *
nda_stats_snapshot (const gchar * name, const NdaStatsField * fields,
    GMutex * lock, gconstpointer counters, gsize n_bytes)
{
  g_autofree guint8 *copy = g_malloc (n_bytes);
  GstStructure *stats = gst_structure_new_empty (name);

  g_mutex_lock (lock);
  memcpy (copy, counters, n_bytes);
  g_mutex_unlock (lock);

  for (const NdaStatsField * field = fields; field->name; field++)
    set_field (stats, field, copy + field->offset);
  return stats;
}

/* Logs what the property “stats” of @element says, at the level INFO and in the
 * category that is called as the element is. */
void
nda_stats_log (GstElement * element)
{
  GstDebugCategory *category = nda_log_get_category (element);
  g_autoptr (GstStructure) stats = NULL;

  if (gst_debug_category_get_threshold (category) < GST_LEVEL_INFO)
    return;
  g_object_get (element, "stats", &stats, NULL);
  GST_CAT_INFO_OBJECT (category, element, "%" GST_PTR_FORMAT, stats);
}

/* Counts one event at @now. Returns how many happened since the last report,
 * this one included, when it is time for the next; else 0. */
guint64
nda_report_limit_count (NdaReportLimit * limit, GstClockTime now)
{
  guint64 n_since = ++limit->n_since;

  if (limit->last && now < limit->last + NDA_REPORT_INTERVAL)
    return 0;
  limit->last = now;
  limit->n_since = 0;
  return n_since;
}
