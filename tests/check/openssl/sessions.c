/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* KID and T of a sender's sessions, and keys that change while they are in
 * use. */

#include "config.h"

#include "hex.h"

#include "ndasealer.h"
#include "ndastream.h"

#include <glib/gstdio.h>

#include <unistd.h>

#define MASTER \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NOW G_GINT64_CONSTANT (1700000000)
#define N_FRAMES 4

static const NdaRecordFormat mono = { NDA_SAMPLES_S16LE, 1, 48000 };
static const guint8 base_key[32] = { 1, 2, 3 };

/* A sender with a clock of the test's */
typedef struct
{
  NdaKeyring *ring;
  NdaSealer *sealer;
  NdaKeyUse use;
  gint64 now;                   /* microseconds */
  guint n_waits;
  NdaRecordHeader header;       /* of the last record */
  guint8 record[256];
} Sender;

static gint64
get_now (gpointer owner)
{
  return ((Sender *) owner)->now;
}

static void
pass_time (gpointer owner, gint64 duration)
{
  ((Sender *) owner)->now += duration;
  ((Sender *) owner)->n_waits++;
}

static Sender *
sender_new (NdaKeyring * ring, NdaSendState * state)
{
  Sender *s = g_new0 (Sender, 1);
  NdaSealerClock clock = { get_now, pass_time, s };

  s->now = NOW * G_USEC_PER_SEC;
  s->ring = ring;
  s->use = use_of (5, "");
  s->sealer = nda_sealer_new (ring, NULL);
  nda_sealer_set_clock (s->sealer, &clock);
  nda_sealer_set_state (s->sealer, state);
  return s;
}

static Sender *
sender_with_master (void)
{
  return sender_new (ring_with_master (MASTER), NULL);
}

static Sender *
sender_with_base (NdaSendState * state)
{
  NdaKeyring *ring = nda_keyring_new (NULL);

  fail_unless (nda_keyring_add_base (ring, NDA_KEY_FROM_ACTION, 7, 5,
          base_key, sizeof (base_key), NULL));
  return sender_new (ring, state);
}

static void
sender_free (Sender * s)
{
  nda_sealer_free (s->sealer);
  nda_keyring_free (s->ring);
  g_free (s);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sender, sender_free);

static guint32
get_t (Sender * s)
{
  return s->header.counter >> 32;
}

static gsize
seal (Sender * s)
{
  const gint16 samples[N_FRAMES] = { 1, 2, 3, 4 };
  gsize n = nda_sealer_seal_audio (s->sealer, (const guint8 *) samples,
      sizeof (samples), s->record);

  fail_unless (n > 0);
  fail_unless (nda_record_header_read (s->record, n, &s->header));
  return n;
}

/* A session, and the first record of it */
static void
begin (Sender * s)
{
  fail_unless (nda_sealer_start (s->sealer, &s->use, &mono, NULL));
  seal (s);
}

static gboolean
is_later (const NdaRecordHeader * a, const NdaRecordHeader * b)
{
  guint32 t_a = a->counter >> 32, t_b = b->counter >> 32;

  return t_a > t_b || (t_a == t_b && a->kid > b->kid);
}

/* --- master keys --- */

/* Only where the first key id of a second has no room above it for all of the
 * second's sessions may one of them have to wait. */
GST_START_TEST (test_t_is_the_clock_and_sessions_are_in_order)
{
  const guint64 room = G_GUINT64_CONSTANT (1000) << 48;
  g_autoptr (Sender) s = sender_with_master ();
  NdaRecordHeader last = { 0 };
  gboolean has_room = FALSE;

  for (guint i = 0; i < 1000; i++) {
    s->now += i % 100 ? 0 : G_USEC_PER_SEC / 3;
    s->n_waits = 0;
    begin (s);
    fail_unless_equals_int (get_t (s), s->now / G_USEC_PER_SEC);
    fail_unless (s->header.kid >= NDA_KID_DERIVED);
    fail_unless (is_later (&s->header, &last));
    fail_if (has_room && s->n_waits);
    if (get_t (s) != last.counter >> 32)
      has_room = G_MAXUINT64 - s->header.kid > room;
    last = s->header;
  }
}

GST_END_TEST;

GST_START_TEST (test_another_sender_is_not_ahead_either)
{
  g_autoptr (Sender) one = sender_with_master ();
  g_autoptr (Sender) other = sender_with_master ();

  for (guint i = 0; i < 400; i++)
    begin (one);
  begin (other);
  fail_unless_equals_int (get_t (other), NOW);
}

GST_END_TEST;

/* A small step back is what a time server makes of a clock. */
GST_START_TEST (test_a_clock_that_is_set_back)
{
  g_autoptr (Sender) s = sender_with_master ();
  NdaRecordHeader last;

  begin (s);
  last = s->header;
  s->now -= 2 * G_USEC_PER_SEC;
  begin (s);
  fail_unless (is_later (&s->header, &last));
  fail_unless_equals_int (get_t (s), NOW);
  /* by a day: it was wrong before */
  s->now -= G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC;
  begin (s);
  fail_unless_equals_int (get_t (s), NOW - 2 - 86400);
}

