/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tests two clocks, live. Numbered frames go into the microphone, which runs on
 * one clock of the rig, and out of the speaker, which runs on the other. As
 * soon as the device is followed and locked, each frame that comes out of the
 * speaker has to be the next one. Taps read the frames at several places from
 * the player to the ear, so the report names the place that lost or repeated
 * frames. The change of the latency, and the errors that the elements counted,
 * are judged as well.
 *
 * Without options the source has the pipeline's clock, and the sink is
 * followed. With --both the pipeline's clock is the system's, and both ends are
 * followed. With --fast the followed devices have other periods: a null sink
 * counts in whole microseconds, so its clock is then some 160 ppm fast and soon
 * proven.
 *
 *     with-rig two rig-drift [--both] [--fast] [--seconds 10] [--timing] */

#include <gst/audio/gstaudiobasesink.h>
#include <stdlib.h>

#include "cable.h"
#include "start.h"
#include "tap.h"

/* The signal runs through the filter, and the ear, in this time */
#define SETTLED_MS 3000
#define TICK_MS 100
/* What a stall does is heard within this time (us) */
#define LATELY (1 * G_USEC_PER_SEC)
/* Proof takes 20 s, and 13.3 ms at the pace of two clocks: at 35 ppm */
#define MAX_LOCKING_MS (400 * 1000)
#define MAX_ERROR (1 * GST_MSECOND)
#define FAST_SOURCE "latency-time=5333"
/* The device takes half a period at a time: 253 frames, 5270.8 us */
#define FAST_SINK "latency-time=10542 buffer-time=31626"
/* What a sound server bridges between two devices of one period */
#define MAX_STALL_MS 10

#define MAX_TAPS 9
/* The server takes 5.3 ms at a time from what the device holds */
#define MIN_HELD_MS 8

/* What went wrong by the elements' own count: how often before anybody
 * listened, and of how much has been told since */
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

/* How late sound was, and how little was in hand */
typedef struct
{
  gint64 late[MAX_TAPS];        /* us */
  gint held;                    /* us */
} Second;

typedef struct
{
  GMainLoop *loop;              /* owned */
  GstElement *path, *player, *witness, *ear;    /* owned */
  gboolean follows_both, is_fast;
  gint seconds;
  End ends[2];
  guint n_ends;
  RigReport report;

  RigStall *stall;              /* owned; while the taps listen */
  guint locked_ms;              /* for how long */
  guint locking_ms;             /* how long it took */
  gint listened_ms;             /* of what is judged */
  guint64 n_lock_losses;
  gboolean was_locked;

  gboolean is_listening;
  gint64 listening_since;       /* us */
  RigTap *taps[MAX_TAPS];       /* owned; in the order of the sound */
  guint n_taps;
  guint source_tap;             /* which one is the source inside */
  Second seconds_seen[2];       /* this one, and the one before */
  guint n_lost_by_rig;
  gint least_held;              /* us */
  GMutex lock;
  gint held;                    /* [lock] us; at least, since it was asked */
  guint64 n_steps_told;         /* of the last tap, the ear */
} DriftRun;

static Mishap mishaps[] = {
  {"src", "num-overruns", 0, 0},
  {"src", "num-underruns", 0, 0},
  {"sink", "num-underruns", 0, 0},
};

/* --- what is heard, and where --- */

/* The pad @pad_name of the element made by @factory inside @bin: of what stands
 * inside there is one at most. */
static GstPad *
find_pad (GstElement * pipeline, const gchar * bin, const gchar * factory,
    const gchar * pad_name)
{
  g_autoptr (GstElement) outer = gst_bin_get_by_name (GST_BIN (pipeline), bin);
  GstIterator *inside;
  GValue value = G_VALUE_INIT;
  GstPad *pad = NULL;

  if (!factory)
    return gst_element_get_static_pad (outer, pad_name);
  inside = gst_bin_iterate_all_by_element_factory_name (GST_BIN (outer),
      factory);
  if (gst_iterator_next (inside, &value) == GST_ITERATOR_OK) {
    pad = gst_element_get_static_pad (g_value_get_object (&value), pad_name);
    g_value_unset (&value);
  }
  gst_iterator_free (inside);
  return pad;
}

static void
add_tap (DriftRun * run, const gchar * name, GstElement * pipeline,
    const gchar * bin, const gchar * factory, const gchar * pad_name)
{
  g_autoptr (GstPad) pad = find_pad (pipeline, bin, factory, pad_name);

  if (pad)
    run->taps[run->n_taps++] = rig_tap_new (name, pad);
}

