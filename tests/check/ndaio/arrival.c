/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ndasink before a device that starts late or whose clock leaps, by a clock of
 * the test's. */

#include "config.h"

#include "ndablock.h"
#include "speaker.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define START_DELAY (38 * GST_MSECOND)
/* How old a block is when it is pushed: as planned at first and at the end, and
 * more while it had to wait for the device */
#define AGE_PLANNED (17 * GST_MSECOND)
#define AGE_LATE (AGE_PLANNED + START_DELAY)
#define N_IN_TIME 2
#define LATENCY (37 * GST_MSECOND)
#define N_SETTLING 16
#define N_BLOCKS 200

static GstBuffer *
make_block (guint n)
{
  GstBuffer *block = gst_buffer_new_allocate (NULL,
      NDA_BLOCK_FRAMES * 2 * sizeof (gfloat), NULL);

  gst_buffer_memset (block, 0, 0, -1);
  GST_BUFFER_PTS (block) =
      nda_block_frames_to_time ((guint64) n * NDA_BLOCK_FRAMES, NDA_BLOCK_RATE);
  GST_BUFFER_DURATION (block) = NDA_BLOCK_DURATION;
  return block;
}

typedef struct
{
  GstElement *pipeline;         /* owned */
  GstElement *sink;             /* in the pipeline */
  GstElement *speaker;          /* owned, in the sink */
  GstPad *pad;                  /* owned, feeds the sink */
  GstClockTime now;             /* of the pipeline's clock */
} Fixture;

static GstClockTime
get_now (GstClock * clock, gpointer fixture)
{
  return ((Fixture *) fixture)->now;
}

