/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two clocks, live: a tone goes into the microphone, which runs on one of the
 * rig's, and out of the speaker, on the other. From the moment on that the
 * device is followed and locked, each frame that comes out of the speaker has
 * to continue the tone: one that is lost or repeated is a click, and counted.
 * How far the sound is from taking the time that it took at first, and what
 * went wrong by the elements' own count, is judged as well.
 *
 * By itself the source has the pipeline's clock, and the sink is followed; with
 * --both the pipeline's clock is the system's, and both ends are. With --fast
 * the devices that are followed have other periods: a null sink counts in whole
 * microseconds, so its clock is then some 160 ppm fast and soon proven.
 *
 *   with-rig two rig-drift [--both] [--fast] [--seconds 10] [--timing]
 */

#include <gst/app/app.h>

#include <math.h>
#include <stdlib.h>

#include "cable.h"
#include "report.h"

#define TONE 5000.0
#define AMPLITUDE "0.5"
/* A frame that is missing changes the tone by more than this, wherever it is in
 * its swing; all that resampling does to it is far less */
#define CLICK 0.02
/* After a click, so many frames count as one */
#define CLICK_FRAMES 480
/* The tone runs through the filter, and the ear, in this time */
#define SETTLED_MS 3000
#define TICK_MS 100
/* Proof takes 20 s, and 13.3 ms at the pace of two clocks: at 35 ppm */
#define MAX_LOCKING_MS (400 * 1000)
#define MAX_ERROR (1 * GST_MSECOND)
#define FAST_SOURCE "latency-time=5333"
/* The device takes half a period at a time: 253 frames, 5270.8 us */
#define FAST_SINK "latency-time=10542 buffer-time=31626"
/* What a sound server bridges between two devices of one period */
#define MAX_STALL_MS 10

#define EAR "pulsesrc device=ear_tap buffer-time=1000000 latency-time=50000 " \
    "slave-method=none provide-clock=false ! audio/x-raw, " \
    "format = (string) F32LE, rate = (int) 48000, channels = (int) 2, " \
    "layout = (string) interleaved ! appsink name=ear sync=false"
#define PLAYER "audiotestsrc samplesperbuffer=4800 freq=5000 " \
    "volume=" AMPLITUDE " ! audio/x-raw, rate = (int) 48000, " \
    "channels = (int) 2 ! pulsesink device=cable sync=false " \
    "buffer-time=1000000 latency-time=50000 provide-clock=false"

/* What went wrong by the elements' own count: how often before the tone was
 * listened to, and of how much has been told since */
typedef struct
{
  const gchar *name, *field;
  guint64 n_before, n_told;
} Mishap;

/* An end of the path that is followed */
typedef struct
{
  const gchar *name;
  gboolean is_locked;
  gint64 error, first_error, worst_error;       /* ns */
} End;

typedef struct
{
  GMainLoop *loop;              /* owned */
  GstElement *path, *player, *ear;      /* owned */
  gboolean follows_both, is_fast;
  gint seconds;
  End ends[2];
  guint n_ends;
  RigReport report;

  RigStall stall;               /* while the tone is listened to */
  guint locked_ms;              /* for how long */
  guint locking_ms;             /* how long it took */
  gint listened_ms;             /* of what is judged */
  guint64 n_lock_losses;
  gboolean was_locked;

  gint is_listening;            /* [atomic] */
  gint n_clicks;                /* [atomic] */
  guint64 n_clicks_told;
  gint n_heard;                 /* [atomic] frames */
  gfloat last[2];               /* [ear thread] */
  guint n_to_skip;              /* [ear thread] */
} DriftRun;

static Mishap mishaps[] = {
  {"src", "num-overruns", 0, 0},
  {"src", "num-underruns", 0, 0},
  {"sink", "num-underruns", 0, 0},
};

/* --- what is heard --- */

/* A tone is what its last two frames say. */
static void
hear_frame (DriftRun * run, gfloat frame)
{
  gdouble next = 2.0 * cos (2.0 * G_PI * TONE / RIG_RATE) * run->last[0]
      - run->last[1];

  if (run->n_to_skip > 0) {
    run->n_to_skip--;
  } else if (fabs (frame - next) > CLICK) {
    g_atomic_int_inc (&run->n_clicks);
    run->n_to_skip = CLICK_FRAMES;
  }
  run->last[1] = run->last[0];
  run->last[0] = frame;
}

static GstFlowReturn
on_new_sample (GstAppSink * sink, gpointer user_data)
{
  DriftRun *run = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstMapInfo map;

  if (!sample)
    return GST_FLOW_EOS;
  if (g_atomic_int_get (&run->is_listening)
      && gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ)) {
    gsize n_frames = map.size / sizeof (gfloat) / RIG_CHANNELS;

    for (gsize i = 0; i < n_frames; i++)
      hear_frame (run, ((gfloat *) map.data)[i * RIG_CHANNELS]);
    g_atomic_int_add (&run->n_heard, n_frames);
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  }
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

