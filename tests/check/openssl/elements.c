/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ndaencrypt and ndadecrypt: what goes in comes out. */

#include "config.h"

#include "pair.h"

/* --- round trips --- */

static void
check_round_trip (const gchar * caps, const gchar * record_caps,
    guint block_frames, guint suite)
{
  const guint lengths[] = { 0, 1, 511, 512, 513, 4096, 512, 512, 7 };
  g_autofree gchar *enc = g_strdup_printf ("ndaencrypt context=alice "
      "block-frames=%u suite=%u", block_frames, suite);
  g_autofree gchar *dec = g_strdup_printf ("ndadecrypt context=alice suite=%u",
      suite);
  g_auto (Pair) p = { NULL };

  pair_init (&p, enc, dec, caps, record_caps);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    push_frames (&p, lengths[i]);
  end (&p);

  assert_same (&p);
  assert_no_message (p.bus);
  fail_unless_equals_int (p.n_discont, 1);
  assert_equals_uint64 (get_counter (p.dec->element, "num-frames"), p.n_pushed);
  assert_equals_uint64 (get_counter (p.enc->element, "num-frames"), p.n_pushed);
  assert_equals_uint64 (p.n_buffers,
      (p.n_pushed + block_frames - 1) / block_frames);
}

GST_START_TEST (test_every_format)
{
  const gchar *formats[] = { "S16LE", "S24LE", "S32LE", "F32LE", "F64LE" };
  const struct
  {
    guint rate, n_channels;
  } kinds[] = { {48000, 1}, {44100, 2}, {8000, 3}, {768000, 8}, {1000, 5} };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
      g_autofree gchar *caps = g_strdup_printf ("audio/x-raw,format=%s,"
          "rate=%u,channels=%u,layout=interleaved,channel-mask=(bitmask)%s",
          formats[i], kinds[k].rate, kinds[k].n_channels,
          kinds[k].n_channels == 2 ? "3" : "0");

      check_round_trip (caps, k % 2 ? PACKETS : STREAM ",suite=5", 512, 5);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_every_suite)
{
  for (guint suite = 1; suite <= 5; suite++) {
    g_autofree gchar *packets = g_strdup_printf ("application/x-nda-sframe,"
        "version=1,framing=packet,suite=%u", suite);

    check_round_trip (S16_MONO, packets, 512, suite);
    check_round_trip (S16_MONO, NULL, 512, suite);
  }
}

GST_END_TEST;

GST_START_TEST (test_any_block_length)
{
  const guint lengths[] = { 1, 64, 480, 512, 1024, 32000 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    check_round_trip (S16_MONO, PACKETS, lengths[i], 5);
}

GST_END_TEST;

GST_START_TEST (test_output_caps_follow_the_records)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstCaps) expected =
      gst_caps_from_string ("audio/x-raw,format=S24LE,"
      "rate=96000,channels=4,layout=interleaved,channel-mask=(bitmask)0");

  pair_init (&p, "ndaencrypt", "ndadecrypt", "audio/x-raw,format=S24LE,"
      "rate=96000,channels=4,layout=interleaved,channel-mask=(bitmask)0x33",
      NULL);
  push_frames (&p, 512);
  carry (&p);
  caps = gst_pad_get_current_caps (p.dec->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected), "%" GST_PTR_FORMAT, caps);
}

GST_END_TEST;

#define S16_STEREO "audio/x-raw,format=S16LE,rate=48000,channels=2," \
    "layout=interleaved,channel-mask=(bitmask)3"

static GstPadProbeReturn
refuse (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_FLUSHING;
  return GST_PAD_PROBE_HANDLED;
}

/* From @first to @second in the moment in which downstream flushes, and then
 * to @third: what is sealed are the samples of the block, no more, no fewer. */
static void
check_format_in_a_flush (const gchar * first, const gchar * second,
    const gchar * third)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstPad) src = NULL;
  g_autoptr (GstCaps) other = gst_caps_from_string (second);
  gulong probe;

  pair_init (&p, "ndaencrypt", "ndadecrypt", first, PACKETS);
  src = gst_element_get_static_pad (p.enc->element, "src");
  push_frames (&p, 512);
  probe = gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, refuse, NULL,
      NULL);
  gst_harness_push_event (p.enc, gst_event_new_caps (other));
  gst_pad_remove_probe (src, probe);
  gst_harness_set_src_caps_str (p.enc, third);
  for (guint i = 0; i < 3; i++)
    push_frames (&p, 512);
  end (&p);
  assert_same (&p);
}

GST_START_TEST (test_a_format_that_comes_in_a_flush)
{
  check_format_in_a_flush (S16_MONO, S16_STEREO, S16_MONO);
  check_format_in_a_flush (S16_STEREO, S16_MONO, S16_STEREO);
  check_format_in_a_flush (S16_MONO, S16_STEREO, S16_STEREO);
}

