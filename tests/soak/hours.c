/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plays hours of live sound in minutes: the whole path on a test clock, which
 * moves on as soon as a thread waits for it. The source gives ten milliseconds
 * at a time, so every block is joined from two or three buffers. Every frame
 * that goes in must come out, and every time stamp is compared with the
 * computed one.
 *
 *     soak-hours HOURS
 *
 * Threads: the source's and the bridge's streaming threads, each of which owns
 * one Stream. The application's thread turns the clock, and reads both streams
 * at the end, when the pipeline is stopped. */

#include <gst/check/gsttestclock.h>
#include <malloc.h>
#include <stdlib.h>

#include "report.h"

#define PATH "ndasrc name=src source=\"audiotestsrc is-live=true " \
    "wave=white-noise samplesperbuffer=480 num-buffers=%u\" ! " \
    "audio/x-raw, channels = (int) 2, layout = (string) interleaved ! " \
    "ndapybridge name=bridge plugin=passthrough ! " \
    "ndasink name=sink sink=\"fakesink name=end sync=true\""

#define RATE 48000
#define BLOCK 512
#define SOURCE_FRAMES 480
#define FRAME_BYTES (2 * sizeof (gfloat))
#define MAX_GROWTH (256 * 1024)
/* The clock is looked at for so long before the bus is */
#define PATIENCE 100            /* ms */

/* What passes one place of the path, as a stream of 64-bit frames */
typedef struct
{
  guint64 n_frames;
  guint64 hash;
  guint64 n_buffers;
  guint64 n_odd;                /* buffers of a wrong length, time or offset */
  GstClockTime base;            /* the time stamp of the first */
} Stream;

static void
hash_frames (Stream * self, GstBuffer * buffer)
{
  const guint64 *frames;
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  frames = (const guint64 *) map.data;
  for (gsize i = 0; i < map.size / FRAME_BYTES; i++)
    self->hash = (self->hash ^ frames[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  self->n_frames += map.size / FRAME_BYTES;
  gst_buffer_unmap (buffer, &map);
}

static GstPadProbeReturn
on_source (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  hash_frames (user_data, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static GstClockTime
time_of (Stream * self, guint64 frame)
{
  return self->base + gst_util_uint64_scale (frame, GST_SECOND, RATE);
}

/* Whether a buffer that is not the last is one whole block where it belongs. */
static gboolean
is_exact (Stream * self, GstBuffer * buffer, guint64 n_frames)
{
  guint64 first = self->n_frames;

  return GST_BUFFER_PTS (buffer) == time_of (self, first)
      && GST_BUFFER_DURATION (buffer) == time_of (self, first + n_frames)
      - time_of (self, first)
      && GST_BUFFER_OFFSET (buffer) == first
      && GST_BUFFER_OFFSET_END (buffer) == first + n_frames
      && first == self->n_buffers * BLOCK;
}

static GstPadProbeReturn
on_end (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Stream *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (!self->n_buffers)
    self->base = GST_BUFFER_PTS (buffer);
  if (!is_exact (self, buffer, gst_buffer_get_size (buffer) / FRAME_BYTES))
    self->n_odd++;
  self->n_buffers++;
  hash_frames (self, buffer);
  return GST_PAD_PROBE_OK;
}

static void
probe (GstElement * path, const gchar * name, const gchar * pad_name,
    GstPadProbeCallback callback, Stream * stream)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (path), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, stream, NULL);
  gst_object_unref (element);
}

/* Finds the audiotestsrc, which has no name of its own. */
static void
probe_source (GstElement * path, Stream * stream)
{
  g_autoptr (GstIterator) all = gst_bin_iterate_all_by_element_factory_name
      (GST_BIN (path), "audiotestsrc");
  g_auto (GValue) item = G_VALUE_INIT;
  g_autoptr (GstPad) pad = NULL;

  g_assert_true (gst_iterator_next (all, &item) == GST_ITERATOR_OK);
  pad = gst_element_get_static_pad (g_value_get_object (&item), "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_source, stream, NULL);
}

/* Lets time pass until nobody waits for it any more. */
static void
turn (GstTestClock * clock)
{
  while (gst_test_clock_peek_id_count (clock) > 0
      || gst_test_clock_timed_wait_for_multiple_pending_ids (clock, 1,
          PATIENCE, NULL))
    gst_test_clock_crank (clock);
}

static gboolean
run (GstElement * path, GstTestClock * clock)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (path);
  g_autoptr (GstMessage) message = NULL;
  gboolean ok;

  gst_element_set_state (path, GST_STATE_PLAYING);
  while (!message) {
    turn (clock);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  }
  ok = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (!ok)
    rig_report_message (message);
  return ok;
}

static void
judge (RigReport * report, guint hours, const Stream * in, const Stream * out)
{
  g_autofree gchar *frames = g_strdup_printf ("%u h: frames", hours);
  g_autofree gchar *bits = g_strdup_printf ("%u h: bits", hours);
  g_autofree gchar *times = g_strdup_printf ("%u h: blocks with a wrong time",
      hours);

  rig_report_count (report, frames, (guint64) hours * 3600 * RATE,
      out->n_frames);
  rig_report_row (report, bits, "unchanged",
      in->hash == out->hash ? "unchanged" : "changed", in->hash == out->hash);
  rig_report_count (report, times, 0, out->n_odd);
}

static void
judge_growth (RigReport * report, guint hours, gssize growth)
{
  g_autofree gchar *what = g_strdup_printf ("%u h: memory still allocated",
      hours);
  g_autofree gchar *asked = g_strdup_printf ("<= +%d KiB", MAX_GROWTH / 1024);
  g_autofree gchar *found = g_strdup_printf ("%+" G_GSSIZE_FORMAT " KiB",
      growth / 1024);

  rig_report_row (report, what, asked, found, growth <= MAX_GROWTH);
}

/* Returns how much was allocated and not given back. */
static gssize
run_path (RigReport * report, guint seconds, Stream * in, Stream * out)
{
  g_autofree gchar *description = g_strdup_printf (PATH,
      seconds * (RATE / SOURCE_FRAMES));
  g_autoptr (GError) error = NULL;
  GstClock *clock = gst_test_clock_new ();
  GstElement *path;
  gsize before = mallinfo2 ().uordblks;

  path = gst_parse_launch (description, &error);
  if (!path)
    g_error ("%s", error->message);
  gst_pipeline_use_clock (GST_PIPELINE (path), clock);
  gst_element_set_state (path, GST_STATE_READY);
  probe_source (path, in);
  probe (path, "end", "sink", on_end, out);
  if (!run (path, GST_TEST_CLOCK (clock)))
    report->failed = TRUE;

  gst_element_set_state (path, GST_STATE_NULL);
  gst_object_unref (path);
  gst_object_unref (clock);
  return (gssize) (mallinfo2 ().uordblks - before);
}

gint
main (gint argc, gchar ** argv)
{
  RigReport report = {.judges_timing = TRUE };
  Stream warm_in = { 0, }, warm_out = { 0, }, in = { 0, }, out = { 0, };
  guint hours;
  gssize growth;

  gst_init (&argc, &argv);
  hours = argc == 2 ? atoi (argv[1]) : 0;
  if (!hours) {
    g_printerr ("usage: soak-hours HOURS\n");
    return 2;
  }
  /* what is loaded once is not growth */
  run_path (&report, 10, &warm_in, &warm_out);
  growth = run_path (&report, hours * 3600, &in, &out);
  judge (&report, hours, &in, &out);
  judge_growth (&report, hours, growth);
  return report.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
