/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tests the main job, microphone -> Python -> speaker, from inside the graph of
 * an audio server. Numbered frames go into the microphone within a cycle of the
 * graph, and come back at the speaker within another cycle, so every frame
 * shows its exact latency. The server says which clients did not finish a cycle
 * in time: such a cycle is lost, and that is the machine's fault. The path
 * under test is responsible for all other losses.
 *
 * Bits, order and losses are judged; with --timing also the latency, against
 * the LATENCY query and for being constant. A run that lost only what the lost
 * cycles explain proves nothing (see undisturbed). With --native, the ends are
 * PipeWire's own elements.
 *
 * With --restart, a server of the rig is started again while the signal plays:
 * one on which the graph does not depend, pipewire-pulse or wireplumber. Judged
 * is how long nothing is heard, and that both ends have counted the loss of
 * their devices where there was one.
 *
 * with-rig --server pipewire --quantum 512 one rig-graph-ear [--native]
 *       [--path PIPELINE] [--seconds 5] [--starts 1] [--restart SERVER]
 *       [--timing] [--verbose]
 *
 * Threads: play () and hear () run on the graph's threads, in real time. They
 * write the fields that are marked as theirs from EAR_BEGINS to EAR_IS_DONE;
 * before and after that the program writes them. */

#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "graph.h"
#include "start.h"

/* The path runs for so long before it is judged */
#define SETTLED_BLOCKS 94
#define MAX_OFF 3.0             /* ms, the median of the starts */
#define MAX_CHANGE 1.0          /* ms, within a start */
#define MAX_STALL_MS 20         /* what two periods bridge */
#define MAX_LATENCY 50.0        /* ms */
#define N_CHANGES 64
/* When a server is started again, in ms, and how long nothing is heard then at
 * most, in frames, which is also when the ear gives up */
#define RESTART_AFTER 2000
#define MAX_BACK (5 * RIG_RATE)

#define NATIVE_PATH "ndasrc name=src " \
    "source=\"pipewiresrc target-object=mic ! audio/x-raw, channels=2 ! " \
    "identity\" ! " \
    "ndapybridge name=bridge plugin=passthrough ! " \
    "ndasink name=sink sink=\"pipewiresink target-object=ear\""

/* A place where frames were lost or silence was heard; the first one is where
 * the signal begins */
typedef struct
{
  guint64 number;               /* the first frame heard after it */
  guint64 n_lost, n_silent;     /* before this frame */
  gint64 latency;               /* of this frame, in frames */
} Change;

typedef enum
{
  EAR_IS_IDLE,
  EAR_BEGINS,                   /* with the next cycle */
  EAR_HEARS,
  EAR_IS_DONE
} EarState;

typedef struct
{
  RigListener listener;
  gint64 latency;               /* frames, of the last one heard */
  gint64 least, most;
  RigAccount account;           /* as it was one frame before */
  Change changes[N_CHANGES];
  guint n_changes;              /* may exceed N_CHANGES */
} Heard;

typedef struct
{
  RigGraph *graph;              /* owned */
  RigReport report;
  const gchar *path_text;
  const gchar *restarted;       /* a server, or NULL */
  gboolean is_verbose;
  GMainLoop *loop;              /* owned */
  GstElement *path;             /* owned; microphone to speaker */
  /* of gdouble, ms; of each start */
  GArray *offs, *reported, *measured, *moves;
  RigAccount total;
  guint64 n_frames;             /* [const] of a start */
  guint64 n_lost_excused;       /* frames that lost cycles explain */
  guint64 n_silent_excused;
  guint64 n_counted;            /* by the elements of the path */
  guint64 n_losses;             /* of their devices */
  guint n_whole;                /* starts whose last frame was heard */
  RigStall *stall;              /* owned */
  RigGraphLosses before;        /* a start */

  gint state;                   /* [atomic] an EarState, hands these over: */
  guint64 start;                /* the position of frame 0, [play] */
  Heard heard;                  /* [hear] */
} Ear;

/* --- On the graph's thread --- */

/* Notes that the listener's last frame was heard after @latency. */
static void
note_frame (Heard * heard, gint64 latency)
{
  const RigAccount *now = &heard->listener.account;
  Change change = {
    .number = heard->listener.next - 1,
    .n_lost = now->n_lost - heard->account.n_lost,
    .n_silent = now->n_silent - heard->account.n_silent,
    .latency = latency
  };

  heard->account = *now;
  if (heard->n_changes > 0 && change.n_lost == 0 && change.n_silent == 0)
    return;
  if (heard->n_changes < N_CHANGES)
    heard->changes[heard->n_changes] = change;
  if (heard->n_changes++ == 0)
    heard->least = heard->most = latency;
  heard->least = MIN (heard->least, latency);
  heard->most = MAX (heard->most, latency);
  heard->latency = latency;
}