GST_END_TEST;

/* --- negotiation --- */

/* The preamble, for those who join later */
static void
check_streamheader (const GstStructure * s, gint suite)
{
  const GValue *headers = gst_structure_get_value (s, "streamheader");
  const guint8 preamble[16] = "NDAS\r\n\032\n\001\0\0";
  guint8 expected[16];
  GstBuffer *buffer;

  memcpy (expected, preamble, sizeof (expected));
  expected[11] = suite;
  fail_unless_equals_int (gst_value_array_get_size (headers), 1);
  buffer = gst_value_get_buffer (gst_value_array_get_value (headers, 0));
  fail_unless_equals_int (gst_buffer_get_size (buffer), 16);
  fail_unless (gst_buffer_memcmp (buffer, 0, expected, 16) == 0);
}

static void
check_choice (const gchar * description, const gchar * downstream,
    const gchar * framing, gint suite)
{
  GstHarness *h = make_harness (description, records[0].master_key);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstCaps) caps = NULL;
  const GstStructure *s;
  gint found = 0;

  gst_element_set_bus (h->element, bus);
  if (downstream)
    gst_harness_set_sink_caps_str (h, downstream);
  gst_harness_set_src_caps_str (h, S16_MONO);
  caps = gst_pad_get_current_caps (h->sinkpad);
  if (!framing) {
    fail_unless (caps == NULL);
    /* the caps are tried again with the buffer, and told of once */
    gst_harness_push (h, gst_buffer_new_allocate (NULL, 1024, NULL));
    assert_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        "Set “suite” and “framing”");
    assert_no_message (bus);
  } else {
    s = gst_caps_get_structure (caps, 0);
    fail_unless_equals_string (gst_structure_get_string (s, "framing"),
        framing);
    fail_unless (gst_structure_get_int (s, "suite", &found));
    fail_unless_equals_int (found, suite);
    if (g_str_equal (framing, "stream"))
      check_streamheader (s, suite);
    fail_unless_equals_int (gst_structure_n_fields (s),
        g_str_equal (framing, "stream") ? 4 : 3);
  }
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

GST_START_TEST (test_negotiation)
{
  check_choice ("ndaencrypt", NULL, "stream", 5);
  check_choice ("ndaencrypt", "ANY", "stream", 5);
  check_choice ("ndaencrypt", PACKETS, "packet", 5);
  check_choice ("ndaencrypt framing=packet", NULL, "packet", 5);
  check_choice ("ndaencrypt suite=4", NULL, "stream", 4);
  check_choice ("ndaencrypt suite=1", NULL, "stream", 1);
  check_choice ("ndaencrypt",
      "application/x-nda-sframe,suite=(int){1,4}", "stream", 4);
  check_choice ("ndaencrypt",
      "application/x-nda-sframe,suite=(int){1,2}", NULL, 0);
  check_choice ("ndaencrypt suite=2",
      "application/x-nda-sframe,suite=(int){1,2}", "stream", 2);
  check_choice ("ndaencrypt suite=5",
      "application/x-nda-sframe,suite=(int)4", NULL, 0);
  check_choice ("ndaencrypt framing=stream", PACKETS, NULL, 0);
}

GST_END_TEST;

GST_START_TEST (test_a_block_that_no_record_can_hold)
{
  GstHarness *h = make_harness ("ndaencrypt block-frames=40000",
      records[0].master_key);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, S16_MONO);
  assert_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "Set “block-frames” to 32743 or less");
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_latency_is_that_of_regrouping)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  gst_harness_set_upstream_latency (p.enc, 0);
  push_frames (&p, 512);
  push_frames (&p, 512);
  assert_equals_uint64 (gst_harness_query_latency (p.enc), 0);
  push_frames (&p, 480);
  push_frames (&p, 480);
  assert_equals_uint64 (gst_harness_query_latency (p.enc),
      gst_util_uint64_scale (512 - 32, GST_SECOND, 48000));
}

GST_END_TEST;

/* --- in place, and elsewhere --- */

typedef enum
{
  ROOM_AROUND,                  /* as upstream is asked for */
  ROOM_BEHIND,                  /* as a pool leaves it */
  NO_ROOM,
  HELD,                         /* by somebody else too */
  SHARED,                       /* its memory */
  WITH_META,
} Kind;

static void
attach (GstBuffer * buffer)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("timestamp/x-unix");

  gst_buffer_add_reference_timestamp_meta (buffer, caps, 1, 1);
}

