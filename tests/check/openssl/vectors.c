/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every published vector, byte for byte: those of RFC 9605 and of the wire
 * format (tests/vectors). */

#include "config.h"

#include "hex.h"
#include "vectors.h"

#include "ndakeyring.h"
#include "ndaopener.h"
#include "ndarecord.h"
#include "ndaschedule.h"
#include "ndastream.h"

static const NdaOpenerHooks no_hooks = { NULL };

/* --- RFC 9605 --- */

GST_START_TEST (test_every_header)
{
  for (guint i = 0; i < G_N_ELEMENTS (rfc_headers); i++) {
    guint8 out[NDA_RECORD_MAX_HEADER];
    guint n = nda_record_header_write (out, rfc_headers[i].kid,
        rfc_headers[i].ctr);
    NdaRecordHeader header;

    check_bytes (out, n, rfc_headers[i].encoded, "header");
    fail_unless (nda_record_header_read (out, n, &header));
    fail_unless (header.kid == rfc_headers[i].kid);
    fail_unless (header.counter == rfc_headers[i].ctr);
    fail_unless_equals_int (header.n_bytes, n);
    for (guint cut = 0; cut < n; cut++)
      fail_if (nda_record_header_read (out, cut, &header));
  }
}

GST_END_TEST;

static void
check_aead (const NdaSuite * suite, const guint8 * key, const guint8 * salt,
    guint64 counter, const Bytes * aad, const gchar * plain_hex,
    const gchar * sealed_hex)
{
  g_autoptr (NdaAead) sealer = aead_new ();
  g_autoptr (NdaAead) opener = aead_new ();
  g_auto (Bytes) plain = from_hex (plain_hex);
  guint8 out[256];

  fail_unless (nda_aead_set_key (sealer, suite, key, salt, TRUE, NULL));
  fail_unless (nda_aead_set_key (opener, suite, key, salt, FALSE, NULL));
  fail_unless (nda_aead_seal (sealer, counter, aad->data, aad->n, plain.data,
          plain.n, out));
  check_bytes (out, plain.n + suite->n_tag, sealed_hex, "sealed");
  fail_unless (nda_aead_open (opener, counter, aad->data, aad->n, out,
          plain.n + suite->n_tag, out));
  check_bytes (out, plain.n, plain_hex, "opened");
}

GST_START_TEST (test_ctr_hmac)
{
  for (guint i = 0; i < G_N_ELEMENTS (rfc_ctr_hmac); i++) {
    g_auto (Bytes) key = from_hex (rfc_ctr_hmac[i].key);
    g_auto (Bytes) nonce = from_hex (rfc_ctr_hmac[i].nonce);
    g_auto (Bytes) aad = from_hex (rfc_ctr_hmac[i].aad);

    check_aead (nda_suite_find (rfc_ctr_hmac[i].cipher_suite), key.data,
        nonce.data, 0, &aad, rfc_ctr_hmac[i].pt, rfc_ctr_hmac[i].ct);
  }
}

GST_END_TEST;

GST_START_TEST (test_whole_sframe)
{
  for (guint i = 0; i < G_N_ELEMENTS (rfc_sframe); i++) {
    const NdaSuite *suite = nda_suite_find (rfc_sframe[i].cipher_suite);
    g_auto (Bytes) base_key = from_hex (rfc_sframe[i].base_key);
    g_auto (Bytes) aad = from_hex (rfc_sframe[i].aad);
    guint8 header[NDA_RECORD_MAX_HEADER];
    guint n_header = nda_record_header_write (header, rfc_sframe[i].kid,
        rfc_sframe[i].ctr);
    NdaSframeKeys keys;

    fail_unless (nda_schedule_sframe_keys (suite, rfc_sframe[i].kid,
            base_key.data, base_key.n, &keys, NULL));

    check_bytes (keys.secret, suite->n_hash, rfc_sframe[i].sframe_secret,
        "sframe_secret");
    check_bytes (keys.key, suite->n_key, rfc_sframe[i].sframe_key,
        "sframe_key");
    check_bytes (keys.salt, NDA_SUITE_NONCE, rfc_sframe[i].sframe_salt,
        "sframe_salt");
    fail_unless (strlen (rfc_sframe[i].aad) > 2 * n_header);
    fail_unless (memcmp (aad.data, header, n_header) == 0);
    check_aead (suite, keys.key, keys.salt, rfc_sframe[i].ctr, &aad,
        rfc_sframe[i].pt, rfc_sframe[i].ct + 2 * n_header);
  }
}

