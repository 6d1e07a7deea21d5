/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Compares the reported latency with the real one. Clicks go into the
 * microphone, and the number of frames until each leaves the speaker is
 * compared with the LATENCY query. Both ends are channels of one device of the
 * rig, so the latency is counted in frames, not timed. There are many starts,
 * because a device may fall behind at its start.
 *
 * With --python, source and sink are our Python plugins over PortAudio. No
 * plugin can say how much its device holds, so there is no LATENCY to compare
 * with.
 *
 * Every click must come through exactly once. The latency, which a busy machine
 * can spoil, is judged only with --timing.
 *
 *     with-rig one rig-click [--python] [--starts 10] [--timing] [--verbose] */

#include <gst/app/app.h>
#include <math.h>
#include <stdlib.h>

#include "cable.h"
#include "start.h"

#define EAR "pulsesrc device=rig.monitor buffer-time=1000000 " \
    "latency-time=10000 slave-method=none provide-clock=false ! " \
    "audio/x-raw, format = (string) F32LE, rate = (int) 48000, " \
    "channels = (int) 4, channel-mask = (bitmask) 0x33, " \
    "layout = (string) interleaved ! " \
    "appsink name=ear sync=false"
#define CLICKER "appsrc name=src format=time is-live=false " \
    "caps=\"audio/x-raw, format = (string) F32LE, rate = (int) 48000, " \
    "channels = (int) 2, layout = (string) interleaved\" ! " \
    "pulsesink device=cable sync=false provide-clock=false"

/* of the rig's device: the microphone's left channel, the speaker's, all */
#define MICROPHONE 0
#define SPEAKER 2
#define N_CHANNELS 4

#define N_CLICKS 5
#define CLICK_INTERVAL (RIG_RATE / 5)
/* The path runs for so long before it is judged */
#define SETTLED_BLOCKS 94
/* A click that takes longer is lost */
#define GIVE_UP_FRAMES (5 * RIG_RATE)

#define MAX_OFF_IN_THE_MEDIAN 2.0       /* ms */
#define MAX_OFF (512 * 1000.0 / RIG_RATE)       /* ms */
#define LATENCY_FROM 10.0
#define LATENCY_TO 50.0
#define MAX_LATENCY 60.0
#define MAX_PYTHON_LATENCY 80.0

typedef struct
{
  GstElement *pipeline;         /* owned */

  GMutex lock;
  /* [lock] */
  guint64 n_frames;             /* heard */
  guint64 went_in[N_CLICKS];    /* the frame of each click */
  guint64 came_out[N_CLICKS];
  guint n_in, n_out;            /* may exceed N_CLICKS */
} Ear;

typedef struct
{
  Ear ear;
  RigReport report;
  gboolean is_python;           /* source and sink are plugins */
  gboolean is_verbose;
  GArray *latencies;            /* of gdouble, ms; the median of each start */
  GArray *offs;                 /* of gdouble, ms; from what was reported */
  guint64 n_lost, n_extra;      /* clicks */
} Clicks;

/* --- The ear --- */

static void
note_click (guint64 * places, guint * n_places, guint64 frame)
{
  if (*n_places < N_CLICKS)
    places[*n_places] = frame;
  (*n_places)++;
}

static GstFlowReturn
on_new_sample (GstAppSink * sink, gpointer user_data)
{
  Ear *ear = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  const gfloat *frame;
  GstMapInfo map;

  if (!sample)
    return GST_FLOW_EOS;
  g_assert_true (gst_buffer_map (gst_sample_get_buffer (sample), &map,
          GST_MAP_READ));
  frame = (const gfloat *) map.data;
  g_mutex_lock (&ear->lock);
  for (gsize i = 0; i < map.size / (N_CHANNELS * sizeof (gfloat)); i++) {
    if (frame[MICROPHONE] > 0.5)
      note_click (ear->went_in, &ear->n_in, ear->n_frames);
    if (frame[SPEAKER] > 0.5)
      note_click (ear->came_out, &ear->n_out, ear->n_frames);
    frame += N_CHANNELS;
    ear->n_frames++;
  }
  g_mutex_unlock (&ear->lock);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return GST_FLOW_OK;
}

