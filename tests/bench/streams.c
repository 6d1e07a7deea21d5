/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Many live streams in one program: how many blocks come late out of the
 * element in the middle of each. For streams.py, which reads what the program
 * costs meanwhile.
 *
 *   bench-streams STREAMS DESCRIPTION
 *
 * An @ in the description becomes the number of the stream, modulo the number
 * of processors.
 *
 * What happens is told on the standard output, and begun on the standard input
 * by a line: “playing SECONDS” once each stream has given a block; then a line
 * resets the counters, and the next one asks for them, as a line of JSON. The
 * end of the input ends the program.
 *
 * Also a library, for programs in Python that make the pipeline themselves:
 * bench_streams_run () is all of that. The sources are named in0, in1, ..., the
 * sinks out0, out1, ...
 *
 * Threads: each source's notes when a block goes in, whoever pushes it out
 * counts it. A block's time is written before the block is handed over. The
 * counters are read by the main thread, so they are atomic. */

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_FRAMES 512
#define RATE 48000
#define BLOCK_DURATION (BLOCK_FRAMES * GST_SECOND / RATE)
#define SOURCE "audiotestsrc name=in%u is-live=true samplesperbuffer=512 " \
    "wave=sine ! audio/x-raw, format = (string) " G_STRINGIFY (FORMAT) \
    ", channels = (int) 1, layout = (string) interleaved, rate = (int) 48000"
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define FORMAT F32LE
#else
#define FORMAT F32BE
#endif
/* Blocks of one stream that are on their way at most, times two */
#define N_TIMES 4096

typedef struct
{
  gint64 went_in[N_TIMES];      /* of the last blocks, ns */
  guint n_in;                   /* [source's thread] */
  guint n_out;                  /* [the last thread] */
  gint n_blocks;                /* [atomic] since the reset */
  gint n_late;                  /* [atomic] of these */
  gint longest;                 /* [atomic] us, of these */
} Stream;

typedef struct
{
  GstElement *pipeline;
  Stream *streams;              /* owned */
  guint n_streams;
} Bench;

void bench_streams_run (GstElement * pipeline, guint n_streams);

static GstPadProbeReturn
on_in (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Stream *self = user_data;

  self->went_in[self->n_in++ % N_TIMES] = gst_util_get_timestamp ();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_out (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Stream *self = user_data;
  gint64 took =
      gst_util_get_timestamp () - self->went_in[self->n_out++ % N_TIMES];

  if (took > (gint64) BLOCK_DURATION)
    g_atomic_int_inc (&self->n_late);
  if (took / 1000 > g_atomic_int_get (&self->longest))
    g_atomic_int_set (&self->longest, took / 1000);
  g_atomic_int_inc (&self->n_blocks);
  return GST_PAD_PROBE_OK;
}

static void
watch_pad (Bench * self, const gchar * prefix, guint n, const gchar * pad_name,
    GstPadProbeCallback callback)
{
  g_autofree gchar *name = g_strdup_printf ("%s%u", prefix, n);
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (self->pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback,
      &self->streams[n], NULL);
}

/* Ends the program when the pipeline has failed. */
static GstBusSyncReply
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
    _Exit (EXIT_FAILURE);
  }
  return GST_BUS_DROP;
}

static void
wait_for_blocks (Bench * self)
{
  for (guint n = 0; n < self->n_streams; n++)
    while (!g_atomic_int_get (&self->streams[n].n_blocks))
      g_usleep (1000);
}

static gboolean
read_line (void)
{
  gint c;

  do
    c = getchar ();
  while (c != EOF && c != '\n');
  return c == '\n';
}

/* The counters of the bridges: (late blocks, longest wait for the GIL in us).
 * Those of the start are in the second. */
