/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ndaencrypt and ndadecrypt in a row, and what went into and came out of them.
 * */

#pragma once

#include "hex.h"
#include "vectors.h"

#include <gst/audio/audio.h>
#include <gst/check/gstharness.h>

#define PACKETS "application/x-nda-sframe,version=1,framing=packet,suite=5"
#define STREAM "application/x-nda-sframe,version=1,framing=stream"
#define S16_MONO "audio/x-raw,format=S16LE,rate=48000,channels=1," \
    "layout=interleaved"
#define OTHER_MASTER \
    "2d1fdc620d75e92eba68ecb58418735a26c53344aa55c5f33663f13cdcf233b9"

/* --- both elements in a row --- */

typedef struct
{
  GstHarness *enc;
  GstHarness *dec;
  GstBus *bus;                  /* of the decoder */
  guint64 n_pushed;             /* frames */
  GByteArray *in;
  GByteArray *out;
  guint64 n_gap_bytes;
  guint n_discont;
  guint n_buffers;
  GstClockTime next_time;
} Pair;

static inline gboolean
give_master (GstHarness * h, const gchar * hex)
{
  g_auto (Bytes) key = from_hex (hex);
  g_autoptr (GBytes) bytes = g_bytes_new (key.data, key.n);
  gboolean ok;

  g_signal_emit_by_name (h->element, "set-master-key", bytes, &ok);
  return ok;
}

static GstStaticPadTemplate any_src = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate any_sink = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static inline GstHarness *
make_harness (const gchar * description, const gchar * master)
{
  GstHarness *h = gst_harness_new_empty ();
  GstElement *element =
      gst_object_ref_sink (gst_parse_launch (description, NULL));

  /* the key comes before the harness sets the state */
  h->element = element;
  if (master)
    fail_unless (give_master (h, master));
  h->element = NULL;
  gst_harness_add_element_full (h, element, &any_src, "sink", &any_sink, "src");
  gst_object_unref (element);
  return h;
}

static inline void
pair_init (Pair * p, const gchar * enc, const gchar * dec,
    const gchar * audio_caps, const gchar * record_caps)
{
  *p = (Pair) {
  .in = g_byte_array_new (),.out = g_byte_array_new ()};
  p->enc = make_harness (enc, records[0].master_key);
  p->dec = make_harness (dec, records[0].master_key);
  p->bus = gst_bus_new ();
  gst_element_set_bus (p->dec->element, p->bus);
  if (record_caps)
    gst_harness_set_sink_caps_str (p->enc, record_caps);
  gst_harness_set_src_caps_str (p->enc, audio_caps);
  gst_harness_set_src_caps_str (p->dec, record_caps ? record_caps : STREAM);
}

static inline void
pair_clear (Pair * p)
{
  gst_element_set_bus (p->dec->element, NULL);
  gst_object_unref (p->bus);
  gst_harness_teardown (p->enc);
  gst_harness_teardown (p->dec);
  g_byte_array_unref (p->in);
  g_byte_array_unref (p->out);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear);

/* Bytes that say where they are */
static inline GstBuffer *
make_audio (Pair * p, guint n_frames)
{
  GstPad *pad = p->enc->srcpad;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstAudioInfo info;
  GstBuffer *buffer;
  GstMapInfo map;

  fail_unless (gst_audio_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, (gsize) n_frames * info.bpf, NULL);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) ((p->in->len + i) * 2654435761u >> 13) | 1;
  g_byte_array_append (p->in, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale (p->n_pushed, GST_SECOND, info.rate);
  p->n_pushed += n_frames;
  return buffer;
}

static inline void
collect (Pair * p)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (p->dec))) {
    GstMapInfo map;

    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    g_byte_array_append (p->out, map.data, map.size);
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
      p->n_gap_bytes += map.size;
    gst_buffer_unmap (buffer, &map);
    p->n_discont += GST_BUFFER_IS_DISCONT (buffer);
    if (!GST_BUFFER_IS_DISCONT (buffer))
      assert_equals_uint64 (GST_BUFFER_PTS (buffer), p->next_time);
    p->next_time = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
    p->n_buffers++;
    gst_buffer_unref (buffer);
  }
}

/* Carries all that the encoder made to the decoder. */
static inline GstFlowReturn
carry (Pair * p)
{
  GstFlowReturn flow = GST_FLOW_OK;
  GstBuffer *record;

  while (flow == GST_FLOW_OK && (record = gst_harness_try_pull (p->enc)))
    flow = gst_harness_push (p->dec, record);
  collect (p);
  return flow;
}

static inline void
push_frames (Pair * p, guint n_frames)
{
  fail_unless_equals_int (gst_harness_push (p->enc, make_audio (p, n_frames)),
      GST_FLOW_OK);
}

static inline void
end (Pair * p)
{
  fail_unless (gst_harness_push_event (p->enc, gst_event_new_eos ()));
  fail_unless_equals_int (carry (p), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (p->dec, gst_event_new_eos ()));
  collect (p);
}

static inline void
assert_same (Pair * p)
{
  assert_equals_uint64 (p->out->len, p->in->len);
  fail_unless (memcmp (p->out->data, p->in->data, p->in->len) == 0);
}

static inline guint64
get_counter (GstElement * element, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "%s", name);
  return value;
}

/* The error on the bus, as “domain-code text” would have it */
static inline void
assert_error (GstBus * bus, GQuark domain, gint code, const gchar * text)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  fail_unless (message != NULL, "no error");
  gst_message_parse_error (message, &error, &debug);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (debug != NULL && *debug);
}

static inline void
assert_warning (GstBus * bus, const gchar * text)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no warning");
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
}

static inline void
assert_no_message (GstBus * bus)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus,
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);

  fail_unless (message == NULL);
}
