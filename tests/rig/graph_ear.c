/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The main job, heard in the graph of an audio server: microphone -> Python ->
 * speaker. Numbered frames go into the microphone within a cycle of the graph, and
 * come back at the speaker within another one, so every frame says exactly how long
 * it took. The server says which clients were not done with a cycle in time: such
 * a cycle is lost, and nobody but the machine is to blame. What is lost beyond
 * these cycles was lost by the path.
 *
 * Judged are bits, order and losses; with --timing also the latency, against the
 * LATENCY of the path and against itself. A run that lost only what the lost cycles
 * explain has told nothing (see undisturbed).
 *
 *   with-rig --server pipewire --quantum 512 one rig-graph-ear [--path PIPELINE]
 *       [--seconds 5] [--starts 1] [--timing] [--verbose]
 *
 * Threads: process () runs on the graph's thread, in real time. It owns what
 * “heard” has from the moment that is_playing is set until is_done is; the program
 * reads it after that. */

#include <gst/gst.h>
#include <math.h>
#include <stdlib.h>

#include "graph.h"
#include "report.h"

/* The path runs for so long before it is judged */
#define SETTLED_BLOCKS 94
#define MAX_OFF 3.0             /* ms, the median of the starts */
#define MAX_CHANGE 1.0          /* ms, within a start */
#define MAX_LATENCY 50.0        /* ms */
#define N_CHANGES 64

/* A place where frames were lost or silence was heard; the first one is where the
 * signal begins */
typedef struct
{
  guint64 number;               /* the first frame heard after it */
  guint64 n_lost, n_silent;     /* before this frame */
  gint64 latency;               /* of this frame, in frames */
} Change;