static gboolean
ear_open (Ear * ear)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_new_sample };
  g_autoptr (GstElement) sink = NULL;

  g_mutex_init (&ear->lock);
  ear->pipeline = gst_parse_launch (EAR, NULL);
  sink = gst_bin_get_by_name (GST_BIN (ear->pipeline), "ear");
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, ear, NULL);
  gst_element_set_state (ear->pipeline, GST_STATE_PLAYING);
  return gst_element_get_state (ear->pipeline, NULL, NULL,
      GST_CLOCK_TIME_NONE) != GST_STATE_CHANGE_FAILURE;
}

static void
ear_close (Ear * ear)
{
  gst_element_set_state (ear->pipeline, GST_STATE_NULL);
  gst_object_unref (ear->pipeline);
  g_mutex_clear (&ear->lock);
}

static void
ear_begin (Ear * ear)
{
  g_mutex_lock (&ear->lock);
  ear->n_frames = 0;
  ear->n_in = ear->n_out = 0;
  g_mutex_unlock (&ear->lock);
}

/* Whether all clicks came out, or none will any more. */
static gboolean
ear_is_done (Ear * ear)
{
  gboolean is_done;

  g_mutex_lock (&ear->lock);
  is_done = ear->n_frames > (N_CLICKS + 1) * CLICK_INTERVAL
      && (ear->n_out >= N_CLICKS || ear->n_frames > GIVE_UP_FRAMES);
  g_mutex_unlock (&ear->lock);
  return is_done;
}

/* --- The clicks --- */

static GstElement *
start_clicker (void)
{
  gsize n_samples = N_CLICKS * CLICK_INTERVAL * RIG_CHANNELS;
  gfloat *samples = g_new0 (gfloat, n_samples);
  GstElement *clicker = gst_parse_launch (CLICKER, NULL);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (clicker), "src");

  for (guint i = 0; i < N_CLICKS; i++)
    samples[(i * CLICK_INTERVAL + CLICK_INTERVAL / 2) * RIG_CHANNELS] = 1.0f;
  gst_app_src_push_buffer (GST_APP_SRC (src),
      gst_buffer_new_wrapped (samples, n_samples * sizeof (gfloat)));
  gst_app_src_end_of_stream (GST_APP_SRC (src));
  gst_element_set_state (clicker, GST_STATE_PLAYING);
  return clicker;
}

/* --- A start --- */

/* Handles what @path says for a while. FALSE after an error. */
static gboolean
attend (GstElement * path)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (path);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      20 * GST_MSECOND, GST_MESSAGE_ERROR | GST_MESSAGE_LATENCY);

  if (!message)
    return TRUE;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_LATENCY)
    return gst_bin_recalculate_latency (GST_BIN (path));
  rig_report_message (message);
  return FALSE;
}

/* Takes what the ear heard in this start. */
static void
note_start (Clicks * self, GstElement * path)
{
  Ear *ear = &self->ear;
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (gdouble));
  GstClockTime reported = rig_query_latency (path);
  gdouble latency, off;

  g_mutex_lock (&ear->lock);
  for (guint i = 0; i < MIN (MIN (ear->n_in, ear->n_out), N_CLICKS); i++) {
    gdouble ms = ((gdouble) ear->came_out[i] - ear->went_in[i])
        * 1000 / RIG_RATE;

    g_array_append_val (taken, ms);
  }
  self->n_lost += ear->n_out < N_CLICKS ? N_CLICKS - ear->n_out : 0;
  self->n_extra += ear->n_out > N_CLICKS ? ear->n_out - N_CLICKS : 0;
  g_mutex_unlock (&ear->lock);

  if (!taken->len)
    return;
  latency = rig_median_of (taken);
  off = fabs (latency - reported / 1e6);
  g_array_append_val (self->latencies, latency);
  g_array_append_val (self->offs, off);
  if (self->is_verbose)
    g_print ("reported %.2f ms, measured %.2f (%.2f to %.2f)\n",
        reported / 1e6, latency, g_array_index (taken, gdouble, 0),
        g_array_index (taken, gdouble, taken->len - 1));
}

