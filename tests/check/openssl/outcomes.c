/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ndaencrypt and ndadecrypt: sessions, keys, and what is missing or bad. */

#include "config.h"

#include "pair.h"

/* --- sessions --- */

GST_START_TEST (test_a_hundred_rekeys_while_playing)
{
  const gchar *caps[] = { STREAM ",suite=5", PACKETS };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    g_auto (Pair) p = { NULL };
    guint64 kid, last = 0;

    pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, caps[i]);
    for (guint k = 0; k < 100; k++) {
      push_frames (&p, 700);
      fail_unless_equals_int (carry (&p), GST_FLOW_OK);
      g_object_get (p.enc->element, "kid", &kid, NULL);
      fail_unless (kid != last);
      last = kid;
      if (k % 2)
        fail_unless (give_master (p.dec, OTHER_MASTER)
            && give_master (p.enc, OTHER_MASTER));
      g_signal_emit_by_name (p.enc->element, "rekey");
    }
    end (&p);
    assert_same (&p);
    assert_no_message (p.bus);
    assert_equals_uint64 (get_counter (p.dec->element, "num-sessions"), 101);
    fail_unless_equals_int (p.n_discont, 101);
  }
}

GST_END_TEST;

typedef struct
{
  Pair *pair;
  gint is_done;                 /* [atomic] */
} Turning;

/* Another thread's hundred new keys, each in use before the next is given. */
static gpointer
turn_keys (gpointer data)
{
  Turning *t = data;
  GstElement *enc = t->pair->enc->element;
  guint64 kid, last = 0;

  for (guint i = 0; i < 100; i++) {
    const gchar *master = i % 2 ? records[0].master_key : OTHER_MASTER;

    fail_unless (give_master (t->pair->dec, master));
    fail_unless (give_master (t->pair->enc, master));
    g_object_get (enc, "kid", &last, NULL);
    g_signal_emit_by_name (enc, "rekey");
    do {
      get_counter (t->pair->dec->element, "num-sessions");
      g_object_get (enc, "kid", &kid, NULL);
    } while (kid == last);
  }
  g_atomic_int_set (&t->is_done, TRUE);
  return NULL;
}

GST_START_TEST (test_keys_turn_while_another_thread_plays)
{
  g_auto (Pair) p = { NULL };
  Turning t = {.pair = &p };
  GThread *thread;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  push_frames (&p, 512);
  thread = g_thread_new ("turning", turn_keys, &t);
  while (!g_atomic_int_get (&t.is_done)) {
    push_frames (&p, 512);
    fail_unless_equals_int (carry (&p), GST_FLOW_OK);
  }
  g_thread_join (thread);
  end (&p);

  assert_same (&p);
  assert_no_message (p.bus);
  assert_equals_uint64 (get_counter (p.dec->element, "num-sessions"), 101);
}

GST_END_TEST;

GST_START_TEST (test_sessions_end_at_their_limit)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt session-records=5", "ndadecrypt", S16_MONO, NULL);
  for (guint i = 0; i < 40; i++)
    push_frames (&p, 512);
  end (&p);
  assert_same (&p);
  assert_no_message (p.bus);
  assert_equals_uint64 (get_counter (p.enc->element, "num-sessions"), 10);
}

GST_END_TEST;

GST_START_TEST (test_format_changes)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstCaps) caps = NULL;
  GstAudioInfo info;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, NULL);
  push_frames (&p, 700);
  gst_harness_set_src_caps_str (p.enc, "audio/x-raw,format=F32LE,rate=96000,"
      "channels=2,layout=interleaved,channel-mask=(bitmask)3");
  p.n_pushed = 1400;
  push_frames (&p, 600);
  end (&p);
  assert_same (&p);
  assert_no_message (p.bus);
  caps = gst_pad_get_current_caps (p.dec->sinkpad);
  fail_unless (gst_audio_info_from_caps (&info, caps));
  fail_unless_equals_int (info.rate, 96000);
  assert_equals_uint64 (p.next_time, gst_util_uint64_scale (2000, GST_SECOND,
          96000));
}

GST_END_TEST;

/* --- what is missing, and what is bad --- */