/* --- what the elements say --- */

static void
look_at (DriftRun * run, End * end)
{
  g_autoptr (GstStructure) stats = rig_get_stats (run->path, end->name);

  gst_structure_get_int64 (stats, "delay-error", &end->error);
  end->is_locked = g_strcmp0 (gst_structure_get_string (stats, "drift-state"),
      "locked") == 0;
}

static gboolean
are_locked (DriftRun * run)
{
  gboolean locked = TRUE;

  for (guint i = 0; i < run->n_ends; i++) {
    look_at (run, &run->ends[i]);
    locked &= run->ends[i].is_locked;
  }
  return locked;
}

static void
judge_mishap (DriftRun * run, Mishap * mishap)
{
  guint64 n_found = mishap->n_told - mishap->n_before;
  g_autofree gchar *what = g_strdup_printf ("%s of %s", mishap->field,
      mishap->name);
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT, n_found);

  rig_report_timing (&run->report, what, "0", found, n_found == 0);
}

static void
judge_end (DriftRun * run, End * end)
{
  g_autoptr (GstStructure) stats = rig_get_stats (run->path, end->name);
  g_autofree gchar *what = g_strdup_printf ("latency off in %s", end->name);
  g_autofree gchar *found = g_strdup_printf ("%.3f ms",
      end->worst_error / 1e6);
  gdouble ppm = 0.0;

  gst_structure_get_double (stats, "drift-ppm", &ppm);
  g_print ("%-32s %-3s %14s %10.2f ppm  noted\n", "off the pipeline's clock",
      end->name, "", ppm);
  rig_report_row (&run->report, what, "<= 1 ms", found,
      end->worst_error <= (gint64) MAX_ERROR);
}

/* What is on its way while both are counted is no loss. */
static void
judge_frames (DriftRun * run)
{
  guint64 n_in = rig_get_counter (run->path, "sink", "num-frames");
  guint64 n_out = rig_get_counter (run->path, "src", "num-frames");
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT,
      n_out - n_in);

  rig_report_row (&run->report, "frames between source and sink", "<= 2048",
      found, n_out - n_in <= 2048);
}

static void
judge (DriftRun * run)
{
  guint n_wanted = (guint) run->seconds * RIG_RATE * 9 / 10;

  g_print ("%-36s %14s %12.1f s  noted\n", "locked after", "",
      run->locking_ms / 1e3);
  for (guint i = 0; i < run->n_ends; i++)
    judge_end (run, &run->ends[i]);
  rig_report_row (&run->report, "frames of the tone heard", "all",
      g_atomic_int_get (&run->n_heard) >= (gint) n_wanted ? "all" : "too few",
      g_atomic_int_get (&run->n_heard) >= (gint) n_wanted);
  rig_report_loss (&run->report, "lost or repeated, once locked", 0,
      g_atomic_int_get (&run->n_clicks));
  rig_report_loss (&run->report, "times the lock was lost", 0,
      run->n_lock_losses);
  for (guint i = 0; i < G_N_ELEMENTS (mishaps); i++)
    judge_mishap (run, &mishaps[i]);
  rig_stall_report (&run->stall, &run->report, MAX_STALL_MS);
  judge_frames (run);
}

/* --- the run: lock, listen --- */

/* Of @n, @told have been told of. */
static void
tell (DriftRun * run, const gchar * what, guint64 n, guint64 told)
{
  if (n != told)
    g_print ("at %.1f s: %" G_GUINT64_FORMAT " %s, longest stall lately %.1f"
        " ms\n", run->listened_ms / 1e3, n - told, what,
        run->stall.lately / 1e3);
}

/* What went wrong is told with what this machine did at the time. */
static void
tell_mishaps (DriftRun * run)
{
  guint64 n_clicks = g_atomic_int_get (&run->n_clicks);

  tell (run, "lost or repeated", n_clicks, run->n_clicks_told);
  run->n_clicks_told = n_clicks;
  for (guint i = 0; i < G_N_ELEMENTS (mishaps); i++) {
    Mishap *mishap = &mishaps[i];
    guint64 n = rig_get_counter (run->path, mishap->name, mishap->field);

    tell (run, mishap->field, n, mishap->n_told);
    mishap->n_told = n;
  }
}

static void
note_errors (DriftRun * run)
{
  for (guint i = 0; i < run->n_ends; i++) {
    End *end = &run->ends[i];

    end->worst_error = MAX (end->worst_error,
        ABS (end->error - end->first_error));
  }
}

