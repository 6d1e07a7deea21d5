/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An ndaresample in a harness, sound for it, and a look at what comes out. */

#pragma once

#include "ndablock.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define BLOCK NDA_BLOCK_FRAMES
#define CAPS(format, rate) "audio/x-raw, format = " format ", rate = " rate \
    ", channels = 1, layout = interleaved"
#define F32 GST_AUDIO_NE (F32)
#define MONO(rate) CAPS (F32, rate)

static inline GstHarness *
make_harness (const gchar * caps)
{
  GstHarness *h = gst_harness_new ("ndaresample");

  if (caps)
    gst_harness_set_src_caps_str (h, caps);
  return h;
}

/* @n_frames of mono floats, none of them 0. */
static inline GstBuffer *
make_buffer (guint64 start, guint n_frames, guint rate)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_frames * sizeof (gfloat),
      NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < n_frames; i++)
    ((gfloat *) map.data)[i] = (start + i) % 100 / 100.0f + 0.001f;
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = nda_block_frames_to_time (start, rate);
  return buffer;
}

static inline GstBuffer *
make_gap (guint64 start, guint n_frames, guint rate)
{
  GstBuffer *buffer = make_buffer (start, n_frames, rate);

  gst_buffer_memset (buffer, 0, 0, n_frames * sizeof (gfloat));
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  return buffer;
}

static inline guint64
count_frames (GstBuffer * buffer)
{
  return gst_buffer_get_size (buffer) / sizeof (gfloat);
}

/* Checks that @block is the next one of a run from @base on, of which @n_before
 * frames have come, and drops it. Returns its length. */
static inline guint64
check_block (GstBuffer * block, GstClockTime base, guint64 n_before, guint rate)
{
  guint64 n_frames = count_frames (block);

  assert_equals_uint64 (GST_BUFFER_PTS (block),
      base + nda_block_frames_to_time (n_before, rate));
  assert_equals_uint64 (GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block),
      base + nda_block_frames_to_time (n_before + n_frames, rate));
  gst_buffer_unref (block);
  return n_frames;
}

static inline guint64
count_output (GstHarness * h, guint rate)
{
  GstBuffer *block;
  guint64 n_out = 0;

  while ((block = gst_harness_try_pull (h)))
    n_out += check_block (block, 0, n_out, rate);
  return n_out;
}

static inline void
check_stat (GstHarness * h, const gchar * name, guint64 expected)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value;

  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless_equals_string (gst_structure_get_name (stats),
      "application/x-ndaresample-stats");
  fail_unless (gst_structure_get_uint64 (stats, name, &value));
  assert_equals_uint64 (value, expected);
}