static gboolean
run_start (Clicks * self)
{
  GstElement *path =
      rig_make_path (self->is_python ? RIG_PYTHON_PATH : RIG_PATH);
  GstElement *clicker = NULL;
  gboolean ok = path != NULL;

  if (!ok)
    return FALSE;
  gst_element_set_state (path, GST_STATE_PLAYING);
  while (ok && rig_get_counter (path, "sink", "num-blocks") < SETTLED_BLOCKS)
    ok = attend (path);
  if (ok) {
    ear_begin (&self->ear);
    clicker = start_clicker ();
  }
  while (ok && !ear_is_done (&self->ear))
    ok = attend (path);
  if (ok)
    note_start (self, path);

  gst_element_set_state (path, GST_STATE_NULL);
  gst_object_unref (path);
  if (clicker) {
    gst_element_set_state (clicker, GST_STATE_NULL);
    gst_object_unref (clicker);
  }
  return ok;
}

/* --- All of them --- */

static void
judge_ms (Clicks * self, const gchar * what, const gchar * asked, gdouble ms,
    gboolean is_good)
{
  g_autofree gchar *found = g_strdup_printf ("%.2f ms", ms);

  rig_report_timing (&self->report, what, asked, found, is_good);
}

static void
judge_offs (Clicks * self)
{
  gdouble off = rig_median_of (self->offs), furthest =
      rig_largest_of (self->offs);

  judge_ms (self, "off from the LATENCY, median", "<= 2 ms", off,
      off <= MAX_OFF_IN_THE_MEDIAN);
  judge_ms (self, "off from the LATENCY, furthest", "<= 10.67 ms", furthest,
      furthest <= MAX_OFF);
}

static void
judge (Clicks * self)
{
  gdouble latency = rig_median_of (self->latencies);
  gdouble longest = rig_largest_of (self->latencies);

  rig_report_loss (&self->report, "clicks lost", 0, self->n_lost);
  rig_report_count (&self->report, "clicks too many", 0, self->n_extra);
  if (self->is_python) {
    judge_ms (self, "click to click, longest of starts", "<= 80 ms", longest,
        longest <= MAX_PYTHON_LATENCY);
    return;
  }
  judge_ms (self, "click to click, median of starts", "10 to 50 ms", latency,
      latency >= LATENCY_FROM && latency <= LATENCY_TO);
  judge_ms (self, "click to click, longest", "<= 60 ms", longest,
      longest <= MAX_LATENCY);
  judge_offs (self);
}

gint
main (gint argc, gchar ** argv)
{
  Clicks self = {.is_verbose = FALSE };
  gint n_starts = 10;
  const GOptionEntry options[] = {
    {"python", 0, 0, G_OPTION_ARG_NONE, &self.is_python,
        "Hear our Python microphone and speaker instead", NULL},
    {"starts", 0, 0, G_OPTION_ARG_INT, &n_starts, "How many starts", "N"},
    {"timing", 0, 0, G_OPTION_ARG_NONE, &self.report.judges_timing,
        "Judge the latency, too", NULL},
    {"verbose", 0, 0, G_OPTION_ARG_NONE, &self.is_verbose,
        "A line for each start", NULL},
    {NULL}
  };

  if (!rig_parse_options (options, &argc, &argv))
    return EXIT_FAILURE;
  if (g_strcmp0 (g_getenv ("NDA_RIG_SERVER"), "pulse") != 0) {
    g_printerr
        ("rig-click hears all channels of a device of PulseAudio: run it "
        "below “with-rig one”; for other servers there is rig-graph-ear\n");
    return EXIT_FAILURE;
  }
  self.latencies = g_array_new (FALSE, FALSE, sizeof (gdouble));
  self.offs = g_array_new (FALSE, FALSE, sizeof (gdouble));
  self.report.failed = !ear_open (&self.ear);
  for (gint i = 0; i < n_starts && !self.report.failed; i++)
    self.report.failed = !run_start (&self);
  if (!self.report.failed)
    judge (&self);

  ear_close (&self.ear);
  g_array_unref (self.latencies);
  g_array_unref (self.offs);
  return rig_report_get_exit_code (&self.report);
}
