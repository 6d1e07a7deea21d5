/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablock.h"
#include "ndaframeclock.h"
#include "ndaregroup.h"

#include <gst/check/gstcheck.h>

#include <string.h>

#define BLOCK NDA_BLOCK_FRAMES

static GstCaps *
make_caps (guint n_channels, gboolean is_planar, guint rate)
{
  return gst_caps_new_simple ("audio/x-raw", "format", G_TYPE_STRING,
      GST_AUDIO_NE (F32), "rate", G_TYPE_INT, rate, "channels", G_TYPE_INT,
      n_channels, "layout", G_TYPE_STRING,
      is_planar ? "non-interleaved" : "interleaved", "channel-mask",
      GST_TYPE_BITMASK, (guint64) (n_channels == 2 ? 3 : 0), NULL);
}

static NdaRegroup *
make_regroup (guint n_channels, gboolean is_planar)
{
  NdaRegroup *regroup = nda_regroup_new (BLOCK);
  g_autoptr (GstCaps) caps = make_caps (n_channels, is_planar, NDA_BLOCK_RATE);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  nda_regroup_start_segment (regroup, &segment);
  fail_unless (nda_regroup_set_caps (regroup, caps));
  return regroup;
}

/* Frame n of channel c is n * 64 + c, which a float holds up to n = 2^18. */
static gfloat
sample (guint64 frame, guint channel)
{
  return (gfloat) (frame * 64 + channel);
}

static GstBuffer *
make_buffer (NdaRegroup * regroup, guint64 start, guint n_frames)
{
  const GstAudioInfo *info = nda_regroup_get_info (regroup);
  gboolean is_planar = info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  guint n_channels = info->channels;
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, (gsize) n_frames * info->bpf, NULL);
  GstMapInfo map;
  gfloat *samples;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  samples = (gfloat *) map.data;
  for (guint i = 0; i < n_frames; i++)
    for (guint c = 0; c < n_channels; c++)
      samples[is_planar ? c * n_frames + i : i * n_channels + c] =
          sample (start + i, c);
  gst_buffer_unmap (buffer, &map);
  if (is_planar)
    gst_buffer_add_audio_meta (buffer, info, n_frames, NULL);
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale (start, GST_SECOND, info->rate);
  return buffer;
}

static guint
check_content (NdaRegroup * regroup, GstBuffer * block, guint64 start)
{
  const GstAudioInfo *info = nda_regroup_get_info (regroup);
  gboolean is_planar = info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  guint n_channels = info->channels;
  guint n_frames = gst_buffer_get_size (block) / info->bpf;
  GstMapInfo map;
  const gfloat *samples;

  gst_buffer_map (block, &map, GST_MAP_READ);
  samples = (const gfloat *) map.data;
  for (guint i = 0; i < n_frames; i++)
    for (guint c = 0; c < n_channels; c++)
      fail_unless (samples[is_planar ? c * n_frames + i : i * n_channels + c]
          == sample (start + i, c));
  gst_buffer_unmap (block, &map);
  return n_frames;
}

static void
check_times (GstBuffer * block, guint64 start, guint n_frames)
{
  GstClockTime begin = nda_block_frames_to_time (start, NDA_BLOCK_RATE);
  GstClockTime end = nda_block_frames_to_time (start + n_frames,
      NDA_BLOCK_RATE);

  assert_equals_uint64 (GST_BUFFER_PTS (block), begin);
  assert_equals_uint64 (GST_BUFFER_DURATION (block), end - begin);
  assert_equals_uint64 (GST_BUFFER_OFFSET (block), start);
  assert_equals_uint64 (GST_BUFFER_OFFSET_END (block), start + n_frames);
}

/* Pushes @sizes, 0-terminated after the first, and sees every frame again. */
static void
check_run (guint n_channels, gboolean is_planar, const guint * sizes,
    guint n_sizes)
{
  NdaRegroup *regroup = make_regroup (n_channels, is_planar);
  guint64 n_in = 0, n_out = 0;
  GstBuffer *block;

  for (guint i = 0; i < n_sizes; i++) {
    fail_unless (nda_regroup_push (regroup, make_buffer (regroup, n_in,
                sizes[i]), NULL));
    n_in += sizes[i];
    while ((block = nda_regroup_pop (regroup))) {
      fail_unless_equals_int (check_content (regroup, block, n_out), BLOCK);
      check_times (block, n_out, BLOCK);
      n_out += BLOCK;
      gst_buffer_unref (block);
    }
  }
  block = nda_regroup_drain (regroup);
  if (block) {
    guint n_frames = check_content (regroup, block, n_out);

    check_times (block, n_out, n_frames);
    n_out += n_frames;
    gst_buffer_unref (block);
  }
  assert_equals_uint64 (n_out, n_in);
  assert_equals_uint64 (nda_regroup_get_n_discontinuities (regroup), 0);
  nda_regroup_free (regroup);
}

