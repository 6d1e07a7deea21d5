/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Buffers in, blocks out: their sizes, their memory, their flags. */

#include "config.h"

#include "bridge.h"

GST_START_TEST (test_aligned_block_is_worked_on_in_place)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;
  GstMemory *memory = gst_buffer_peek_memory (in, 0);

  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_shared_block_is_left_as_it_is)
{
  GstHarness *h = make_harness ("gain", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  g_object_set (h->element, "parameters", "gain=0.5", NULL);
  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);

  fail_unless_equals_int (check_frames (in, 0), BLOCK);
  fail_unless (gst_buffer_peek_memory (out, 0)
      != gst_buffer_peek_memory (in, 0));
  assert_equals_uint64 (GST_BUFFER_PTS (out), GST_BUFFER_PTS (in));
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_any_size_comes_out_as_blocks)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  static const guint sizes[] = { 0, 1, 511, 513, 4096, 5, 512, 100 };
  guint64 n_in = 0, n_out = 0;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    fail_unless_equals_int (gst_harness_push (h, make_buffer (n_in,
                sizes[i])), GST_FLOW_OK);
    n_in += sizes[i];
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  while (n_out < n_in) {
    GstBuffer *out = gst_harness_pull (h);
    guint n_frames = check_frames (out, n_out);

    fail_unless (n_frames == BLOCK || n_out + n_frames == n_in);
    assert_equals_uint64 (GST_BUFFER_PTS (out),
        nda_block_frames_to_time (n_out, NDA_BLOCK_RATE));
    n_out += n_frames;
    gst_buffer_unref (out);
  }
  assert_equals_uint64 (n_out, n_in);
  assert_equals_uint64 (get_stat (h, "num-frames"), n_in);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_and_discont_survive)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  fail_unless (GST_BUFFER_IS_DISCONT (out));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_gap_that_got_sound_is_none_any_more)
{
  GstHarness *h = make_harness ("gain", STEREO);
  GstBuffer *in = make_buffer (0, BLOCK), *out;

  g_object_set (h->element, "parameters", "gain=0.5", NULL);
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_GAP);
  gst_harness_push (h, in);
  out = gst_harness_pull (h);

  fail_if (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
blocks_suite (void)
{
  Suite *suite = suite_create ("blocks");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_aligned_block_is_worked_on_in_place);
  tcase_add_test (tc, test_shared_block_is_left_as_it_is);
  tcase_add_test (tc, test_any_size_comes_out_as_blocks);
  tcase_add_test (tc, test_gap_and_discont_survive);
  tcase_add_test (tc, test_gap_that_got_sound_is_none_any_more);
  return suite;
}

GST_CHECK_MAIN (blocks);