typedef struct
{
  RigListener listener;
  guint64 n_frames;             /* [const] to be played */
  guint64 start;                /* the position of frame 0 */
  guint64 n_played;
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
  gboolean is_verbose;
  GMainLoop *loop;              /* owned */
  GstElement *path;             /* owned; microphone to speaker */
  GArray *offs, *reported, *measured, *moves;   /* of gdouble, ms; of each start */
  RigAccount total;
  guint64 n_frames;             /* of a start */
  guint64 n_excused;            /* frames that the lost cycles explain */
  RigGraphLosses before;        /* a start */

  gint is_playing, is_done;     /* [atomic] the hand-over of heard */
  Heard heard;
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

/* The number of the frame to play at @position, or one beyond n_frames. A number
 * is where it stands: what a missed cycle does not play is lost. */
static guint64
number_at (Heard * heard, guint64 position)
{
  if (heard->n_played == 0)
    heard->start = position;
  heard->n_played++;
  return position - heard->start;
}

static void
process (gpointer user_data, guint64 position, guint n_frames,
    gfloat * const out[RIG_CHANNELS], const gfloat * const in[RIG_CHANNELS])
{
  Ear *ear = user_data;
  Heard *heard = &ear->heard;
  gboolean is_playing = g_atomic_int_get (&ear->is_playing)
      && !g_atomic_int_get (&ear->is_done);

  for (guint i = 0; i < n_frames; i++, position++) {
    const gfloat given[RIG_CHANNELS] = { in[0][i], in[1][i] };
    gfloat frame[RIG_CHANNELS] = { 0, };

    if (is_playing) {
      guint64 number = number_at (heard, position);

      if (number < heard->n_frames)
        rig_frame_write (frame, number);
      if (rig_listener_take (&heard->listener, given))
        note_frame (heard, (gint64) (position - heard->start
                - (heard->listener.next - 1)));
    }
    out[0][i] = frame[0];
    out[1][i] = frame[1];
  }
  if (is_playing && rig_listener_is_done (&heard->listener, heard->n_frames))
    g_atomic_int_set (&ear->is_done, TRUE);
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

/* A cycle that another client missed is silent or lost. One that the ear itself
 * missed is lost twice, unheard and not played, and heard as silence as well. */
static guint64
count_lost_cycles (Ear * ear)
{
  RigGraphLosses now;
  guint64 n_missed, n_late;

  rig_graph_get_losses (ear->graph, &now);
  n_missed = now.n_missed - ear->before.n_missed;
  n_late = now.n_late - ear->before.n_late;
  ear->n_excused +=
      (3 * n_missed + n_late) * rig_graph_get_quantum (ear->graph);
  return n_missed + n_late;
}

/* After is_done: nothing is written any more. */
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
  if (ear->is_verbose) {
    print_changes (&ear->heard);
    print_stats (ear);
  }
}

/* --- A start --- */

static gboolean
begin_when_settled (gpointer user_data)
{
  Ear *ear = user_data;

  if (rig_get_counter (ear->path, "sink", "num-blocks") < SETTLED_BLOCKS)
    return G_SOURCE_CONTINUE;
  rig_graph_get_losses (ear->graph, &ear->before);
  g_atomic_int_set (&ear->is_playing, TRUE);
  return G_SOURCE_REMOVE;
}

static gboolean
end_when_done (gpointer user_data)
{
  Ear *ear = user_data;

  if (!g_atomic_int_get (&ear->is_done))
    return G_SOURCE_CONTINUE;
  note_start (ear);
  g_main_loop_quit (ear->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  Ear *ear = user_data;

  rig_handle_message (&ear->report, message, ear->path, ear->loop);
  return G_SOURCE_CONTINUE;
}

static void
run_path (Ear * ear)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (ear->path);
  guint begin, end;

  gst_bus_add_watch (bus, on_message, ear);
  gst_element_set_state (ear->path, GST_STATE_PLAYING);
  begin = g_timeout_add (20, begin_when_settled, ear);
  end = g_timeout_add (20, end_when_done, ear);
  g_main_loop_run (ear->loop);
  if (ear->report.failed) {
    /* those that have not ended by themselves */
    if (!g_atomic_int_get (&ear->is_playing))
      g_source_remove (begin);
    if (!g_atomic_int_get (&ear->is_done))
      g_source_remove (end);
  }
  gst_bus_remove_watch (bus);
  gst_element_set_state (ear->path, GST_STATE_NULL);
}

static void
run_start (Ear * ear)
{
  g_autoptr (GError) error = NULL;

  ear->path = gst_parse_launch (ear->path_text, &error);
  if (!ear->path) {
    g_printerr ("%s\n", error->message);
    ear->report.failed = TRUE;
    return;
  }
  g_atomic_int_set (&ear->is_playing, FALSE);
  g_atomic_int_set (&ear->is_done, FALSE);
  ear->heard = (Heard) {
  .n_frames = ear->n_frames};
  run_path (ear);
  g_clear_object (&ear->path);
}

/* --- All of them --- */

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static gdouble
median_of (GArray * values)
{
  if (!values->len)
    return NAN;
  g_array_sort (values, compare);
  return g_array_index (values, gdouble, values->len / 2);
}

static void
judge_ms (Ear * ear, const gchar * what, gdouble most, gdouble ms)
{
  g_autofree gchar *asked = g_strdup_printf ("<= %.0f ms", most);
  g_autofree gchar *found = g_strdup_printf ("%.2f ms", ms);

  rig_report_timing (&ear->report, what, asked, found, ms <= most);
}

/* What was lost beyond the lost cycles is the path's own fault; up to them, the
 * run was disturbed. */
static void
judge_losses (Ear * ear)
{
  guint64 n_gone = ear->total.n_lost + ear->total.n_silent;

  rig_report_count (&ear->report, "frames altered", 0, ear->total.n_altered);
  rig_report_count (&ear->report, "frames repeated", 0, ear->total.n_repeated);
  rig_report_count (&ear->report, "lost or silent without a reason", 0,
      n_gone > ear->n_excused ? n_gone - ear->n_excused : 0);
  if (n_gone > 0) {
    rig_report_loss (&ear->report, "frames lost", 0, ear->total.n_lost);
    rig_report_loss (&ear->report, "frames silent", 0, ear->total.n_silent);
    ear->report.was_disturbed = TRUE;
  }
}

static void
judge (Ear * ear, guint n_starts)
{
  judge_losses (ear);
  rig_report_count (&ear->report, "starts heard", n_starts, ear->measured->len);
  judge_ms (ear, "LATENCY, median of starts", MAX_LATENCY,
      median_of (ear->reported));
  judge_ms (ear, "off from the LATENCY, median", MAX_OFF,
      median_of (ear->offs));
  judge_ms (ear, "latency moved in a start, median", MAX_CHANGE,
      median_of (ear->moves));
  rig_graph_print_late (ear->graph);
}

static gboolean
open_ear (Ear * ear)
{
  gint tries = 100;

  ear->graph = rig_graph_open (process, ear);
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
  const GOptionEntry options[] = {
    {"path", 0, 0, G_OPTION_ARG_STRING, &ear.path_text,
        "The pipeline, its ends named src and sink", "PIPELINE"},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Length of the signal", "N"},
    {"starts", 0, 0, G_OPTION_ARG_INT, &n_starts, "How many starts", "N"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &ear.report.judges_timing,
        "Judge the latency, too", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &ear.is_verbose,
        "Each change of the latency, and what the elements count", NULL},
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
  if (!open_ear (&ear))
    return EXIT_FAILURE;
  ear.n_frames = (guint64) seconds *RIG_RATE;
  for (gint i = 0; i < n_starts && !ear.report.failed; i++)
    run_start (&ear);
  if (!ear.report.failed)
    judge (&ear, n_starts);
  close_ear (&ear);
  return rig_report_get_exit_code (&ear.report);
}
