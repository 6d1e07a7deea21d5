/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tests the main job, live: microphone -> Python -> speaker, over the rig's one
 * clock. A signal of numbered frames goes into the microphone, and every frame
 * must come out at the speaker. A run is judged by losses, by bits and by the
 * elements' own counters. Late blocks, underruns and the rate depend on the
 * load of this machine. They are judged only with --timing, in the soak, and
 * otherwise only noted. If a run with such a note has lost sound, it proves
 * nothing (see undisturbed).
 *
 * With --python, source and sink are our Python plugins over PortAudio, which
 * count their own underruns and overruns.
 *
 *     with-rig one rig-live [--python] [--seconds 5] [--timing]
 *         [--max-growth KIB] */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cable.h"
#include "start.h"

/* The path runs for so long before the signal starts: by then the sink has
 * settled. */
#define SETTLED_BLOCKS 94
/* Asked of the LATENCY query: PipeWire's quantum comes on top of the periods */
#define MAX_LATENCY_MS 40
#define MAX_LATENCY_PIPEWIRE_MS 50
#define BLOCKS_PER_SECOND 93.75
#define RATE_TOLERANCE 0.01
/* What PortAudio's periods of 10 ms bridge */
#define MAX_STALL_MS 20

typedef struct
{
  GMainLoop *loop;              /* owned */
  GstElement *path;             /* owned; microphone to speaker */
  GstElement *player;           /* owned */
  RigEar *ear;                  /* owned */
  guint64 n_frames;
  gboolean is_python;           /* source and sink are plugins */
  /* what the plugins had counted when the signal began */
  guint64 n_overruns, n_underruns;
  /* and how many blocks the sink had taken, and when */
  guint64 first_block;
  GstClockTime first_time;
  RigStall *stall;              /* owned */
  gint max_growth;              /* KiB; 0: not judged */
  gsize kib_when_warm;
  RigReport report;
} LiveRun;

/* --- What the elements say --- */

static void
judge_is_zero (LiveRun * run, const gchar * name, const gchar * field)
{
  g_autofree gchar *what = g_strdup_printf ("%s of %s", field, name);

  rig_report_count (&run->report, what, 0,
      rig_get_counter (run->path, name, field));
}

static void
judge_is_never (LiveRun * run, const gchar * name, const gchar * field)
{
  guint64 n_found = rig_get_counter (run->path, name, field);
  g_autofree gchar *what = g_strdup_printf ("%s of %s", field, name);
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT, n_found);

  rig_report_timing (&run->report, what, "0", found, n_found == 0);
}

static void
report_rate (LiveRun * run, const gchar * name, gdouble rate, gdouble tolerance)
{
  g_autofree gchar *what = g_strdup_printf ("rate of %s", name);
  g_autofree gchar *found = g_strdup_printf ("%.4f", rate);

  rig_report_timing (&run->report, what, "93.75 +- 0.01", found,
      fabs (rate - BLOCKS_PER_SECOND) <= tolerance);
}

static void
judge_rate (LiveRun * run, const gchar * name)
{
  g_autoptr (GstStructure) stats = rig_get_stats (run->path, name);
  gdouble rate;

  if (!gst_structure_get_double (stats, "rate", &rate))
    g_error ("the stats of %s have no rate", name);
  report_rate (run, name, rate, RATE_TOLERANCE);
}

/* --- What the plugins say --- */

static guint64
get_parameter (LiveRun * run, const gchar * name, const gchar * key)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (run->path), name);
  g_autofree gchar *value = NULL;

  g_signal_emit_by_name (element, "get-parameter", key, &value);
  if (!value)
    g_error ("the plugin of %s has no parameter %s", name, key);
  return g_ascii_strtoull (value, NULL, 10);
}

static GstClockTime
get_time (LiveRun * run)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (run->path);

  return gst_clock_get_time (clock);
}

static void
note_plugins (LiveRun * run)
{
  run->n_overruns = get_parameter (run, "src", "overruns");
  run->n_underruns = get_parameter (run, "sink", "underruns");
  run->first_block = rig_get_counter (run->path, "sink", "num-blocks");
  run->first_time = get_time (run);
}

