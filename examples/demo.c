/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Voices through a Python plugin, in real time, and the figures beside those of
 * the NDA desktop application. `./nda demo` runs it.
 *
 *   demo [--location out.wav] [RECORDING.wav...]
 *
 * Each block is let go when its time has come, as a microphone would do it, and
 * goes to the default audio device, or into a file where there is none. */

#include <gst/gst.h>
#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define RECORDINGS "/usr/share/sounds/alsa"
#define BLOCKS_PER_SECOND 93.75

/* What the elements have counted so far */
typedef struct
{
  guint64 n_blocks, n_underruns, n_overruns;
  guint64 p50_call, max_call, p999_gil, max_gil;        /* ns */
  gdouble rate;                 /* blocks/s */
  gint64 drift;                 /* ns */
} Figures;

typedef struct
{
  GMainLoop *loop;              /* owned */
  GstElement *pipeline;         /* owned */
  GstElement *src, *bridge, *sink;      /* owned */
  GstClockTime latency;         /* NONE until asked */
  gboolean has_device;
  gint seconds;
  gboolean is_busy;             /* more programs want to run than can */
  gboolean failed;
} Demo;

/* --- The pipeline --- */

/* One stream out of many files: without identity and audiorate, each file would
 * begin a segment, and the block before it would be cut short. */
static GstElement *
make_playlist (gchar ** recordings, GError ** error)
{
  g_autoptr (GString) text = g_string_new ("concat name=voices ! "
      "identity single-segment=true ! audiorate");
  gchar **recording;

  for (recording = recordings; *recording; recording++) {
    g_autofree gchar *quoted = g_strescape (*recording, NULL);

    g_string_append_printf (text,
        " filesrc location=\"%s\" ! wavparse ! voices.", quoted);
  }
  return gst_parse_bin_from_description (text->str, TRUE, error);
}

static gboolean
make_pipeline (Demo * demo, gchar ** recordings, GError ** error)
{
  g_autoptr (GstElement) playlist = make_playlist (recordings, error);

  if (!playlist)
    return FALSE;
  gst_object_ref_sink (playlist);
  demo->pipeline = gst_parse_launch ("ndasrc name=src ! clocksync ! "
      "ndapybridge name=bridge plugin=gain parameters=gain=0.5 ! "
      "ndasink name=sink", error);
  if (*error)
    return FALSE;
  demo->src = gst_bin_get_by_name (GST_BIN (demo->pipeline), "src");
  demo->bridge = gst_bin_get_by_name (GST_BIN (demo->pipeline), "bridge");
  demo->sink = gst_bin_get_by_name (GST_BIN (demo->pipeline), "sink");
  g_object_set (demo->src, "source", playlist, NULL);
  return TRUE;
}

/* Finds out by opening it; that it cannot be opened is no error here. */
static gboolean
open_device (Demo * demo)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (demo->pipeline);
  g_autoptr (GstClock) clock = NULL;

  if (gst_element_set_state (demo->sink, GST_STATE_READY) ==
      GST_STATE_CHANGE_FAILURE) {
    gst_element_set_state (demo->sink, GST_STATE_NULL);
    gst_bus_set_flushing (bus, TRUE);
    gst_bus_set_flushing (bus, FALSE);
    return FALSE;
  }
  /* clocksync would offer the system's clock, but it is the device's that
   * counts. */
  clock = gst_element_provide_clock (demo->sink);
  if (clock)
    gst_pipeline_use_clock (GST_PIPELINE (demo->pipeline), clock);
  return TRUE;
}

static void
choose_output (Demo * demo, const gchar * location)
{
  if (!location && open_device (demo)) {
    demo->has_device = TRUE;
    g_print ("Playing to the default audio device.\n\n");
    return;
  }
  if (!location) {
    location = "nda-demo.wav";
    g_print ("There is no audio device to play to here. ");
  }
  g_object_set (demo->sink, "location", location, "overwrite", TRUE, NULL);
  g_print ("Writing to %s.\n\n", location);
}

/* --- The figures --- */

