/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads: a tap reads on the streaming thread of its pad; its lock guards the
 * result. */

#include "tap.h"

#include <math.h>

#include "cable.h"

#define AMPLITUDE 0.5
/* Below this the signal is not there */
#define SILENCE (AMPLITUDE / 4)
/* Far more than a resampler of 60 dB does, or a ratio that glides, and far less
 * than a frame */
#define STEP 0.05
/* Clocks that are 200 ppm apart differ by 0.4 ms within two of these (us) */
#define WINDOW (1 * G_USEC_PER_SEC)
#define ANGLE (2.0 * G_PI / RIG_TAP_PERIOD)

struct _RigTap
{
  gchar *name;                  /* [const] owned */
  GstPad *pad;                  /* [const] owned reference */
  gulong probe;                 /* [const] */

  GMutex lock;
  guint64 n_frames;             /* [lock] that passed */
  /* [lock] us: when the first frame would have come, by the buffer that came
   * earliest within this window and within the one before */
  gint64 earliest[2];
  gint64 window_end;            /* [lock] us */
  gint64 lateness;              /* [lock] us; the largest since it was asked */
  guint n_steps;                /* [lock] that were seen */
  RigStep steps[RIG_TAP_MAX_STEPS];     /* [lock] the first of them */

  /* [streaming thread] */
  gdouble last[2];              /* the last frame that was not silent */
  gboolean has_last;
  guint64 n_silent;             /* frames since then */
};

/* --- the player --- */

typedef struct
{
  guint next;                   /* [player thread] modulo the period */
} Player;

/* A frame's number is its place in the period. */
static GstPadProbeReturn
number_frames (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Player *player = user_data;
  GstBuffer *buffer;
  GstMapInfo map;

  buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size / sizeof (gfloat); i += RIG_CHANNELS) {
    gfloat *frame = (gfloat *) map.data + i;

    frame[0] = AMPLITUDE * cos (ANGLE * player->next);
    frame[1] = AMPLITUDE * sin (ANGLE * player->next);
    player->next = (player->next + 1) % RIG_TAP_PERIOD;
  }
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

GstElement *
rig_tap_player_new (const gchar * sink)
{
  g_autofree gchar *description = g_strdup_printf
      ("audiotestsrc name=src samplesperbuffer=4800 ! "
      "audio/x-raw, format = (string) F32LE, rate = (int) 48000, "
      "channels = (int) 2, layout = (string) interleaved ! "
      "pulsesink name=sink device=%s sync=false buffer-time=1000000 "
      "latency-time=50000 provide-clock=false", sink);
  GstElement *player = gst_parse_launch (description, NULL);
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (player), "src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, number_frames,
      g_new0 (Player, 1), g_free);
  gst_element_set_state (player, GST_STATE_READY);
  return player;
}

/* --- a tap --- */

/* How many frames are missing between the last one and @frame */
static gdouble
measure_step (RigTap * self, const gfloat * frame)
{
  gdouble along = self->last[0] * frame[0] + self->last[1] * frame[1];
  gdouble across = self->last[0] * frame[1] - self->last[1] * frame[0];

  return atan2 (across, along) / ANGLE - 1.0;
}

static void
note_step_locked (RigTap * self, gdouble n_frames)
{
  if (self->n_steps < RIG_TAP_MAX_STEPS) {
    RigStep *step = &self->steps[self->n_steps];

    step->time = g_get_monotonic_time ();
    step->frame = self->n_frames;
    step->n_frames = n_frames;
    step->n_silent = self->n_silent;
  }
  self->n_steps++;
}

static void
read_frame_locked (RigTap * self, const gfloat * frame)
{
  gdouble n_missing;

  self->n_frames++;
  if (hypot (frame[0], frame[1]) < SILENCE) {
    self->n_silent++;
    return;
  }
  if (self->has_last) {
    n_missing = measure_step (self, frame);
    if (fabs (n_missing) > STEP || self->n_silent > 0)
      note_step_locked (self, n_missing);
  }
  self->last[0] = frame[0];
  self->last[1] = frame[1];
  self->has_last = TRUE;
  self->n_silent = 0;
}

/* A buffer is as late as it comes behind the earliest one of the last seconds,
 * counted in frames. */
static void
note_arrival_locked (RigTap * self, gint64 now)
{
  gint64 start = now - gst_util_uint64_scale (self->n_frames, G_USEC_PER_SEC,
      RIG_RATE);

  if (now >= self->window_end) {
    self->earliest[1] = self->window_end ? self->earliest[0] : start;
    self->earliest[0] = start;
    self->window_end = now + WINDOW;
  }
  self->earliest[0] = MIN (self->earliest[0], start);
  self->lateness = MAX (self->lateness,
      start - MIN (self->earliest[0], self->earliest[1]));
}

static GstPadProbeReturn
read_buffer (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  RigTap *self = user_data;
  gint64 now = g_get_monotonic_time ();
  GstMapInfo map;

  g_mutex_lock (&self->lock);
  note_arrival_locked (self, now);
  g_assert_true (gst_buffer_map (GST_PAD_PROBE_INFO_BUFFER (info), &map,
          GST_MAP_READ));
  for (gsize i = 0; i < map.size / sizeof (gfloat); i += RIG_CHANNELS)
    read_frame_locked (self, (const gfloat *) map.data + i);
  gst_buffer_unmap (GST_PAD_PROBE_INFO_BUFFER (info), &map);
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

RigTap *
rig_tap_new (const gchar * name, GstPad * pad)
{
  RigTap *self = g_new0 (RigTap, 1);

  g_mutex_init (&self->lock);
  self->name = g_strdup (name);
  self->pad = gst_object_ref (pad);
  self->probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER,
      read_buffer, self, NULL);
  return self;
}

/* When no buffer can pass any more */
void
rig_tap_free (RigTap * self)
{
  gst_pad_remove_probe (self->pad, self->probe);
  gst_object_unref (self->pad);
  g_mutex_clear (&self->lock);
  g_free (self->name);
  g_free (self);
}

const gchar *
rig_tap_get_name (RigTap * self)
{
  return self->name;
}

guint64
rig_tap_get_n_frames (RigTap * self)
{
  guint64 n_frames;

  g_mutex_lock (&self->lock);
  n_frames = self->n_frames;
  g_mutex_unlock (&self->lock);
  return n_frames;
}

guint
rig_tap_get_n_steps (RigTap * self)
{
  guint n_steps;

  g_mutex_lock (&self->lock);
  n_steps = self->n_steps;
  g_mutex_unlock (&self->lock);
  return n_steps;
}

/* The first steps that were seen, and how many @steps now has. */
guint
rig_tap_get_steps (RigTap * self, RigStep * steps)
{
  guint n_steps;

  g_mutex_lock (&self->lock);
  n_steps = MIN (self->n_steps, RIG_TAP_MAX_STEPS);
  for (guint i = 0; i < n_steps; i++)
    steps[i] = self->steps[i];
  g_mutex_unlock (&self->lock);
  return n_steps;
}

/* How late a buffer came (us), at most, since this was asked last */
gint64
rig_tap_take_lateness (RigTap * self)
{
  gint64 lateness;

  g_mutex_lock (&self->lock);
  lateness = self->lateness;
  self->lateness = 0;
  g_mutex_unlock (&self->lock);
  return lateness;
}
