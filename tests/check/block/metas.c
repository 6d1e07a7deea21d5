/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Metas and flags of buffers through regrouping. */

#include "config.h"

#include "ndablock.h"
#include "ndaregroup.h"

#include "../metas.h"

#define BLOCK NDA_BLOCK_FRAMES
#define CAPTURED (1000 * GST_SECOND)
#define FRAMES_TO_TIME(n) nda_block_frames_to_time (n, NDA_BLOCK_RATE)

static NdaRegroup *
make_regroup (gboolean is_planar)
{
  NdaRegroup *regroup = nda_regroup_new (BLOCK);
  g_autoptr (GstCaps) caps = gst_caps_from_string
      ("audio/x-raw, format = " GST_AUDIO_NE (F32) ", rate = 48000, "
      "channels = 2, layout = interleaved, channel-mask = (bitmask) 3");

  if (is_planar)
    gst_caps_set_simple (caps, "layout", G_TYPE_STRING, "non-interleaved",
        NULL);
  nda_regroup_set_caps (regroup, caps);
  return regroup;
}

static GstBuffer *
make_buffer (guint64 start, guint n_frames)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_frames * 8, NULL);

  gst_buffer_memset (buffer, 0, 0, n_frames * 8);
  GST_BUFFER_PTS (buffer) = FRAMES_TO_TIME (start);
  return buffer;
}

/* 480 frames at a time: the second begins in the first block, 32 frames before
 * its end, and the third 448 frames into the second. */
GST_START_TEST (test_capture_time_goes_to_the_block_with_its_frame)
{
  NdaRegroup *regroup = make_regroup (__i__);
  GstBuffer *block;
  guint level = 0;

  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = make_buffer (480 * i, 480);

    if (i != 1)
      add_metas (buffer, CAPTURED + FRAMES_TO_TIME (480 * i), 10 + i);
    fail_unless (nda_regroup_push (regroup, buffer, NULL));
    if (i == 0)
      fail_if (nda_regroup_pop (regroup));
    if (i != 1)
      continue;
    block = nda_regroup_pop (regroup);
    assert_equals_uint64 (get_capture_time (block), CAPTURED);
    fail_unless_equals_int (count_levels (block, &level), 1);
    fail_unless_equals_int (level, 10);
    gst_buffer_unref (block);
  }

  block = nda_regroup_pop (regroup);
  fail_unless (ABS (GST_CLOCK_DIFF (get_capture_time (block),
              CAPTURED + FRAMES_TO_TIME (BLOCK))) <= 1);
  fail_unless_equals_int (count_levels (block, &level), 1);
  fail_unless_equals_int (level, 12);
  gst_buffer_unref (block);

  block = nda_regroup_drain (regroup);
  assert_equals_uint64 (get_capture_time (block), GST_CLOCK_TIME_NONE);
  fail_unless_equals_int (count_levels (block, &level), 1);
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_flags_of_buffers_are_those_of_blocks)
{
  static const GstBufferFlags flags[] = {
    GST_BUFFER_FLAG_DROPPABLE, GST_BUFFER_FLAG_DROPPABLE
        | GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_MARKER, 0
  };
  static const GstBufferFlags expected[] = {
    GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_CORRUPTED
        | GST_BUFFER_FLAG_MARKER, GST_BUFFER_FLAG_CORRUPTED
  };
  NdaRegroup *regroup = make_regroup (FALSE);

  for (guint i = 0, n_out = 0; i < G_N_ELEMENTS (flags); i++) {
    GstBuffer *buffer = make_buffer (480 * i, 480), *block;

    GST_BUFFER_FLAG_SET (buffer, flags[i]);
    fail_unless (nda_regroup_push (regroup, buffer, NULL));
    while ((block = nda_regroup_pop (regroup))) {
      fail_unless_equals_int (GST_BUFFER_FLAGS (block)
          & (GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_CORRUPTED
              | GST_BUFFER_FLAG_MARKER), expected[n_out++]);
      gst_buffer_unref (block);
    }
  }
  nda_regroup_free (regroup);
}

GST_END_TEST;

/* What describes memory or samples is not true of a block. */
GST_START_TEST (test_metas_of_memory_stay_behind)
{
  NdaRegroup *regroup = make_regroup (FALSE);
  GstBuffer *buffer = make_buffer (0, 480), *block;

  gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_DEFAULT, 1, 1);
  fail_unless (nda_regroup_push (regroup, buffer, NULL));

  block = nda_regroup_drain (regroup);
  fail_if (gst_buffer_get_audio_clipping_meta (block));
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_flush_forgets_metas)
{
  NdaRegroup *regroup = make_regroup (FALSE);
  GstBuffer *block;

  nda_regroup_push (regroup, add_metas (make_buffer (0, 100), CAPTURED, 1),
      NULL);
  nda_regroup_flush (regroup);
  nda_regroup_push (regroup, make_buffer (0, 100), NULL);

  block = nda_regroup_drain (regroup);
  assert_equals_uint64 (get_capture_time (block), GST_CLOCK_TIME_NONE);
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

static Suite *
metas_suite (void)
{
  Suite *suite = suite_create ("metas");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_capture_time_goes_to_the_block_with_its_frame,
      0, 2);
  tcase_add_test (tc, test_flags_of_buffers_are_those_of_blocks);
  tcase_add_test (tc, test_metas_of_memory_stay_behind);
  tcase_add_test (tc, test_flush_forgets_metas);
  return suite;
}

GST_CHECK_MAIN (metas);