static void
read_figures (Demo * demo, Figures * figures)
{
  g_autoptr (GstStructure) src = NULL;
  g_autoptr (GstStructure) bridge = NULL;
  g_autoptr (GstStructure) sink = NULL;
  guint64 n_underruns = 0;

  memset (figures, 0, sizeof (*figures));
  g_object_get (demo->src, "stats", &src, NULL);
  g_object_get (demo->bridge, "stats", &bridge, NULL);
  g_object_get (demo->sink, "stats", &sink, NULL);
  gst_structure_get (bridge, "p50-call-time", G_TYPE_UINT64, &figures->p50_call,
      "max-call-time", G_TYPE_UINT64, &figures->max_call,
      "p999-gil-wait", G_TYPE_UINT64, &figures->p999_gil,
      "max-gil-wait", G_TYPE_UINT64, &figures->max_gil, NULL);
  gst_structure_get (src, "num-overruns", G_TYPE_UINT64, &figures->n_overruns,
      "num-underruns", G_TYPE_UINT64, &n_underruns, NULL);
  gst_structure_get (sink, "num-blocks", G_TYPE_UINT64, &figures->n_blocks,
      "num-underruns", G_TYPE_UINT64, &figures->n_underruns,
      "rate", G_TYPE_DOUBLE, &figures->rate,
      "drift", G_TYPE_INT64, &figures->drift, NULL);
  figures->n_underruns += n_underruns;
}

static void
ask_latency (Demo * demo)
{
  GstQuery *query = gst_query_new_latency ();

  if (gst_element_query (demo->pipeline, query))
    gst_query_parse_latency (query, NULL, &demo->latency, NULL);
  gst_query_unref (query);
}

#define MS(ns) ((ns) / 1e6)

static gboolean
print_progress (gpointer user_data)
{
  Demo *demo = user_data;
  Figures now;

  read_figures (demo, &now);
  if (demo->seconds++ == 0)
    ask_latency (demo);
  g_print ("%3d s  %5" G_GUINT64_FORMAT " blocks, %.2f a second, call %.3f ms "
      "(longest %.3f), GIL %.3f ms, drift %+.2f ms\n", demo->seconds,
      now.n_blocks, now.rate, MS (now.p50_call), MS (now.max_call),
      MS (now.p999_gil), MS (now.drift));
  return G_SOURCE_CONTINUE;
}

/* A figure that is missed on a busy machine says nothing about nda. */
static const gchar *
judge (Demo * demo, gboolean is_good)
{
  if (is_good)
    return "ok";
  return demo->is_busy ? "busy" : "NO";
}

static void
G_GNUC_PRINTF (5, 6)
print_row (const gchar * what, const gchar * asked, const gchar * old,
    const gchar * verdict, const gchar * format, ...)
{
  va_list values;
  g_autofree gchar *measured = NULL;

  va_start (values, format);
  measured = g_strdup_vprintf (format, values);
  va_end (values);
  g_print ("%-24s %-11s %-19s ", what, asked, old);
  if (verdict)
    g_print ("%-26s %s\n", measured, verdict);
  else
    g_print ("%s\n", measured);
}

static void
look_at_machine (Demo * demo)
{
  gdouble load = 0;

  if (getloadavg (&load, 1) < 1)
    return;
  demo->is_busy = load > g_get_num_processors ();
  if (demo->is_busy)
    g_print ("This machine is busy: %.1f programs want to run at once, on %u "
        "processors.\nFigures that are busy say nothing about nda; run this "
        "again when it is quiet.\n", load, g_get_num_processors ());
}

static void
print_device_rows (Demo * demo, const Figures * now)
{
  if (!demo->has_device) {
    print_row ("underruns, overflows", "0, 0", "189, 72 in 10 s", NULL, "n/a");
    print_row ("latency", "10-50 ms", "> 3000 ms", NULL, "n/a");
    return;
  }
  print_row ("underruns, overflows", "0, 0", "189, 72 in 10 s",
      judge (demo, now->n_underruns + now->n_overruns == 0),
      "%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT, now->n_underruns,
      now->n_overruns);
  print_row ("latency", "10-50 ms", "> 3000 ms",
      judge (demo, MS (demo->latency) <= 50), "%.1f ms", MS (demo->latency));
}