GST_START_TEST (test_frames_out_are_frames_in)
{
  static const guint sizes[] = { 1, 511, 512, 513, 0, 4096, 7, 1021, 512, 3 };
  static const guint channels[] = { 1, 2, 3, 64 };

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    check_run (channels[i], FALSE, sizes, G_N_ELEMENTS (sizes));
    check_run (channels[i], TRUE, sizes, G_N_ELEMENTS (sizes));
  }
}

GST_END_TEST;

GST_START_TEST (test_any_sizes_will_do)
{
  guint sizes[200];
  GRand *rand = g_rand_new_with_seed (20261124);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    sizes[i] = g_rand_int_range (rand, 0, 1200);
  check_run (2, FALSE, sizes, G_N_ELEMENTS (sizes));
  g_rand_free (rand);
}

GST_END_TEST;

GST_START_TEST (test_aligned_block_passes_without_a_copy)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  GstBuffer *buffer = make_buffer (regroup, 0, BLOCK);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstBuffer *block;

  fail_unless (nda_regroup_push (regroup, buffer, NULL));
  block = nda_regroup_pop (regroup);

  fail_unless (gst_buffer_peek_memory (block, 0) == memory);
  fail_unless (nda_regroup_pop (regroup) == NULL);
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_steady_state_takes_buffers_of_the_pool)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  GstMemory *seen[2] = { NULL, NULL };

  for (guint i = 0; i < 100; i++) {
    GstBuffer *block;

    fail_unless (nda_regroup_push (regroup, make_buffer (regroup,
                i * (BLOCK / 2), BLOCK / 2), NULL));
    block = nda_regroup_pop (regroup);
    if (!block)
      continue;
    if (!seen[0] || seen[0] == gst_buffer_peek_memory (block, 0))
      seen[0] = gst_buffer_peek_memory (block, 0);
    else if (!seen[1])
      seen[1] = gst_buffer_peek_memory (block, 0);
    else
      fail_unless (seen[1] == gst_buffer_peek_memory (block, 0));
    gst_buffer_unref (block);
  }
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_times_never_drift)
{
  NdaFrameClock clock;
  GstBuffer *buffer = gst_buffer_new ();
  GstClockTime end = 123456789;

  nda_frame_clock_init (&clock, NDA_BLOCK_RATE);
  nda_frame_clock_rebase (&clock, end);
  for (guint64 n = 0; n <= G_GUINT64_CONSTANT (8100000); n++) {
    nda_frame_clock_stamp (&clock, buffer, BLOCK);
    if (GST_BUFFER_PTS (buffer) != end
        || end != 123456789 + gst_util_uint64_scale (n * BLOCK, GST_SECOND,
            NDA_BLOCK_RATE))
      fail ("block %" G_GUINT64_FORMAT " begins at %" G_GUINT64_FORMAT, n,
          GST_BUFFER_PTS (buffer));
    end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
  }
  gst_buffer_unref (buffer);
}

GST_END_TEST;

/* Pushes frames @first.. of @n_frames, with @flags, and at @pts if valid. */
static void
push (NdaRegroup * regroup, guint64 start, guint n_frames, GstClockTime pts,
    guint flags)
{
  GstBuffer *buffer = make_buffer (regroup, start, n_frames);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_FLAG_SET (buffer, flags);
  fail_unless (nda_regroup_push (regroup, buffer, NULL));
}

static void
check_cut_at (NdaRegroup * regroup, GstClockTime pts)
{
  GstBuffer *block = nda_regroup_pop (regroup);

  fail_unless_equals_int (check_content (regroup, block, 0), 100);
  fail_if (GST_BUFFER_IS_DISCONT (block));
  gst_buffer_unref (block);
  block = nda_regroup_pop (regroup);
  fail_unless_equals_int (check_content (regroup, block, 1000), BLOCK);
  fail_unless (GST_BUFFER_IS_DISCONT (block));
  assert_equals_uint64 (GST_BUFFER_PTS (block), pts);
  assert_equals_uint64 (GST_BUFFER_OFFSET (block), 100);
  gst_buffer_unref (block);
  assert_equals_uint64 (nda_regroup_get_n_discontinuities (regroup), 1);
}

