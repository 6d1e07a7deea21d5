/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Devices that are lost without a word. The watch goes by the machine's time,
 * so these tests take seconds; none of them has a limit of its own. */

#include "config.h"

#include "frail.h"
#include "microphone.h"
#include "speaker.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- pipelines --- */

/* Of @source, or a launch description of one, with the system's clock */
static GstElement *
play_source (GstElement * source)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *src = gst_check_setup_element ("ndasrc");
  GstElement *sink = gst_check_setup_element ("fakesink");
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();

  gst_object_set_name (GST_OBJECT (src), "nda");
  g_object_set (src, "source", source, NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (pipeline), src, sink, NULL);
  fail_unless (gst_element_link (src, sink));
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

static void
stop (GstElement * pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* Meanwhile @microphone gives something now and then, if there is one. */
static void
wait_until_told_fed (GstElement * pipeline, gboolean expected,
    GstElement * microphone)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
        microphone ? 10 * GST_MSECOND : GST_CLOCK_TIME_NONE,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    gboolean is_lost;

    if (microphone)
      test_microphone_give (TEST_MICROPHONE (microphone), 1);
    if (!message)
      continue;
    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    if (gst_structure_get_boolean (gst_message_get_structure (message),
            "device-lost", &is_lost)) {
      fail_unless_equals_int (is_lost, expected);
      return;
    }
  }
}

static void
wait_until_told (GstElement * pipeline, gboolean expected)
{
  wait_until_told_fed (pipeline, expected, NULL);
}

static guint64
count (GstElement * pipeline, const gchar * field)
{
  g_autoptr (GstElement) nda = gst_bin_get_by_name (GST_BIN (pipeline), "nda");
  g_autoptr (GstStructure) stats = NULL;
  guint64 n;

  g_object_get (nda, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, field, &n));
  return n;
}

/* --- a source that gives nothing --- */

GST_START_TEST (test_a_source_that_gives_nothing_is_lost)
{
  g_autoptr (GstElement) microphone =
      gst_object_ref_sink (test_microphone_new ());
  GstElement *pipeline = play_source (microphone);

  test_microphone_give (TEST_MICROPHONE (microphone), 10);
  wait_until_told (pipeline, TRUE);
  wait_until_told_fed (pipeline, FALSE, microphone);

  fail_unless_equals_uint64 (count (pipeline, "num-device-losses"), 1);
  stop (pipeline);
}

GST_END_TEST;

/* A thread that is kept downstream, and whoever waits for that */
typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean is_kept, may_go;     /* [lock] */
} Keeper;

static GstPadProbeReturn
keep (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Keeper *keeper = user_data;

  g_mutex_lock (&keeper->lock);
  keeper->is_kept = TRUE;
  g_cond_broadcast (&keeper->changed);
  while (!keeper->may_go)
    g_cond_wait (&keeper->changed, &keeper->lock);
  g_mutex_unlock (&keeper->lock);
  return GST_PAD_PROBE_REMOVE;
}

static void
keep_thread (Keeper * keeper, GstElement * pipeline)
{
  g_autoptr (GstElement) nda = gst_bin_get_by_name (GST_BIN (pipeline), "nda");
  g_autoptr (GstElement) convert = gst_bin_get_by_name (GST_BIN (nda),
      "convert");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (convert, "src");

  g_mutex_init (&keeper->lock);
  g_cond_init (&keeper->changed);
  keeper->is_kept = keeper->may_go = FALSE;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, keep, keeper, NULL);
}

static void
wait_until_kept (Keeper * keeper)
{
  g_mutex_lock (&keeper->lock);
  while (!keeper->is_kept)
    g_cond_wait (&keeper->changed, &keeper->lock);
  g_mutex_unlock (&keeper->lock);
}

static void
let_go (Keeper * keeper)
{
  g_mutex_lock (&keeper->lock);
  keeper->may_go = TRUE;
  g_cond_broadcast (&keeper->changed);
  g_mutex_unlock (&keeper->lock);
}

/* For as long as another, which gives nothing, takes to be lost */
GST_START_TEST (test_a_source_that_is_kept_downstream_is_not_lost)
{
  g_autoptr (GstElement) kept = gst_object_ref_sink (test_microphone_new ());
  g_autoptr (GstElement) silent = gst_object_ref_sink (test_microphone_new ());
  GstElement *pipeline = play_source (kept);
  GstElement *other;
  Keeper keeper;

  test_microphone_give (TEST_MICROPHONE (kept), 2);
  keep_thread (&keeper, pipeline);
  test_microphone_give (TEST_MICROPHONE (kept), 10);
  wait_until_kept (&keeper);
  other = play_source (silent);
  test_microphone_give (TEST_MICROPHONE (silent), 10);
  wait_until_told (other, TRUE);

  fail_unless_equals_uint64 (count (pipeline, "num-device-losses"), 0);
  let_go (&keeper);
  stop (other);
  stop (pipeline);
}

GST_END_TEST;

/* --- a sink that takes nothing --- */