GST_END_TEST;

/* --- the key schedule --- */

GST_START_TEST (test_key_schedule)
{
  for (guint i = 0; i < G_N_ELEMENTS (key_schedules); i++) {
    const NdaSuite *suite = nda_suite_find (key_schedules[i].suite);
    g_auto (Bytes) master = from_hex (key_schedules[i].master_key);
    g_auto (Bytes) context = from_hex (key_schedules[i].context);
    guint8 prk[NDA_PRK], fingerprint[NDA_FINGERPRINT], base_key[NDA_BASE_KEY];
    NdaSframeKeys keys;

    fail_unless (nda_schedule_prk (master.data, prk, NULL));
    fail_unless (nda_schedule_fingerprint (prk, fingerprint, NULL));
    fail_unless (nda_schedule_base_key (prk, suite->id, key_schedules[i].kid,
            context.data, context.n, base_key, NULL));
    fail_unless (nda_schedule_sframe_keys (suite, key_schedules[i].kid,
            base_key, sizeof (base_key), &keys, NULL));

    check_bytes (prk, NDA_PRK, key_schedules[i].prk, "prk");
    check_bytes (fingerprint, NDA_FINGERPRINT, key_schedules[i].fingerprint,
        "fingerprint");
    check_bytes (base_key, NDA_BASE_KEY, key_schedules[i].base_key, "base_key");
    check_bytes (keys.secret, suite->n_hash, key_schedules[i].sframe_secret,
        "sframe_secret");
    check_bytes (keys.key, suite->n_key, key_schedules[i].sframe_key,
        "sframe_key");
    check_bytes (keys.salt, NDA_SUITE_NONCE, key_schedules[i].sframe_salt,
        "sframe_salt");
  }
}

GST_END_TEST;

GST_START_TEST (test_passphrases)
{
  for (guint i = 0; i < G_N_ELEMENTS (passphrases); i++) {
    g_auto (Bytes) passphrase = from_hex (passphrases[i].passphrase);
    g_auto (Bytes) salt = from_hex (passphrases[i].salt);
    guint8 master[NDA_MASTER_KEY], prk[NDA_PRK], fingerprint[NDA_FINGERPRINT];

    fail_unless (nda_schedule_master_from_passphrase (
            (const gchar *) passphrase.data, passphrase.n, salt.data, salt.n,
            master, NULL));
    fail_unless (nda_schedule_prk (master, prk, NULL));
    fail_unless (nda_schedule_fingerprint (prk, fingerprint, NULL));

    check_bytes (master, sizeof (master), passphrases[i].master_key,
        "master_key");
    check_bytes (fingerprint, sizeof (fingerprint), passphrases[i].fingerprint,
        "fingerprint");
  }
}

GST_END_TEST;

/* --- records --- */

/* Seals and opens the i-th record of the vectors. */
static void
check_record (guint i)
{
  g_autoptr (NdaKeyring) ring = ring_with_master (records[i].master_key);
  NdaKeyUse use = use_of (records[i].suite, records[i].context);
  g_autoptr (NdaAead) sealer =
      aead_from_ring (ring, records[i].kid, &use, TRUE);
  g_autoptr (NdaAead) opener =
      aead_from_ring (ring, records[i].kid, &use, FALSE);
  g_auto (Bytes) plain = from_hex (records[i].plaintext);
  g_autofree guint8 *record = g_malloc (NDA_RECORD_MAX);
  g_autofree guint8 *opened = g_malloc (NDA_RECORD_MAX);
  NdaBlockHeader block = {
    .type = records[i].type,
    .format = {records[i].format, records[i].channels, records[i].rate},
    .n_frames = records[i].frames,
    .position = records[i].position,
  }, read;
  NdaRecordHeader header;
  gsize n;

  n = nda_record_seal (sealer, records[i].kid, records[i].ctr, &block,
      plain.data + NDA_BLOCK_HEADER, plain.n - NDA_BLOCK_HEADER, record);
  check_bytes (record, n, records[i].record, records[i].name);

  fail_unless (nda_record_header_read (record, n, &header));
  check_bytes (record, header.n_bytes, records[i].header, records[i].name);
  fail_unless (nda_record_open (opener, &header, record, n, opened));
  check_bytes (opened, plain.n, records[i].plaintext, records[i].name);
  nda_block_header_read (opened, &read);
  fail_unless (memcmp (&read.format, &block.format, sizeof (read.format)) == 0
      || nda_record_format_equal (&read.format, &block.format));
  fail_unless (read.position == block.position);
  fail_unless (nda_block_header_is_valid (&read, plain.n - NDA_BLOCK_HEADER));
}