/* A number is where it stands: those of a cycle that the player missed are
 * lost. */
static void
play (gpointer user_data, guint64 position, guint n_frames,
    gfloat * const out[RIG_CHANNELS])
{
  Ear *ear = user_data;
  gint state = g_atomic_int_get (&ear->state);

  if (state == EAR_BEGINS) {
    ear->start = position;
    g_atomic_int_set (&ear->state, EAR_HEARS);
  }
  for (guint i = 0; i < n_frames; i++, position++) {
    gfloat frame[RIG_CHANNELS] = { 0, };

    if ((state == EAR_BEGINS || state == EAR_HEARS)
        && position - ear->start < ear->n_frames)
      rig_frame_write (frame, position - ear->start);
    out[0][i] = frame[0];
    out[1][i] = frame[1];
  }
}

static void
hear (gpointer user_data, guint64 position, guint n_frames,
    const gfloat * const in[RIG_CHANNELS])
{
  Ear *ear = user_data;
  Heard *heard = &ear->heard;

  if (g_atomic_int_get (&ear->state) != EAR_HEARS)
    return;
  for (guint i = 0; i < n_frames; i++) {
    const gfloat frame[RIG_CHANNELS] = { in[0][i], in[1][i] };

    if (rig_listener_take (&heard->listener, frame))
      note_frame (heard, (gint64) (position + i - ear->start
              - (heard->listener.next - 1)));
  }
  if (rig_listener_is_done (&heard->listener, ear->n_frames))
    g_atomic_int_set (&ear->state, EAR_IS_DONE);
}

/* --- What a start tells --- */

static gdouble
to_ms (gint64 n_frames)
{
  return n_frames * 1000.0 / RIG_RATE;
}

static void
print_changes (const Heard * heard)
{
  for (guint i = 0; i < MIN (heard->n_changes, N_CHANGES); i++) {
    const Change *change = &heard->changes[i];

    g_print ("  at %7.3f s: %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
        " silent, then %.2f ms\n", change->number / (gdouble) RIG_RATE,
        change->n_lost, change->n_silent, to_ms (change->latency));
  }
}

static void
print_stats (Ear * ear)
{
  static const gchar *const names[] = { "src", "sink" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GstStructure) stats = rig_get_stats (ear->path, names[i]);
    g_autofree gchar *text = gst_structure_to_string (stats);

    g_print ("  %s: %s\n", names[i], text);
  }
}

/* What the elements themselves counted, which says that they were late. */
static void
add_counters (Ear * ear)
{
  static const gchar *const names[] = { "src", "sink" };
  static const gchar *const fields[] = { "num-underruns", "num-overruns" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint j = 0; j < G_N_ELEMENTS (fields); j++)
      ear->n_counted += rig_get_counter (ear->path, names[i], fields[j]);
}

static void
add_account (RigAccount * total, const RigAccount * account)
{
  total->n_heard += account->n_heard;
  total->n_lost += account->n_lost;
  total->n_repeated += account->n_repeated;
  total->n_altered += account->n_altered;
  total->n_silent += account->n_silent;
}

static void
note_latencies (Ear * ear, GstClockTime reported)
{
  const Heard *heard = &ear->heard;
  gdouble said = GST_CLOCK_TIME_IS_VALID (reported) ? reported / 1e6 : NAN;
  gdouble first = to_ms (heard->changes[0].latency);
  gdouble last = to_ms (heard->latency);
  gdouble off = fabs (said - first), moved = fabs (last - first);

  g_array_append_val (ear->reported, said);
  g_array_append_val (ear->measured, first);
  g_array_append_val (ear->offs, off);
  g_array_append_val (ear->moves, moved);
  g_print ("LATENCY %.2f ms, heard %.2f at first, %.2f at last (%.2f to %.2f, "
      "%u changes); ", said, first, last, to_ms (heard->least),
      to_ms (heard->most), heard->n_changes - 1);
}

/* A cycle that another client missed may be lost where it is to hear, and
 * silent where it is to play. What our player misses is lost, and silence is
 * heard in its place; what our ear misses is lost. */
static guint64
count_lost_cycles (Ear * ear)
{
  RigGraphLosses now;
  guint64 n_late, n_unplayed, n_unheard;
  guint quantum = rig_graph_get_quantum (ear->graph);

  rig_graph_get_losses (ear->graph, &now);
  n_late = now.n_late - ear->before.n_late;
  n_unplayed = now.n_unplayed - ear->before.n_unplayed;
  n_unheard = now.n_unheard - ear->before.n_unheard;
  ear->n_lost_excused += n_late * quantum + n_unplayed + n_unheard;
  ear->n_silent_excused += n_late * quantum + n_unplayed;
  return n_late + (n_unplayed + n_unheard) / quantum;
}