GST_START_TEST (test_a_sink_that_takes_nothing_is_lost)
{
  GstElement *pipeline = gst_parse_launch ("audiotestsrc is-live=true "
      "samplesperbuffer=512 ! audio/x-raw, rate = 48000 ! ndasink name=nda",
      NULL);
  g_autoptr (GstElement) nda = gst_bin_get_by_name (GST_BIN (pipeline), "nda");
  g_autoptr (GstElement) speaker = gst_object_ref_sink (test_speaker_new (0));
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();

  g_object_set (nda, "sink", speaker, NULL);
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (count (pipeline, "num-blocks") < 10)
    g_thread_yield ();
  test_speaker_hold (TEST_SPEAKER (speaker));
  wait_until_told (pipeline, TRUE);
  wait_until_told (pipeline, FALSE);

  fail_unless_equals_uint64 (count (pipeline, "num-device-losses"), 1);
  stop (pipeline);
}

GST_END_TEST;

/* --- PipeWire's own elements --- */

static void
silent_class_init (gpointer class, gpointer unused)
{
  gst_element_class_set_static_metadata (class, "PipeWire source",
      "Source/Video", "Stands in for pipewiresrc", "the nda authors");
}

/* A source under the name of PipeWire's, which goes on for ever */
static GstElement *
make_native (void)
{
  GType parent = frail_get_type ("firmsrc");
  GTypeQuery query;
  GType type;

  g_type_query (parent, &query);
  type = g_type_register_static_simple (parent, "GstPipeWireSrc",
      query.class_size, silent_class_init, query.instance_size, NULL, 0);
  return g_object_new (type, NULL);
}

/* A server that takes connections and says nothing */
static gint
serve (const gchar * path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX };
  gint server = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  fail_unless_equals_int (bind (server, (struct sockaddr *) &address,
          sizeof address), 0);
  fail_unless_equals_int (listen (server, 1), 0);
  return server;
}

/* While the pipeline plays, and while it is paused; another one is there at
 * once. */
GST_START_TEST (test_a_server_that_ends_without_a_word_is_a_loss)
{
  g_autofree gchar *folder = g_dir_make_tmp ("nda-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "pipewire-0", NULL);
  gint server = serve (path);
  GstElement *pipeline;
  gint client;

  g_setenv ("PIPEWIRE_RUNTIME_DIR", folder, TRUE);
  g_unsetenv ("PIPEWIRE_REMOTE");
  pipeline = play_source (make_native ());
  client = accept (server, NULL, NULL);
  while (count (pipeline, "num-blocks") < 2)
    g_thread_yield ();
  if (__i__)
    gst_element_set_state (pipeline, GST_STATE_PAUSED);
  close (server);
  close (client);
  g_unlink (path);
  server = serve (path);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_until_told (pipeline, TRUE);
  wait_until_told (pipeline, FALSE);

  fail_unless_equals_uint64 (count (pipeline, "num-device-losses"), 1);
  stop (pipeline);
  close (server);
  g_unlink (path);
  g_rmdir (folder);
}

GST_END_TEST;

/* As PipeWire's does where its server stamps nothing: a probe before ours takes
 * the stamps away. */
static GstPadProbeReturn
unstamp (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  info->data = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)) = GST_CLOCK_TIME_NONE;
  return GST_PAD_PROBE_OK;
}

/* What ndasrc takes from its source */
static GstPadProbeReturn
note_stamp (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstElement *pipeline = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime now = gst_element_get_current_running_time (pipeline);

  fail_unless (GST_BUFFER_PTS_IS_VALID (buffer));
  fail_unless (GST_BUFFER_PTS (buffer) <= now);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_what_pipewire_does_not_stamp_is_stamped)
{
  GstElement *native = make_native ();
  g_autoptr (GstPad) pad = gst_element_get_static_pad (native, "src");
  GstElement *pipeline;
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  g_autoptr (GstElement) nda = NULL;
  g_autoptr (GstElement) convert = NULL;
  g_autoptr (GstPad) taken = NULL;
  GstClockTime min;
  gboolean is_live;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, unstamp, NULL, NULL);
  pipeline = play_source (native);
  nda = gst_bin_get_by_name (GST_BIN (pipeline), "nda");
  convert = gst_bin_get_by_name (GST_BIN (nda), "convert");
  taken = gst_element_get_static_pad (convert, "sink");
  gst_pad_add_probe (taken, GST_PAD_PROBE_TYPE_BUFFER, note_stamp, pipeline,
      NULL);
  while (count (pipeline, "num-blocks") < 20)
    g_thread_yield ();

  /* the first frame of a buffer is as old as that is long */
  fail_unless (gst_pad_peer_query (taken, query));
  gst_query_parse_latency (query, &is_live, &min, NULL);
  fail_unless (is_live);
  fail_unless_equals_uint64 (min, 512 * GST_SECOND / 48000);
  stop (pipeline);
}

GST_END_TEST;

static Suite *
watch_suite (void)
{
  Suite *suite = suite_create ("watch");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, frail_register, NULL);
  tcase_add_test (tcase, test_a_source_that_gives_nothing_is_lost);
  tcase_add_test (tcase, test_a_source_that_is_kept_downstream_is_not_lost);
  tcase_add_test (tcase, test_a_sink_that_takes_nothing_is_lost);
  tcase_add_test (tcase, test_what_pipewire_does_not_stamp_is_stamped);
  tcase_add_loop_test (tcase, test_a_server_that_ends_without_a_word_is_a_loss,
      0, 2);
  return suite;
}

GST_CHECK_MAIN (watch);
