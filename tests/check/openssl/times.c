/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* At what time ndadecrypt plays what ndaencrypt was given: over segments,
 * flushes, ends and late beginnings, and beside a sender whose clock is
 * another. */

#include "config.h"

#include "pair.h"

#include <math.h>

#define N_BLOCK 512
#define N_LONG_BLOCK 1024       /* so that an hour is shorter */
#define RATE 48000

/* --- segments --- */

/* Carries records with the events among them, as in one pipeline. */
static void
say_both (Pair * p, GstEvent * event)
{
  fail_unless (gst_harness_push_event (p->enc, gst_event_ref (event)));
  carry (p);
  fail_unless (gst_harness_push_event (p->dec, event));
}

static void
say_segment (Pair * p, GstClockTime start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = start;
  say_both (p, gst_event_new_segment (&segment));
}

static void
push_at (Pair * p, GstClockTime time, guint n_frames)
{
  GstBuffer *buffer = make_audio (p, n_frames);

  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_int (gst_harness_push (p->enc, buffer), GST_FLOW_OK);
}

static void
assert_plays_at (Pair * p, GstClockTime time, guint n_frames)
{
  GstBuffer *buffer, *record;

  while ((record = gst_harness_try_pull (p->enc)))
    fail_unless_equals_int (gst_harness_push (p->dec, record), GST_FLOW_OK);
  buffer = gst_harness_pull (p->dec);
  assert_equals_uint64 (GST_BUFFER_PTS (buffer), time);
  assert_equals_uint64 (gst_buffer_get_size (buffer), 2 * n_frames);
  fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  gst_buffer_unref (buffer);
  fail_unless (gst_harness_try_pull (p->dec) == NULL);
}

static const gchar *framings[] = { STREAM ",suite=5", PACKETS };

GST_START_TEST (test_each_segment_has_its_own_time)
{
  for (guint i = 0; i < G_N_ELEMENTS (framings); i++) {
    g_auto (Pair) p = { NULL };

    pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, framings[i]);
    push_at (&p, 0, N_BLOCK);
    assert_plays_at (&p, 0, N_BLOCK);
    say_segment (&p, 5 * GST_SECOND);
    push_at (&p, 5 * GST_SECOND, N_BLOCK);
    assert_plays_at (&p, 5 * GST_SECOND, N_BLOCK);
    /* back, as concat does at the beginning of each file */
    say_segment (&p, 0);
    push_at (&p, 0, N_BLOCK);
    assert_plays_at (&p, 0, N_BLOCK);
    assert_no_message (p.bus);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_flush_begins_again_and_misses_nothing)
{
  for (guint i = 0; i < G_N_ELEMENTS (framings); i++) {
    g_auto (Pair) p = { NULL };

    pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, framings[i]);
    push_at (&p, 0, N_BLOCK);
    assert_plays_at (&p, 0, N_BLOCK);
    push_at (&p, N_BLOCK * GST_SECOND / RATE, N_BLOCK);
    gst_buffer_unref (gst_harness_pull (p.enc));        /* is thrown away */
    say_both (&p, gst_event_new_flush_start ());
    say_both (&p, gst_event_new_flush_stop (TRUE));
    say_segment (&p, 3 * GST_SECOND);
    push_at (&p, 3 * GST_SECOND, N_BLOCK);
    assert_plays_at (&p, 3 * GST_SECOND, N_BLOCK);
    assert_no_message (p.bus);
    assert_equals_uint64 (get_counter (p.dec->element, "num-lost"), 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_after_the_end_it_is_played_again)
{
  for (guint i = 0; i < G_N_ELEMENTS (framings); i++) {
    g_auto (Pair) p = { NULL };

    pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, framings[i]);
    for (guint k = 0; k < 3; k++) {
      push_at (&p, 0, N_BLOCK);
      assert_plays_at (&p, 0, N_BLOCK);
      say_both (&p, gst_event_new_eos ());
      if (k == 1) {
        say_both (&p, gst_event_new_stream_start ("again"));
      } else {
        say_both (&p, gst_event_new_flush_start ());
        say_both (&p, gst_event_new_flush_stop (TRUE));
      }
      say_segment (&p, 0);
    }
    assert_no_message (p.bus);
  }
}

GST_END_TEST;

/* --- from its middle --- */

static gboolean
answer_seeking (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_seeking (query, GST_FORMAT_BYTES, FALSE, 0, -1);
  return TRUE;
}

/* Begins to receive after @n_missed records, as behind a server. */
static GstFlowReturn
join (Pair * p, guint n_missed, gboolean has_preamble)
{
  GstBuffer *record = gst_harness_pull (p->enc);
  GstFlowReturn flow = GST_FLOW_OK;

  if (has_preamble)
    gst_harness_push (p->dec, record);
  else
    gst_buffer_unref (record);
  for (guint i = 0; (record = gst_harness_try_pull (p->enc)); i++) {
    if (i < n_missed)
      gst_buffer_unref (record);
    else if (flow == GST_FLOW_OK)
      flow = gst_harness_push (p->dec, record);
    else
      gst_buffer_unref (record);
  }
  return flow;
}

