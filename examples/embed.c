/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Microphone to Python to speaker inside an application, or a file to a file.
 *
 *   gcc embed.c -o embed $(pkg-config --cflags --libs gstreamer-1.0)
 *   ./embed gain
 *   ./embed gain file:///home/me/in.wav out.wav
 */

#include <gst/gst.h>
#include <glib-unix.h>
#include <locale.h>

typedef struct
{
  GstElement *pipeline;         /* owned */
  GMainLoop *loop;              /* owned */
  gboolean failed;
} App;

/* The first text is for the user; the second, such as a plugin's traceback,
 * for whoever can mend it. */
static void
report (GstMessage * message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  g_printerr ("%s\n%s\n", error->message, debug ? debug : "");
}

static gboolean
on_message (GstBus * bus, GstMessage * message, gpointer user_data)
{
  App *app = user_data;

  if (message->type & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
    report (message);
  if (message->type == GST_MESSAGE_LATENCY)
    gst_bin_recalculate_latency (GST_BIN (app->pipeline));
  if (message->type == GST_MESSAGE_ERROR)
    app->failed = TRUE;
  if (message->type & (GST_MESSAGE_ERROR | GST_MESSAGE_EOS))
    g_main_loop_quit (app->loop);
  return G_SOURCE_CONTINUE;
}

/* Ctrl-C ends the stream, so that files are finished; a second one kills. */
static gboolean
on_interrupt (gpointer pipeline)
{
  gst_element_send_event (pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  App app = { NULL, g_main_loop_new (NULL, FALSE), FALSE };
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstStructure) stats = NULL;

  setlocale (LC_ALL, "");
  gst_init (&argc, &argv);
  app.pipeline = gst_parse_launch ("ndasrc name=src ! "
      "ndapybridge name=bridge ! ndasink name=sink", &error);
  if (error || argc < 2) {
    g_printerr ("usage: %s PLUGIN [INPUT-URI [OUTPUT-FILE]]\n%s\n", argv[0],
        error ? error->message : "");
    return 2;
  }
  /* NULL leaves it at the default microphone and speaker. */
  gst_child_proxy_set (GST_CHILD_PROXY (app.pipeline), "bridge::plugin",
      argv[1], "src::uri", argc > 2 ? argv[2] : NULL,
      "sink::location", argc > 3 ? argv[3] : NULL, NULL);
  bus = gst_element_get_bus (app.pipeline);
  gst_bus_add_watch (bus, on_message, &app);
  g_unix_signal_add (SIGINT, on_interrupt, app.pipeline);

  gst_element_set_state (app.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app.loop);

  gst_child_proxy_get (GST_CHILD_PROXY (app.pipeline), "bridge::stats", &stats,
      NULL);
  gst_println ("%" GST_PTR_FORMAT, stats);
  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (app.pipeline);
  g_main_loop_unref (app.loop);
  return app.failed;
}