GST_START_TEST (test_discont_cuts_and_goes_on_at_its_time)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);

  push (regroup, 0, 100, 0, 0);
  push (regroup, 1000, BLOCK, 7 * GST_SECOND, GST_BUFFER_FLAG_DISCONT);

  check_cut_at (regroup, 7 * GST_SECOND);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_jump_in_time_is_a_discontinuity_without_the_flag)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  guint64 n_frames = 0;
  GstBuffer *block;

  /* GStreamer's own rule: off by 40 ms for a second */
  push (regroup, 0, BLOCK, 0, 0);
  gst_buffer_unref (nda_regroup_pop (regroup));
  for (guint i = 0; !nda_regroup_get_n_discontinuities (regroup); i++) {
    fail_unless (i < 200);
    push (regroup, n_frames, BLOCK, 10 * GST_SECOND
        + nda_block_frames_to_time (n_frames, NDA_BLOCK_RATE), 0);
    n_frames += BLOCK;
    block = nda_regroup_pop (regroup);
    fail_unless (GST_BUFFER_IS_DISCONT (block)
        == (nda_regroup_get_n_discontinuities (regroup) == 1));
    gst_buffer_unref (block);
  }
  nda_regroup_free (regroup);
}

GST_END_TEST;

/* Blocks from @n_frames on, @off late. Returns how many it took to notice. */
static guint
push_late (NdaRegroup * regroup, guint64 n_frames, GstClockTime off)
{
  guint64 n_before = nda_regroup_get_n_discontinuities (regroup);

  for (guint i = 1; i <= 200; i++) {
    push (regroup, n_frames, BLOCK, off
        + nda_block_frames_to_time (n_frames, NDA_BLOCK_RATE), 0);
    gst_buffer_unref (nda_regroup_pop (regroup));
    if (nda_regroup_get_n_discontinuities (regroup) > n_before)
      return i;
    n_frames += BLOCK;
  }
  return 0;
}

/* The same by GStreamer's own GstAudioStreamAlign, which was told of all
 * blocks: how it counts the second that has to pass differs between
 * releases. */
static guint
judge_late (GstAudioStreamAlign * align, guint64 n_frames, GstClockTime off)
{
  for (guint i = 1; i <= 200; i++) {
    if (gst_audio_stream_align_process (align, FALSE, off
            + nda_block_frames_to_time (n_frames, NDA_BLOCK_RATE), BLOCK, NULL,
            NULL, NULL))
      return i;
    n_frames += BLOCK;
  }
  return 0;
}

/* A second of blocks, each where the last one ended, and then late ones. */
static void
compare_with_judge (GstClockTime off)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  GstAudioStreamAlign *align = gst_audio_stream_align_new (NDA_BLOCK_RATE,
      40 * GST_MSECOND, GST_SECOND);
  guint64 n_frames;

  for (n_frames = 0; n_frames < NDA_BLOCK_RATE; n_frames += BLOCK) {
    GstClockTime pts = nda_block_frames_to_time (n_frames, NDA_BLOCK_RATE);

    push (regroup, n_frames, BLOCK, pts, 0);
    gst_buffer_unref (nda_regroup_pop (regroup));
    gst_audio_stream_align_process (align, FALSE, pts, BLOCK, NULL, NULL, NULL);
  }
  fail_unless_equals_int (push_late (regroup, n_frames, off),
      judge_late (align, n_frames, off));
  gst_audio_stream_align_free (align);
  nda_regroup_free (regroup);
}

GST_START_TEST (test_a_jump_after_whole_blocks_is_judged_like_any)
{
  compare_with_judge (50 * GST_MSECOND);
  compare_with_judge (30 * GST_MSECOND);
  compare_with_judge (-50 * GST_MSECOND);
}

GST_END_TEST;

static void
check_gap (NdaRegroup * regroup, gboolean is_gap)
{
  GstBuffer *block = nda_regroup_pop (regroup);

  fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (block, GST_BUFFER_FLAG_GAP),
      is_gap);
  gst_buffer_unref (block);
}

/* Ten buffers of 10 ms at a time, which are there at once and have the time
 * stamp of then; some bursts are early, others late. Nothing of this is a
 * reason to set the clock, and no rounding adds up. */
