/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The main job in a process that is stopped by a signal, again and again, for
 * less and for more than a sound device bridges. Numbered frames go into the
 * microphone, and every frame is asked for at the speaker.
 *
 * Asked of each stall: silence of at most the stall and one period, of which
 * ndasink counts all but a block and a half; as much silence heard as sound
 * lost, so that the latency is as before; every bit in place. What ndasink
 * counts beyond that depends on when the machine lets it run, and is judged
 * with --timing. The path plays on for a while (--gap) between two stalls,
 * counted in frames that are heard.
 *
 * A stall during which this machine itself stood still, or the ear lost sound,
 * tells nothing: it is left out and made again.
 *
 *   with-rig [--server pipewire] one rig-stalls [--stalls 3] [--gap 1]
 *       [--timing] [--path PIPELINE] [--verbose]
 *
 * Threads: the program stops the path and compares accounts; the player and the
 * ear have their own (cable.h). The path has its own process, which is this
 * program with --be-path; it answers each line with its counters. */

#define _GNU_SOURCE

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cable.h"
#include "start.h"

#define PERIOD 512              /* frames */
/* To how many frames a stall is counted: half a period for each underrun, of
 * which one stall may cause three on a busy machine */
#define MAX_MISCOUNTED (PERIOD * 3 / 2)
#define SETTLED_BLOCKS 94
/* A machine that stands still for so long can hold up a device on its own */
#define MAX_MACHINE_STALL 5000  /* us */
/* Frames by which the latency may be another one after a stall */
#define MAX_MOVED 48
#define POLL_US 20000
/* What a machine that stood still has upset may take so many gaps to settle */
#define MAX_CALM_TRIES 30

static const guint lengths[] = { 15, 34, 100 }; /* ms */

/* What the process of the path counts */
typedef struct
{
  guint64 n_silent;             /* frames */
  guint64 n_underruns;
  guint64 n_overruns;           /* of the source */
} Counters;

/* What one length of stalls came to */
typedef struct
{
  guint n_stalls, n_disturbed;
  guint64 n_silent, n_lost, n_counted;  /* frames, of all stalls */
  guint64 least_silent, most_silent;    /* frames, of one stall */
  guint64 n_excess;             /* silence beyond the stall and a period */
  guint64 most_uncounted;       /* heard, and not counted */
  guint64 most_overcounted;     /* counted, and not heard */
  guint64 most_moved;           /* |silent - lost| */
  guint64 n_altered, n_repeated;        /* frames, of all stalls */
  guint64 n_overruns;
} Outcome;

typedef struct
{
  RigEar *ear;                  /* owned */
  GstElement *player;           /* owned */
  RigStall *stall;              /* owned */
  RigReport report;
  GPid process;                 /* of the path */
  FILE *to_path, *from_path;    /* owned */
  guint64 gap;                  /* frames */
  gboolean is_verbose, has_timing;
  gint is_silent;               /* [atomic] the ear has given up */
  Outcome outcomes[G_N_ELEMENTS (lengths)];
} Stalls;

/* --- The process of the path --- */

typedef struct
{
  GstElement *path;             /* not owned */
  GMainLoop *loop;              /* not owned */
} Child;

/* Answers until its standard input ends. */
static gpointer
answer (gpointer user_data)
{
  Child *child = user_data;
  gchar line[16];

  while (fgets (line, sizeof (line), stdin)) {
    printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
        " %" G_GUINT64_FORMAT "\n",
        rig_get_counter (child->path, "sink", "num-blocks"),
        rig_get_counter (child->path, "sink", "num-frames-silent"),
        rig_get_counter (child->path, "sink", "num-underruns"),
        rig_get_counter (child->path, "src", "num-overruns"));
    fflush (stdout);
  }
  g_main_loop_quit (child->loop);
  return NULL;
}

static gint
be_path (const gchar * description)
{
  RigReport report = { FALSE, };
  Child child = {.path = rig_make_path (description) };
  GThread *thread;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (!child.path)
    return EXIT_FAILURE;
  child.loop = g_main_loop_new (NULL, FALSE);
  thread = g_thread_new ("answer", answer, &child);
  rig_run_path (child.path, &report, child.loop);
  gst_element_set_state (child.path, GST_STATE_NULL);
  if (report.failed)
    return EXIT_FAILURE;
  g_thread_join (thread);
  gst_object_unref (child.path);
  g_main_loop_unref (child.loop);
  return EXIT_SUCCESS;
}

