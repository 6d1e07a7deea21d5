/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The common part of the rig's programs: options, a path that is started and
 * runs until it is judged, and the summary of several starts. */

#pragma once

#include "report.h"

G_BEGIN_DECLS

/* Reads the command line. FALSE: it is wrong, which is printed. */
gboolean rig_parse_options (const GOptionEntry * options, gint * argc,
    gchar *** argv);

/* The pipeline (transfer full); NULL: there is none, which is printed. */
GstElement *rig_make_path (const gchar * description);

/* Plays @path until the loop is quit: by its own error, which @report gets, or
 * by a callback of the program's. It goes on playing. */
void rig_run_path (GstElement * path, RigReport * report, GMainLoop * loop);

/* Of gdoubles, which are sorted; NAN: there are none. */
gdouble rig_median_of (GArray * values);
gdouble rig_largest_of (GArray * values);

G_END_DECLS