GST_END_TEST;

/* So many sessions in one second that no key id is left above the last */
GST_START_TEST (test_a_second_without_key_ids_is_waited_for)
{
  g_autoptr (Sender) s = sender_with_master ();
  NdaRecordHeader last = { 0 };

  for (guint i = 0; i < 140000 && !s->n_waits; i++) {
    begin (s);
    fail_unless (is_later (&s->header, &last));
    fail_unless_equals_int (get_t (s), s->now / G_USEC_PER_SEC);
    last = s->header;
  }
  fail_unless (s->n_waits > 0);
  fail_unless_equals_int (get_t (s), NOW + 1);
}

GST_END_TEST;

GST_START_TEST (test_a_session_that_was_announced_is_begun)
{
  g_autoptr (Sender) s = sender_with_master ();
  guint64 announced;

  fail_unless (nda_sealer_start (s->sealer, &s->use, &mono, NULL));
  fail_if (nda_sealer_is_known (s->sealer));
  seal (s);
  fail_unless (nda_sealer_is_known (s->sealer));
  fail_unless (nda_sealer_seal_switch (s->sealer, &s->use, &mono, s->record,
          NULL));
  announced = nda_sealer_get_kid (s->sealer);
  fail_unless_equals_int (nda_sealer_get_n_records (s->sealer), 0);
  fail_unless (nda_sealer_is_known (s->sealer));

  fail_unless (nda_record_header_read (s->record, nda_sealer_seal_switch
          (s->sealer, &s->use, &mono, s->record, NULL), &s->header));
  assert_equals_uint64 (s->header.kid, announced);
  fail_unless_equals_int ((guint32) s->header.counter, 0);
  seal (s);
  fail_if (s->header.kid == announced);
}

GST_END_TEST;

/* --- base keys --- */

GST_START_TEST (test_a_base_key_needs_a_state_file)
{
  g_autoptr (Sender) s = sender_with_base (NULL);
  g_autoptr (GError) error = NULL;

  fail_if (nda_sealer_check (s->sealer, &error));
  fail_unless (strstr (error->message, "“state-file”") != NULL);
  fail_if (nda_sealer_start (s->sealer, &s->use, &mono, NULL));
}

GST_END_TEST;

/* Senders one after the other, all in one second, and after the clock was set
 * back, and ended by a crash: the file has what was used. */
GST_START_TEST (test_t_of_a_base_key_outlives_its_sender)
{
  g_auto (Folder) folder = folder_new ();
  guint32 last = NOW - 1;

  for (guint i = 0; i < 20; i++) {
    g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
    g_autoptr (Sender) s = sender_with_base (state);

    fail_unless (state != NULL);
    s->now -= i > 10 ? G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC : 0;
    begin (s);
    fail_unless_equals_int (get_t (s), last + 1);
    last = get_t (s);
  }
}

GST_END_TEST;

GST_START_TEST (test_from_a_master_key_to_a_base_key_and_back)
{
  g_auto (Folder) folder = folder_new ();
  g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
  g_autoptr (Sender) s = sender_with_base (state);
  g_auto (Bytes) master = from_hex (MASTER);
  NdaRecordHeader last = { 0 };

  for (guint i = 0; i < 10; i++) {
    if (i % 2)
      fail_unless (nda_keyring_add_master (s->ring, NDA_KEY_FROM_ACTION,
              master.data, master.n, NULL));
    else
      nda_keyring_forget_masters (s->ring, NDA_KEY_FROM_ACTION);
    begin (s);
    fail_unless (is_later (&s->header, &last));
    fail_unless ((s->header.kid >= NDA_KID_DERIVED) == i % 2);
    last = s->header;
  }
}

GST_END_TEST;

/* --- keys that change while a session is played --- */

typedef struct
{
  Sender *sender;
  NdaSendState *state;
  NdaKeyring *ring;
  NdaOpener *opener;
  Folder folder;
} Call;

static void
give_base (NdaKeyring * ring, const guint8 * key)
{
  fail_unless (nda_keyring_add_base (ring, NDA_KEY_FROM_ACTION, 7, 5, key, 32,
          NULL));
}

static void
call_init (Call * c)
{
  static const NdaOpenerHooks none;
  const NdaOpenerRules packets = {.window = 64 };

  c->folder = folder_new ();
  c->state = nda_send_state_open (c->folder.state, NULL);
  c->sender = sender_with_base (c->state);
  c->ring = nda_keyring_new (NULL);
  c->opener = nda_opener_new (c->ring, &none, NULL, NULL);
  give_base (c->ring, base_key);
  nda_opener_start (c->opener, &c->sender->use, &packets);
  fail_unless (nda_sealer_start (c->sender->sealer, &c->sender->use, &mono,
          NULL));
}

