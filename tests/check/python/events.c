/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Events and queries keep their place among the blocks. */

#include "config.h"

#include "bridge.h"

#include <string.h>

/* The types of the events that came out, in order, since the last call. */
static gchar *
pull_events (GstHarness * h, GstEventType last)
{
  GString *names = g_string_new (NULL);
  GstEventType type;

  do {
    GstEvent *event = gst_harness_pull_event (h);

    type = GST_EVENT_TYPE (event);
    g_string_append_printf (names, "%s ", GST_EVENT_TYPE_NAME (event));
    gst_event_unref (event);
  } while (type != last);
  return g_string_free (names, FALSE);
}

GST_START_TEST (test_events_come_in_order_with_the_data)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autofree gchar *names = NULL;

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  gst_harness_push (h, make_buffer (BLOCK, 88));
  gst_harness_push_event (h, gst_event_new_eos ());

  names = pull_events (h, GST_EVENT_EOS);
  fail_unless_equals_string (names, "stream-start caps segment tag eos ");
  gst_buffer_unref (gst_harness_pull (h));
  expect_frames (h, BLOCK, 88);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_segment_in_bytes_becomes_one_in_time)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  GstEvent *event = NULL;
  GstSegment segment;
  const GstSegment *out;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_stream_start ("bytes"));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_event (h);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT);

  gst_event_parse_segment (event, &out);
  fail_unless_equals_int (out->format, GST_FORMAT_TIME);
  gst_event_unref (event);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_segment_cuts_and_counts_anew)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstSegment segment;
  GstBuffer *out;

  gst_harness_push (h, make_buffer (0, 100));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_buffer (0, BLOCK));

  expect_frames (h, 0, 100);
  out = gst_harness_pull (h);
  fail_unless_equals_int (check_frames (out, 0), BLOCK);
  assert_equals_uint64 (GST_BUFFER_OFFSET (out), 0);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_format_comes_after_the_rest_of_the_old)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBuffer *out;
  g_autofree gchar *names = NULL;

  gst_harness_push (h, make_buffer (0, 100));
  gst_harness_set_src_caps_str (h, MONO);
  gst_harness_push (h, make_buffer (0, BLOCK / 2));     /* a block of mono */
  expect_frames (h, 0, 100);
  out = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_get_size (out), BLOCK * 4);
  gst_buffer_unref (out);
  gst_harness_push_event (h, gst_event_new_eos ());
  names = pull_events (h, GST_EVENT_EOS);
  fail_unless (strstr (names, "caps segment caps") != NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_same_format_again_cuts_nothing)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) same = gst_caps_from_string (STEREO ", extra = (int) 1");

  gst_harness_push (h, make_buffer (0, 100));
  gst_pad_push_event (h->srcpad, gst_event_new_caps (same));
  gst_harness_push (h, make_buffer (100, 412));

  expect_frames (h, 0, BLOCK);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_format_outlives_a_flush)
{
  GstHarness *h = make_harness ("passthrough", NULL);
  GstSegment segment;

  /* flushed before or after the worker saw the format, as it happens */
  for (guint i = 0; i < 200; i++) {
    gst_harness_set_src_caps_str (h, i % 2 ? STEREO : MONO);
    gst_pad_push_event (h->srcpad, gst_event_new_flush_start ());
    gst_pad_push_event (h->srcpad, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (h->srcpad, gst_event_new_segment (&segment));
    fail_unless_equals_int (gst_harness_push (h, make_buffer (0, BLOCK)),
        GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (h));
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_serialized_query_waits_its_turn)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstQuery *query = gst_query_new_drain ();

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_pad_peer_query (h->srcpad, query);

  /* the block went out before the answer came back */
  assert_equals_uint64 (gst_harness_buffers_received (h), 1);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- serialized queries -------------------------------------------------- */

/* One that nobody knows */
#define QUERY_MARK GST_QUERY_MAKE_TYPE (4711, \
    GST_QUERY_TYPE_DOWNSTREAM | GST_QUERY_TYPE_SERIALIZED)

/* What the query found when it came: how many buffers were before it. */
typedef struct
{
  GstHarness *h;
  gint n_before;                /* -1: it has not come */
} Asked;

/* Downstream's answer */
static GstPadProbeReturn
answer (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  Asked *asked = user_data;

  if (GST_QUERY_TYPE (query) != QUERY_MARK)
    return GST_PAD_PROBE_OK;
  asked->n_before = gst_harness_buffers_received (asked->h);
  gst_structure_set (gst_query_writable_structure (query), "answer",
      G_TYPE_INT, 4711, NULL);
  return GST_PAD_PROBE_HANDLED;
}

static GstQuery *
make_mark (void)
{
  return gst_query_new_custom (QUERY_MARK, gst_structure_new_empty ("mark"));
}

/* The query passes behind the blocks before it, the answer comes back, and the
 * sound is not cut: what the plugin holds back stays held back. */
static void
ask (const gchar * plugin, guint n_held)
{
  GstHarness *h = make_harness (plugin, STEREO);
  g_autoptr (GstQuery) query = make_mark ();
  Asked asked = { h, -1 };
  gint number = 0;

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM
      | GST_PAD_PROBE_TYPE_PUSH, answer, &asked, NULL);
  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_harness_push (h, make_buffer (BLOCK, BLOCK));
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless_equals_int (asked.n_before, 2);
  gst_structure_get_int (gst_query_get_structure (query), "answer", &number);
  fail_unless_equals_int (number, 4711);

  gst_harness_push (h, make_buffer (2 * BLOCK, BLOCK));
  for (guint n = 0; n < 3; n++) {
    g_autoptr (GstBuffer) block = gst_harness_pull (h);

    fail_unless_equals_int (gst_buffer_get_size (block) / 8,
        BLOCK - (n == 0 ? n_held : 0));
  }
  gst_harness_teardown (h);
}

