/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "report.h"

#include <stdlib.h>

static void
print_row (const gchar * what, const gchar * asked, const gchar * found,
    const gchar * verdict)
{
  g_print ("%-36s %14s %14s  %s\n", what, asked, found, verdict);
}

void
rig_report_row (RigReport * report, const gchar * what, const gchar * asked,
    const gchar * found, gboolean is_good)
{
  print_row (what, asked, found, is_good ? "ok" : "NOT OK");
  if (!is_good)
    report->failed = TRUE;
}

static void
print_numbers (const gchar * what, guint64 asked, guint64 found)
{
  g_autofree gchar *asked_text = g_strdup_printf ("%" G_GUINT64_FORMAT, asked);
  g_autofree gchar *found_text = g_strdup_printf ("%" G_GUINT64_FORMAT, found);

  print_row (what, asked_text, found_text, found == asked ? "ok" : "NOT OK");
}

void
rig_report_count (RigReport * report, const gchar * what, guint64 asked,
    guint64 found)
{
  print_numbers (what, asked, found);
  report->failed |= found != asked;
}

/* As rig_report_count (), for sound that is lost when this machine stalls for
 * longer than devices can bridge. Elements that count such a stall are right:
 * only an uncounted loss is a failure. */
void
rig_report_loss (RigReport * report, const gchar * what, guint64 asked,
    guint64 found)
{
  print_numbers (what, asked, found);
  report->lost |= found != asked;
}

/* As rig_report_row (), for what a busy machine can spoil. */
void
rig_report_timing (RigReport * report, const gchar * what, const gchar * asked,
    const gchar * found, gboolean is_good)
{
  report->was_disturbed |= !is_good;
  if (report->judges_timing || is_good)
    rig_report_row (report, what, asked, found, is_good);
  else
    print_row (what, asked, found, "noted");
}

/* Notes the longest stall of this machine; the run was disturbed if it took
 * more than @max_ms. */
void
rig_report_stall (RigReport * report, RigStall * stall, guint max_ms)
{
  gint64 longest = rig_stall_get_longest (stall);

  g_print ("%-36s %14s %11.1f ms  noted\n", "longest stall of this machine",
      rig_stall_is_realtime (stall) ? "" : "(not realtime)", longest / 1e3);
  report->was_disturbed |= longest > (gint64) max_ms *1000;
}

/* What the program shall end with. */
gint
rig_report_get_exit_code (const RigReport * report)
{
  if (!report->failed && !report->lost)
    return EXIT_SUCCESS;
  return !report->failed && report->was_disturbed ? RIG_EXIT_DISTURBED :
      EXIT_FAILURE;
}

/* Prints an error or a warning. */
void
rig_report_message (GstMessage * message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  g_printerr ("%s: %s\n%s\n", GST_MESSAGE_SRC_NAME (message), error->message,
      debug ? debug : "");
}

/* What all programs here do with a message of @pipeline: an error fails the run
 * and ends @loop. */
void
rig_handle_message (RigReport * report, GstMessage * message,
    GstElement * pipeline, GMainLoop * loop)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_WARNING:
      rig_report_message (message);
      break;
    case GST_MESSAGE_ERROR:
      rig_report_message (message);
      report->failed = TRUE;
      g_main_loop_quit (loop);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (pipeline));
      break;
    default:
      break;
  }
}

/* What @pipeline reports, NONE if it is not live. */
GstClockTime
rig_query_latency (GstElement * pipeline)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min = GST_CLOCK_TIME_NONE;
  gboolean live = FALSE;

  if (gst_element_query (pipeline, query))
    gst_query_parse_latency (query, &live, &min, NULL);
  gst_query_unref (query);
  return live ? min : GST_CLOCK_TIME_NONE;
}

GstStructure *
rig_get_stats (GstElement * pipeline, const gchar * name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstStructure *stats = NULL;

  g_assert_nonnull (element);
  g_object_get (element, "stats", &stats, NULL);
  g_assert_nonnull (stats);
  gst_object_unref (element);
  return stats;
}

guint64
rig_get_counter (GstElement * pipeline, const gchar * name, const gchar * field)
{
  g_autoptr (GstStructure) stats = rig_get_stats (pipeline, name);
  guint64 value;

  if (!gst_structure_get_uint64 (stats, field, &value))
    g_error ("the stats of %s have no counter %s", name, field);
  return value;
}