static gboolean
start_path (Stalls * self, const gchar * program, const gchar * description)
{
  const gchar *argv[] = { program, "--be-path", description, NULL };
  g_autoptr (GError) error = NULL;
  gint to_path, from_path;

  if (!g_spawn_async_with_pipes (NULL, (gchar **) argv, NULL,
          G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &self->process, &to_path,
          &from_path, NULL, &error)) {
    g_printerr ("%s\n", error->message);
    return FALSE;
  }
  self->to_path = fdopen (to_path, "w");
  self->from_path = fdopen (from_path, "r");
  return TRUE;
}

/* FALSE: the path has ended. */
static gboolean
ask_path (Stalls * self, guint64 * n_blocks, Counters * counters)
{
  fputc ('\n', self->to_path);
  fflush (self->to_path);
  return fscanf (self->from_path, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
      " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, n_blocks,
      &counters->n_silent, &counters->n_underruns, &counters->n_overruns) == 4;
}

static gboolean
end_path (Stalls * self)
{
  gint status;

  fclose (self->to_path);
  fclose (self->from_path);
  return waitpid (self->process, &status, 0) == self->process
      && WIFEXITED (status) && WEXITSTATUS (status) == EXIT_SUCCESS;
}

/* --- One stall --- */

/* On the ear's thread: nothing has been heard for seconds. */
static void
on_silence (gpointer user_data)
{
  Stalls *self = user_data;

  g_atomic_int_set (&self->is_silent, TRUE);
}

/* Until so many more frames have been heard. FALSE: they never will. */
static gboolean
hear_more (Stalls * self, guint64 n_frames)
{
  RigAccount account;
  guint64 end;

  rig_ear_get_account (self->ear, &account);
  end = account.n_heard + n_frames;
  while (account.n_heard < end) {
    if (g_atomic_int_get (&self->is_silent))
      return FALSE;
    g_usleep (POLL_US);
    rig_ear_get_account (self->ear, &account);
  }
  return TRUE;
}

static void
subtract (RigAccount * account, const RigAccount * before)
{
  account->n_heard -= before->n_heard;
  account->n_lost -= before->n_lost;
  account->n_repeated -= before->n_repeated;
  account->n_altered -= before->n_altered;
  account->n_silent -= before->n_silent;
  account->n_missed -= before->n_missed;
}

/* Until all that is heard for a while is whole. FALSE: it never is. */
static gboolean
hear_calm (Stalls * self)
{
  RigAccount before, heard;

  for (guint i = 0; i < MAX_CALM_TRIES; i++) {
    rig_ear_get_account (self->ear, &before);
    if (!hear_more (self, self->gap))
      return FALSE;
    rig_ear_get_account (self->ear, &heard);
    subtract (&heard, &before);
    if (heard.n_lost + heard.n_repeated + heard.n_altered + heard.n_silent
        + heard.n_missed == 0)
      return TRUE;
  }
  return FALSE;
}

/* Returns how long it was, in us. */
static gint64
stop_path (Stalls * self, guint ms)
{
  gint64 begin = g_get_monotonic_time ();

  kill (self->process, SIGSTOP);
  g_usleep (ms * 1000);
  kill (self->process, SIGCONT);
  return g_get_monotonic_time () - begin;
}

static guint64
difference (guint64 a, guint64 b)
{
  return a > b ? a - b : b - a;
}