static void
check_joining (gboolean is_pipe, gboolean has_preamble, const gchar * on_bad,
    gboolean is_played)
{
  g_autofree gchar *dec = g_strdup_printf ("ndadecrypt on-bad=%s", on_bad);
  g_auto (Pair) p = { NULL };
  g_autoptr (GstCaps) caps = NULL;

  pair_init (&p, "ndaencrypt", dec, S16_MONO, STREAM ",suite=5");
  if (is_pipe)
    gst_pad_set_query_function (p.dec->srcpad, answer_seeking);
  for (guint i = 0; i < 9; i++)
    push_frames (&p, N_BLOCK);
  caps = gst_pad_get_current_caps (p.enc->sinkpad);
  if (!has_preamble)
    gst_harness_set_src_caps (p.dec, g_steal_pointer (&caps));
  fail_unless_equals_int (join (&p, 4, has_preamble), is_played ?
      GST_FLOW_OK : GST_FLOW_ERROR);
  collect (&p);
  assert_equals_uint64 (p.out->len, is_played ? 5 * N_BLOCK * 2 : 0);
  assert_equals_uint64 (get_counter (p.dec->element, "num-lost"), 4);
  if (!is_played) {
    assert_error (p.bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT,
        "Get the audio again");
    return;
  }
  assert_warning (p.bus, "joined in its middle");
  fail_unless (memcmp (p.out->data, p.in->data + 4 * N_BLOCK * 2,
          p.out->len) == 0);
}

GST_START_TEST (test_a_live_stream_may_be_joined_in_its_middle)
{
  check_joining (TRUE, TRUE, "auto", TRUE);
  check_joining (TRUE, FALSE, "auto", TRUE);
  /* the caps have the preamble: it was live before this reader was there */
  check_joining (FALSE, FALSE, "auto", TRUE);
  /* a file without its head is told; and so is anything to who asks for it */
  check_joining (FALSE, TRUE, "auto", FALSE);
  check_joining (TRUE, TRUE, "error", FALSE);
}

GST_END_TEST;

/* --- a sender with another clock --- */

typedef struct
{
  gdouble ppm;
  guint n_blocks;
  GRand *random;
} Network;

/* s, between 1 and 5 */
static gdouble
draw_delay (Network * network)
{
  return g_rand_double_range (network->random, 0.001, 0.005);
}

/* Plays what arrives when the sender's clock says so, and a bit later. Looks at
 * each block: where is it played, and where should it be? */
static gdouble
play_from_afar (Pair * p, Network * network)
{
  gdouble worst = 0.0, speed = 1.0 + network->ppm * 1e-6;
  GstClockTime last_end = GST_CLOCK_TIME_NONE;

  for (guint i = 0; i < network->n_blocks; i++) {
    guint64 said_frames = (guint64) i * N_LONG_BLOCK;
    gdouble said = said_frames / (RATE * speed), error;
    GstBuffer *record, *block;

    p->n_pushed = said_frames;
    g_byte_array_set_size (p->in, 0);
    push_frames (p, N_LONG_BLOCK);
    record = gst_harness_pull (p->enc);
    GST_BUFFER_PTS (record) = (said + draw_delay (network)) * GST_SECOND;
    fail_unless_equals_int (gst_harness_push (p->dec, record), GST_FLOW_OK);
    block = gst_harness_pull (p->dec);
    fail_unless (i == 0 || !GST_BUFFER_IS_DISCONT (block));
    if (GST_CLOCK_TIME_IS_VALID (last_end))
      assert_equals_uint64 (GST_BUFFER_PTS (block), last_end);
    last_end = GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block);
    error = GST_BUFFER_PTS (block) / (gdouble) GST_SECOND - said - 0.003;
    /* a second, to tell jitter from delay */
    if (said > 1.0)
      worst = MAX (worst, fabs (error));
    gst_buffer_unref (block);
  }
  return worst;
}

static void
check_drift (gdouble ppm)
{
  Network network = {.ppm = ppm,.n_blocks = 3600 * RATE / N_LONG_BLOCK };
  g_auto (Pair) p = { NULL };
  gdouble worst;

  network.random = g_rand_new_with_seed (1);
  pair_init (&p, "ndaencrypt block-frames=1024", "ndadecrypt", S16_MONO,
      PACKETS);
  worst = play_from_afar (&p, &network);
  fail_unless (worst < 0.001, "%g ms off at %g ppm", worst * 1e3, ppm);
  assert_equals_uint64 (get_counter (p.dec->element, "num-blocks"),
      network.n_blocks);
  assert_equals_uint64 (get_counter (p.dec->element, "num-concealed-frames"),
      0);
  assert_no_message (p.bus);
  g_rand_free (network.random);
}

GST_START_TEST (test_an_hour_beside_a_slower_clock)
{
  check_drift (-200.0);
}

GST_END_TEST;

