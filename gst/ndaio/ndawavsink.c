/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndawavsink.h"

#include "ndawavheader.h"
#include "ndawavtags.h"

#include <gst/audio/audio.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* THREADS. The streaming thread writes. Changes of state open and close the
 * file, when that thread does not run. The tags have their own lock. */
struct _NdaWavSink
{
  GstBaseSink parent;

  gchar *location;              /* [const] owned */
  int file;                     /* [streaming thread] -1: not open */
  NdaWavFormat format;          /* [streaming thread] no rate: no caps yet */
  guint64 n_frames;             /* [streaming thread] in the file */
  guint32 n_more;               /* [streaming thread] bytes behind them */
};

G_DEFINE_FINAL_TYPE_WITH_CODE (NdaWavSink, nda_wav_sink, GST_TYPE_BASE_SINK,
    G_IMPLEMENT_INTERFACE (GST_TYPE_TAG_SETTER, NULL));

/* A RIFF file has little-endian samples on any machine */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("audio/x-raw, format = (string) F32LE, "
        "layout = (string) interleaved, rate = (int) [ 1, MAX ], "
        "channels = (int) [ 1, 64 ]"));

/* The format of a file of a stream without caps */
static const NdaWavFormat default_format = {
  .rate = 48000,
  .n_channels = 2,
};

/* --- the file --- */

static GstFlowReturn
fail (NdaWavSink * self, int code)
{
  if (code == ENOSPC || code == EDQUOT)
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        (_("There is no room for more of the file “%s”. What was written "
                "can be played."), self->location), ("%s", g_strerror (code)));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        (_("The file “%s” cannot be written: %s. What was written before "
                "can be played."), self->location, g_strerror (code)),
        ("after %" G_GUINT64_FORMAT " frames", self->n_frames));
  return GST_FLOW_ERROR;
}

static gboolean
write_at (NdaWavSink * self, const guint8 * data, gsize n_bytes, goffset at)
{
  while (n_bytes > 0) {
    gssize n_done = pwrite (self->file, data, n_bytes, at);

    if (n_done < 0 && errno != EINTR)
      return FALSE;
    if (n_done > 0) {
      data += n_done;
      at += n_done;
      n_bytes -= n_done;
    }
  }
  return TRUE;
}

static gboolean
write_header (NdaWavSink * self)
{
  guint8 header[NDA_WAV_MAX_HEADER];
  gsize n_bytes = nda_wav_make_header (&self->format, self->n_frames,
      self->n_more, header);

  return write_at (self, header, n_bytes, 0);
}

/* Where the next frame is written. */
static goffset
get_end (NdaWavSink * self)
{
  guint8 header[NDA_WAV_MAX_HEADER];

  return nda_wav_make_header (&self->format, self->n_frames, 0, header)
      + self->n_frames * self->format.n_channels * sizeof (gfloat);
}

/* --- GstBaseSink --- */

static gboolean
nda_wav_sink_start (GstBaseSink * sink)
{
  NdaWavSink *self = NDA_WAV_SINK (sink);

  self->n_frames = self->n_more = 0;
  self->format.rate = 0;
  self->file = g_open (self->location, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
      0666);
  if (self->file >= 0)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      (_("The file “%s” cannot be written: %s. Check the folder and its "
              "permissions."), self->location, g_strerror (errno)), (NULL));
  return FALSE;
}

static gboolean
nda_wav_sink_stop (GstBaseSink * sink)
{
  NdaWavSink *self = NDA_WAV_SINK (sink);

  if (self->file >= 0 && close (self->file) < 0)
    fail (self, errno);
  self->file = -1;
  gst_tag_setter_reset_tags (GST_TAG_SETTER (self));
  return TRUE;
}

/* Another format, once there are samples, would need another file. */
static gboolean
nda_wav_sink_set_caps (GstBaseSink * sink, GstCaps * caps)
{
  NdaWavSink *self = NDA_WAV_SINK (sink);
  NdaWavFormat format = { 0 };
  GstAudioInfo info;

  if (!gst_audio_info_from_caps (&info, caps))
    return FALSE;
  format.rate = info.rate;
  format.n_channels = info.channels;
  gst_structure_get (gst_caps_get_structure (caps, 0), "channel-mask",
      GST_TYPE_BITMASK, &format.channel_mask, NULL);
  if (self->n_frames > 0)
    return format.rate == self->format.rate
        && format.n_channels == self->format.n_channels;
  self->format = format;
  return write_header (self) || fail (self, errno) == GST_FLOW_OK;
}