GST_START_TEST (test_serialized_query_passes_between_blocks_and_cuts_nothing)
{
  ask ("passthrough", 0);
  ask ("limiter", 72);
}

GST_END_TEST;

/* The element's own buffers go on, so it answers by itself, at once. */
GST_START_TEST (test_allocation_is_answered_here_and_cuts_nothing)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstCaps) caps = gst_caps_from_string (STEREO);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);

  gst_harness_push (h, make_buffer (0, 100));
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_find_allocation_meta (query, GST_AUDIO_META_API_TYPE,
          NULL));
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 0);
  gst_harness_push (h, make_buffer (100, BLOCK - 100));
  expect_frames (h, 0, BLOCK);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Nothing waits for an answer that cannot come. */
GST_START_TEST (test_serialized_query_is_refused_while_flushing)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  g_autoptr (GstQuery) query = make_mark ();

  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_buffer_unref (gst_harness_pull (h));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  fail_if (gst_pad_peer_query (h->srcpad, query));
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_teardown (h);
}

GST_END_TEST;

/* After DRAIN nothing is inside, not even a part of a block. */
GST_START_TEST (test_drain_leaves_nothing_inside)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstQuery *query = gst_query_new_drain ();

  gst_harness_push (h, make_buffer (0, 100));
  gst_pad_peer_query (h->srcpad, query);
  assert_equals_uint64 (gst_harness_buffers_received (h), 1);
  gst_harness_push (h, make_buffer (100, BLOCK));

  expect_frames (h, 0, 100);
  expect_frames (h, 100, BLOCK);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Upstream pushes what was refused again, before each buffer. */
GST_START_TEST (test_refused_rate_is_posted_once)
{
  GstHarness *h = make_harness ("passthrough", STEREO);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GstSegment segment;

  gst_element_set_bus (h->element, bus);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = 2.0;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_buffer (0, BLOCK)),
      GST_FLOW_ERROR);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_unref (message);
  fail_if (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  gst_object_unref (bus);
}

GST_END_TEST;

/* Ends a stretch of sound in one way or another. */
static void
cut (GstHarness * h, guint way)
{
  g_autoptr (GstQuery) drain = gst_query_new_drain ();
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (way == 0)
    gst_harness_push_event (h, gst_event_new_gap (0, GST_SECOND));
  else if (way == 1)
    gst_harness_push_event (h, gst_event_new_segment (&segment));
  else if (way == 2)
    gst_harness_set_src_caps_str (h, MONO);
  else
    gst_pad_peer_query (h->srcpad, drain);
}

GST_START_TEST (test_what_a_plugin_holds_back_leaves_before_a_cut)
{
  static const GstEventType types[] = {
    GST_EVENT_GAP, GST_EVENT_SEGMENT, GST_EVENT_CAPS
  };
  GstHarness *h = make_harness ("limiter", STEREO);
  guint n_frames = 0, n_left;

  gst_harness_push (h, make_buffer (0, 1000));
  if (__i__ < 3)
    g_free (pull_events (h, GST_EVENT_SEGMENT));
  cut (h, __i__);
  if (__i__ < 3)
    g_free (pull_events (h, types[__i__]));

  for (n_left = gst_harness_buffers_in_queue (h); n_left; n_left--) {
    g_autoptr (GstBuffer) out = gst_harness_pull (h);

    assert_equals_uint64 (GST_BUFFER_PTS (out), nda_block_frames_to_time
        (n_frames, NDA_BLOCK_RATE));
    n_frames += gst_buffer_get_size (out) / 8;
  }
  fail_unless_equals_int (n_frames, 1000);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- events behind sound that is held back -------------------------------- */

/* Notes in the GString @user_data how many frames pass, and which events. */
static GstPadProbeReturn
note (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GString *noted = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_string_append_printf (noted, "%" G_GSIZE_FORMAT " ",
        gst_buffer_get_size (GST_PAD_PROBE_INFO_BUFFER (info)) / 8);
  else if (GST_EVENT_IS_SERIALIZED (event)
      && GST_EVENT_TYPE (event) != GST_EVENT_STREAM_START
      && GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    g_string_append_printf (noted, "%s ", GST_EVENT_TYPE_NAME (event));
  return GST_PAD_PROBE_OK;
}

/* With @plugin, and what passes noted in @noted. */
static GstHarness *
make_noting_harness (const gchar * plugin, GString * noted)
{
  GstHarness *h = make_harness (plugin, STEREO);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (h->element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      note, noted, NULL);
  return h;
}

static GstEvent *
make_custom_event (void)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new_empty ("mark"));
}

