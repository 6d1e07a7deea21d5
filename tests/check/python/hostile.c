/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Pipelines against the other side of a plugin's process, gone mad: nothing
 * ends the host, hangs or stays, and no sample comes out that neither went in
 * nor was made by it. NDA_HOSTILE_PIPELINES says how many, and
 * NDA_HOSTILE_SEED with which to begin. */

#include "config.h"

#include "bridge.h"

#include <errno.h>
#include <sys/wait.h>

#define N_PIPELINES 40
/* After so many all that is made once has been made */
#define N_FIRST 9

/* What goes in, and what the other side puts out */
#define INPUT 0.25f
#define OUTPUT 0.5f

static const gchar *const lines[] = {
  "appsrc name=src format=time caps=audio/x-raw,format=F32LE,rate=48000,"
      "layout=interleaved,channels=2,channel-mask=(bitmask)0x3 ! "
      "ndapybridge name=py plugin=gain ! fakesink name=sink",
  "ndapysrc num-buffers=20 name=py plugin=sine ! fakesink name=sink",
  "appsrc name=src format=time caps=audio/x-raw,format=F32LE,rate=48000,"
      "layout=interleaved,channels=2,channel-mask=(bitmask)0x3 ! "
      "ndapysink sync=false write-budget=100000000 name=py plugin=wav_recorder",
};

static guint
count_entries (const gchar * path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

/* Of those that we make: GLib ends those of its pools when it likes. */
static guint
count_our_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_strdup_printf ("/proc/self/task/%s/comm", name);
    g_autofree gchar *comm = NULL;

    n += g_file_get_contents (path, &comm, NULL, NULL)
        && g_str_has_prefix (comm, "nda-");
  }
  return n;
}

static guint
get_number (const gchar * name, guint otherwise)
{
  const gchar *text = g_getenv (name);

  return text ? g_ascii_strtoull (text, NULL, 10) : otherwise;
}

static void
check_samples (GstElement * sink, GstBuffer * buffer, GstPad * pad,
    gpointer data)
{
  GstMapInfo map;
  const gfloat *samples;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  samples = (const gfloat *) map.data;
  for (gsize i = 0; i < map.size / sizeof (gfloat); i++)
    fail_unless (samples[i] == 0.0f || samples[i] == INPUT
        || samples[i] == OUTPUT, "a sample of %f", samples[i]);
  gst_buffer_unmap (buffer, &map);
}

static void
push_blocks (GstElement * src)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gfloat block[2 * NDA_BLOCK_FRAMES];

  for (guint i = 0; i < G_N_ELEMENTS (block); i++)
    block[i] = INPUT;
  for (guint n = 0; n < 20; n++) {
    GstBuffer *buffer = gst_buffer_new_memdup (block, sizeof (block));

    GST_BUFFER_PTS (buffer) = n * NDA_BLOCK_DURATION;
    g_signal_emit_by_name (src, "push-buffer", buffer, &flow);
    gst_buffer_unref (buffer);
  }
  g_signal_emit_by_name (src, "end-of-stream", &flow);
}

static void
use_parameters (GstElement * py)
{
  g_autofree gchar *value = NULL;
  gboolean ok;

  g_signal_emit_by_name (py, "set-parameter", "a", "b", &ok);
  g_signal_emit_by_name (py, "get-parameter", "a", &value);
}

static void
set_up (GstElement * line, GstElement * py, guint seed)
{
  g_autofree gchar *text = g_strdup_printf ("%u", seed);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (line), "src");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (line), "sink");

  g_setenv ("NDA_HOSTILE_SEED", text, TRUE);
  gst_util_set_object_arg (G_OBJECT (py), "isolation", "process");
  gst_util_set_object_arg (G_OBJECT (py), "restart",
      seed % 4 ? "never" : "always");
  g_object_set (py, "python", HOSTILE_PYTHON, "deadline", 200 * GST_MSECOND,
      "timeout", 500 * GST_MSECOND, NULL);
  if (sink) {
    g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, "async", FALSE,
        NULL);
    g_signal_connect (sink, "handoff", G_CALLBACK (check_samples), NULL);
  }
  if (seed % 3 == 0)
    gst_util_set_object_arg (G_OBJECT (py), "on-error",
        seed % 5 ? "silence" : "passthrough");
  if (src)
    push_blocks (src);
}

static void
play (guint seed)
{
  g_autoptr (GstElement) line = gst_parse_launch (lines[seed % 3], NULL);
  g_autoptr (GstElement) py = gst_bin_get_by_name (GST_BIN (line), "py");
  g_autoptr (GstBus) bus = gst_element_get_bus (line);
  GstMessage *message = NULL;

  set_up (line, py, seed);
  if (gst_element_set_state (line, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE) {
    if (seed % 2)
      use_parameters (py);
    /* a source whose process is gone has no end */
    message = gst_bus_timed_pop_filtered (bus, seed % 3 == 1 ? GST_SECOND :
        GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  }
  g_clear_pointer (&message, gst_message_unref);
  fail_unless_equals_int (gst_element_set_state (line, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless (waitpid (-1, NULL, WNOHANG) < 0 && errno == ECHILD);
  assert_equals_int (count_our_threads (), 0);
}

GST_START_TEST (test_host_stays_as_it_is)
{
  guint seed = get_number ("NDA_HOSTILE_SEED", 0);
  guint n_pipelines = get_number ("NDA_HOSTILE_PIPELINES", N_PIPELINES);
  guint n_fds = 0;

  for (guint i = 0; i < n_pipelines; i++) {
    play (seed + i);
    if (i == N_FIRST)
      n_fds = count_entries ("/proc/self/fd");
  }
  if (n_pipelines > N_FIRST)
    assert_equals_int (count_entries ("/proc/self/fd"), n_fds);
}

GST_END_TEST;

static Suite *
hostile_suite (void)
{
  Suite *suite = suite_create ("hostile");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_host_stays_as_it_is);
  return suite;
}

GST_CHECK_MAIN (hostile);