static void
note (Stalls * self, Outcome * outcome, gint64 length,
    const RigAccount * heard, const Counters * counted)
{
  guint64 allowed = length * RIG_RATE / G_USEC_PER_SEC + PERIOD;

  if (outcome->n_stalls++ == 0)
    outcome->least_silent = heard->n_silent;
  outcome->n_silent += heard->n_silent;
  outcome->n_lost += heard->n_lost;
  outcome->n_counted += counted->n_silent;
  outcome->n_altered += heard->n_altered;
  outcome->n_repeated += heard->n_repeated;
  outcome->n_overruns += counted->n_overruns;
  outcome->least_silent = MIN (outcome->least_silent, heard->n_silent);
  outcome->most_silent = MAX (outcome->most_silent, heard->n_silent);
  if (heard->n_silent > allowed)
    outcome->n_excess += heard->n_silent - allowed;
  if (heard->n_silent > counted->n_silent)
    outcome->most_uncounted = MAX (outcome->most_uncounted,
        heard->n_silent - counted->n_silent);
  else
    outcome->most_overcounted = MAX (outcome->most_overcounted,
        counted->n_silent - heard->n_silent);
  outcome->most_moved = MAX (outcome->most_moved,
      difference (heard->n_silent, heard->n_lost));
}

static void
print_stall (guint ms, gint64 length, gint64 machine, const RigAccount * heard,
    const Counters * counted)
{
  g_print ("%3u ms (%.1f, machine %.1f): %" G_GUINT64_FORMAT " silent, %"
      G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " counted, %"
      G_GUINT64_FORMAT " underruns, %" G_GUINT64_FORMAT " overruns\n", ms,
      length / 1e3, machine / 1e3, heard->n_silent, heard->n_lost,
      counted->n_silent, counted->n_underruns, counted->n_overruns);
}

/* Stops the path once, with what is heard and counted because of it. Returns
 * whether the stall has told something. */
static gboolean
stall_once (Stalls * self, guint which)
{
  RigAccount before, heard;
  Counters earlier, counted;
  guint64 n_blocks;
  gint64 begin = g_get_monotonic_time (), length, machine;

  rig_ear_get_account (self->ear, &before);
  self->report.failed |= !ask_path (self, &n_blocks, &earlier);
  length = stop_path (self, lengths[which]);
  self->report.failed |= !hear_more (self, self->gap)
      || !ask_path (self, &n_blocks, &counted);
  if (self->report.failed)
    return FALSE;
  machine = rig_stall_get_lately (self->stall, g_get_monotonic_time () - begin);
  rig_ear_get_account (self->ear, &heard);
  subtract (&heard, &before);
  counted.n_silent -= earlier.n_silent;
  counted.n_underruns -= earlier.n_underruns;
  counted.n_overruns -= earlier.n_overruns;
  if (self->is_verbose)
    print_stall (lengths[which], length, machine, &heard, &counted);
  if (machine > MAX_MACHINE_STALL || heard.n_missed > 0) {
    self->report.failed |= !hear_calm (self);
    return FALSE;
  }
  note (self, &self->outcomes[which], length, &heard, &counted);
  return TRUE;
}

/* --- All of them --- */

static gboolean
begin (Stalls * self)
{
  Counters counters;
  guint64 n_blocks = 0;

  while (n_blocks < SETTLED_BLOCKS) {
    g_usleep (POLL_US);
    if (!ask_path (self, &n_blocks, &counters))
      return FALSE;
  }
  self->player = rig_player_new ("cable", G_MAXINT64 / 2);
  gst_element_set_state (self->player, GST_STATE_PLAYING);
  return hear_calm (self);
}

/* Each length in turn; what was disturbed is made again. */
static void
stall_all (Stalls * self, guint n_stalls)
{
  for (guint i = 0; i < 2 * n_stalls; i++)
    for (guint which = 0; which < G_N_ELEMENTS (lengths); which++) {
      if (self->outcomes[which].n_stalls == n_stalls)
        continue;
      if (!stall_once (self, which))
        self->outcomes[which].n_disturbed++;
      if (self->report.failed)
        return;
    }
}

static void
judge_frames (Stalls * self, const gchar * what, guint ms, guint64 most,
    guint64 found)
{
  g_autofree gchar *name = g_strdup_printf ("%u ms: %s", ms, what);
  g_autofree gchar *asked = g_strdup_printf ("<= %" G_GUINT64_FORMAT, most);
  g_autofree gchar *text = g_strdup_printf ("%" G_GUINT64_FORMAT, found);

  rig_report_row (&self->report, name, asked, text, found <= most);
}

