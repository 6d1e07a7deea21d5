/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The whole of ndadecrypt: buffers of any bytes and the events among them. The
 * first byte says how it is set up. Then comes a length of two bytes, with so
 * many bytes for a buffer behind it; one of 0xfff0 or more is an event.
 *
 * Whatever comes in, whole blocks behind caps and a segment come out. */

#include "fuzz.h"

#include "ndadecrypt.h"

#include <gst/audio/audio.h>

#define IS_PACKETS 1
#define HAS_TIME 2
#define ON_BAD 2                /* bits to the right of on-bad */
#define HAS_HEADER 16           /* the caps have the preamble */
#define EVENT 0xfff0

static GstElement *element;
static GstPad *src, *sink;

static GstFlowReturn
take_block (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstEvent) segment =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  GstAudioInfo info;
  gsize n = gst_buffer_get_size (buffer);

  g_assert (caps && segment && gst_audio_info_from_caps (&info, caps));
  g_assert (n > 0 && n % info.bpf == 0);
  g_assert (GST_BUFFER_PTS_IS_VALID (buffer)
      && GST_BUFFER_DURATION_IS_VALID (buffer));
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstStaticPadTemplate any_src = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate any_sink = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static gint64 sought;           /* where upstream goes on, or -1 */

/* Upstream is a file: it can be sought, and is as long as can be. */
static gboolean
answer (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_DURATION)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_duration (query, GST_FORMAT_BYTES, 1 << 20);
  return TRUE;
}

static gboolean
seek (GstPad * pad, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK)
    gst_event_parse_seek (event, NULL, NULL, NULL, NULL, &sought, NULL, NULL);
  gst_event_unref (event);
  return TRUE;
}

static void
make_element (void)
{
  guint8 key[NDA_MASTER_KEY];
  g_autoptr (GBytes) bytes = NULL;
  gboolean ok;

  gst_init (NULL, NULL);
  gst_debug_set_default_threshold (GST_LEVEL_NONE);
  for (guint i = 0; i < sizeof (key); i++)
    key[i] = i;
  bytes = g_bytes_new (key, sizeof (key));
  element = g_object_new (NDA_TYPE_DECRYPT, "context", "alice", NULL);
  gst_object_ref_sink (element);
  g_signal_emit_by_name (element, "set-master-key", bytes, &ok);
  src = gst_pad_new_from_static_template (&any_src, "src");
  sink = gst_pad_new_from_static_template (&any_sink, "sink");
  gst_pad_set_chain_function (sink, take_block);
  gst_pad_set_query_function (src, answer);
  gst_pad_set_event_function (src, seek);
  gst_pad_link (src, gst_element_get_static_pad (element, "sink"));
  gst_pad_link (gst_element_get_static_pad (element, "src"), sink);
}

static void
say_caps (guint8 how)
{
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("application/x-nda-sframe",
      "version", G_TYPE_INT, 1, "framing", G_TYPE_STRING,
      how & IS_PACKETS ? "packet" : "stream", NULL);
  g_autoptr (GstBuffer) preamble = gst_buffer_new_allocate (NULL,
      NDA_STREAM_PREAMBLE, NULL);
  guint8 bytes[NDA_STREAM_PREAMBLE];

  nda_stream_write_preamble (bytes, 5);
  gst_buffer_fill (preamble, 0, bytes, sizeof (bytes));
  if (how & HAS_HEADER) {
    g_auto (GValue) headers = G_VALUE_INIT, header = G_VALUE_INIT;

    g_value_init (&headers, GST_TYPE_ARRAY);
    g_value_init (&header, GST_TYPE_BUFFER);
    gst_value_set_buffer (&header, preamble);
    gst_value_array_append_value (&headers, &header);
    gst_caps_set_value (caps, "streamheader", &headers);
  }
  gst_pad_push_event (src, gst_event_new_caps (caps));
}

static void
say_segment (guint8 how)
{
  GstSegment segment;

  gst_segment_init (&segment, how & HAS_TIME ? GST_FORMAT_TIME :
      GST_FORMAT_BYTES);
  if (sought >= 0)
    segment.start = sought;
  sought = -1;
  gst_pad_push_event (src, gst_event_new_segment (&segment));
}

static void
flush (void)
{
  gst_pad_push_event (src, gst_event_new_flush_start ());
  gst_pad_push_event (src, gst_event_new_flush_stop (TRUE));
}

/* As somebody does behind the element, before upstream follows */
static void
ask_for_place (guint8 how, guint what)
{
  gst_pad_push_event (sink, gst_event_new_seek (1.0, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
          (what & 15) * 20 * GST_USECOND, GST_SEEK_TYPE_NONE, -1));
  flush ();
  say_segment (how);
}

static void
say_event (guint8 how, guint what)
{
  if ((what & 15) >= 6) {
    ask_for_place (how, what);
    return;
  }
  switch (what & 15) {
    case 0:
      flush ();
      say_segment (how);
      break;
    case 1:
      say_segment (how);
      break;
    case 2:
      gst_pad_push_event (src, gst_event_new_eos ());
      break;
    case 3:
      gst_pad_push_event (src, gst_event_new_stream_start ("s"));
      say_segment (how);
      break;
    case 4:
      say_caps (how);
      break;
    default:
      gst_pad_push_event (src, gst_event_new_gap (0, GST_SECOND));
      break;
  }
}

static void
start (guint8 how)
{
  g_object_set (element, "on-bad", how >> ON_BAD & 3, NULL);
  gst_pad_set_active (sink, TRUE);
  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_pad_set_active (src, TRUE);
  gst_pad_push_event (src, gst_event_new_stream_start ("s"));
  say_caps (how);
  say_segment (how);
}

static void
stop (void)
{
  gst_pad_set_active (src, FALSE);
  gst_element_set_state (element, GST_STATE_READY);
  gst_pad_set_active (sink, FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t n)
{
  guint8 how;
  guint64 time = 0;

  if (n < 1)
    return 0;
  if (!element)
    make_element ();
  sought = -1;
  how = *data++;
  n--;
  start (how);
  while (n >= 2) {
    guint n_piece = data[0] << 8 | data[1];
    GstBuffer *buffer;

    data += 2;
    n -= 2;
    if (n_piece >= EVENT) {
      say_event (how, n_piece);
      continue;
    }
    n_piece = MIN (n_piece, n);
    buffer = n_piece ? gst_buffer_new_memdup (data, n_piece) :
        gst_buffer_new ();
    GST_BUFFER_PTS (buffer) = time;
    time += n_piece * GST_USECOND;
    gst_pad_push (src, buffer);
    data += n_piece;
    n -= n_piece;
  }
  gst_pad_push_event (src, gst_event_new_eos ());
  stop ();
  return 0;
}