GST_START_TEST (test_bursts_stamped_by_arrival_set_no_clock_back)
{
  static const GstClockTimeDiff off[] = { 0, -60, 50, -55, 30, -45 };
  NdaRegroup *regroup = make_regroup (2, FALSE);
  guint64 n_frames = 0, n_out = 0;
  GstBuffer *block;

  for (guint burst = 0; burst < 300; burst++) {
    GstClockTime arrival = GST_SECOND + burst * 100 * GST_MSECOND
        + off[burst % G_N_ELEMENTS (off)] * (GstClockTimeDiff) GST_MSECOND;

    for (guint i = 0; i < 10; i++) {
      push (regroup, n_frames, 480, arrival + i * GST_USECOND, 0);
      n_frames += 480;
      while ((block = nda_regroup_pop (regroup))) {
        assert_equals_uint64 (GST_BUFFER_PTS (block),
            GST_SECOND + nda_block_frames_to_time (n_out, NDA_BLOCK_RATE));
        n_out += BLOCK;
        gst_buffer_unref (block);
      }
    }
  }
  assert_equals_uint64 (nda_regroup_get_n_discontinuities (regroup), 0);
  nda_regroup_free (regroup);
}

GST_END_TEST;

/* What piled up behind a stall of the network comes faster than it plays. */
GST_START_TEST (test_backlog_sets_no_clock_back)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  guint64 n_frames = 0;
  GstBuffer *block;

  for (guint i = 0; i < 1000; i++) {
    push (regroup, n_frames, 480, i * 2 * GST_MSECOND, 0);
    n_frames += 480;
    while ((block = nda_regroup_pop (regroup)))
      gst_buffer_unref (block);
  }
  assert_equals_uint64 (nda_regroup_get_n_discontinuities (regroup), 0);
  nda_regroup_free (regroup);
}

GST_END_TEST;

/* A source that is slower than it says is corrected, as ever. */
GST_START_TEST (test_steady_lead_is_a_discontinuity)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);

  push_late (regroup, 0, 10 * GST_SECOND);
  fail_unless (push_late (regroup, 0, 9 * GST_SECOND) > 0);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_gap_is_one_only_if_all_of_it_is)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  const GstClockTime none = GST_CLOCK_TIME_NONE;

  push (regroup, 0, BLOCK + 10, 0, GST_BUFFER_FLAG_GAP);
  check_gap (regroup, TRUE);
  push (regroup, BLOCK + 10, 10, none, 0);
  push (regroup, BLOCK + 20, 2 * BLOCK - 20, none, GST_BUFFER_FLAG_GAP);
  check_gap (regroup, FALSE);
  check_gap (regroup, TRUE);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_half_a_frame_is_refused)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  g_autoptr (GError) error = NULL;

  fail_if (nda_regroup_push (regroup, gst_buffer_new_allocate (NULL, 4097,
              NULL), &error));

  fail_unless (strstr (error->message, "4097") != NULL);
  fail_unless (nda_regroup_pop (regroup) == NULL);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_flush_forgets_what_waits)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  GstBuffer *block;

  push (regroup, 0, 100, 0, 0);
  nda_regroup_flush (regroup);
  push (regroup, 0, BLOCK, GST_SECOND, 0);

  block = nda_regroup_pop (regroup);
  fail_unless_equals_int (check_content (regroup, block, 0), BLOCK);
  assert_equals_uint64 (GST_BUFFER_PTS (block), GST_SECOND);
  fail_unless (GST_BUFFER_IS_DISCONT (block));
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_without_time_stamps_time_begins_with_the_segment)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  GstSegment segment;
  GstBuffer *block;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 5 * GST_SECOND;
  nda_regroup_start_segment (regroup, &segment);
  push (regroup, 0, BLOCK, GST_CLOCK_TIME_NONE, 0);

  block = nda_regroup_pop (regroup);
  assert_equals_uint64 (GST_BUFFER_PTS (block), 5 * GST_SECOND);
  gst_buffer_unref (block);
  nda_regroup_free (regroup);
}

GST_END_TEST;

static void
check_latency (const guint * sizes, guint n_sizes, guint n_frames)
{
  NdaRegroup *regroup = make_regroup (2, FALSE);
  guint64 n_in = 0;
  GstBuffer *block;

  for (guint i = 0; i < n_sizes; i++) {
    push (regroup, n_in, sizes[i], GST_CLOCK_TIME_NONE, 0);
    n_in += sizes[i];
    while ((block = nda_regroup_pop (regroup)))
      gst_buffer_unref (block);
  }
  assert_equals_uint64 (nda_regroup_get_latency (regroup),
      nda_block_frames_to_time (n_frames, NDA_BLOCK_RATE));
  nda_regroup_free (regroup);
}

