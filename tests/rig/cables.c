/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tests the rig itself, without any element of ours: the sound played into each
 * cable comes out at its other end, bit by bit.
 *
 *     with-rig one cables */

#include <stdlib.h>

#include "cable.h"

#define N_FRAMES (RIG_RATE)

static void
quit (gpointer user_data)
{
  g_main_loop_quit (user_data);
}

static gboolean
cable_is_exact (const gchar * sink, const gchar * source)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  RigAccount account;
  GstElement *player;
  RigEar *ear = rig_ear_new (source, N_FRAMES, quit, loop);

  if (!ear) {
    g_printerr ("the source “%s” cannot be opened\n", source);
    return FALSE;
  }
  player = rig_player_new (sink, N_FRAMES);
  gst_element_set_state (player, GST_STATE_PLAYING);
  g_main_loop_run (loop);

  gst_element_set_state (player, GST_STATE_NULL);
  gst_object_unref (player);
  rig_ear_get_account (ear, &account);
  rig_ear_free (ear);
  g_print ("%s to %s: ", sink, source);
  return rig_account_print (&account, N_FRAMES);
}

gint
main (gint argc, gchar ** argv)
{
  gboolean front, rear;

  gst_init (&argc, &argv);
  front = cable_is_exact ("cable", "mic");
  rear = cable_is_exact ("ear", "ear_tap");
  return front && rear ? EXIT_SUCCESS : EXIT_FAILURE;
}
