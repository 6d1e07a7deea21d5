/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What buffers say about themselves beside their frames. */

#pragma once

#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>

/* Adds a capture time, and a level of @level dB */
static inline GstBuffer *
add_metas (GstBuffer * buffer, GstClockTime captured, guint8 level)
{
  g_autoptr (GstCaps) reference = gst_caps_new_empty_simple ("timestamp/x-ntp");

  gst_buffer_add_reference_timestamp_meta (buffer, reference, captured,
      GST_CLOCK_TIME_NONE);
  gst_buffer_add_audio_level_meta (buffer, level, TRUE);
  return buffer;
}

/* The only capture time of @block; NONE where it has none */
static inline GstClockTime
get_capture_time (GstBuffer * block)
{
  GstReferenceTimestampMeta *meta = gst_buffer_get_reference_timestamp_meta
      (block, NULL);

  fail_unless (gst_buffer_get_n_meta (block,
          GST_REFERENCE_TIMESTAMP_META_API_TYPE) <= 1);
  return meta ? meta->timestamp : GST_CLOCK_TIME_NONE;
}

/* How many levels @block has, and the last of them */
static inline guint
count_levels (GstBuffer * block, guint * last)
{
  gpointer state = NULL;
  GstMeta *meta;
  guint n = 0;

  while ((meta = gst_buffer_iterate_meta_filtered (block, &state,
              GST_AUDIO_LEVEL_META_API_TYPE))) {
    *last = ((GstAudioLevelMeta *) meta)->level;
    n++;
  }
  return n;
}
