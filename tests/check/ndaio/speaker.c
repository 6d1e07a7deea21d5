/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A speaker for tests, which takes whatever it is given at once. Its clock goes
 * with the element's, but stands still when it starts, as that of a sound
 * server does: for start-delay; and it may leap. It counts where what it is to
 * play does not follow what came before, and the frames that it plays without
 * sound. As a PulseAudio does, it takes half a period at a time, a period
 * before its clock gets there. */

#include "config.h"

#include "speaker.h"

#define AHEAD 512
#define AT_ONCE 256

#define TYPE_TEST_RING (test_ring_get_type ())
/* *INDENT-OFF* */
G_DECLARE_FINAL_TYPE (TestRing, test_ring, TEST, RING, GstAudioRingBuffer)
/* *INDENT-ON* */

struct _TestRing
{
  GstAudioRingBuffer parent;

  GstElement *speaker;          /* [const] not owned; owns this */
  /* All guarded by the object lock */
  GstClockTime started;         /* NONE until it is */
  guint64 n_frames;
  guint64 next_sample;          /* NONE before the first */
  guint n_jumps;
  guint64 n_silent;
  GstClockTimeDiff ahead;       /* of the element's clock, beside start-delay */
  gboolean is_held;             /* takes nothing */
  GCond changed;                /* is_held */
};

G_DEFINE_TYPE (TestRing, test_ring, GST_TYPE_AUDIO_RING_BUFFER);

struct _TestSpeaker
{
  GstAudioBaseSink parent;

  GstClockTime start_delay;     /* [const] */
};

G_DEFINE_TYPE (TestSpeaker, test_speaker, GST_TYPE_AUDIO_BASE_SINK);

/* --- The device --- */

static gboolean
do_nothing (GstAudioRingBuffer * ring)
{
  return TRUE;
}

static gboolean
acquire (GstAudioRingBuffer * ring, GstAudioRingBufferSpec * spec)
{
  spec->seglatency = spec->segtotal;
  ring->size = spec->segtotal * spec->segsize;
  ring->memory = g_malloc0 (ring->size);
  return TRUE;
}

static gboolean
release (GstAudioRingBuffer * ring)
{
  g_clear_pointer (&ring->memory, g_free);
  return TRUE;
}

/* With the object locks of both held. The clock doesn't change any more. */
static gboolean
start (GstAudioRingBuffer * ring)
{
  TestRing *self = TEST_RING (ring);

  if (!GST_CLOCK_TIME_IS_VALID (self->started))
    self->started = gst_clock_get_time (GST_ELEMENT_CLOCK (self->speaker));
  return TRUE;
}

/* With the object lock held. */
static gboolean
stop (GstAudioRingBuffer * ring)
{
  TestRing *self = TEST_RING (ring);

  self->is_held = FALSE;
  g_cond_broadcast (&self->changed);
  return TRUE;
}

/* How many of the device's frames are taken by now. */
static guint64
get_n_taken (TestRing * self)
{
  GstAudioClock *clock =
      GST_AUDIO_CLOCK (GST_AUDIO_BASE_SINK (self->speaker)->provided_clock);
  GstAudioRingBuffer *ring = GST_AUDIO_RING_BUFFER (self);
  guint64 n_played = gst_util_uint64_scale (gst_audio_clock_get_time (clock),
      ring->spec.info.rate, GST_SECOND);

  return (n_played + AHEAD + AT_ONCE - 1) / AT_ONCE * AT_ONCE;
}

/* Of the frames from the last ones on to behind those of @sample. */
static guint64
count_silent (TestRing * self, guint64 sample, guint64 n_taken, guint64 n)
{
  guint64 n_silent = 0;

  if (self->next_sample == GST_BUFFER_OFFSET_NONE)
    return 0;
  if (sample > self->next_sample)
    n_silent = sample - self->next_sample;
  if (n_taken > sample)
    n_silent += MIN (n_taken - sample, n);
  return n_silent;
}

static guint
commit (GstAudioRingBuffer * ring, guint64 * sample, guint8 * data,
    gint n_in, gint n_out, gint * accum)
{
  TestRing *self = TEST_RING (ring);

  guint64 n_taken;

  gst_audio_ring_buffer_start (ring);
  n_taken = get_n_taken (self);
  GST_OBJECT_LOCK (self);
  while (self->is_held)
    g_cond_wait (&self->changed, GST_OBJECT_GET_LOCK (self));
  self->n_silent += count_silent (self, *sample, n_taken, n_out);
  if (self->next_sample != GST_BUFFER_OFFSET_NONE
      && self->next_sample != *sample)
    self->n_jumps++;
  *sample += n_out;
  self->next_sample = *sample;
  self->n_frames += n_out;
  GST_OBJECT_UNLOCK (self);
  return n_in;
}