GST_START_TEST (test_records)
{
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    check_record (i);
}

GST_END_TEST;

/* --- outcomes --- */

typedef struct
{
  NdaKeyring *ring;
  NdaOpener *opener;
  guint8 *plain;
} Receiver;

static void
receiver_init (Receiver * r, guint suite, const gchar * master,
    const gchar * context, const NdaOpenerRules * rules)
{
  NdaKeyUse use = use_of (suite, context);

  r->ring = ring_with_master (master);
  r->opener = nda_opener_new (r->ring, &no_hooks, NULL, NULL);
  r->plain = g_malloc (NDA_RECORD_MAX);
  nda_opener_start (r->opener, &use, rules);
}

static void
receiver_clear (Receiver * r)
{
  nda_opener_free (r->opener);
  nda_keyring_free (r->ring);
  g_free (r->plain);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Receiver, receiver_clear);

static const gchar *
open_record (Receiver * r, const guint8 * record,
    gsize n_record, NdaOpened * opened)
{
  memset (r->plain, 0, NDA_RECORD_MAX);
  return nda_outcome_get_name (nda_opener_open (r->opener, record, n_record,
          r->plain, opened));
}

static gboolean
is_zero (const guint8 * bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (bytes[i])
      return FALSE;
  return TRUE;
}

GST_START_TEST (test_bad_records)
{
  const NdaOpenerRules rules = {.window = 1024 };

  for (guint i = 0; i < G_N_ELEMENTS (bad_records); i++) {
    g_auto (Receiver) r = { NULL };
    g_auto (Bytes) good = from_hex (records[0].record);
    g_auto (Bytes) bad = from_hex (bad_records[i].record);
    g_auto (Bytes) next = from_hex (records[1].record);
    NdaOpened opened;

    receiver_init (&r, records[0].suite, records[0].master_key,
        records[0].context, &rules);
    fail_unless_equals_string (open_record (&r, good.data, good.n, &opened),
        "ok");

    fail_unless_equals_string (open_record (&r, bad.data, bad.n, &opened),
        bad_records[i].result);
    fail_unless (is_zero (r.plain, NDA_RECORD_MAX), "%s", bad_records[i].name);

    /* and the stream goes on */
    fail_unless_equals_string (open_record (&r, next.data, next.n, &opened),
        "ok");
    assert_equals_uint64 (opened.n_lost, 0);
  }
}

GST_END_TEST;

static gsize
seal_nth (NdaAead * aead, guint32 n, guint8 * record)
{
  const gint16 samples[4] = { 0, 1000, -1000, 32767 };
  NdaBlockHeader block = {
    .type = NDA_RECORD_AUDIO,
    .format = {NDA_SAMPLES_S16LE, 1, 48000},
    .n_frames = 4,
    .position = 4 * (guint64) n,
  };

  return nda_record_seal (aead, records[0].kid,
      (G_GUINT64_CONSTANT (0x6a5b4c3d) << 32) | n, &block,
      (const guint8 *) samples, sizeof (samples), record);
}