static void
add_losses (Ear * ear)
{
  ear->n_losses += rig_get_counter (ear->path, "src", "num-device-losses")
      + rig_get_counter (ear->path, "sink", "num-device-losses");
}

/* With EAR_IS_DONE */
static void
note_start (Ear * ear)
{
  guint64 n_cycles = count_lost_cycles (ear);

  if (ear->heard.n_changes > 0)
    note_latencies (ear, rig_query_latency (ear->path));
  g_print ("%" G_GUINT64_FORMAT " lost cycles of %u frames\n", n_cycles,
      rig_graph_get_quantum (ear->graph));
  rig_account_print (&ear->heard.listener.account, ear->n_frames);
  add_account (&ear->total, &ear->heard.listener.account);
  ear->n_whole += ear->heard.listener.next == ear->n_frames;
  add_counters (ear);
  if (ear->restarted)
    add_losses (ear);
  if (ear->is_verbose) {
    print_changes (&ear->heard);
    print_stats (ear);
  }
}

/* --- A start --- */

/* Ends the server; the rig starts it again. */
static gboolean
restart_server (gpointer user_data)
{
  Ear *ear = user_data;
  g_autofree gchar *path = g_strdup_printf ("%s/%s.pid",
      g_getenv ("NDA_RIG_HOME"), ear->restarted);
  g_autofree gchar *pid = NULL;

  if (!g_file_get_contents (path, &pid, NULL, NULL)
      || kill (atoi (pid), SIGTERM) != 0)
    g_error ("the rig has no server %s", ear->restarted);
  return G_SOURCE_REMOVE;
}

static gboolean
begin_when_settled (gpointer user_data)
{
  Ear *ear = user_data;

  if (rig_get_counter (ear->path, "sink", "num-blocks") < SETTLED_BLOCKS)
    return G_SOURCE_CONTINUE;
  rig_graph_get_losses (ear->graph, &ear->before);
  g_atomic_int_set (&ear->state, EAR_BEGINS);
  if (ear->restarted)
    g_timeout_add (RESTART_AFTER, restart_server, ear);
  return G_SOURCE_REMOVE;
}

static gboolean
end_when_done (gpointer user_data)
{
  Ear *ear = user_data;

  if (rig_graph_is_gone (ear->graph)) {
    g_printerr ("the server has ended\n");
    ear->report.failed = TRUE;
    g_main_loop_quit (ear->loop);
    return G_SOURCE_REMOVE;
  }
  if (g_atomic_int_get (&ear->state) != EAR_IS_DONE)
    return G_SOURCE_CONTINUE;
  note_start (ear);
  g_main_loop_quit (ear->loop);
  return G_SOURCE_REMOVE;
}

static void
run_path (Ear * ear)
{
  /* after an error, which is the last of all starts, they are left */
  g_timeout_add (20, begin_when_settled, ear);
  g_timeout_add (20, end_when_done, ear);
  rig_run_path (ear->path, &ear->report, ear->loop);
  gst_element_set_state (ear->path, GST_STATE_NULL);
}

static void
run_start (Ear * ear)
{
  ear->path = rig_make_path (ear->path_text);
  if (!ear->path) {
    ear->report.failed = TRUE;
    return;
  }
  g_atomic_int_set (&ear->state, EAR_IS_IDLE);
  ear->heard = (Heard) {
  0,};
  run_path (ear);
  g_clear_object (&ear->path);
}

/* --- All of them --- */

static void
judge_ms (Ear * ear, const gchar * what, gdouble most, gdouble ms)
{
  g_autofree gchar *asked = g_strdup_printf ("<= %.0f ms", most);
  g_autofree gchar *found = g_strdup_printf ("%.2f ms", ms);

  rig_report_timing (&ear->report, what, asked, found, ms <= most);
}

/* Up to what lost cycles explain, the run was disturbed; beyond that, the path
 * itself lost it: also where it was late since the machine stood still, which
 * the elements count then. */
static void
judge_loss (Ear * ear, const gchar * what, guint64 n_frames, guint64 n_excused)
{
  g_autofree gchar *beyond = g_strdup_printf ("%s beyond lost cycles", what);

  rig_report_loss (&ear->report, what, 0, n_frames);
  rig_report_loss (&ear->report, beyond, 0,
      n_frames > n_excused ? n_frames - n_excused : 0);
  ear->report.was_disturbed |= n_frames > 0 && n_frames <= n_excused;
}

static void
judge_counters (Ear * ear)
{
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT,
      ear->n_counted);

  rig_report_timing (&ear->report, "underruns and overruns counted", "0", found,
      ear->n_counted == 0);
  rig_report_stall (&ear->report, ear->stall, MAX_STALL_MS);
}