/* A block like the pair's, of that kind */
static GstBuffer *
make_block (Pair * p, Kind kind)
{
  GstAllocationParams params = {.align = 15 };
  g_autoptr (GstBuffer) like = make_audio (p, 512);
  GstBuffer *block;
  GstMapInfo map;

  params.prefix = kind == ROOM_BEHIND || kind == NO_ROOM ? 0 : 48;
  params.padding = kind == NO_ROOM ? 0 : kind == ROOM_BEHIND ? 64 : 16;
  block = gst_buffer_new_allocate (NULL, 1024, &params);
  fail_unless (gst_buffer_map (like, &map, GST_MAP_READ));
  gst_buffer_fill (block, 0, map.data, map.size);
  gst_buffer_unmap (like, &map);
  GST_BUFFER_PTS (block) = GST_BUFFER_PTS (like);
  GST_BUFFER_OFFSET (block) = 7;
  GST_BUFFER_DTS (block) = 8;
  GST_BUFFER_FLAG_SET (block, GST_BUFFER_FLAG_GAP);
  if (kind == WITH_META)
    attach (block);
  return block;
}

static gboolean
has_memory (GstBuffer * buffer, gconstpointer memory)
{
  gpointer at = NULL;

  fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
  fail_if (gst_buffer_iterate_meta (buffer, &at));
  return gst_buffer_peek_memory (buffer, 0) == memory;
}

/* A record tells nothing of the block but its time. */
static void
check_record (GstBuffer * record, GstClockTime time)
{
  assert_equals_uint64 (GST_BUFFER_PTS (record), time);
  assert_equals_uint64 (GST_BUFFER_DTS (record), GST_CLOCK_TIME_NONE);
  assert_equals_uint64 (GST_BUFFER_OFFSET (record), GST_BUFFER_OFFSET_NONE);
  fail_if (GST_BUFFER_FLAG_IS_SET (record, GST_BUFFER_FLAG_GAP));
}

static void
check_sealing (const gchar * record_caps, Kind kind, gboolean in_place)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstBuffer) held = NULL;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, record_caps);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *block = make_block (&p, kind), *record;
    gpointer memory = gst_buffer_peek_memory (block, 0);
    GstClockTime time = GST_BUFFER_PTS (block);

    gst_clear_buffer (&held);
    if (kind == HELD)
      held = gst_buffer_ref (block);
    if (kind == SHARED)
      held = gst_buffer_copy (block);
    fail_unless_equals_int (gst_harness_push (p.enc, block), GST_FLOW_OK);
    record = gst_harness_pull (p.enc);
    if (GST_BUFFER_FLAG_IS_SET (record, GST_BUFFER_FLAG_HEADER)) {
      fail_unless_equals_int (gst_harness_push (p.dec, record), GST_FLOW_OK);
      record = gst_harness_pull (p.enc);
    }
    fail_unless (has_memory (record, memory) == in_place);
    check_record (record, time);
    fail_unless_equals_int (gst_harness_push (p.dec, record), GST_FLOW_OK);
    collect (&p);
  }
  assert_same (&p);
  if (held)
    fail_unless (gst_buffer_memcmp (held, 0, p.in->data + 2048, 1024) == 0);
}

GST_START_TEST (test_blocks_are_encrypted_where_they_lie_if_they_may)
{
  const gchar *caps[] = { STREAM ",suite=5", PACKETS };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    check_sealing (caps[i], ROOM_AROUND, TRUE);
    check_sealing (caps[i], ROOM_BEHIND, TRUE);
    check_sealing (caps[i], NO_ROOM, FALSE);
    check_sealing (caps[i], HELD, FALSE);
    check_sealing (caps[i], SHARED, FALSE);
    check_sealing (caps[i], WITH_META, FALSE);
  }
}

GST_END_TEST;

/* The second record of a session, held by somebody else too or not */
static void
check_opening (const gchar * record_caps, Kind kind, gboolean in_place)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstBuffer) held = NULL;
  g_autoptr (GstBuffer) copy = NULL;
  GstBuffer *record, *block;
  gpointer memory;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, record_caps);
  push_frames (&p, 512);
  carry (&p);
  push_frames (&p, 512);
  record = gst_harness_pull (p.enc);
  memory = gst_buffer_peek_memory (record, 0);
  copy = gst_buffer_copy_deep (record);
  if (kind == HELD)
    held = gst_buffer_ref (record);
  if (kind == SHARED)
    held = gst_buffer_copy (record);
  if (kind == WITH_META)
    attach (record);
  fail_unless_equals_int (gst_harness_push (p.dec, record), GST_FLOW_OK);
  block = gst_harness_pull (p.dec);

  fail_unless (has_memory (block, memory) == in_place);
  fail_unless (gst_buffer_memcmp (block, 0, p.in->data + 1024, 1024) == 0);
  fail_unless_equals_int (gst_buffer_get_size (block), 1024);
  gst_buffer_unref (block);
  /* what others hold is as it was, and nothing of it is taken twice */
  record = held ? g_steal_pointer (&held) : g_steal_pointer (&copy);
  fail_unless_equals_int (gst_harness_push (p.dec, record),
      g_str_has_prefix (record_caps, STREAM) ? GST_FLOW_ERROR : GST_FLOW_OK);
  assert_equals_uint64 (get_counter (p.dec->element, "num-replayed"), 1);
}