static GPtrArray *
take_records (Pair * p, guint n_blocks)
{
  GPtrArray *array = g_ptr_array_new_with_free_func
      ((GDestroyNotify) gst_buffer_unref);
  GstBuffer *record;

  for (guint i = 0; i < n_blocks; i++)
    push_frames (p, 512);
  while ((record = gst_harness_try_pull (p->enc)))
    g_ptr_array_add (array, record);
  return array;
}

static GstFlowReturn
push_record (Pair * p, GPtrArray * array, guint i)
{
  GstFlowReturn flow = gst_harness_push (p->dec,
      gst_buffer_ref (g_ptr_array_index (array, i)));

  collect (p);
  return flow;
}

GST_START_TEST (test_lost_blocks_are_silent_in_their_place)
{
  const guint order[] = { 0, 1, 4, 3, 4, 5, 7 };
  g_auto (Pair) p = { NULL };
  g_autoptr (GPtrArray) array = NULL;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  array = take_records (&p, 8);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    fail_unless_equals_int (push_record (&p, array, order[i]), GST_FLOW_OK);

  assert_equals_uint64 (p.out->len, 8 * 1024);
  assert_equals_uint64 (p.n_gap_bytes, 3 * 1024);
  fail_unless_equals_int (p.n_discont, 1);
  for (guint i = 0; i < 8; i++) {
    gboolean is_lost = i == 2 || i == 3 || i == 6;

    for (guint k = 0; k < 1024; k++)
      fail_unless (p.out->data[1024 * i + k]
          == (is_lost ? 0 : p.in->data[1024 * i + k]));
  }
  assert_equals_uint64 (get_counter (p.dec->element, "num-lost"), 3);
  assert_equals_uint64 (get_counter (p.dec->element, "num-out-of-order"), 1);
  assert_equals_uint64 (get_counter (p.dec->element, "num-replayed"), 1);
  assert_equals_uint64 (get_counter (p.dec->element, "num-concealed-frames"),
      3 * 512);
}

GST_END_TEST;

static void
check_cut (const gchar * dec, guint n_lost, guint n_discont, guint64 n_gap)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GPtrArray) array = NULL;
  GstClockTime time =
      gst_util_uint64_scale ((n_lost + 3) * 512, GST_SECOND, 48000);

  pair_init (&p, "ndaencrypt", dec, S16_MONO, PACKETS);
  array = take_records (&p, n_lost + 3);
  push_record (&p, array, 0);
  push_record (&p, array, n_lost + 1);
  push_record (&p, array, n_lost + 2);

  fail_unless_equals_int (p.n_discont, n_discont);
  assert_equals_uint64 (p.n_gap_bytes, n_gap);
  assert_equals_uint64 (p.next_time, time);
}

GST_START_TEST (test_long_gaps_are_marked)
{
  check_cut ("ndadecrypt", 93, 1, 93 * 1024);
  check_cut ("ndadecrypt", 94, 2, 0);
  check_cut ("ndadecrypt on-bad=drop", 1, 2, 0);
  check_cut ("ndadecrypt max-conceal=11000000", 1, 1, 1024);
  check_cut ("ndadecrypt max-conceal=10000000", 1, 2, 0);
}

GST_END_TEST;

GST_START_TEST (test_gaps_of_the_sender_keep_their_time)
{
  g_auto (Pair) p = { NULL };
  GstBuffer *buffer;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, NULL);
  push_frames (&p, 700);
  p.n_pushed += 1000;
  buffer = make_audio (&p, 512);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_harness_push (p.enc, buffer);
  end (&p);

  assert_equals_uint64 (p.n_gap_bytes, 2 * 1000);
  assert_equals_uint64 (p.out->len, 2 * (700 + 1000 + 512));
  fail_unless (memcmp (p.out->data, p.in->data, 1400) == 0);
  fail_unless (memcmp (p.out->data + 3400, p.in->data + 1400, 1024) == 0);
  assert_no_message (p.bus);
}

GST_END_TEST;