GST_START_TEST (test_latency_is_what_regrouping_adds)
{
  static const guint whole[] = { 512, 512, 512, 100 };
  static const guint twice[] = { 1024, 1024, 3 };
  static const guint ten_ms[] = { 480, 480, 480, 480 };
  static const guint odd[] = { 441, 441, 441 };

  check_latency (whole, G_N_ELEMENTS (whole), 0);
  check_latency (twice, G_N_ELEMENTS (twice), 0);
  check_latency (ten_ms, G_N_ELEMENTS (ten_ms), 512 - 32);
  check_latency (odd, G_N_ELEMENTS (odd), 511);
}

GST_END_TEST;

/* A leading block, and whole ones behind it. */
static void
push_shifted (NdaRegroup * regroup, guint n_leading)
{
  GstBuffer *leading = make_buffer (regroup, 0, n_leading);

  GST_BUFFER_FLAG_SET (leading, NDA_BLOCK_FLAG_LEADING);
  fail_unless (nda_regroup_push (regroup, leading, NULL));
}

GST_START_TEST (test_grid_of_a_leading_block_is_taken_over)
{
  NdaRegroup *regroup = make_regroup (2, __i__);
  guint64 start = 0;

  push_shifted (regroup, 64);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GstBuffer) block = nda_regroup_pop (regroup);
    guint n_frames = check_content (regroup, block, start);

    fail_unless_equals_int (n_frames, i == 0 ? 64 : BLOCK);
    check_times (block, start, n_frames);
    start += n_frames;
    fail_unless (nda_regroup_push (regroup, make_buffer (regroup, start,
                BLOCK), NULL));
  }
  assert_equals_uint64 (nda_regroup_get_latency (regroup), 0);
  nda_regroup_free (regroup);
}

GST_END_TEST;

GST_START_TEST (test_whoever_wants_whole_blocks_gets_them)
{
  NdaRegroup *regroup = nda_regroup_new (BLOCK);
  g_autoptr (GstCaps) caps = make_caps (2, FALSE, NDA_BLOCK_RATE);
  g_autoptr (GstBuffer) block = NULL;

  nda_regroup_ignore_grid (regroup);
  fail_unless (nda_regroup_set_caps (regroup, caps));
  push_shifted (regroup, 64);
  fail_unless (nda_regroup_pop (regroup) == NULL);
  fail_unless (nda_regroup_push (regroup, make_buffer (regroup, 64, BLOCK),
          NULL));
  block = nda_regroup_pop (regroup);
  fail_unless_equals_int (check_content (regroup, block, 0), BLOCK);
  nda_regroup_free (regroup);
}

GST_END_TEST;

static Suite *
regroup_suite (void)
{
  Suite *suite = suite_create ("regroup");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_frames_out_are_frames_in);
  tcase_add_test (tc, test_any_sizes_will_do);
  tcase_add_test (tc, test_aligned_block_passes_without_a_copy);
  tcase_add_test (tc, test_steady_state_takes_buffers_of_the_pool);
  tcase_add_test (tc, test_times_never_drift);
  tcase_add_test (tc, test_discont_cuts_and_goes_on_at_its_time);
  tcase_add_test (tc, test_jump_in_time_is_a_discontinuity_without_the_flag);
  tcase_add_test (tc, test_a_jump_after_whole_blocks_is_judged_like_any);
  tcase_add_test (tc, test_bursts_stamped_by_arrival_set_no_clock_back);
  tcase_add_test (tc, test_backlog_sets_no_clock_back);
  tcase_add_test (tc, test_steady_lead_is_a_discontinuity);
  tcase_add_test (tc, test_gap_is_one_only_if_all_of_it_is);
  tcase_add_test (tc, test_half_a_frame_is_refused);
  tcase_add_test (tc, test_flush_forgets_what_waits);
  tcase_add_test (tc, test_without_time_stamps_time_begins_with_the_segment);
  tcase_add_test (tc, test_latency_is_what_regrouping_adds);
  tcase_add_loop_test (tc, test_grid_of_a_leading_block_is_taken_over, 0, 2);
  tcase_add_test (tc, test_whoever_wants_whole_blocks_gets_them);
  return suite;
}

GST_CHECK_MAIN (regroup);
