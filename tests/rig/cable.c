/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads: the player's appsrc makes frames on its own streaming thread, the
 * ear's appsink judges them on another; the application only reads the account,
 * under the ear's lock. */

#include "cable.h"

#include <gst/app/app.h>
#include <string.h>

/* A linear congruential step is a bijection of 24-bit numbers: a number can be
 * read back from it. */
#define CODE_MASK 0xffffff
#define CODE_FACTOR 0x5bd1e5
#define CODE_OFFSET 0x2545f5
#define PROOF_FACTOR 0x9e3779b1

#define CHUNK_FRAMES 4800
/* Silence played before and after the signal, so that neither a sink's start
 * nor its end touches it */
#define MARGIN_FRAMES (RIG_RATE / 2)
/* So much silence after the last frame proves that nothing follows */
#define TAIL_FRAMES (RIG_RATE / 4)
/* So much of it anywhere, and nothing more will come */
#define GIVE_UP_FRAMES (5 * RIG_RATE)

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
  RigAccount account;
  /* [ear thread] */
  guint64 next;                 /* the number of the frame that should come */
  guint64 n_pending;            /* silent frames since the last of the signal */
  gboolean started;             /* the first buffer was here */
  gboolean is_done;
};

/* --- The signal --- */

static gfloat
code_to_sample (guint32 code)
{
  return ((gint32) (code & CODE_MASK) - 0x800000) / (gfloat) 0x800000;
}

static guint32
proof_of (guint32 number)
{
  guint32 mixed = number * PROOF_FACTOR;

  return (mixed ^ (mixed >> 15)) >> 8;
}

static void
write_frame (gfloat * frame, guint64 number)
{
  guint32 low = number & CODE_MASK;

  frame[0] = code_to_sample (low * CODE_FACTOR + CODE_OFFSET);
  frame[1] = code_to_sample (proof_of (low));
}

/* x with factor * x = 1 modulo 2^24, by Newton's iteration */
static guint32
inverse_of (guint32 factor)
{
  guint32 x = factor;
  gint i;

  for (i = 0; i < 4; i++)
    x *= 2 - factor * x;
  return x & CODE_MASK;
}

/* The low 24 bits of the number a frame carries, or -1 if it is none of ours */
static gint32
read_frame (const gfloat * frame)
{
  static const gfloat full_scale = 0x800000;
  gfloat scaled = frame[0] * full_scale;
  gfloat again[RIG_CHANNELS];
  guint32 code, number;

  /* written so that a NaN is refused as well */
  if (!(scaled >= -full_scale && scaled < full_scale))
    return -1;
  code = (guint32) ((gint32) scaled + 0x800000);
  number = ((code - CODE_OFFSET) * inverse_of (CODE_FACTOR)) & CODE_MASK;
  write_frame (again, number);
  return memcmp (again, frame, sizeof (again)) == 0 ? (gint32) number : -1;
}

static gboolean
frame_is_silent (const gfloat * frame)
{
  static const gfloat silence[RIG_CHANNELS] = { 0, };

  return memcmp (frame, silence, sizeof (silence)) == 0;
}

/* --- The ear --- */

/* Called with the lock. */
static void
account_for_number (RigEar * ear, guint32 number)
{
  guint32 ahead = (number - (guint32) ear->next) & CODE_MASK;

  /* Half of the numbers lie behind us. */
  if (ahead > CODE_MASK / 2) {
    ear->account.n_repeated++;
    return;
  }
  if (ear->next > 0)
    ear->account.n_silent += ear->n_pending;
  ear->account.n_lost += ahead;
  ear->account.n_heard++;
  ear->next += ahead + 1;
}

/* Called with the lock. */
static void
account_for_frame (RigEar * ear, const gfloat * frame)
{
  gint32 number;

  if (frame_is_silent (frame)) {
    ear->n_pending++;
    return;
  }
  number = read_frame (frame);
  if (number >= 0)
    account_for_number (ear, number);
  else
    ear->account.n_altered++;
  ear->n_pending = 0;
}

static gboolean
nothing_more_comes (RigEar * ear)
{
  guint64 enough = ear->next >= ear->n_frames ? TAIL_FRAMES : GIVE_UP_FRAMES;

  return ear->n_pending >= enough;
}

static void
listen (RigEar * ear, GstBuffer * buffer)
{
  GstMapInfo map;
  gsize i;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_mutex_lock (&ear->lock);
  if (ear->started && GST_BUFFER_IS_DISCONT (buffer))
    ear->account.n_missed++;
  ear->started = TRUE;
  for (i = 0; i < map.size / sizeof (gfloat); i += RIG_CHANNELS)
    account_for_frame (ear, (const gfloat *) map.data + i);
  g_mutex_unlock (&ear->lock);
  gst_buffer_unmap (buffer, &map);

  if (!ear->is_done && nothing_more_comes (ear)) {
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
  *account = ear->account;
  g_mutex_unlock (&ear->lock);
}

/* Whether all of n_frames arrived, and nothing else. */
gboolean
rig_account_print (const RigAccount * account, guint64 n_frames)
{
  g_print ("frames: %" G_GUINT64_FORMAT " played, %" G_GUINT64_FORMAT
      " heard, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " repeated, %"
      G_GUINT64_FORMAT " altered, %" G_GUINT64_FORMAT " silent in between\n",
      n_frames, account->n_heard, account->n_lost, account->n_repeated,
      account->n_altered, account->n_silent);
  if (account->n_missed > 0)
    g_print ("the ear itself lost sound %" G_GUINT64_FORMAT " times\n",
        account->n_missed);
  return account->n_heard == n_frames && account->n_lost == 0 &&
      account->n_repeated == 0 && account->n_altered == 0 &&
      account->n_silent == 0 && account->n_missed == 0;
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
      write_frame (frames, player->next);
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