static GstEvent *
make_tag (const gchar * title)
{
  return gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, title, NULL));
}

/* Ends the sound, and waits for its end. */
static void
finish (GstHarness * h)
{
  gst_harness_push_event (h, gst_event_new_eos ());
  g_free (pull_events (h, GST_EVENT_EOS));
}

GST_START_TEST (test_events_leave_behind_the_sound_that_came_before_them)
{
  /* the limiter holds 72 frames back */
  static const gchar *const plugins[] = { "passthrough", "limiter" };
  static const gchar *const expected[] = {
    "segment tag 512 512 tag custom-downstream 512 88 tag eos ",
    "segment tag 440 512 512 tag custom-downstream 160 tag eos ",
  };
  g_autoptr (GString) noted = g_string_new (NULL);
  GstHarness *h = make_noting_harness (plugins[__i__], noted);

  gst_harness_push_event (h, make_tag ("first"));
  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_harness_push (h, make_buffer (BLOCK, BLOCK));
  gst_harness_push_event (h, make_tag ("second"));
  gst_harness_push_event (h, make_custom_event ());
  gst_harness_push (h, make_buffer (2 * BLOCK, BLOCK));
  gst_harness_push (h, make_buffer (3 * BLOCK, 88));
  gst_harness_push_event (h, make_tag ("third"));
  finish (h);

  fail_unless_equals_string (noted->str, expected[__i__]);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_event_leaves_with_the_last_of_the_sound_before_it)
{
  g_autoptr (GString) noted = g_string_new (NULL);
  GstHarness *h = make_noting_harness ("limiter", noted);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_harness_push_event (h, make_custom_event ());
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_buffer (0, BLOCK));
  finish (h);

  fail_unless_equals_string (noted->str,
      "segment 440 72 custom-downstream segment 440 72 eos ");
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_flush_drops_events_but_those_that_stay)
{
  g_autoptr (GString) noted = g_string_new (NULL);
  GstHarness *h = make_noting_harness ("limiter", noted);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push (h, make_buffer (0, BLOCK));
  gst_buffer_unref (gst_harness_pull (h));
  gst_harness_push_event (h, make_custom_event ());
  gst_harness_push_event (h, make_tag ("stays"));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_buffer (0, BLOCK));
  finish (h);

  fail_unless_equals_string (noted->str,
      "segment 440 flush-stop tag segment 440 72 eos ");
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
events_suite (void)
{
  Suite *suite = suite_create ("events");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_events_come_in_order_with_the_data);
  tcase_add_test (tc, test_segment_in_bytes_becomes_one_in_time);
  tcase_add_test (tc, test_new_segment_cuts_and_counts_anew);
  tcase_add_test (tc, test_new_format_comes_after_the_rest_of_the_old);
  tcase_add_test (tc, test_same_format_again_cuts_nothing);
  tcase_add_test (tc, test_format_outlives_a_flush);
  tcase_add_test (tc, test_serialized_query_waits_its_turn);
  tcase_add_test (tc,
      test_serialized_query_passes_between_blocks_and_cuts_nothing);
  tcase_add_test (tc, test_allocation_is_answered_here_and_cuts_nothing);
  tcase_add_test (tc, test_serialized_query_is_refused_while_flushing);
  tcase_add_test (tc, test_drain_leaves_nothing_inside);
  tcase_add_test (tc, test_refused_rate_is_posted_once);
  tcase_add_loop_test (tc, test_what_a_plugin_holds_back_leaves_before_a_cut,
      0, 4);
  tcase_add_loop_test (tc,
      test_events_leave_behind_the_sound_that_came_before_them, 0, 2);
  tcase_add_test (tc, test_event_leaves_with_the_last_of_the_sound_before_it);
  tcase_add_test (tc, test_flush_drops_events_but_those_that_stay);
  return suite;
}

GST_CHECK_MAIN (events);
