/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An ndapybridge in a harness, sound for it, and a look at what comes out. */

#pragma once

#include "ndablock.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define BLOCK NDA_BLOCK_FRAMES
#define STEREO "audio/x-raw, format = " GST_AUDIO_NE (F32) \
    ", rate = 48000, channels = 2, layout = interleaved, " \
    "channel-mask = (bitmask) 0x3"
#define MONO "audio/x-raw, format = " GST_AUDIO_NE (F32) \
    ", rate = 48000, channels = 1, layout = interleaved"

/* With @plugin, in the isolation that the suite is run in. */
static inline GstHarness *
make_harness (const gchar * plugin, const gchar * caps)
{
  GstElement *element = gst_element_factory_make ("ndapybridge", NULL);
  const gchar *isolation = g_getenv ("NDA_TEST_ISOLATION");
  GstHarness *h;

  gst_util_set_object_arg (G_OBJECT (element), "isolation",
      isolation ? isolation : "thread");
  g_object_set (element, "plugin", plugin, "deadline", (guint64) 0, NULL);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* @n_frames of stereo; sample n of the stream is n. */
static inline GstBuffer *
make_buffer (guint64 start, guint n_frames)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_frames * 8, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < n_frames * 2; i++)
    ((gfloat *) map.data)[i] = (gfloat) (start * 2 + i);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = nda_block_frames_to_time (start, NDA_BLOCK_RATE);
  return buffer;
}

static inline guint
check_frames (GstBuffer * buffer, guint64 start)
{
  GstMapInfo map;
  guint n_frames;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  n_frames = map.size / 8;
  for (guint i = 0; i < n_frames * 2; i++)
    fail_unless (((gfloat *) map.data)[i] == (gfloat) (start * 2 + i));
  gst_buffer_unmap (buffer, &map);
  return n_frames;
}

/* The next buffer that comes out has @n_frames, from @start on. */
static inline void
expect_frames (GstHarness * h, guint64 start, guint n_frames)
{
  GstBuffer *out = gst_harness_pull (h);

  fail_unless_equals_int (check_frames (out, start), n_frames);
  gst_buffer_unref (out);
}

static inline guint64
get_stat (GstHarness * h, const gchar * field)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *value;

  g_object_get (h->element, "stats", &stats, NULL);
  value = gst_structure_get_value (stats, field);
  return G_VALUE_HOLDS_UINT (value) ? g_value_get_uint (value) :
      g_value_get_uint64 (value);
}