static void
judge_plugin (LiveRun * run, const gchar * what, guint64 n_found)
{
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT, n_found);

  rig_report_timing (&run->report, what, "0", found, n_found == 0);
}

static void
judge_plugins (LiveRun * run)
{
  guint64 n_blocks =
      rig_get_counter (run->path, "sink", "num-blocks") - run->first_block;
  gdouble seconds = (gdouble) (get_time (run) - run->first_time) / GST_SECOND;

  /* counted in whole blocks */
  report_rate (run, "sink", n_blocks / seconds, RATE_TOLERANCE + 1 / seconds);
  judge_plugin (run, "overruns of microphone",
      get_parameter (run, "src", "overruns") - run->n_overruns);
  judge_plugin (run, "underruns of speaker",
      get_parameter (run, "sink", "underruns") - run->n_underruns);
  judge_is_zero (run, "src", "num-failures");
  judge_is_zero (run, "sink", "num-failures");
  judge_is_never (run, "src", "num-discontinuities");
  /* PortAudio's buffers are short, and a sound server that was late itself
   * tells them nothing */
  rig_report_stall (&run->report, run->stall, MAX_STALL_MS);
}

static void
judge_latency (LiveRun * run)
{
  guint max = g_strcmp0 (g_getenv ("NDA_RIG_SERVER"), "pipewire") == 0 ?
      MAX_LATENCY_PIPEWIRE_MS : MAX_LATENCY_MS;
  GstClockTime min = rig_query_latency (run->path);
  gboolean live = GST_CLOCK_TIME_IS_VALID (min);
  g_autofree gchar *asked = g_strdup_printf ("<= %u ms", max);
  g_autofree gchar *found = live ? g_strdup_printf ("%.1f ms", min / 1e6) :
      g_strdup ("not live");

  rig_report_row (&run->report, "LATENCY", asked, found, live
      && min <= max * GST_MSECOND);
}

static void
judge_counters (LiveRun * run)
{
  judge_is_zero (run, "bridge", "num-failures");
  judge_is_never (run, "bridge", "num-late");
  if (run->is_python) {
    judge_plugins (run);
    return;
  }
  judge_latency (run);
  judge_rate (run, "src");
  judge_rate (run, "sink");
  judge_is_never (run, "src", "num-overruns");
  judge_is_never (run, "src", "num-underruns");
  judge_is_never (run, "sink", "num-underruns");
  judge_is_never (run, "sink", "num-overruns");
}

/* After EOS: what went in at one end has come out at the other. */
static void
judge_frames (LiveRun * run)
{
  guint64 n_bridged = rig_get_counter (run->path, "bridge", "num-frames");

  /* Of ndapysrc, a block that GstBaseSrc has in hand when EOS is asked for goes
   * nowhere. */
  if (!run->is_python)
    rig_report_count (&run->report, "frames through the bridge",
        rig_get_counter (run->path, "src", "num-frames"), n_bridged);
  rig_report_count (&run->report, "frames into the sink", n_bridged,
      rig_get_counter (run->path, "sink", "num-frames"));
}

static void
judge_account (LiveRun * run)
{
  RigAccount account;

  rig_ear_get_account (run->ear, &account);
  rig_report_loss (&run->report, "frames of the signal heard", run->n_frames,
      account.n_heard);
  rig_report_loss (&run->report, "lost", 0, account.n_lost);
  rig_report_count (&run->report, "repeated", 0, account.n_repeated);
  rig_report_count (&run->report, "altered", 0, account.n_altered);
  rig_report_loss (&run->report, "silent in between", 0, account.n_silent);
  rig_report_loss (&run->report, "times the ear itself lost some", 0,
      account.n_missed);
  run->report.was_disturbed |= account.n_missed > 0;
}

static gsize
resident_kib (void)
{
  g_autofree gchar *statm = NULL;
  gsize n_pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL))
    sscanf (statm, "%*u %" G_GSIZE_FORMAT, &n_pages);
  return n_pages * sysconf (_SC_PAGESIZE) / 1024;
}