GST_START_TEST (test_bad_packets_are_told_once_a_second)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *details = NULL;
  g_autoptr (GError) error = NULL;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  push_frames (&p, 512);
  carry (&p);
  for (guint i = 0; i < 50; i++)
    fail_unless_equals_int (gst_harness_push (p.dec,
            gst_buffer_new_memdup ("no record at all", 16)), GST_FLOW_OK);
  push_frames (&p, 512);
  carry (&p);

  assert_same (&p);
  assert_equals_uint64 (get_counter (p.dec->element, "num-malformed"), 50);
  message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  gst_message_parse_warning_details (message, &details);
  fail_unless (strstr (error->message, "no record of encrypted audio"));
  fail_unless_equals_string (gst_structure_get_string (details, "outcome"),
      "malformed");
  fail_unless (gst_structure_has_name (details, "ndadecrypt"));
}

GST_END_TEST;

GST_START_TEST (test_end_of_packets_is_told_and_ends_nothing)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GstMessage) message = NULL;
  const GstStructure *s;
  guint64 position = 0;

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  push_frames (&p, 600);
  gst_harness_push_event (p.enc, gst_event_new_eos ());
  fail_unless_equals_int (carry (&p), GST_FLOW_OK);
  message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_ELEMENT);
  s = gst_message_get_structure (message);
  fail_unless_equals_string (gst_structure_get_string (s, "outcome"), "end");
  fail_unless (gst_structure_get_uint64 (s, "position", &position));
  assert_equals_uint64 (position, 600);
}

GST_END_TEST;

GST_START_TEST (test_salvage_plays_what_is_there)
{
  g_auto (Pair) p = { NULL };
  g_autoptr (GPtrArray) array = NULL;
  g_autoptr (GstMessage) message = NULL;
  guint n_warnings = 0;

  pair_init (&p, "ndaencrypt", "ndadecrypt on-bad=conceal", S16_MONO, NULL);
  array = take_records (&p, 8);
  fail_unless_equals_int (array->len, 9);
  for (guint i = 0; i < 9; i++)
    if (i != 3 && i != 4)
      fail_unless_equals_int (push_record (&p, array, i), GST_FLOW_OK);
  gst_harness_push_event (p.dec, gst_event_new_eos ());

  assert_equals_uint64 (p.out->len, 8 * 1024);
  assert_equals_uint64 (p.n_gap_bytes, 2 * 1024);
  fail_unless (memcmp (p.out->data + 4 * 1024, p.in->data + 4 * 1024, 4096)
      == 0);
  while ((message = gst_bus_pop_filtered (p.bus, GST_MESSAGE_WARNING))) {
    n_warnings++;
    gst_clear_message (&message);
  }
  fail_unless_equals_int (n_warnings, 3);       /* lost, truncated, salvaged */
}

GST_END_TEST;

/* --- keys --- */

static void
check_no_output (const gchar * dec, const gchar * master,
    GstStreamError code, const gchar * text)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt context=alice", "ndadecrypt", S16_MONO, NULL);
  gst_element_set_bus (p.dec->element, NULL);
  gst_harness_teardown (p.dec);
  p.dec = make_harness (dec, master);
  gst_element_set_bus (p.dec->element, p.bus);
  gst_harness_set_src_caps_str (p.dec, STREAM);
  push_frames (&p, 512);
  fail_unless_equals_int (carry (&p), GST_FLOW_ERROR);
  assert_error (p.bus, GST_STREAM_ERROR, code, text);
  assert_equals_uint64 (p.out->len, 0);
}

GST_START_TEST (test_wrong_keys)
{
  const gchar *master = records[0].master_key;

  check_no_output ("ndadecrypt context=alice", OTHER_MASTER,
      GST_STREAM_ERROR_DECRYPT_NOKEY, "wrong key or damaged");
  check_no_output ("ndadecrypt context=bob", master,
      GST_STREAM_ERROR_DECRYPT_NOKEY, "“context”");
  check_no_output ("ndadecrypt context=alice suite=4", master,
      GST_STREAM_ERROR_DECRYPT_NOKEY, "cipher suite 5");
  check_no_output ("ndadecrypt context=alice", NULL,
      GST_STREAM_ERROR_DECRYPT_NOKEY, "There is no key to decrypt with");
  check_no_output ("ndadecrypt context=alice framing=packet on-bad=error",
      master, GST_STREAM_ERROR_DECRYPT, "no record");
}

GST_END_TEST;