static void
print_table (Demo * demo)
{
  Figures now;
  gdouble drift;

  read_figures (demo, &now);
  drift = MS (now.drift) * BLOCKS_PER_SECOND / MAX (now.n_blocks, 1);
  if (demo->seconds)
    g_print ("\n");
  look_at_machine (demo);
  g_print ("The old application is the NDA desktop application, whose plugins "
      "nda runs.\n\n");
  print_row ("", "asked for", "old application", NULL, "measured now");
  print_row ("blocks a second", "93.75", "15-89",
      judge (demo, ABS (now.rate - BLOCKS_PER_SECOND) < 0.1), "%.2f", now.rate);
  print_row ("plugin call", "< 1 ms", "5-189 ms",
      judge (demo, MS (now.p50_call) < 1), "%.3f ms, longest %.3f",
      MS (now.p50_call), MS (now.max_call));
  print_row ("GIL wait", "< 0.1 ms", "up to 64 ms",
      judge (demo, MS (now.p999_gil) < 0.1), "%.3f ms, longest %.3f",
      MS (now.p999_gil), MS (now.max_gil));
  print_row ("drift", "0", "340 ms/s", judge (demo, ABS (drift) < 1),
      "%.2f ms/s", drift);
  print_device_rows (demo, &now);
}

/* --- The run --- */

/* The first line of a debug text is the place in the C source. */
static void
print_error (GstMessage * message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const gchar *details;

  gst_message_parse_error (message, &error, &debug);
  details = debug ? strchr (debug, '\n') : NULL;
  g_printerr ("%s%s\n", error->message, details ? details : "");
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  Demo *demo = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      print_error (message);
      demo->failed = TRUE;
      g_main_loop_quit (demo->loop);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (demo->loop);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (demo->pipeline));
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* Without EOS: a recording that has not begun yet would take it for an error.
 * The file needs none, since ndasink completes it in NULL. */
static gboolean
on_interrupt (gpointer user_data)
{
  Demo *demo = user_data;

  g_main_loop_quit (demo->loop);
  return G_SOURCE_REMOVE;
}

static void
run (Demo * demo)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (demo->pipeline);

  demo->loop = g_main_loop_new (NULL, FALSE);
  gst_bus_add_watch (bus, on_message, demo);
  g_unix_signal_add (SIGINT, on_interrupt, demo);
  g_timeout_add_seconds (1, print_progress, demo);
  gst_element_set_state (demo->pipeline, GST_STATE_PLAYING);
  g_main_loop_run (demo->loop);
  if (!demo->failed)
    print_table (demo);
  gst_element_set_state (demo->pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
}

static void
demo_clear (Demo * demo)
{
  gst_clear_object (&demo->src);
  gst_clear_object (&demo->bridge);
  gst_clear_object (&demo->sink);
  gst_clear_object (&demo->pipeline);
  g_clear_pointer (&demo->loop, g_main_loop_unref);
}

/* The voices are named after the speaker they are for: Front_Left.wav. */
static gchar **
find_recordings (GError ** error)
{
  GStrvBuilder *builder = g_strv_builder_new ();
  GDir *dir = g_dir_open (RECORDINGS, 0, error);
  const gchar *name;
  gchar **recordings;

  while (dir && (name = g_dir_read_name (dir))) {
    if (g_pattern_match_simple ("*_*.wav", name)) {
      g_autofree gchar *path = g_build_filename (RECORDINGS, name, NULL);

      g_strv_builder_add (builder, path);
    }
  }
  g_clear_pointer (&dir, g_dir_close);
  recordings = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return recordings;
}

int
main (int argc, char **argv)
{
  Demo demo = {.latency = GST_CLOCK_TIME_NONE };
  g_autofree gchar *location = NULL;
  g_auto (GStrv) recordings = NULL;
  const GOptionEntry options[] = {
    {"location", 'l', 0, G_OPTION_ARG_FILENAME, &location,
        "Write this file instead of playing", "FILE"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &recordings,
        "WAV files to play instead of the voices", "[RECORDING...]"},
    {NULL}
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  if (!recordings)
    recordings = find_recordings (&error);
  if (!recordings[0]) {
    g_printerr ("There are no voices in " RECORDINGS
        ": install alsa-utils, or name WAV files to play.\n");
    return 1;
  }
  g_clear_error (&error);
  if (!make_pipeline (&demo, recordings, &error)) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_print ("%u recording%s through the Python plugin gain. ",
      g_strv_length (recordings), recordings[1] ? "s" : "");
  choose_output (&demo, location);
  run (&demo);
  demo_clear (&demo);
  return demo.failed;
}