static void
start_listening (DriftRun * run)
{
  for (guint i = 0; i < run->n_ends; i++)
    run->ends[i].first_error = run->ends[i].error;
  for (guint i = 0; i < G_N_ELEMENTS (mishaps); i++)
    mishaps[i].n_before = mishaps[i].n_told = rig_get_counter (run->path,
        mishaps[i].name, mishaps[i].field);
  run->n_to_skip = CLICK_FRAMES;
  rig_stall_watch (&run->stall);
  g_atomic_int_set (&run->is_listening, TRUE);
}

static gboolean
wait_for_lock (DriftRun * run, gboolean locked)
{
  run->locked_ms = locked ? run->locked_ms + TICK_MS : 0;
  run->locking_ms += TICK_MS;
  if (run->locked_ms < SETTLED_MS) {
    if (run->locking_ms < MAX_LOCKING_MS)
      return G_SOURCE_CONTINUE;
    rig_report_row (&run->report, "locked", "yes", "no", FALSE);
    g_main_loop_quit (run->loop);
    return G_SOURCE_REMOVE;
  }
  start_listening (run);
  return G_SOURCE_CONTINUE;
}

static gboolean
tick (gpointer user_data)
{
  DriftRun *run = user_data;
  gboolean locked = are_locked (run);

  if (!g_atomic_int_get (&run->is_listening))
    return wait_for_lock (run, locked);
  note_errors (run);
  tell_mishaps (run);
  run->n_lock_losses += run->was_locked && !locked;
  run->was_locked = locked;
  run->listened_ms += TICK_MS;
  if (run->listened_ms < run->seconds * 1000)
    return G_SOURCE_CONTINUE;
  judge (run);
  g_main_loop_quit (run->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  DriftRun *run = user_data;

  rig_handle_message (&run->report, message, run->path, run->loop);
  return G_SOURCE_CONTINUE;
}

static GstElement *
make_path (DriftRun * run)
{
  g_autofree gchar *description = g_strdup_printf ("ndasrc name=src "
      "source=\"pulsesrc %s\" ! ndasink name=sink sink=\"pulsesink %s\"",
      run->is_fast && run->follows_both ? FAST_SOURCE : "",
      run->is_fast ? FAST_SINK : "");
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GError) error = NULL;
  GstElement *path = gst_parse_launch (description, &error);

  if (!path)
    g_printerr ("%s\n", error->message);
  else if (run->follows_both)
    gst_pipeline_use_clock (GST_PIPELINE (path), clock);
  run->ends[0].name = "sink";
  run->ends[1].name = "src";
  run->n_ends = run->follows_both ? 2 : 1;
  return path;
}

static gboolean
open_ear (DriftRun * run)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_new_sample };
  g_autoptr (GstElement) sink = NULL;

  run->ear = gst_parse_launch (EAR, NULL);
  sink = gst_bin_get_by_name (GST_BIN (run->ear), "ear");
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, run, NULL);
  gst_element_set_state (run->ear, GST_STATE_PLAYING);
  return gst_element_get_state (run->ear, NULL, NULL, GST_CLOCK_TIME_NONE)
      != GST_STATE_CHANGE_FAILURE;
}

static void
drift_run (DriftRun * run)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (run->path);

  run->player = gst_parse_launch (PLAYER, NULL);
  gst_element_set_state (run->player, GST_STATE_PLAYING);
  gst_bus_add_watch (bus, on_message, run);
  gst_element_set_state (run->path, GST_STATE_PLAYING);
  g_timeout_add (TICK_MS, tick, run);
  g_main_loop_run (run->loop);
  gst_bus_remove_watch (bus);
}

static void
stop (GstElement ** pipeline)
{
  if (*pipeline)
    gst_element_set_state (*pipeline, GST_STATE_NULL);
  gst_clear_object (pipeline);
}

gint
main (gint argc, gchar ** argv)
{
  DriftRun run = {.seconds = 10 };
  const GOptionEntry options[] = {
    {"both", 0, 0, G_OPTION_ARG_NONE, &run.follows_both,
        "Let neither end be the pipeline's clock", NULL},
    {"fast", 0, 0, G_OPTION_ARG_NONE, &run.is_fast,
        "Use periods at which the clocks go apart fast", NULL},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &run.seconds,
        "How long to listen", "N"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &run.report.judges_timing,
        "Judge underruns, too", NULL},
    {NULL}
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  run.loop = g_main_loop_new (NULL, FALSE);
  run.path = make_path (&run);
  if (!run.path || !open_ear (&run)) {
    g_printerr ("the rig's cables cannot be opened: run this below with-rig\n");
    run.report.failed = TRUE;
  } else {
    drift_run (&run);
  }
  stop (&run.path);
  stop (&run.player);
  stop (&run.ear);
  g_main_loop_unref (run.loop);
  return rig_report_get_exit_code (&run.report);
}
