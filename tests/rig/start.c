/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "start.h"

#include <math.h>

gboolean
rig_parse_options (const GOptionEntry * options, gint * argc, gchar *** argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;
  g_printerr ("%s\n", error->message);
  return FALSE;
}

GstElement *
rig_make_path (const gchar * description)
{
  g_autoptr (GError) error = NULL;
  GstElement *path = gst_parse_launch (description, &error);

  if (!path)
    g_printerr ("%s\n", error->message);
  return path;
}

typedef struct
{
  GstElement *path;             /* not owned, as all of them */
  RigReport *report;
  GMainLoop *loop;
} Start;

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  Start *start = user_data;

  rig_handle_message (start->report, message, start->path, start->loop);
  return G_SOURCE_CONTINUE;
}

void
rig_run_path (GstElement * path, RigReport * report, GMainLoop * loop)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (path);
  Start start = { path, report, loop };

  gst_bus_add_watch (bus, on_message, &start);
  gst_element_set_state (path, GST_STATE_PLAYING);
  g_main_loop_run (loop);
  gst_bus_remove_watch (bus);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

gdouble
rig_median_of (GArray * values)
{
  if (!values->len)
    return NAN;
  g_array_sort (values, compare);
  return g_array_index (values, gdouble, values->len / 2);
}

gdouble
rig_largest_of (GArray * values)
{
  if (!values->len)
    return NAN;
  g_array_sort (values, compare);
  return g_array_index (values, gdouble, values->len - 1);
}
