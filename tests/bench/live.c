/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long each block of a live stream takes through an element, and what
 * ndapybridge says of its waits; as one line of JSON, for live.py to lay out.
 *
 *   bench-live SECONDS NAME DESCRIPTION [BESIDE]
 *
 * BESIDE is another branch of the pipeline, which must end by itself.
 *
 * Threads: the source's notes when a block goes in, whoever pushes it out when
 * it comes out. Blocks keep their order, so the n-th out is the n-th in; each
 * number is written before its block is handed over. */

#include <gst/gst.h>
#include <stdlib.h>

#define BLOCK_FRAMES 512
#define RATE 48000
#define BLOCK_US (BLOCK_FRAMES * 1e6 / RATE)
#define SOURCE "audiotestsrc is-live=true samplesperbuffer=512 num-buffers=%u" \
    " ! audio/x-raw, channels = (int) 2, layout = (string) interleaved, " \
    "rate = (int) 48000 ! identity name=in"
/* Loading, connecting and the first blocks are not part of it */
#define N_STARTING 16

typedef struct
{
  guint n_blocks;
  GstClockTime *went_in;        /* owned; of each block */
  gdouble *latencies;           /* owned; in us */
  guint n_in;                   /* [source's thread] */
  guint n_out;                  /* [the last thread] */
} Bench;

static GstPadProbeReturn
on_in (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Bench *self = user_data;

  if (self->n_in < self->n_blocks)
    self->went_in[self->n_in++] = gst_util_get_timestamp ();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_out (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Bench *self = user_data;
  guint n = self->n_out;

  if (n < self->n_blocks) {
    self->latencies[n] = (gst_util_get_timestamp () - self->went_in[n]) / 1e3;
    self->n_out++;
  }
  return GST_PAD_PROBE_OK;
}

static GstElement *
build (Bench * self, const gchar * description, const gchar * beside)
{
  g_autofree gchar *text = g_strdup_printf (SOURCE " ! %s ! fakesink name=out "
      "sync=false %s", self->n_blocks, description, beside);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch_full (text, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_autoptr (GstElement) in = NULL;
  g_autoptr (GstElement) out = NULL;
  g_autoptr (GstPad) from = NULL;
  g_autoptr (GstPad) to = NULL;

  if (!pipeline) {
    g_printerr ("%s\n", error->message);
    exit (EXIT_FAILURE);
  }
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  from = gst_element_get_static_pad (in, "src");
  to = gst_element_get_static_pad (out, "sink");
  gst_pad_add_probe (from, GST_PAD_PROBE_TYPE_BUFFER, on_in, self, NULL);
  gst_pad_add_probe (to, GST_PAD_PROBE_TYPE_BUFFER, on_out, self, NULL);
  return pipeline;
}

static void
run (GstElement * pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return;
  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s\n", error->message);
  exit (EXIT_FAILURE);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static void
print_latencies (Bench * self)
{
  gdouble *values = self->latencies + N_STARTING;
  guint n_values = self->n_out - N_STARTING, n_late = 0;

  for (guint i = 0; i < n_values; i++)
    n_late += values[i] > BLOCK_US;
  qsort (values, n_values, sizeof (*values), compare);
  g_print ("\"blocks\": %u, \"p50_us\": %.1f, \"p99_us\": %.1f, "
      "\"p999_us\": %.1f, \"max_us\": %.1f, \"late\": %u", n_values,
      values[n_values / 2], values[n_values * 99 / 100],
      values[n_values * 999 / 1000], values[n_values - 1], n_late);
}

static void
print_percentiles (const GstStructure * stats, const gchar * name,
    const gchar * field)
{
  static const gchar *const kinds[] = { "p50", "p99", "p999", "max" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autofree gchar *key = g_strdup_printf ("%s-%s", kinds[i], field);
    guint64 value;

    if (!gst_structure_get_uint64 (stats, key, &value))
      g_error ("the stats of ndapybridge have changed");
    g_print (", \"%s_%s_us\": %.1f", name, kinds[i], value / 1e3);
  }
}

/* in us, as the bridge counts it; its first blocks are in it */
static void
print_stats (GstElement * pipeline)
{
  g_autoptr (GstElement) bridge = gst_bin_get_by_name (GST_BIN (pipeline),
      "bridge");
  g_autoptr (GstStructure) stats = NULL;
  guint64 n_late = 0;

  if (!bridge)
    return;
  g_object_get (bridge, "stats", &stats, NULL);
  print_percentiles (stats, "gil", "gil-wait");
  print_percentiles (stats, "call", "call-time");
  gst_structure_get_uint64 (stats, "num-late", &n_late);
  g_print (", \"num_late\": %" G_GUINT64_FORMAT, n_late);
}

gint
main (gint argc, gchar ** argv)
{
  Bench self = { 0, };
  GstElement *pipeline;

  gst_init (&argc, &argv);
  if (argc < 4 || argc > 5 || atoi (argv[1]) <= 0) {
    g_printerr ("usage: bench-live SECONDS NAME DESCRIPTION [BESIDE]\n");
    return 2;
  }
  self.n_blocks = atoi (argv[1]) * RATE / BLOCK_FRAMES + N_STARTING;
  self.went_in = g_new0 (GstClockTime, self.n_blocks);
  self.latencies = g_new0 (gdouble, self.n_blocks);
  pipeline = build (&self, argv[3], argc > 4 ? argv[4] : "");
  run (pipeline);

  g_print ("{\"bench\": \"live\", \"way\": \"%s\", ", argv[2]);
  print_latencies (&self);
  print_stats (pipeline);
  g_print ("}\n");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (self.went_in);
  g_free (self.latencies);
  return EXIT_SUCCESS;
}