static void
add_stats (const GValue * item, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  guint64 *sums = user_data, n_late = 0, wait = 0;
  g_autoptr (GstStructure) stats = NULL;

  if (!g_str_has_prefix (GST_OBJECT_NAME (element), "ndapybridge"))
    return;
  g_object_get (element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "num-late", &n_late);
  gst_structure_get_uint64 (stats, "max-gil-wait", &wait);
  sums[0] += n_late;
  sums[1] = MAX (sums[1], wait / 1000);
}

static void
read_stats (Bench * self, guint64 * sums)
{
  g_autoptr (GstIterator) elements =
      gst_bin_iterate_elements (GST_BIN (self->pipeline));

  sums[0] = sums[1] = 0;
  gst_iterator_foreach (elements, add_stats, sums);
}

static void
reset (Bench * self)
{
  for (guint n = 0; n < self->n_streams; n++) {
    g_atomic_int_set (&self->streams[n].n_blocks, 0);
    g_atomic_int_set (&self->streams[n].n_late, 0);
    g_atomic_int_set (&self->streams[n].longest, 0);
  }
}

static void
print_counts (Bench * self, guint64 * before)
{
  guint64 n_blocks = 0, n_late = 0, sums[2];
  gint longest = 0;

  for (guint n = 0; n < self->n_streams; n++) {
    n_blocks += g_atomic_int_get (&self->streams[n].n_blocks);
    n_late += g_atomic_int_get (&self->streams[n].n_late);
    longest = MAX (longest, g_atomic_int_get (&self->streams[n].longest));
  }
  read_stats (self, sums);
  printf ("{\"blocks\": %" G_GUINT64_FORMAT ", \"late\": %" G_GUINT64_FORMAT
      ", \"longest_us\": %d, \"num_late\": %" G_GUINT64_FORMAT
      ", \"max_gil_wait_us\": %" G_GUINT64_FORMAT "}\n", n_blocks, n_late,
      longest, sums[0] - before[0], sums[1]);
}

static void
measure (Bench * self, GstClockTime begin)
{
  guint64 before[2];

  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING)
      == GST_STATE_CHANGE_FAILURE)
    exit (EXIT_FAILURE);
  wait_for_blocks (self);
  printf ("playing %.3f\n",
      (gst_util_get_timestamp () - begin) / (gdouble) GST_SECOND);
  if (!read_line ())
    return;
  read_stats (self, before);
  reset (self);
  printf ("begun\n");
  while (read_line ())
    print_counts (self, before);
}

/* Runs @pipeline as the standard input says. Called without the GIL. */
void
bench_streams_run (GstElement * pipeline, guint n_streams)
{
  Bench self = { pipeline, g_new0 (Stream, n_streams), n_streams };
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  setvbuf (stdout, NULL, _IOLBF, 0);
  gst_bus_set_sync_handler (bus, on_message, NULL, NULL);
  for (guint n = 0; n < n_streams; n++) {
    watch_pad (&self, "in", n, "src", on_in);
    watch_pad (&self, "out", n, "sink", on_out);
  }
  measure (&self, gst_util_get_timestamp ());
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_free (self.streams);
}

#ifndef BENCH_STREAMS_LIBRARY
static gchar *
describe (guint n_streams, const gchar * way)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint n = 0; n < n_streams; n++) {
    g_autoptr (GString) middle = g_string_new (way);
    g_autofree gchar *number =
        g_strdup_printf ("%u", n % g_get_num_processors ());

    g_string_replace (middle, "@", number, 0);
    g_string_append_printf (text, SOURCE " ! %s ! fakesink name=out%u "
        "sync=false async=false ", n, middle->str, n);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gint
main (gint argc, gchar ** argv)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  gst_init (&argc, &argv);
  if (argc != 3 || atoi (argv[1]) <= 0) {
    g_printerr ("usage: bench-streams STREAMS DESCRIPTION\n");
    return 2;
  }
  text = describe (atoi (argv[1]), argv[2]);
  pipeline = gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS,
      &error);
  if (!pipeline) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  bench_streams_run (pipeline, atoi (argv[1]));
  gst_object_unref (pipeline);
  return EXIT_SUCCESS;
}
#endif