static void
judge_growth (LiveRun * run)
{
  gssize growth = resident_kib () - run->kib_when_warm;
  g_autofree gchar *asked = g_strdup_printf ("<= +%d KiB", run->max_growth);
  g_autofree gchar *found = g_strdup_printf ("%+" G_GSSIZE_FORMAT " KiB",
      growth);

  rig_report_row (&run->report, "memory since the first third", asked, found,
      growth <= run->max_growth);
}

/* --- The run: settle, play, hear, drain --- */

static gboolean
note_memory (gpointer user_data)
{
  LiveRun *run = user_data;
  RigAccount account;

  rig_ear_get_account (run->ear, &account);
  if (account.n_heard < run->n_frames / 3)
    return G_SOURCE_CONTINUE;
  run->kib_when_warm = resident_kib ();
  return G_SOURCE_REMOVE;
}

static gboolean
start_player (gpointer user_data)
{
  LiveRun *run = user_data;

  if (rig_get_counter (run->path, "sink", "num-blocks") < SETTLED_BLOCKS)
    return G_SOURCE_CONTINUE;
  if (run->is_python)
    note_plugins (run);
  run->player = rig_player_new ("cable", run->n_frames);
  gst_element_set_state (run->player, GST_STATE_PLAYING);
  return G_SOURCE_REMOVE;
}

static gboolean
finish (gpointer user_data)
{
  LiveRun *run = user_data;

  judge_account (run);
  judge_counters (run);
  if (run->max_growth > 0)
    judge_growth (run);
  gst_element_send_event (run->path, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

/* On the ear's thread */
static void
on_all_heard (gpointer user_data)
{
  g_idle_add (finish, user_data);
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  LiveRun *run = user_data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    judge_frames (run);
    g_main_loop_quit (run->loop);
  }
  rig_handle_message (&run->report, message, run->path, run->loop);
  return G_SOURCE_CONTINUE;
}

static void
live_run (LiveRun * run)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (run->path);

  gst_bus_add_watch (bus, on_message, run);
  gst_element_set_state (run->path, GST_STATE_PLAYING);
  g_timeout_add (20, start_player, run);
  g_timeout_add (20, note_memory, run);
  run->stall = rig_stall_new ();
  g_main_loop_run (run->loop);
  gst_bus_remove_watch (bus);
}

static void
live_run_clear (LiveRun * run)
{
  gst_element_set_state (run->path, GST_STATE_NULL);
  gst_object_unref (run->path);
  if (run->player) {
    gst_element_set_state (run->player, GST_STATE_NULL);
    gst_object_unref (run->player);
  }
  g_clear_pointer (&run->ear, rig_ear_free);
  g_clear_pointer (&run->stall, rig_stall_free);
  g_main_loop_unref (run->loop);
}

gint
main (gint argc, gchar ** argv)
{
  LiveRun run = { NULL, };
  gint seconds = 5;
  const GOptionEntry options[] = {
    {"python", 0, 0, G_OPTION_ARG_NONE, &run.is_python,
        "Use our Python plugins over PortAudio as source and sink", NULL},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Length of the signal", "N"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &run.report.judges_timing,
        "Judge late blocks, underruns and the rate, too", NULL},
    {"max-growth", 0, 0, G_OPTION_ARG_INT, &run.max_growth,
        "How much memory may grow while the signal plays", "KIB"},
    {NULL}
  };

  if (!rig_parse_options (options, &argc, &argv) || !(run.path =
          rig_make_path (run.is_python ? RIG_PYTHON_PATH : RIG_PATH)))
    return EXIT_FAILURE;
  run.n_frames = (guint64) seconds *RIG_RATE;
  run.loop = g_main_loop_new (NULL, FALSE);
  run.ear = rig_ear_new ("ear_tap", run.n_frames, on_all_heard, &run);
  if (run.ear) {
    live_run (&run);
  } else {
    g_printerr ("there is no source “ear_tap”: run this below with-rig\n");
    run.report.failed = TRUE;
  }
  live_run_clear (&run);
  return rig_report_get_exit_code (&run.report);
}