GST_START_TEST (test_an_hour_beside_a_faster_clock)
{
  check_drift (200.0);
}

GST_END_TEST;

/* A new key has no new time: the sender goes on. */
GST_START_TEST (test_a_new_session_keeps_the_time)
{
  GRand *random = g_rand_new_with_seed (2);
  g_auto (Pair) p = { NULL };
  GstClockTime last_end = GST_CLOCK_TIME_NONE;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  for (guint i = 0; i < 500; i++) {
    GstBuffer *record, *block;

    if (i % 100 == 99)
      g_signal_emit_by_name (p.enc->element, "rekey");
    push_frames (&p, N_BLOCK);
    while ((record = gst_harness_try_pull (p.enc))) {
      GST_BUFFER_PTS (record) = gst_util_uint64_scale (i * N_BLOCK,
          GST_SECOND, RATE) + g_rand_int_range (random, 0, 5 * GST_MSECOND);
      gst_harness_push (p.dec, record);
    }
    block = gst_harness_pull (p.dec);
    if (GST_CLOCK_TIME_IS_VALID (last_end))
      assert_equals_uint64 (GST_BUFFER_PTS (block), last_end);
    last_end = GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block);
    gst_buffer_unref (block);
  }
  assert_equals_uint64 (get_counter (p.dec->element, "num-sessions"), 6);
  g_rand_free (random);
}

GST_END_TEST;

/* --- the rest --- */

/* What an outsider sends must not make buffers larger for good. */
GST_START_TEST (test_a_long_forged_datagram_costs_nothing_later)
{
  g_auto (Pair) p = { NULL };
  guint8 *forged = g_malloc0 (65535);
  GstBuffer *record, *block;
  gsize n_room;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  push_frames (&p, N_BLOCK);
  carry (&p);
  memset (forged, 0xff, 65535);
  gst_harness_push (p.dec, gst_buffer_new_wrapped (forged, 65535));
  push_frames (&p, N_BLOCK);
  record = gst_harness_pull (p.enc);
  /* held, so that it is copied into a buffer of the pool */
  gst_buffer_ref (record);
  gst_harness_push (p.dec, record);
  gst_buffer_unref (record);
  block = gst_harness_pull (p.dec);
  gst_memory_get_sizes (gst_buffer_peek_memory (block, 0), NULL, &n_room);
  fail_unless (n_room < 2 * N_BLOCK * 2, "%" G_GSIZE_FORMAT, n_room);
  gst_buffer_unref (block);
  assert_equals_uint64 (get_counter (p.dec->element, "num-unknown-key"), 1);
}

GST_END_TEST;

/* All formats end at EOS, though there was no segment. */
GST_START_TEST (test_an_end_before_any_segment)
{
  GstElement *enc = gst_object_ref_sink (gst_element_factory_make
      ("ndaencrypt", NULL));
  g_autoptr (GstPad) sink = gst_element_get_static_pad (enc, "sink");
  g_autoptr (GstPad) src = gst_element_get_static_pad (enc, "src");
  GstPad *pad = gst_object_ref_sink (gst_pad_new_from_static_template
      (&any_src, "src"));
  g_auto (Bytes) key = from_hex (records[0].master_key);
  g_autoptr (GBytes) bytes = g_bytes_new (key.data, key.n);
  g_autoptr (GstCaps) caps = gst_caps_from_string (S16_MONO);
  g_autoptr (GstEvent) segment = NULL;
  GstHarness *h;
  gboolean ok;

  g_signal_emit_by_name (enc, "set-master-key", bytes, &ok);
  h = gst_harness_new_with_element (enc, NULL, "src");
  fail_unless_equals_int (gst_pad_link (pad, sink), GST_PAD_LINK_OK);
  gst_pad_set_active (pad, TRUE);
  gst_pad_push_event (pad, gst_event_new_stream_start ("s"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_eos ());
  segment = gst_pad_get_sticky_event (src, GST_EVENT_SEGMENT, 0);
  fail_unless (segment != NULL);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 2);

  gst_pad_set_active (pad, FALSE);
  gst_object_unref (pad);
  gst_harness_teardown (h);
  gst_object_unref (enc);
}

GST_END_TEST;

static Suite *
times_suite (void)
{
  Suite *suite = suite_create ("times");
  TCase *tc = tcase_create ("times");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_each_segment_has_its_own_time);
  tcase_add_test (tc, test_a_flush_begins_again_and_misses_nothing);
  tcase_add_test (tc, test_after_the_end_it_is_played_again);
  tcase_add_test (tc, test_a_live_stream_may_be_joined_in_its_middle);
  tcase_add_test (tc, test_an_hour_beside_a_slower_clock);
  tcase_add_test (tc, test_an_hour_beside_a_faster_clock);
  tcase_add_test (tc, test_a_new_session_keeps_the_time);
  tcase_add_test (tc, test_a_long_forged_datagram_costs_nothing_later);
  tcase_add_test (tc, test_an_end_before_any_segment);
  return suite;
}

GST_CHECK_MAIN (times);