/* What the device holds when a buffer comes, by its own clock */
static GstPadProbeReturn
note_held (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstAudioBaseSink *device = GST_AUDIO_BASE_SINK (GST_PAD_PARENT (pad));
  DriftRun *run = user_data;
  GstClockTime played;
  gint held;

  if (device->next_sample == GST_BUFFER_OFFSET_NONE)
    return GST_PAD_PROBE_OK;
  played = gst_audio_clock_get_time (GST_AUDIO_CLOCK (device->provided_clock));
  held = GST_CLOCK_DIFF (played, gst_util_uint64_scale (device->next_sample,
          GST_SECOND, RIG_RATE)) / GST_USECOND;
  g_mutex_lock (&run->lock);
  run->held = MIN (run->held, held);
  g_mutex_unlock (&run->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch_device (DriftRun * run)
{
  g_autoptr (GstPad) pad = find_pad (run->path, "sink", "pulsesink", "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_held, run, NULL);
}

/* In the order in which the sound passes them */
static void
add_taps (DriftRun * run)
{
  add_tap (run, "player", run->player, "sink", NULL, "sink");
  add_tap (run, "witness of the microphone", run->witness, "src", NULL, "src");
  run->source_tap = run->n_taps;
  add_tap (run, "source", run->path, "src", "pulsesrc", "src");
  add_tap (run, "resampler of the source", run->path, "src", "ndaresample",
      "src");
  add_tap (run, "ndasrc", run->path, "src", NULL, "src");
  add_tap (run, "ndasink", run->path, "sink", NULL, "sink");
  add_tap (run, "resampler of the sink", run->path, "sink", "ndaresample",
      "src");
  add_tap (run, "sink inside", run->path, "sink", "pulsesink", "sink");
  add_tap (run, "ear", run->ear, "src", NULL, "src");
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
  guint n_threads = 0, n_revoked = 0;

  gst_structure_get_double (stats, "drift-ppm", &ppm);
  gst_structure_get_uint (stats, "num-realtime-threads", &n_threads);
  gst_structure_get_uint (stats, "num-realtime-revoked", &n_revoked);
  g_print ("%-32s %-3s %10u, %u times revoked  noted\n", "threads in real time",
      end->name, n_threads, n_revoked);
  g_print ("%-32s %-3s %14s %10.2f ppm  noted\n", "off the pipeline's clock",
      end->name, "", ppm);
  rig_report_row (&run->report, what, "<= 1 ms", found,
      end->worst_error <= (gint64) MAX_ERROR);
}

static RigTap *
get_ear (DriftRun * run)
{
  return run->taps[run->n_taps - 1];
}

static void
print_steps (DriftRun * run, RigTap * tap)
{
  RigStep steps[RIG_TAP_MAX_STEPS];
  guint n_steps = rig_tap_get_steps (tap, steps);

  for (guint i = 0; i < n_steps; i++)
    g_print ("    at %.3f s, frame %" G_GUINT64_FORMAT ": %+.2f frames missing,"
        " %" G_GUINT64_FORMAT " silent\n",
        (steps[i].time - run->listening_since) / 1e6, steps[i].frame,
        steps[i].n_frames, steps[i].n_silent);
}

/* What each hand-over saw. Only what the ear heard is judged, and apart from it
 * what the rig itself lost. */
static void
judge_taps (DriftRun * run)
{
  guint64 n_wanted = (guint64) run->seconds * RIG_RATE * 9 / 10;
  gboolean is_whole = rig_tap_get_n_frames (get_ear (run)) >= n_wanted;

  for (guint i = 0; i < run->n_taps; i++) {
    g_print ("%-36s %7" G_GUINT64_FORMAT " frames %8u steps  noted\n",
        rig_tap_get_name (run->taps[i]), rig_tap_get_n_frames (run->taps[i]),
        rig_tap_get_n_steps (run->taps[i]));
    print_steps (run, run->taps[i]);
  }
  rig_report_row (&run->report, "frames heard", "all",
      is_whole ? "all" : "too few", is_whole);
  rig_report_loss (&run->report, "lost or repeated by the rig itself", 0,
      run->n_lost_by_rig);
  run->report.was_disturbed |= run->n_lost_by_rig > 0;
  rig_report_count (&run->report, "lost or repeated, once locked", 0,
      rig_tap_get_n_steps (get_ear (run)) - run->n_lost_by_rig);
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
  g_print ("%-36s %14s %12.1f s  noted\n", "locked after", "",
      run->locking_ms / 1e3);
  for (guint i = 0; i < run->n_ends; i++)
    judge_end (run, &run->ends[i]);
  judge_taps (run);
  rig_report_loss (&run->report, "times the lock was lost", 0,
      run->n_lock_losses);
  for (guint i = 0; i < G_N_ELEMENTS (mishaps); i++)
    judge_mishap (run, &mishaps[i]);
  g_print ("%-36s %14s %11.1f ms  noted\n", "held by the device, at least", "",
      run->least_held / 1e3);
  rig_report_stall (&run->report, run->stall, MAX_STALL_MS);
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
        rig_stall_get_lately (run->stall, LATELY) / 1e3);
}

/* Who is to blame for frames that were lost before the ear. */
static const gchar *
blame (DriftRun * run)
{
  const Second *now = &run->seconds_seen[0], *before = &run->seconds_seen[1];
  gint64 late = MAX (now->late[run->source_tap], before->late[run->source_tap]);

  if (rig_stall_get_lately (run->stall, LATELY) > MAX_STALL_MS * 1000)
    return "this machine stood still";
  if (late > MAX_STALL_MS * 1000)
    return "the server gave the microphone's sound too late";
  if (MIN (now->held, before->held) >= MIN_HELD_MS * 1000)
    return "the server lost what it had in time";
  return NULL;
}

static void
print_second (DriftRun * run)
{
  const Second *now = &run->seconds_seen[0], *before = &run->seconds_seen[1];

  for (guint i = 0; i < run->n_taps; i++)
    g_print ("    at most %.1f ms late: %s\n", MAX (now->late[i],
            before->late[i]) / 1e3, rig_tap_get_name (run->taps[i]));
  g_print ("    at least %.1f ms held by the device\n", MIN (now->held,
          before->held) / 1e3);
}

static void
tell_losses (DriftRun * run, guint n_losses)
{
  const gchar *reason;

  if (n_losses == 0)
    return;
  reason = blame (run);
  run->n_lost_by_rig += reason ? n_losses : 0;
  print_second (run);
  g_print ("    so %s\n", reason ? reason : "nda lost it");
}

/* Reads the taps and the device, and begins another second when one is over. */
static void
note_second (DriftRun * run)
{
  Second *now = &run->seconds_seen[0];

  if (run->listened_ms % 1000 == 0) {
    run->seconds_seen[1] = *now;
    *now = (Second) {
    .held = G_MAXINT};
  }
  for (guint i = 0; i < run->n_taps; i++) {
    gint64 late = rig_tap_take_lateness (run->taps[i]);

    now->late[i] = MAX (now->late[i], late);
  }
  g_mutex_lock (&run->lock);
  now->held = MIN (now->held, run->held);
  run->least_held = MIN (run->least_held, run->held);
  run->held = G_MAXINT;
  g_mutex_unlock (&run->lock);
}

/* What went wrong is told with what this machine did at the time. */
static void
tell_mishaps (DriftRun * run)
{
  guint64 n_steps = rig_tap_get_n_steps (get_ear (run));

  tell (run, "lost or repeated", n_steps, run->n_steps_told);
  tell_losses (run, n_steps - run->n_steps_told);
  run->n_steps_told = n_steps;
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
  run->stall = rig_stall_new ();
  add_taps (run);
  watch_device (run);
  run->held = run->least_held = G_MAXINT;
  run->listening_since = g_get_monotonic_time ();
  g_print ("locked after %.1f s, now listening\n", run->locking_ms / 1e3);
  run->is_listening = TRUE;
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

  if (!run->is_listening)
    return wait_for_lock (run, locked);
  note_errors (run);
  note_second (run);
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

static GstElement *
make_path (DriftRun * run)
{
  g_autofree gchar *description = g_strdup_printf ("ndasrc name=src "
      "source=\"pulsesrc %s\" ! ndasink name=sink sink=\"pulsesink %s\"",
      run->is_fast && run->follows_both ? FAST_SOURCE : "",
      run->is_fast ? FAST_SINK : "");
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstElement *path = rig_make_path (description);

  if (path && run->follows_both)
    gst_pipeline_use_clock (GST_PIPELINE (path), clock);
  run->ends[0].name = "sink";
  run->ends[1].name = "src";
  run->n_ends = run->follows_both ? 2 : 1;
  return path;
}

/* Hears what the rig's @device says, with a second to spare. */
static GstElement *
open_ear (const gchar * device)
{
  g_autofree gchar *description = g_strdup_printf ("pulsesrc name=src "
      "device=%s buffer-time=1000000 latency-time=50000 slave-method=none "
      "provide-clock=false ! audio/x-raw, format = (string) F32LE, "
      "rate = (int) 48000, channels = (int) 2, layout = (string) interleaved "
      "! fakesink", device);
  GstElement *ear = gst_parse_launch (description, NULL);

  gst_element_set_state (ear, GST_STATE_PLAYING);
  if (gst_element_get_state (ear, NULL, NULL, GST_CLOCK_TIME_NONE)
      == GST_STATE_CHANGE_FAILURE)
    gst_clear_object (&ear);
  return ear;
}

static void
drift_run (DriftRun * run)
{
  run->player = rig_tap_player_new ("cable");
  gst_element_set_state (run->player, GST_STATE_PLAYING);
  g_timeout_add (TICK_MS, tick, run);
  rig_run_path (run->path, &run->report, run->loop);
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

  if (!rig_parse_options (options, &argc, &argv))
    return EXIT_FAILURE;
  g_mutex_init (&run.lock);
  run.loop = g_main_loop_new (NULL, FALSE);
  run.path = make_path (&run);
  run.ear = open_ear ("ear_tap");
  run.witness = open_ear ("mic");
  if (!run.path || !run.ear || !run.witness) {
    g_printerr ("the rig's cables cannot be opened: run this below with-rig\n");
    run.report.failed = TRUE;
  } else {
    drift_run (&run);
  }
  stop (&run.path);
  stop (&run.player);
  stop (&run.witness);
  g_clear_pointer (&run.stall, rig_stall_free);
  stop (&run.ear);
  for (guint i = 0; i < run.n_taps; i++)
    rig_tap_free (run.taps[i]);
  g_main_loop_unref (run.loop);
  g_mutex_clear (&run.lock);
  return rig_report_get_exit_code (&run.report);
}
