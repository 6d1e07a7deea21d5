/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The rows of a report: the requirement, the result, and whether that is good.
 * The rows of the soak in Python have the same layout, so that all of it is one
 * table. */

#pragma once

#include <gst/gst.h>

#include "stall.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean judges_timing;       /* what a busy machine can spoil counts, too */
  gboolean failed;
  gboolean lost;                /* sound, which a stall may excuse */
  gboolean was_disturbed;       /* the elements themselves count a stall */
} RigReport;

/* How a program ends that was disturbed: another try may tell */
#define RIG_EXIT_DISTURBED 75

void rig_report_row (RigReport * report, const gchar * what,
    const gchar * asked, const gchar * found, gboolean is_good);
void rig_report_count (RigReport * report, const gchar * what, guint64 asked,
    guint64 found);
void rig_report_loss (RigReport * report, const gchar * what, guint64 asked,
    guint64 found);
void rig_report_timing (RigReport * report, const gchar * what,
    const gchar * asked, const gchar * found, gboolean is_good);

void rig_report_stall (RigReport * report, RigStall * stall, guint max_ms);

gint rig_report_get_exit_code (const RigReport * report);

void rig_report_message (GstMessage * message);
void rig_handle_message (RigReport * report, GstMessage * message,
    GstElement * pipeline, GMainLoop * loop);

GstClockTime rig_query_latency (GstElement * pipeline);
GstStructure *rig_get_stats (GstElement * pipeline, const gchar * name);
guint64 rig_get_counter (GstElement * pipeline, const gchar * name,
    const gchar * field);

G_END_DECLS