static void
call_clear (Call * c)
{
  sender_free (c->sender);
  nda_send_state_close (c->state);
  nda_opener_free (c->opener);
  nda_keyring_free (c->ring);
  folder_clear (&c->folder);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Call, call_clear);

static void
assert_next (Call * c, const gchar * outcome)
{
  guint8 plain[256];
  NdaOpened opened;
  gsize n = seal (c->sender);

  fail_unless_equals_string (nda_outcome_get_name (nda_opener_open (c->opener,
              c->sender->record, n, plain, &opened)), outcome);
}

GST_START_TEST (test_a_key_that_is_given_again_goes_on)
{
  g_auto (Call) c = { NULL };

  call_init (&c);
  assert_next (&c, "ok");
  give_base (c.ring, base_key);
  assert_next (&c, "ok");
  give_base (c.sender->ring, base_key);
  assert_next (&c, "ok");
  fail_unless_equals_int (nda_keyring_get_n_keys (c.ring), 1);
}

GST_END_TEST;

GST_START_TEST (test_a_key_that_is_gone_is_told_and_found_again)
{
  const guint8 other[32] = { 3, 2, 1 };
  g_auto (Call) c = { NULL };

  call_init (&c);
  assert_next (&c, "ok");
  fail_unless (nda_keyring_remove_base (c.ring, 7));
  assert_next (&c, "unknown-key");
  give_base (c.ring, base_key);
  assert_next (&c, "ok");
  give_base (c.ring, other);
  assert_next (&c, "unknown-key");
  give_base (c.ring, base_key);
  assert_next (&c, "ok");
}

GST_END_TEST;

/* --- a place in a stream that is not where a record begins --- */

static NdaStreamFound
search (GByteArray * bytes, const guint8 ** record, gsize * n_record)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (5);
  NdaStreamFound found = NDA_STREAM_MORE;
  static NdaStream stream;
  guint at = 0;

  if (!stream.held)
    nda_stream_init (&stream);
  nda_stream_reset (&stream);
  stream.suite = 5;
  nda_stream_jump (&stream);
  while (found == NDA_STREAM_MORE && at < bytes->len) {
    guint n = g_rand_int_range (random, 0, 5000);

    n = MIN (n, bytes->len - at);
    nda_stream_feed (&stream, bytes->data + at, n);
    found = nda_stream_next (&stream, record, n_record);
    at += n;
  }
  return found;
}

GST_START_TEST (test_a_record_is_found_behind_noise_and_none_in_it)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (6);
  g_autoptr (Sender) s = sender_with_master ();
  const guint8 *record;
  guint8 earliest[256];
  gsize n_record, n_first = 0;

  g_byte_array_set_size (bytes, 300000);
  for (guint i = 0; i < bytes->len; i++)
    bytes->data[i] = g_rand_int (random);
  fail_unless_equals_int (search (bytes, &record, &n_record), NDA_STREAM_MORE);

  fail_unless (nda_sealer_start (s->sealer, &s->use, &mono, NULL));
  for (guint i = 0; i < 3; i++) {
    gsize n = seal (s);
    const guint8 length[] = { n >> 8, n };

    if (!n_first)
      memcpy (earliest, s->record, n_first = n);
    g_byte_array_append (bytes, length, sizeof (length));
    g_byte_array_append (bytes, s->record, n);
  }
  fail_unless_equals_int (search (bytes, &record, &n_record),
      NDA_STREAM_RECORD);
  assert_equals_uint64 (n_record, n_first);
  fail_unless (memcmp (record, earliest, n_first) == 0);
}

GST_END_TEST;

static Suite *
sessions_suite (void)
{
  Suite *suite = suite_create ("sessions");
  TCase *tc = tcase_create ("sessions");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_t_is_the_clock_and_sessions_are_in_order);
  tcase_add_test (tc, test_another_sender_is_not_ahead_either);
  tcase_add_test (tc, test_a_clock_that_is_set_back);
  tcase_add_test (tc, test_a_second_without_key_ids_is_waited_for);
  tcase_add_test (tc, test_a_session_that_was_announced_is_begun);
  tcase_add_test (tc, test_a_base_key_needs_a_state_file);
  tcase_add_test (tc, test_t_of_a_base_key_outlives_its_sender);
  tcase_add_test (tc, test_from_a_master_key_to_a_base_key_and_back);
  tcase_add_test (tc, test_a_key_that_is_given_again_goes_on);
  tcase_add_test (tc, test_a_key_that_is_gone_is_told_and_found_again);
  tcase_add_test (tc, test_a_record_is_found_behind_noise_and_none_in_it);
  return suite;
}

GST_CHECK_MAIN (sessions);