/* Caps that ask for one are not the user: they come out of a file. */
GST_START_TEST (test_caps_do_not_name_a_weak_suite)
{
  for (guint suite = 1; suite <= 3; suite++) {
    g_autofree gchar *enc = g_strdup_printf ("ndaencrypt suite=%u", suite);
    g_autofree gchar *text = g_strdup_printf ("Set “suite” to %u", suite);
    g_autofree gchar *caps = g_strdup_printf ("application/x-nda-sframe,"
        "version=1,framing=packet,suite=%u", suite);
    g_auto (Pair) p = { NULL };

    pair_init (&p, enc, "ndadecrypt", S16_MONO, caps);
    push_frames (&p, 512);
    fail_unless_equals_int (carry (&p), GST_FLOW_ERROR);
    assert_error (p.bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
        text);
    assert_equals_uint64 (p.out->len, 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_weak_suites_are_used_only_when_named)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt suite=3", "ndadecrypt", S16_MONO, NULL);
  push_frames (&p, 512);
  fail_unless_equals_int (carry (&p), GST_FLOW_ERROR);
  assert_error (p.bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "Set “suite” to 3");
  assert_equals_uint64 (p.out->len, 0);
}

GST_END_TEST;

GST_START_TEST (test_no_key_no_start)
{
  GstElement *element = gst_element_factory_make ("ndaencrypt", NULL);
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  assert_error (bus, GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "There is no key to encrypt with");
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

GST_END_TEST;

/* An explicit base key, used again, would encrypt twice in the same way. */
/* Whoever listens live cannot get anything again. */
GST_START_TEST (test_what_a_lost_packet_is_told_as)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  push_frames (&p, 512);
  carry (&p);
  push_frames (&p, 512);
  gst_buffer_unref (gst_harness_pull (p.enc));
  push_frames (&p, 512);
  carry (&p);
  assert_warning (p.bus, "lost on their way");
  assert_no_message (p.bus);
}

GST_END_TEST;

GST_START_TEST (test_a_base_key_without_a_state_file_does_not_start)
{
  g_auto (Folder) folder = folder_new ();
  GstElement *one = gst_element_factory_make ("ndaencrypt", NULL);
  GstElement *other = gst_element_factory_make ("ndaencrypt", NULL);
  GstElement *both[] = { one, other };
  const guint8 key[16] = { 5 };
  g_autoptr (GBytes) bytes = g_bytes_new (key, sizeof (key));
  g_autoptr (GstBus) bus = gst_bus_new ();
  gboolean ok;

  for (guint i = 0; i < 2; i++) {
    gst_element_set_bus (both[i], bus);
    g_signal_emit_by_name (both[i], "add-key", (guint64) 7, 5, bytes, &ok);
    g_object_set (both[i], "state-file", i ? "" : NULL, NULL);
    fail_unless_equals_int (gst_element_set_state (both[i], GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    assert_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "“state-file”");
    g_object_set (both[i], "state-file", folder.state, NULL);
  }
  fail_unless_equals_int (gst_element_set_state (one, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (gst_element_set_state (other, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  assert_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
      "in use by another sender");
  gst_element_set_state (one, GST_STATE_READY);
  fail_unless_equals_int (gst_element_set_state (other, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  for (guint i = 0; i < 2; i++) {
    gst_element_set_state (both[i], GST_STATE_NULL);
    gst_element_set_bus (both[i], NULL);
    gst_object_unref (both[i]);
  }
}

GST_END_TEST;

static GBytes *
answer (GstElement * element, guint64 kid, guint suite, guint * n_asked)
{
  const guint8 key[16] = { 5 };

  fail_unless_equals_int (suite, 5);
  assert_equals_uint64 (kid, 77);
  (*n_asked)++;
  return g_bytes_new (key, sizeof (key));
}

GST_START_TEST (test_keys_are_asked_for)
{
  const guint8 key[16] = { 5 };
  g_autoptr (GBytes) bytes = g_bytes_new (key, sizeof (key));
  g_auto (Folder) folder = folder_new ();
  g_autofree gchar *enc = g_strdup_printf ("ndaencrypt state-file=%s",
      folder.state);
  g_auto (Pair) p = { NULL };
  guint n_asked = 0;
  gboolean ok;

  pair_init (&p, enc, "ndadecrypt", S16_MONO, PACKETS);
  g_signal_emit_by_name (p.enc->element, "set-master-key", NULL, &ok);
  g_signal_emit_by_name (p.enc->element, "add-key", (guint64) 77, 5, bytes,
      &ok);
  fail_unless (ok);
  g_signal_connect (p.dec->element, "request-key", G_CALLBACK (answer),
      &n_asked);
  g_signal_emit_by_name (p.enc->element, "rekey");
  for (guint i = 0; i < 5; i++)
    push_frames (&p, 512);
  fail_unless_equals_int (carry (&p), GST_FLOW_OK);
  assert_same (&p);
  fail_unless_equals_int (n_asked, 1);

  g_signal_emit_by_name (p.enc->element, "remove-key", (guint64) 77, &ok);
  fail_unless (ok);
  g_signal_emit_by_name (p.enc->element, "remove-key", (guint64) 77, &ok);
  fail_if (ok);
}

GST_END_TEST;

GST_START_TEST (test_bad_keys_are_refused_by_the_actions)
{
  GstHarness *h = make_harness ("ndadecrypt", NULL);
  const guint8 zero[32] = { 0 };
  g_autoptr (GBytes) all_zero = g_bytes_new (zero, 32);
  gboolean ok = TRUE;

  /* what is said of each, in the log, is looked at too */
  gst_debug_set_threshold_for_name ("ndacrypto", GST_LEVEL_WARNING);
  fail_if (give_master (h, "00"));
  g_signal_emit_by_name (h->element, "set-master-key", all_zero, &ok);
  fail_if (ok);
  g_signal_emit_by_name (h->element, "add-key", (guint64) 1, 6, all_zero, &ok);
  fail_if (ok);
  g_signal_emit_by_name (h->element, "add-key", (guint64) 1, 5, NULL, &ok);
  fail_if (ok);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_start_and_stop_again)
{
  g_auto (Pair) p = { NULL };

  pair_init (&p, "ndaencrypt", "ndadecrypt", S16_MONO, PACKETS);
  for (guint i = 0; i < 3; i++) {
    push_frames (&p, 700);
    fail_unless_equals_int (carry (&p), GST_FLOW_OK);
    gst_harness_set_live (p.enc, FALSE);
    fail_unless (gst_element_set_state (p.enc->element, GST_STATE_NULL));
    fail_unless (gst_element_set_state (p.dec->element, GST_STATE_NULL));
    fail_unless (gst_element_set_state (p.enc->element, GST_STATE_PLAYING));
    fail_unless (gst_element_set_state (p.dec->element, GST_STATE_PLAYING));
    assert_equals_uint64 (get_counter (p.dec->element, "num-records"), 0);
    gst_harness_set_src_caps_str (p.enc, S16_MONO);
    gst_harness_set_src_caps_str (p.dec, PACKETS);
    p.next_time = 0;
  }
}

GST_END_TEST;

static Suite *
outcomes_suite (void)
{
  Suite *suite = suite_create ("outcomes");
  TCase *tc = tcase_create ("outcomes");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_a_hundred_rekeys_while_playing);
  tcase_add_test (tc, test_keys_turn_while_another_thread_plays);
  tcase_add_test (tc, test_sessions_end_at_their_limit);
  tcase_add_test (tc, test_format_changes);
  tcase_add_test (tc, test_lost_blocks_are_silent_in_their_place);
  tcase_add_test (tc, test_long_gaps_are_marked);
  tcase_add_test (tc, test_gaps_of_the_sender_keep_their_time);
  tcase_add_test (tc, test_bad_packets_are_told_once_a_second);
  tcase_add_test (tc, test_end_of_packets_is_told_and_ends_nothing);
  tcase_add_test (tc, test_salvage_plays_what_is_there);
  tcase_add_test (tc, test_wrong_keys);
  tcase_add_test (tc, test_caps_do_not_name_a_weak_suite);
  tcase_add_test (tc, test_weak_suites_are_used_only_when_named);
  tcase_add_test (tc, test_no_key_no_start);
  tcase_add_test (tc, test_what_a_lost_packet_is_told_as);
  tcase_add_test (tc, test_a_base_key_without_a_state_file_does_not_start);
  tcase_add_test (tc, test_keys_are_asked_for);
  tcase_add_test (tc, test_bad_keys_are_refused_by_the_actions);
  tcase_add_test (tc, test_start_and_stop_again);
  return suite;
}

GST_CHECK_MAIN (outcomes);