GST_START_TEST (test_orders_of_arrival)
{
  for (guint i = 0; i < G_N_ELEMENTS (sequences); i++) {
    const NdaOpenerRules rules = {.window = sequences[i].window };
    g_auto (Receiver) r = { NULL };
    NdaKeyUse use = use_of (records[0].suite, records[0].context);
    g_auto (GStrv) arrivals = g_strsplit (sequences[i].arrivals, " ", -1);
    g_auto (GStrv) outcomes = g_strsplit (sequences[i].outcomes, " ", -1);
    g_autoptr (NdaAead) sealer = NULL;

    receiver_init (&r, records[0].suite, records[0].master_key,
        records[0].context, &rules);
    sealer = aead_from_ring (r.ring, records[0].kid, &use, TRUE);
    for (guint k = 0; arrivals[k]; k++) {
      guint8 record[128];
      NdaOpened opened;
      gsize n = seal_nth (sealer, atoi (arrivals[k]), record);

      fail_unless_equals_string (open_record (&r, record, n, &opened),
          outcomes[k]);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_lost_is_counted_and_never_taken_back)
{
  const NdaOpenerRules rules = {.window = 64 };
  const struct
  {
    guint32 n, n_lost;
  } steps[] = { {500, 0}, {501, 0}, {504, 2}, {505, 0}, {503, 0}, {507, 1} };
  g_auto (Receiver) r = { NULL };
  NdaKeyUse use = use_of (records[0].suite, records[0].context);
  g_autoptr (NdaAead) sealer = NULL;

  receiver_init (&r, records[0].suite, records[0].master_key,
      records[0].context, &rules);
  sealer = aead_from_ring (r.ring, records[0].kid, &use, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    guint8 record[128];
    NdaOpened opened;
    gsize n = seal_nth (sealer, steps[i].n, record);

    open_record (&r, record, n, &opened);
    assert_equals_uint64 (opened.n_lost, steps[i].n_lost);
    assert_equals_uint64 (opened.n_gap_frames, 4 * steps[i].n_lost);
  }
}

GST_END_TEST;

/* What a stream brings in pieces of @step bytes: its samples, and the first
 * outcome that is not good. */
static const gchar *
receive_stream (Receiver * r, const Bytes * bytes, gsize step, GByteArray * pcm)
{
  NdaStream stream;
  NdaStreamFound found;
  const gchar *outcome = "ok";
  const guint8 *record;
  gsize n_record;

  nda_stream_init (&stream);
  for (gsize at = 0; at < bytes->n && g_str_equal (outcome, "ok"); at += step) {
    nda_stream_feed (&stream, bytes->data + at, MIN (step, bytes->n - at));
    while (g_str_equal (outcome, "ok")) {
      NdaOpened opened;

      if (nda_opener_has_ended (r->opener)) {
        if (nda_stream_skip (&stream))
          outcome = "trailing";
        break;
      }
      found = nda_stream_next (&stream, &record, &n_record);
      if (found == NDA_STREAM_BAD_PREAMBLE)
        outcome = "malformed";
      if (found != NDA_STREAM_RECORD)
        break;
      outcome = open_record (r, record, n_record, &opened);
      if (g_str_equal (outcome, "ok"))
        g_byte_array_append (pcm, r->plain + NDA_BLOCK_HEADER,
            opened.block.n_frames * nda_record_frame_bytes
            (&opened.block.format));
    }
  }
  if (g_str_equal (outcome, "ok") && !nda_opener_has_ended (r->opener))
    outcome = "truncated";
  nda_stream_clear (&stream);
  return outcome;
}

GST_START_TEST (test_streams)
{
  const NdaOpenerRules rules = {.window = 1024,.is_strict = TRUE };
  const gsize steps[] = { 1, 2, 7, 59, 4096 };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++) {
    for (guint k = 0; k < G_N_ELEMENTS (steps); k++) {
      g_auto (Receiver) r = { NULL };
      g_auto (Bytes) bytes = from_hex (streams[i].bytes);
      g_autoptr (GByteArray) pcm = g_byte_array_new ();

      receiver_init (&r, streams[i].suite, streams[i].master_key,
          streams[i].context, &rules);
      fail_unless_equals_string (receive_stream (&r, &bytes, steps[k], pcm),
          streams[i].result);
      check_bytes (pcm->data, pcm->len, streams[i].pcm, streams[i].name);
    }
  }
}

GST_END_TEST;

static Suite *
vectors_suite (void)
{
  Suite *suite = suite_create ("vectors");
  TCase *rfc = tcase_create ("rfc9605");
  TCase *wire = tcase_create ("nda-wire");

  suite_add_tcase (suite, rfc);
  tcase_add_test (rfc, test_every_header);
  tcase_add_test (rfc, test_ctr_hmac);
  tcase_add_test (rfc, test_whole_sframe);
  suite_add_tcase (suite, wire);
  tcase_add_test (wire, test_key_schedule);
  tcase_add_test (wire, test_passphrases);
  tcase_add_test (wire, test_records);
  tcase_add_test (wire, test_bad_records);
  tcase_add_test (wire, test_orders_of_arrival);
  tcase_add_test (wire, test_lost_is_counted_and_never_taken_back);
  tcase_add_test (wire, test_streams);
  return suite;
}

GST_CHECK_MAIN (vectors);