/* Cuts off the bytes after the frames, since more frames follow. */
static gboolean
drop_more (NdaWavSink * self)
{
  if (!self->n_more)
    return TRUE;
  self->n_more = 0;
  return ftruncate (self->file, get_end (self)) == 0;
}

static GstFlowReturn
nda_wav_sink_render (GstBaseSink * sink, GstBuffer * buffer)
{
  NdaWavSink *self = NDA_WAV_SINK (sink);
  gsize frame_bytes = self->format.n_channels * sizeof (gfloat);
  GstMapInfo map;
  gboolean ok;
  int code;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return fail (self, EFAULT);
  ok = drop_more (self)
      && write_at (self, map.data, map.size, get_end (self));
  code = errno;
  if (ok)
    self->n_frames += map.size / frame_bytes;
  gst_buffer_unmap (buffer, &map);
  if (ok) {
    ok = write_header (self);
    code = errno;
  }
  return ok ? GST_FLOW_OK : fail (self, code);
}

static void
empty (NdaWavSink * self)
{
  self->n_frames = self->n_more = 0;
  if (ftruncate (self->file, 0) < 0
      || (self->format.rate && !write_header (self)))
    fail (self, errno);
}

static gboolean
write_tags (NdaWavSink * self)
{
  const GstTagList *tags = gst_tag_setter_get_tag_list (GST_TAG_SETTER (self));
  g_autoptr (GByteArray) info = tags ? nda_wav_make_info (tags) : NULL;

  if (!info)
    return TRUE;
  if (!write_at (self, info->data, info->len, get_end (self)))
    return FALSE;
  self->n_more = info->len;
  return write_header (self);
}

/* Completes the file. A stream that ends before it has caps gives a file
 * without frames. */
static void
finish (NdaWavSink * self)
{
  if (!self->format.rate) {
    self->format = default_format;
    if (!write_header (self)) {
      fail (self, errno);
      return;
    }
  }
  if (!write_tags (self))
    fail (self, errno);
}

static void
merge_tags (NdaWavSink * self, GstEvent * event)
{
  GstTagSetter *setter = GST_TAG_SETTER (self);
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  gst_tag_setter_merge_tags (setter, tags,
      gst_tag_setter_get_tag_merge_mode (setter));
}

static gboolean
nda_wav_sink_event (GstBaseSink * sink, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    empty (NDA_WAV_SINK (sink));
  else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    finish (NDA_WAV_SINK (sink));
  else if (GST_EVENT_TYPE (event) == GST_EVENT_TAG)
    merge_tags (NDA_WAV_SINK (sink), event);
  return GST_BASE_SINK_CLASS (nda_wav_sink_parent_class)->event (sink, event);
}

/* --- the class --- */

static void
nda_wav_sink_init (NdaWavSink * self)
{
  self->file = -1;
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
}

static void
nda_wav_sink_finalize (GObject * object)
{
  g_free (NDA_WAV_SINK (object)->location);
  G_OBJECT_CLASS (nda_wav_sink_parent_class)->finalize (object);
}

static void
nda_wav_sink_class_init (NdaWavSinkClass * class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = nda_wav_sink_finalize;
  base_class->start = GST_DEBUG_FUNCPTR (nda_wav_sink_start);
  base_class->stop = GST_DEBUG_FUNCPTR (nda_wav_sink_stop);
  base_class->set_caps = GST_DEBUG_FUNCPTR (nda_wav_sink_set_caps);
  base_class->render = GST_DEBUG_FUNCPTR (nda_wav_sink_render);
  base_class->event = GST_DEBUG_FUNCPTR (nda_wav_sink_event);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "WAV file",
      "Sink/File", "Writes 32-bit floats into a WAV file", "the nda authors");
}

GstElement *
nda_wav_sink_new (const gchar * name, const gchar * location)
{
  NdaWavSink *self = g_object_new (NDA_TYPE_WAV_SINK, "name", name, NULL);

  self->location = g_strdup (location);
  return GST_ELEMENT (self);
}