static void
start_events (GstPad * pad)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("audio/x-raw, "
      "layout = interleaved, rate = 48000, channels = 2, format = "
      GST_AUDIO_NE (F32));
  GstSegment segment;

  gst_pad_set_active (pad, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start ("test"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static void
setup (Fixture * f, GstClockTime start_delay)
{
  g_autoptr (GstClock) clock =
      gst_audio_clock_new ("test-clock", get_now, f, NULL);
  g_autoptr (GstPad) sinkpad = NULL;

  f->now = 0;
  f->speaker = gst_object_ref_sink (test_speaker_new (start_delay));
  f->sink = gst_element_factory_make_full ("ndasink", "sink", f->speaker, NULL);
  f->pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (f->pipeline), f->sink);
  gst_pipeline_use_clock (GST_PIPELINE (f->pipeline), clock);
  gst_pipeline_set_latency (GST_PIPELINE (f->pipeline), LATENCY);
  gst_element_set_start_time (f->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (f->pipeline, 0);

  f->pad = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  sinkpad = gst_element_get_static_pad (f->sink, "sink");
  fail_unless (GST_PAD_LINK_SUCCESSFUL (gst_pad_link (f->pad, sinkpad)));
  fail_unless_equals_int (gst_element_set_state (f->pipeline,
          GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  start_events (f->pad);
}

static void
teardown (Fixture * f)
{
  gst_element_set_state (f->pipeline, GST_STATE_NULL);
  gst_object_unref (f->pad);
  gst_object_unref (f->pipeline);
  gst_object_unref (f->speaker);
}

static void
push_blocks (Fixture * f, guint from, guint to, GstClockTime age)
{
  for (guint n = from; n < to; n++) {
    GstBuffer *block = make_block (n);

    f->now = MAX (f->now, GST_BUFFER_PTS (block) + age);
    fail_unless_equals_int (gst_pad_push (f->pad, block), GST_FLOW_OK);
  }
}

static guint64
get_counter (Fixture * f, const gchar * field)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (f->sink, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  return value;
}

GST_START_TEST (a_late_start_is_made_good_once)
{
  Fixture f;
  guint64 n_skipped;

  setup (&f, START_DELAY);
  push_blocks (&f, 0, N_IN_TIME, AGE_PLANNED);
  push_blocks (&f, N_IN_TIME, N_SETTLING, AGE_LATE);
  push_blocks (&f, N_SETTLING, N_BLOCKS, AGE_PLANNED);
  n_skipped = get_counter (&f, "num-frames-skipped");
  /* the device's buffer is part of the latency, and some of the delay stays */
  fail_unless (n_skipped > (START_DELAY - 3 * GST_MSECOND) * 48 / GST_MSECOND);
  fail_unless (n_skipped < (START_DELAY + 3 * GST_MSECOND) * 48 / GST_MSECOND);
  fail_unless_equals_int64 (get_counter (&f, "num-underruns"), 0);
  fail_unless_equals_int64 (test_speaker_get_n_frames (TEST_SPEAKER
          (f.speaker)), N_BLOCKS * NDA_BLOCK_FRAMES - n_skipped);
  fail_unless_equals_int (test_speaker_get_n_jumps (TEST_SPEAKER (f.speaker)),
      0);
  teardown (&f);
}

GST_END_TEST
/* A block may be too old by a clock that leaps, and in time by the device's. */
GST_START_TEST (a_clock_that_wanders_is_no_underrun)
{
  const GstClockTime wander = LATENCY;
  Fixture f;

  setup (&f, 0);
  push_blocks (&f, 0, N_BLOCKS, AGE_PLANNED);
  test_speaker_run_ahead (TEST_SPEAKER (f.speaker), -(GstClockTimeDiff) wander);
  push_blocks (&f, N_BLOCKS, 2 * N_BLOCKS, AGE_PLANNED + wander);
  fail_unless_equals_int64 (get_counter (&f, "num-underruns"), 0);
  fail_unless_equals_int (test_speaker_get_n_jumps (TEST_SPEAKER (f.speaker)),
      0);
  teardown (&f);
}

GST_END_TEST
/* It is heard again when the sink has seen that all will be too late. */
GST_START_TEST (a_device_that_is_ahead_for_good_is_met)
{
  TestSpeaker *speaker;
  guint64 n_late;
  Fixture f;

  setup (&f, 0);
  speaker = TEST_SPEAKER (f.speaker);
  push_blocks (&f, 0, N_BLOCKS, AGE_PLANNED);
  test_speaker_run_ahead (speaker, GST_SECOND);
  push_blocks (&f, N_BLOCKS, 2 * N_BLOCKS, AGE_PLANNED);
  n_late = get_counter (&f, "num-underruns");
  fail_unless (n_late > 0 && n_late < N_BLOCKS / 2);
  fail_unless_equals_int (test_speaker_get_n_jumps (speaker), 1);
  push_blocks (&f, 2 * N_BLOCKS, 3 * N_BLOCKS, AGE_PLANNED);
  fail_unless_equals_int64 (get_counter (&f, "num-underruns"), n_late);
  fail_unless_equals_int (test_speaker_get_n_jumps (speaker), 1);
  teardown (&f);
}

GST_END_TEST
/* --- a late block --- */
/* All that waited meanwhile comes at once. */
    static void
stall (Fixture * f, guint * n, GstClockTime time)
{
  f->now += time;
  while (*n * (GstClockTime) NDA_BLOCK_DURATION + AGE_PLANNED <= f->now) {
    push_blocks (f, *n, *n + 1, 0);
    ++*n;
  }
  push_blocks (f, *n, *n + N_BLOCKS, AGE_PLANNED);
  *n += N_BLOCKS;
}

static guint64
get_n_silent (Fixture * f)
{
  return test_speaker_get_n_silent (TEST_SPEAKER (f->speaker));
}

GST_START_TEST (a_stall_costs_what_was_late_and_each_frame_is_counted)
{
  static const guint stalls[] = { 15, 34, 100 };
  guint n = N_BLOCKS;
  Fixture f;

  setup (&f, 0);
  push_blocks (&f, 0, N_BLOCKS, AGE_PLANNED);
  for (guint i = 0; i < G_N_ELEMENTS (stalls); i++) {
    guint64 n_before = get_n_silent (&f), n_silent, n_counted;
    guint64 counted_before = get_counter (&f, "num-frames-silent");

    stall (&f, &n, stalls[i] * GST_MSECOND);
    n_silent = get_n_silent (&f) - n_before;
    n_counted = get_counter (&f, "num-frames-silent") - counted_before;
    fail_unless (n_silent <= stalls[i] * 48 + NDA_BLOCK_FRAMES,
        "%u ms: %" G_GUINT64_FORMAT, stalls[i], n_silent);
    fail_unless (stalls[i] < 30 || n_silent > 0);
    fail_unless (ABS ((gint64) (n_silent - n_counted)) < NDA_BLOCK_FRAMES,
        "%u ms: %" G_GUINT64_FORMAT " silent, %" G_GUINT64_FORMAT " counted",
        stalls[i], n_silent, n_counted);
  }
  fail_unless_equals_int64 (get_counter (&f, "num-frames-skipped"), 0);
  fail_unless_equals_int (test_speaker_get_n_jumps (TEST_SPEAKER (f.speaker)),
      0);
  teardown (&f);
}

GST_END_TEST
/* --- a latency that stays --- */
#define QUANTUM ((GstClockTimeDiff) 256 * GST_SECOND / 48000)
#define MINUTES(n) ((n) * 60 * NDA_BLOCK_RATE / NDA_BLOCK_FRAMES)
#define SECONDS(n) ((n) * NDA_BLOCK_RATE / NDA_BLOCK_FRAMES)
    static void
check_moved (Fixture * f, GstClockTimeDiff skipped, GstClockTimeDiff silent)
{
  gint64 n_skipped = get_counter (f, "num-frames-skipped");
  gint64 n_silent = get_counter (f, "num-frames-silent");

  fail_unless (ABS (n_skipped - skipped * 48 / (gint64) GST_MSECOND) < 24,
      "%" G_GINT64_FORMAT " skipped", n_skipped);
  fail_unless (ABS (n_silent - silent * 48 / (gint64) GST_MSECOND) < 24,
      "%" G_GINT64_FORMAT " silent", n_silent);
  fail_unless_equals_int64 (get_counter (f, "num-underruns"), 0);
}

/* PipeWire in PulseAudio's place, whose device begins at any point of a period:
 * both a late and an early start are made good, to LATENCY. */
static void
check_start_by_pipewire (GstClockTimeDiff late)
{
  gint64 n_skipped, n_silent, n_late = late * 48 / (gint64) GST_MSECOND;
  Fixture f;

  setup (&f, 0);
  g_object_set_data (G_OBJECT (f.speaker), "nda-pulse-of-pipewire",
      GINT_TO_POINTER (TRUE));
  g_object_set (f.speaker, "ts-offset",
      -(gint64) nda_block_frames_to_time (NDA_BLOCK_FRAMES * 3 / 2,
          NDA_BLOCK_RATE), NULL);
  push_blocks (&f, 0, N_IN_TIME, GST_MSECOND);
  test_speaker_run_ahead (TEST_SPEAKER (f.speaker), -late);
  push_blocks (&f, N_IN_TIME, SECONDS (1), GST_MSECOND);
  n_skipped = get_counter (&f, "num-frames-skipped");
  n_silent = get_counter (&f, "num-frames-silent");
  fail_unless (ABS (n_skipped - MAX (n_late, 0)) < 48,
      "%" G_GINT64_FORMAT " ms late: %" G_GINT64_FORMAT " skipped",
      late / (gint64) GST_MSECOND, n_skipped);
  fail_unless (ABS (n_silent - MAX (-n_late, 0)) < 48,
      "%" G_GINT64_FORMAT " ms late: %" G_GINT64_FORMAT " silent",
      late / (gint64) GST_MSECOND, n_silent);
  teardown (&f);
}

GST_START_TEST (a_start_by_pipewire_is_made_good_both_ways)
{
  check_start_by_pipewire (8 * GST_MSECOND);
  check_start_by_pipewire (0);
  check_start_by_pipewire (-8 * (GstClockTimeDiff) GST_MSECOND);
}

GST_END_TEST
/* Its device skips a period, and all later sound would be heard later. */
GST_START_TEST (a_device_that_slips_is_put_right_once)
{
  TestSpeaker *speaker;
  Fixture f;

  setup (&f, 0);
  speaker = TEST_SPEAKER (f.speaker);
  push_blocks (&f, 0, SECONDS (30), AGE_PLANNED);
  test_speaker_run_ahead (speaker, -QUANTUM);
  push_blocks (&f, SECONDS (30), SECONDS (60), AGE_PLANNED);
  check_moved (&f, QUANTUM, 0);
  push_blocks (&f, SECONDS (60), SECONDS (90), AGE_PLANNED);
  check_moved (&f, QUANTUM, 0);
  test_speaker_run_ahead (speaker, QUANTUM);
  push_blocks (&f, SECONDS (90), SECONDS (120), AGE_PLANNED);
  check_moved (&f, QUANTUM, QUANTUM);
  fail_unless_equals_int (test_speaker_get_n_jumps (speaker), 0);
  teardown (&f);
}

GST_END_TEST
/* It slips each second, and then no more. */
GST_START_TEST (a_latency_that_has_crept_up_is_put_right_once)
{
  const guint n_slips = 7;
  TestSpeaker *speaker;
  Fixture f;

  setup (&f, 0);
  speaker = TEST_SPEAKER (f.speaker);
  push_blocks (&f, 0, SECONDS (30), AGE_PLANNED);
  for (guint i = 0; i < n_slips; i++) {
    test_speaker_run_ahead (speaker, -QUANTUM);
    push_blocks (&f, SECONDS (30 + i), SECONDS (31 + i), AGE_PLANNED);
  }
  check_moved (&f, 0, 0);
  push_blocks (&f, SECONDS (30 + n_slips), SECONDS (60), AGE_PLANNED);
  check_moved (&f, n_slips * QUANTUM, 0);
  fail_unless_equals_int (test_speaker_get_n_jumps (speaker), 0);
  teardown (&f);
}

GST_END_TEST
/* By 8 ms, as a server's estimate does */
GST_START_TEST (a_clock_that_wanders_moves_no_sound)
{
  static const gdouble periods[] = { 5.0, 10.0, 20.0 };

  for (guint i = 0; i < G_N_ELEMENTS (periods); i++) {
    GstClockTimeDiff ahead = 0;
    Fixture f;

    setup (&f, 0);
    for (guint n = 0; n < MINUTES (6); n++) {
      GstClockTimeDiff now = 8 * GST_MSECOND * sin (2.0 * G_PI * n
          / SECONDS (periods[i]));

      test_speaker_run_ahead (TEST_SPEAKER (f.speaker), now - ahead);
      ahead = now;
      push_blocks (&f, n, n + 1, 12 * GST_MSECOND);
    }
    check_moved (&f, 0, 0);
    teardown (&f);
  }
}

GST_END_TEST static Suite *
arrival_suite (void)
{
  Suite *suite = suite_create ("arrival");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, a_late_start_is_made_good_once);
  tcase_add_test (tc, a_clock_that_wanders_is_no_underrun);
  tcase_add_test (tc, a_device_that_is_ahead_for_good_is_met);
  tcase_add_test (tc, a_stall_costs_what_was_late_and_each_frame_is_counted);
  tcase_add_test (tc, a_start_by_pipewire_is_made_good_both_ways);
  tcase_add_test (tc, a_device_that_slips_is_put_right_once);
  tcase_add_test (tc, a_latency_that_has_crept_up_is_put_right_once);
  tcase_add_test (tc, a_clock_that_wanders_moves_no_sound);
  return suite;
}

GST_CHECK_MAIN (arrival);