/* WirePlumber takes no device with it. */
static void
judge_restarts (Ear * ear, guint n_starts)
{
  gboolean is_lost = !g_str_equal (ear->restarted, "wireplumber");
  guint64 most = (guint64) MAX_BACK * n_starts;
  g_autofree gchar *asked = g_strdup_printf ("<= %" G_GUINT64_FORMAT, most);
  g_autofree gchar *found = g_strdup_printf ("%" G_GUINT64_FORMAT,
      ear->total.n_silent);

  rig_report_row (&ear->report, "frames silent", asked, found,
      ear->total.n_silent <= most);
  rig_report_count (&ear->report, "device losses counted",
      is_lost ? 2 * n_starts : 0, ear->n_losses);
  rig_report_count (&ear->report, "starts heard to their end", n_starts,
      ear->n_whole);
}

static void
judge (Ear * ear, guint n_starts)
{
  rig_report_count (&ear->report, "frames altered", 0, ear->total.n_altered);
  rig_report_count (&ear->report, "frames repeated", 0, ear->total.n_repeated);
  rig_report_count (&ear->report, "starts heard", n_starts, ear->measured->len);
  if (ear->restarted) {
    judge_restarts (ear, n_starts);
    return;
  }
  judge_loss (ear, "frames lost", ear->total.n_lost, ear->n_lost_excused);
  judge_loss (ear, "frames silent", ear->total.n_silent, ear->n_silent_excused);
  judge_counters (ear);
  judge_ms (ear, "LATENCY, median of starts", MAX_LATENCY,
      rig_median_of (ear->reported));
  judge_ms (ear, "off from the LATENCY, median", MAX_OFF,
      rig_median_of (ear->offs));
  judge_ms (ear, "latency moved in a start, median", MAX_CHANGE,
      rig_median_of (ear->moves));
  rig_graph_print_late (ear->graph);
}

static gboolean
open_ear (Ear * ear)
{
  const RigGraphCalls calls = {.play = play,.hear = hear };
  gint tries = 100;

  ear->graph = rig_graph_open (&calls, ear);
  while (ear->graph && !rig_graph_connect (ear->graph) && --tries > 0)
    g_usleep (G_USEC_PER_SEC / 20);
  if (!ear->graph || tries == 0) {
    g_printerr ("the graph cannot be joined: run this below with-rig\n");
    return FALSE;
  }
  ear->loop = g_main_loop_new (NULL, FALSE);
  ear->offs = g_array_new (FALSE, FALSE, sizeof (gdouble));
  ear->reported = g_array_new (FALSE, FALSE, sizeof (gdouble));
  ear->measured = g_array_new (FALSE, FALSE, sizeof (gdouble));
  ear->moves = g_array_new (FALSE, FALSE, sizeof (gdouble));
  return TRUE;
}

static void
close_ear (Ear * ear)
{
  g_clear_pointer (&ear->stall, rig_stall_free);
  g_clear_pointer (&ear->graph, rig_graph_close);
  g_main_loop_unref (ear->loop);
  g_array_unref (ear->offs);
  g_array_unref (ear->reported);
  g_array_unref (ear->measured);
  g_array_unref (ear->moves);
}

gint
main (gint argc, gchar ** argv)
{
  Ear ear = {.path_text = rig_graph_path };
  gint seconds = 5, n_starts = 1;
  gboolean is_native = FALSE;
  const GOptionEntry options[] = {
    {"path", 0, 0, G_OPTION_ARG_STRING, &ear.path_text,
        "The pipeline, its ends named src and sink", "PIPELINE"},
    {"native", 0, 0, G_OPTION_ARG_NONE, &is_native,
        "Take the elements of PipeWire itself", NULL},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Length of the signal", "N"},
    {"starts", 0, 0, G_OPTION_ARG_INT, &n_starts, "How many starts", "N"},
    {"restart", 0, 0, G_OPTION_ARG_STRING, &ear.restarted,
        "Start a server of the rig again meanwhile", "SERVER"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &ear.report.judges_timing,
        "Judge the latency, too", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &ear.is_verbose,
        "Each change of the latency, and what the elements count", NULL},
    {NULL}
  };

  if (!rig_parse_options (options, &argc, &argv))
    return EXIT_FAILURE;
  if (is_native)
    ear.path_text = NATIVE_PATH;
  if (!open_ear (&ear))
    return EXIT_FAILURE;
  ear.n_frames = (guint64) seconds *RIG_RATE;
  ear.stall = rig_stall_new ();
  for (gint i = 0; i < n_starts && !ear.report.failed; i++)
    run_start (&ear);
  if (!ear.report.failed)
    judge (&ear, n_starts);
  close_ear (&ear);
  return rig_report_get_exit_code (&ear.report);
}