static void
judge_outcome (Stalls * self, guint which, guint n_stalls)
{
  const Outcome *outcome = &self->outcomes[which];
  guint ms = lengths[which];

  g_print ("%u ms, %u stalls (%u disturbed): silent %.1f to %.1f ms each; %"
      G_GUINT64_FORMAT " frames silent, %" G_GUINT64_FORMAT " lost, %"
      G_GUINT64_FORMAT " counted; %" G_GUINT64_FORMAT " overruns\n", ms,
      outcome->n_stalls, outcome->n_disturbed,
      outcome->least_silent * 1e3 / RIG_RATE,
      outcome->most_silent * 1e3 / RIG_RATE, outcome->n_silent,
      outcome->n_lost, outcome->n_counted, outcome->n_overruns);
  judge_frames (self, "silent beyond the stall", ms, 0, outcome->n_excess);
  judge_frames (self, "not counted, most", ms, MAX_MISCOUNTED,
      outcome->most_uncounted);
  if (self->has_timing)
    judge_frames (self, "counted beyond, most", ms, MAX_MISCOUNTED,
        outcome->most_overcounted);
  judge_frames (self, "latency moved, most", ms, MAX_MOVED,
      outcome->most_moved);
  judge_frames (self, "altered or repeated", ms, 0,
      outcome->n_altered + outcome->n_repeated);
  if (outcome->n_stalls < n_stalls) {
    self->report.lost = self->report.was_disturbed = TRUE;
    g_print ("%u ms: %u of %u stalls told something\n", ms, outcome->n_stalls,
        n_stalls);
  }
}

static void
judge (Stalls * self, guint n_stalls)
{
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    judge_outcome (self, i, n_stalls);
}

/* Makes a stall last as long as asked for on a busy machine, too. Threads that
 * are made later do not inherit the priority. */
static void
hurry (void)
{
  struct sched_param param = {.sched_priority = 80 };

  sched_setscheduler (0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static void
run (Stalls * self, guint n_stalls)
{
  hurry ();
  self->stall = rig_stall_new ();
  if (begin (self))
    stall_all (self, n_stalls);
  else
    self->report.failed = TRUE;
  if (self->report.failed)
    g_printerr ("the path has ended, or is not heard any more\n");
  else
    judge (self, n_stalls);
  self->report.failed |= !end_path (self);
  g_clear_pointer (&self->stall, rig_stall_free);
  if (self->player)
    gst_element_set_state (self->player, GST_STATE_NULL);
  gst_clear_object (&self->player);
}

gint
main (gint argc, gchar ** argv)
{
  Stalls self = { NULL, };
  const gchar *path = RIG_PATH, *own_path = NULL;
  gint n_stalls = 3;
  gdouble gap = 1;
  const GOptionEntry options[] = {
    {"path", 0, 0, G_OPTION_ARG_STRING, &path,
        "The pipeline, its ends named src and sink", "PIPELINE"},
    {"be-path", 0, 0, G_OPTION_ARG_STRING, &own_path,
        "Play the pipeline, and answer each line", "PIPELINE"},
    {"stalls", 0, 0, G_OPTION_ARG_INT, &n_stalls, "Stalls of each length", "N"},
    {"gap", 0, 0, G_OPTION_ARG_DOUBLE, &gap, "From stall to stall", "SECONDS"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &self.has_timing,
        "Judge what is counted beyond the silence", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &self.is_verbose, "Each stall", NULL},
    {NULL}
  };
  g_autofree gchar *program = g_file_read_link ("/proc/self/exe", NULL);

  if (!rig_parse_options (options, &argc, &argv))
    return EXIT_FAILURE;
  if (own_path)
    return be_path (own_path);
  self.gap = gap * RIG_RATE;
  self.ear = rig_ear_new ("ear_tap", G_MAXINT64 / 2, on_silence, &self);
  if (!self.ear || !start_path (&self, program, path)) {
    g_printerr ("there is no source “ear_tap”: run this below with-rig\n");
    return EXIT_FAILURE;
  }
  run (&self, n_stalls);
  rig_ear_free (self.ear);
  return rig_report_get_exit_code (&self.report);
}
