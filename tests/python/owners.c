/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two owners of one interpreter, in a process that is not Python's: here
 * ndapybridge starts it, and gst-python's loader comes to it later. (gst-launch
 * makes all elements first, so that it is the other way round there.) */

#include <gst/gst.h>

#include <stdlib.h>

#define BRIDGE "audiotestsrc num-buffers=2000 ! audio/x-raw, rate=48000 ! " \
    "ndapybridge plugin=passthrough ! fakesink"
#define BOTH "ndatonesrc num-buffers=300 ! ndapybridge plugin=passthrough ! " \
    "ndaspectrum ! fakesink"

static GstElement *
play (const gchar * description)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);

  if (error)
    g_error ("%s", error->message);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  return pipeline;
}

/* Whether it ended well. */
static gboolean
finish (GstElement * pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean is_eos = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;

  if (!is_eos) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return is_eos;
}

int
main (int argc, char **argv)
{
  GstElement *bridge, *both;
  gboolean good;

  gst_init (&argc, &argv);
  bridge = play (BRIDGE);
  good = gst_element_get_state (bridge, NULL, NULL, GST_CLOCK_TIME_NONE)
      != GST_STATE_CHANGE_FAILURE;
  both = play (BOTH);
  good &= finish (both);
  good &= finish (bridge);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