static void
finalize (GObject * object)
{
  g_cond_clear (&TEST_RING (object)->changed);
  G_OBJECT_CLASS (test_ring_parent_class)->finalize (object);
}

static void
test_ring_class_init (TestRingClass * klass)
{
  GstAudioRingBufferClass *ring_class = GST_AUDIO_RING_BUFFER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  ring_class->open_device = do_nothing;
  ring_class->close_device = do_nothing;
  ring_class->acquire = acquire;
  ring_class->release = release;
  ring_class->start = start;
  ring_class->pause = stop;
  ring_class->resume = do_nothing;
  ring_class->stop = stop;
  ring_class->commit = commit;
}

static void
test_ring_init (TestRing * self)
{
  self->started = GST_CLOCK_TIME_NONE;
  self->next_sample = GST_BUFFER_OFFSET_NONE;
  g_cond_init (&self->changed);
}

/* --- The element --- */

static GstAudioRingBuffer *
create_ring (GstAudioBaseSink * sink)
{
  TestRing *ring = g_object_new (TYPE_TEST_RING, NULL);

  ring->speaker = GST_ELEMENT (sink);
  return GST_AUDIO_RING_BUFFER (ring);
}

static GstClockTime
get_device_time (GstClock * clock, gpointer speaker)
{
  TestSpeaker *self = TEST_SPEAKER (speaker);
  TestRing *ring = TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer);
  GstClockTimeDiff ahead;
  GstClockTime now, begin;

  if (!ring)
    return 0;
  GST_OBJECT_LOCK (ring);
  begin = ring->started;
  ahead = ring->ahead;
  GST_OBJECT_UNLOCK (ring);
  if (!GST_CLOCK_TIME_IS_VALID (begin))
    return 0;
  now = gst_clock_get_time (GST_ELEMENT_CLOCK (self));
  if (now < begin + self->start_delay)
    return 0;
  return now - begin - self->start_delay + ahead;
}

static void
test_speaker_class_init (TestSpeakerClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw, "
      "layout = (string) interleaved");

  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_set_static_metadata (element_class, "Test speaker",
      "Sink/Audio", "Takes all it is given, after a late start",
      "the nda authors");
  GST_AUDIO_BASE_SINK_CLASS (klass)->create_ringbuffer = create_ring;
}

static void
test_speaker_init (TestSpeaker * self)
{
  GstAudioBaseSink *sink = GST_AUDIO_BASE_SINK (self);

  gst_clear_object (&sink->provided_clock);     /* the base class's own */
  sink->provided_clock =
      gst_audio_clock_new ("test-speaker", get_device_time, self, NULL);
}

/* Of a speaker that plays so long after it was asked to. It doesn't wait for a
 * first buffer, so that what pushes can be what started it. */
GstElement *
test_speaker_new (GstClockTime start_delay)
{
  TestSpeaker *self = g_object_new (TYPE_TEST_SPEAKER, "async", FALSE, NULL);

  self->start_delay = start_delay;
  return GST_ELEMENT (self);
}

/* From now on its clock is so much further, and so is what it has played. */
void
test_speaker_run_ahead (TestSpeaker * self, GstClockTimeDiff time)
{
  TestRing *ring = TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer);

  GST_OBJECT_LOCK (ring);
  ring->ahead += time;
  GST_OBJECT_UNLOCK (ring);
}

/* How often what came did not follow what was there. */
guint
test_speaker_get_n_jumps (TestSpeaker * self)
{
  return TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer)->n_jumps;
}

/* How many frames it played without sound, since its first one. */
guint64
test_speaker_get_n_silent (TestSpeaker * self)
{
  return TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer)->n_silent;
}

guint64
test_speaker_get_n_frames (TestSpeaker * self)
{
  return TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer)->n_frames;
}

/* From now on it takes nothing, until it is stopped. */
void
test_speaker_hold (TestSpeaker * self)
{
  TestRing *ring = TEST_RING (GST_AUDIO_BASE_SINK (self)->ringbuffer);

  GST_OBJECT_LOCK (ring);
  ring->is_held = TRUE;
  GST_OBJECT_UNLOCK (ring);
}
