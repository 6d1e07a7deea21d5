/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads: the player's appsrc makes frames on its own streaming thread, the
 * ear's appsink checks them on another. The application only reads the results,
 * under the ear's lock. */

#include "cable.h"

#include <gst/app/app.h>

#define CHUNK_FRAMES 4800
/* Silence played before and after the signal, so that neither a sink's start
 * nor its end touches it */
#define MARGIN_FRAMES (RIG_RATE / 2)
#define CAPS "audio/x-raw, format = (string) F32LE, rate = (int) 48000, " \
    "channels = (int) 2, layout = (string) interleaved"

struct _RigEar
{
  GstElement *pipeline;         /* owned */
  guint64 n_frames;             /* [const] how many are played */
  RigEarDone done;              /* [const] */
  gpointer user_data;           /* [const] */

  GMutex lock;
  /* [lock] */
  RigListener listener;
  /* [ear thread] */
  gboolean started;             /* the first buffer was here */
  gboolean is_done;
};

/* --- The ear --- */

static void
listen (RigEar * ear, GstBuffer * buffer)
{
  GstMapInfo map;
  gboolean is_done;
  gsize i;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_mutex_lock (&ear->lock);
  if (ear->started && GST_BUFFER_IS_DISCONT (buffer))
    ear->listener.account.n_missed++;
  ear->started = TRUE;
  for (i = 0; i < map.size / sizeof (gfloat); i += RIG_CHANNELS)
    rig_listener_take (&ear->listener, (const gfloat *) map.data + i);
  is_done = rig_listener_is_done (&ear->listener, ear->n_frames);
  g_mutex_unlock (&ear->lock);
  gst_buffer_unmap (buffer, &map);

  if (!ear->is_done && is_done) {
    ear->is_done = TRUE;
    ear->done (ear->user_data);
  }
}

static GstFlowReturn
on_new_sample (GstAppSink * sink, gpointer user_data)
{
  GstSample *sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return GST_FLOW_EOS;
  listen (user_data, gst_sample_get_buffer (sample));
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

/* Returns once the ear hears; what is played from now on is all accounted for.
 * NULL if it cannot hear. */
RigEar *
rig_ear_new (const gchar * source, guint64 n_frames, RigEarDone done,
    gpointer user_data)
{
  RigEar *ear = g_new0 (RigEar, 1);
  GstAppSinkCallbacks callbacks = {.new_sample = on_new_sample };
  g_autofree gchar *description = NULL;
  g_autoptr (GstElement) sink = NULL;

  g_mutex_init (&ear->lock);
  ear->n_frames = n_frames;
  ear->done = done;
  ear->user_data = user_data;
  description = g_strdup_printf ("pulsesrc device=%s buffer-time=1000000 "
      "latency-time=50000 slave-method=none provide-clock=false ! "
      CAPS " ! appsink name=sink sync=false", source);
  ear->pipeline = gst_parse_launch (description, NULL);
  sink = gst_bin_get_by_name (GST_BIN (ear->pipeline), "sink");
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, ear, NULL);

  gst_element_set_state (ear->pipeline, GST_STATE_PLAYING);
  if (gst_element_get_state (ear->pipeline, NULL, NULL,
          GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_FAILURE)
    g_clear_pointer (&ear, rig_ear_free);
  return ear;
}

void
rig_ear_get_account (RigEar * ear, RigAccount * account)
{
  g_mutex_lock (&ear->lock);
  *account = ear->listener.account;
  g_mutex_unlock (&ear->lock);
}

void
rig_ear_free (RigEar * ear)
{
  gst_element_set_state (ear->pipeline, GST_STATE_NULL);
  gst_object_unref (ear->pipeline);
  g_mutex_clear (&ear->lock);
  g_free (ear);
}

/* --- The player --- */

typedef struct
{
  guint64 n_frames;             /* [const] */
  gint64 next;                  /* [player thread] negative in the margin */
} Player;

static void
fill_chunk (Player * player, gfloat * frames)
{
  gint i;

  for (i = 0; i < CHUNK_FRAMES; i++, player->next++, frames += RIG_CHANNELS) {
    if (player->next >= 0 && player->next < (gint64) player->n_frames)
      rig_frame_write (frames, player->next);
    else
      frames[0] = frames[1] = 0;
  }
}

static void
on_need_data (GstAppSrc * src, guint n_bytes, gpointer user_data)
{
  Player *player = user_data;
  gsize size = CHUNK_FRAMES * RIG_CHANNELS * sizeof (gfloat);
  GstBuffer *buffer;
  GstMapInfo map;

  if (player->next >= (gint64) player->n_frames + MARGIN_FRAMES) {
    gst_app_src_end_of_stream (src);
    return;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  fill_chunk (player, (gfloat *) map.data);
  gst_buffer_unmap (buffer, &map);
  gst_app_src_push_buffer (src, buffer);
}

/* A pipeline, in READY; it plays n_frames and then ends. */
GstElement *
rig_player_new (const gchar * sink, guint64 n_frames)
{
  GstAppSrcCallbacks callbacks = {.need_data = on_need_data };
  Player *player = g_new0 (Player, 1);
  g_autofree gchar *description = NULL;
  g_autoptr (GstElement) src = NULL;
  GstElement *pipeline;

  player->n_frames = n_frames;
  player->next = -MARGIN_FRAMES;
  description = g_strdup_printf ("appsrc name=src format=time max-bytes=1 "
      "caps=\"" CAPS "\" ! pulsesink device=%s sync=false buffer-time=1000000 "
      "latency-time=50000 provide-clock=false", sink);
  pipeline = gst_parse_launch (description, NULL);
  src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  gst_app_src_set_callbacks (GST_APP_SRC (src), &callbacks, player, g_free);
  gst_element_set_state (pipeline, GST_STATE_READY);
  return pipeline;
}