GST_START_TEST (test_records_are_decrypted_where_they_lie_if_they_may)
{
  const gchar *caps[] = { STREAM ",suite=5", PACKETS };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    check_opening (caps[i], NO_ROOM, TRUE);
    check_opening (caps[i], HELD, FALSE);
    check_opening (caps[i], SHARED, FALSE);
    check_opening (caps[i], WITH_META, FALSE);
  }
}

GST_END_TEST;

GST_START_TEST (test_upstream_is_asked_for_room)
{
  GstHarness *h = make_harness ("ndaencrypt", records[0].master_key);
  g_autoptr (GstCaps) caps = gst_caps_from_string (S16_MONO);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  GstAllocationParams params;

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 0);
  gst_query_parse_nth_allocation_param (query, 0, NULL, &params);
  fail_unless (params.prefix >= 35 && params.padding >= 16);
  fail_unless_equals_int (params.align & 15, 15);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* --- streams of the vectors --- */

static void
check_outcome (GstBus * bus, const gchar * result)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  const GstStructure *details = NULL;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (result, "ok")) {
    fail_unless (message == NULL);
    return;
  }
  fail_unless (message != NULL, "no error: %s", result);
  gst_message_parse_error (message, &error, NULL);
  gst_message_parse_error_details (message, &details);
  if (details)
    fail_unless_equals_string (gst_structure_get_string (details, "outcome"),
        result);
  fail_unless_equals_int (error->code, g_str_equal (result, "unknown-key") ?
      GST_STREAM_ERROR_DECRYPT_NOKEY : GST_STREAM_ERROR_DECRYPT);
}

static void
check_stream (guint i, gsize step)
{
  Pair p = {.in = g_byte_array_new (),.out = g_byte_array_new () };
  g_auto (Bytes) bytes = from_hex (streams[i].bytes);
  g_autofree gchar *counter = g_strconcat ("num-", streams[i].result, NULL);
  GstFlowReturn flow = GST_FLOW_OK;

  p.dec = make_harness ("ndadecrypt context=alice", streams[i].master_key);
  p.bus = gst_bus_new ();
  gst_element_set_bus (p.dec->element, p.bus);
  gst_harness_set_src_caps_str (p.dec, STREAM);
  for (gsize at = 0; at < bytes.n && flow == GST_FLOW_OK; at += step)
    flow = gst_harness_push (p.dec, gst_buffer_new_memdup (bytes.data + at,
            MIN (step, bytes.n - at)));
  gst_harness_push_event (p.dec, gst_event_new_eos ());
  collect (&p);

  check_outcome (p.bus, streams[i].result);
  check_bytes (p.out->data, p.out->len, streams[i].pcm, streams[i].name);
  if (!g_str_equal (streams[i].result, "ok"))
    fail_unless (get_counter (p.dec->element, counter) >= 1);
  gst_element_set_bus (p.dec->element, NULL);
  gst_object_unref (p.bus);
  gst_harness_teardown (p.dec);
  g_byte_array_unref (p.in);
  g_byte_array_unref (p.out);
}

GST_START_TEST (test_streams_of_the_vectors)
{
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    check_stream (i, 1);
    check_stream (i, 50);
    check_stream (i, 4096);
  }
}

GST_END_TEST;

static Suite *
elements_suite (void)
{
  Suite *suite = suite_create ("elements");
  TCase *tc = tcase_create ("elements");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_every_format);
  tcase_add_test (tc, test_every_suite);
  tcase_add_test (tc, test_any_block_length);
  tcase_add_test (tc, test_output_caps_follow_the_records);
  tcase_add_test (tc, test_a_format_that_comes_in_a_flush);
  tcase_add_test (tc, test_negotiation);
  tcase_add_test (tc, test_a_block_that_no_record_can_hold);
  tcase_add_test (tc, test_latency_is_that_of_regrouping);
  tcase_add_test (tc, test_blocks_are_encrypted_where_they_lie_if_they_may);
  tcase_add_test (tc, test_records_are_decrypted_where_they_lie_if_they_may);
  tcase_add_test (tc, test_upstream_is_asked_for_room);
  tcase_add_test (tc, test_streams_of_the_vectors);
  return suite;
}

GST_CHECK_MAIN (elements);
