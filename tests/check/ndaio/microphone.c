/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "microphone.h"

#include <string.h>

struct _TestMicrophone
{
  GstAudioSrc parent;

  GMutex lock;
  GCond changed;
  /* [lock] */
  guint n_to_give;              /* periods */
  gboolean is_closing;
};

G_DEFINE_TYPE (TestMicrophone, test_microphone, GST_TYPE_AUDIO_SRC);

static gboolean
open_device (GstAudioSrc * src)
{
  TestMicrophone *self = TEST_MICROPHONE (src);

  g_mutex_lock (&self->lock);
  self->is_closing = FALSE;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
do_nothing (GstAudioSrc * src)
{
  return TRUE;
}

static gboolean
prepare (GstAudioSrc * src, GstAudioRingBufferSpec * spec)
{
  return TRUE;
}

static guint
read_period (GstAudioSrc * src, gpointer data, guint length,
    GstClockTime * timestamp)
{
  TestMicrophone *self = TEST_MICROPHONE (src);

  g_mutex_lock (&self->lock);
  while (!self->n_to_give && !self->is_closing)
    g_cond_wait (&self->changed, &self->lock);
  if (self->n_to_give)
    self->n_to_give--;
  g_mutex_unlock (&self->lock);
  memset (data, 0, length);
  return length;
}

static guint
get_delay (GstAudioSrc * src)
{
  return 0;
}

/* Ends what waits in read_period (). */
static void
reset (GstAudioSrc * src)
{
  TestMicrophone *self = TEST_MICROPHONE (src);

  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
finalize (GObject * object)
{
  TestMicrophone *self = TEST_MICROPHONE (object);

  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (test_microphone_parent_class)->finalize (object);
}

static void
test_microphone_class_init (TestMicrophoneClass * klass)
{
  static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
      GST_PAD_SRC, GST_PAD_ALWAYS,
      GST_STATIC_CAPS ("audio/x-raw, format = (string) " GST_AUDIO_NE (F32)
          ", rate = (int) 48000, channels = (int) 2, "
          "layout = (string) interleaved"));
  GstAudioSrcClass *src_class = GST_AUDIO_SRC_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  src_class->open = open_device;
  src_class->close = do_nothing;
  src_class->prepare = prepare;
  src_class->unprepare = do_nothing;
  src_class->read = read_period;
  src_class->delay = get_delay;
  src_class->reset = reset;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &src_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "Test microphone", "Source/Audio", "A microphone for tests",
      "the nda authors");
}

static void
test_microphone_init (TestMicrophone * self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

GstElement *
test_microphone_new (void)
{
  return g_object_new (TYPE_TEST_MICROPHONE, NULL);
}

void
test_microphone_give (TestMicrophone * self, guint n_periods)
{
  g_mutex_lock (&self->lock);
  self->n_to_give += n_periods;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}
