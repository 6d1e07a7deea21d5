/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Metas and flags of buffers through the resampler, where their frames go. */

#include "config.h"

#include "resample.h"

#include "../metas.h"

#define CAPTURED (1000 * GST_SECOND)
#define N_FRAMES 441
#define N_BUFFERS 100

/* The capture time of a block is that of its first frame, whatever the buffer
 * was that it came in, and each is told once. */
GST_START_TEST (test_capture_times_stay_with_their_frames)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBuffer *block;
  guint n_times = 0, level = 0;
  guint64 n_levels = 0;

  for (guint i = 0; i < N_BUFFERS; i++)
    gst_harness_push (h, add_metas (make_buffer (i * N_FRAMES, N_FRAMES, 44100),
            CAPTURED + nda_block_frames_to_time (i * N_FRAMES, 44100), 20));
  gst_harness_push_event (h, gst_event_new_eos ());

  while ((block = gst_harness_try_pull (h))) {
    GstReferenceTimestampMeta *meta =
        gst_buffer_get_reference_timestamp_meta (block, NULL);

    n_times += gst_buffer_get_n_meta (block,
        GST_REFERENCE_TIMESTAMP_META_API_TYPE);
    n_levels += count_levels (block, &level);
    if (meta)
      fail_unless (ABS (GST_CLOCK_DIFF (CAPTURED + GST_BUFFER_PTS (block),
                  meta->timestamp)) < GST_SECOND / 44100);
    gst_buffer_unref (block);
  }
  fail_unless_equals_int (n_times, N_BUFFERS);
  fail_unless (n_levels >= N_BUFFERS);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_a_corrupted_buffer_makes_corrupted_blocks)
{
  GstHarness *h = make_harness (MONO ("44100"));
  GstBuffer *block;
  guint64 n_out = 0;

  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer = make_buffer (i * N_FRAMES, N_FRAMES, 44100);

    if (i == 10)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
    gst_harness_push (h, buffer);
  }
  gst_harness_push_event (h, gst_event_new_eos ());

  /* the buffer lies at 4800 to 5280 of the frames out */
  while ((block = gst_harness_try_pull (h))) {
    gboolean has_any = n_out < 5280 && n_out + count_frames (block) > 4800;

    fail_unless_equals_int (has_any, GST_BUFFER_FLAG_IS_SET (block,
            GST_BUFFER_FLAG_CORRUPTED));
    n_out += count_frames (block);
    gst_buffer_unref (block);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
metas_suite (void)
{
  Suite *suite = suite_create ("metas");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_capture_times_stay_with_their_frames);
  tcase_add_test (tc, test_a_corrupted_buffer_makes_corrupted_blocks);
  return suite;
}

GST_CHECK_MAIN (metas);
