/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What must hold for any record, beside the vectors. */

#include "config.h"

#include "hex.h"

#include "ndagcm.h"
#include "ndareplay.h"
#include "ndasealer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <sys/wait.h>
#include <unistd.h>

#define MASTER \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_MASTER \
    "2d1fdc620d75e92eba68ecb58418735a26c53344aa55c5f33663f13cdcf233b9"
#define ALICE "616c696365"
#define N_FRAMES 4
#define START (1000 * G_GINT64_CONSTANT (1000000))

static gint n_allocations;

static void *
count_malloc (size_t n, const char *file, int line)
{
  n_allocations++;
  return malloc (n);
}

static void *
count_realloc (void *data, size_t n, const char *file, int line)
{
  n_allocations++;
  return realloc (data, n);
}

static void
count_free (void *data, const char *file, int line)
{
  free (data);
}

/* A sender and a receiver, with clocks of the test's */
typedef struct
{
  NdaKeyring *sender_ring;
  NdaKeyring *ring;
  NdaSealer *sealer;
  NdaOpener *opener;
  NdaKeyUse use;
  guint8 record[NDA_RECORD_MAX];
  guint8 plain[NDA_RECORD_MAX];
  NdaOpened opened;
  gint64 now;                   /* of both clocks, microseconds */
  guint n_asked;
  GBytes *answer;               /* not owned */
} Link;

static GBytes *
answer_key (gpointer owner, guint64 kid, guint suite)
{
  Link *link = owner;

  link->n_asked++;
  return link->answer ? g_bytes_ref (link->answer) : NULL;
}

static gint64
get_now (gpointer owner)
{
  return ((Link *) owner)->now;
}

static const NdaOpenerHooks hooks = { answer_key, get_now, get_now };
static const NdaRecordFormat mono = { NDA_SAMPLES_S16LE, 1, 48000 };

static Link *
link_new (guint suite, const NdaOpenerRules * rules)
{
  Link *link = g_new0 (Link, 1);

  link->now = START;
  link->sender_ring = ring_with_master (MASTER);
  link->ring = ring_with_master (MASTER);
  link->use = use_of (suite, ALICE);
  link->sealer = nda_sealer_new (link->sender_ring, NULL);
  link->opener = nda_opener_new (link->ring, &hooks, link, NULL);
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  nda_opener_start (link->opener, &link->use, rules);
  return link;
}

static void
link_free (Link * link)
{
  nda_sealer_free (link->sealer);
  nda_opener_free (link->opener);
  nda_keyring_free (link->sender_ring);
  nda_keyring_free (link->ring);
  g_free (link);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_free);

static const gint16 samples[512] = { 0, 1000, -1000, 32767 };
static const NdaOpenerRules packets = {.window = 1024 };
static const NdaOpenerRules stream = {.window = 1024,.is_strict = TRUE };

static gsize
seal (Link * link)
{
  return nda_sealer_seal_audio (link->sealer, (const guint8 *) samples,
      N_FRAMES * sizeof (gint16), link->record);
}

static NdaOutcome
open_last (Link * link, gsize n)
{
  return nda_opener_open (link->opener, link->record, n, link->plain,
      &link->opened);
}

static void
assert_outcome (NdaOutcome found, NdaOutcome expected)
{
  fail_unless_equals_string (nda_outcome_get_name (found),
      nda_outcome_get_name (expected));
}

/* Flips each bit of a record of @n_frames in turn. */
static void
flip_every_bit (guint suite, guint n_frames)
{
  g_autoptr (Link) link = link_new (suite, &packets);
  g_autofree guint8 *good = g_malloc (NDA_RECORD_MAX);
  g_autofree guint8 *nothing = g_malloc0 (NDA_RECORD_MAX);
  gsize n;

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  n = nda_sealer_seal_audio (link->sealer, (const guint8 *) samples,
      n_frames * sizeof (gint16), link->record);
  memcpy (good, link->record, n);
  for (gsize bit = 0; bit < 8 * n; bit++) {
    memset (link->plain, 0, n);
    link->record[bit / 8] ^= 1 << bit % 8;

    fail_if (open_last (link, n) == NDA_OUTCOME_OK);
    fail_unless (memcmp (link->plain, nothing, n) == 0);
    link->record[bit / 8] ^= 1 << bit % 8;
    link->now += G_USEC_PER_SEC;        /* no limit hides a forged KID */
  }
  memcpy (link->record, good, n);
  assert_outcome (open_last (link, n), NDA_OUTCOME_OK);
  fail_unless (memcmp (link->plain + NDA_BLOCK_HEADER, samples, 2 * n_frames)
      == 0);
}

GST_START_TEST (test_every_flipped_bit_is_refused)
{
  for (guint suite = 1; suite <= 5; suite++)
    flip_every_bit (suite, N_FRAMES);
  flip_every_bit (5, 512);
}

GST_END_TEST;

static EVP_CIPHER_CTX *
make_gcm (EVP_CIPHER * cipher, gint encrypt)
{
  const guint8 key[32] = { 5, };
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new ();

  fail_unless (EVP_CipherInit_ex2 (c, cipher, key, NULL, encrypt, NULL));
  return c;
}

/* Where a library does not take a nonce in the quick way, the plain one does.
 * */
GST_START_TEST (test_both_ways_to_a_nonce_lead_to_one_record)
{
  EVP_CIPHER *gcm = EVP_CIPHER_fetch (NULL, "AES-256-GCM", NULL);
  EVP_CIPHER *ocb = EVP_CIPHER_fetch (NULL, "AES-256-OCB", NULL);
  EVP_CIPHER_CTX *sealer = make_gcm (gcm, 1), *opener = make_gcm (gcm, 0);
  guint8 plain[100], sealed[2][116], opened[100];

  fail_unless (nda_gcm_is_quick (gcm));
  fail_if (nda_gcm_is_quick (ocb));
  memset (plain, 3, sizeof (plain));
  for (guint i = 0; i < 300; i++) {
    guint8 nonce[12] = { i >> 8, 0, 0, i };

    for (guint quick = 0; quick < 2; quick++)
      fail_unless (nda_gcm_seal (sealer, quick, nonce, plain, 29, plain, 100,
              sealed[quick]));
    fail_unless (memcmp (sealed[0], sealed[1], 116) == 0);
    for (guint quick = 0; quick < 2; quick++) {
      fail_unless (nda_gcm_open (opener, quick, nonce, plain, 29,
              sealed[quick], 100, opened));
      fail_unless (memcmp (opened, plain, 100) == 0);
      sealed[quick][i % 116] ^= 1;
      fail_if (nda_gcm_open (opener, quick, nonce, plain, 29, sealed[quick],
              100, opened));
    }
  }
  EVP_CIPHER_CTX_free (sealer);
  EVP_CIPHER_CTX_free (opener);
  EVP_CIPHER_free (gcm);
  EVP_CIPHER_free (ocb);
}

GST_END_TEST;

GST_START_TEST (test_records_cost_no_allocation)
{
  for (guint suite = 1; suite <= 5; suite++) {
    g_autoptr (Link) link = link_new (suite, &packets);
    gint before;

    assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
    before = n_allocations;
    fail_unless (before > 0);
    for (guint i = 0; i < 100; i++)
      assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
    link->record[20] ^= 1;
    open_last (link, 57);
    fail_unless_equals_int (n_allocations - before, 0);
  }
}

GST_END_TEST;

/* The window as a set says it, beside the ring of bits. */
static void
compare_with_model (guint window, GRand * rand)
{
  NdaReplay replay;
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint32 top = g_rand_int_range (rand, 0, 1000);

  nda_replay_init (&replay, window);
  nda_replay_restart (&replay, top);
  g_hash_table_add (seen, GUINT_TO_POINTER (top));
  for (guint i = 0; i < 20000; i++) {
    guint span = g_rand_int_range (rand, 0, 50) ? window + 70 : 40 * window;
    guint32 n = top + g_rand_int_range (rand, 0, span) - MIN (top, span / 2);
    NdaReplayResult expected = NDA_REPLAY_NEW;

    if (n <= top && top - n >= window)
      expected = NDA_REPLAY_TOO_OLD;
    else if (g_hash_table_contains (seen, GUINT_TO_POINTER (n)))
      expected = NDA_REPLAY_SEEN;
    fail_unless_equals_int (nda_replay_check (&replay, n), expected);
    if (expected != NDA_REPLAY_NEW)
      continue;
    nda_replay_mark (&replay, n);
    g_hash_table_add (seen, GUINT_TO_POINTER (n));
    top = MAX (top, n);
  }
  nda_replay_clear (&replay);
}

GST_START_TEST (test_window_is_exact)
{
  const guint windows[] = { 64, 65, 100, 127, 128, 1000, 1024, 5000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (9605);

  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    compare_with_model (windows[i], rand);
}

GST_END_TEST;

GST_START_TEST (test_window_reaches_the_greatest_counter)
{
  NdaReplay replay;

  nda_replay_init (&replay, 64);
  nda_replay_restart (&replay, G_MAXUINT32 - 1);
  nda_replay_mark (&replay, G_MAXUINT32);
  fail_unless_equals_int (nda_replay_check (&replay, G_MAXUINT32),
      NDA_REPLAY_SEEN);
  fail_unless_equals_int (nda_replay_check (&replay, 0), NDA_REPLAY_TOO_OLD);
  fail_unless_equals_int (nda_replay_check (&replay, G_MAXUINT32 - 63),
      NDA_REPLAY_NEW);
  nda_replay_clear (&replay);
}

GST_END_TEST;

GST_START_TEST (test_a_hundred_sessions_in_a_stored_stream)
{
  g_autoptr (Link) link = link_new (5, &stream);
  g_autoptr (GHashTable) kids = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < 100; i++) {
    guint64 kid = nda_sealer_get_kid (link->sealer);
    gsize n;

    fail_unless (kid >= NDA_KID_DERIVED);
    fail_unless (g_hash_table_add (kids, g_memdup2 (&kid, sizeof (kid))));
    assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
    fail_unless (link->opened.is_new_session);
    n = nda_sealer_seal_switch (link->sealer, &link->use, &mono, link->record,
        NULL);
    assert_outcome (open_last (link, n), NDA_OUTCOME_OK);
    fail_if (nda_opener_has_ended (link->opener));
  }
  seal (link);
  assert_outcome (open_last (link, nda_sealer_seal_end (link->sealer,
              link->record)), NDA_OUTCOME_LOST);
  g_hash_table_foreach (kids, (GHFunc) (void (*)(void)) g_free, NULL);
}

GST_END_TEST;

GST_START_TEST (test_end_ends_the_session)
{
  g_autoptr (Link) link = link_new (5, &packets);
  guint8 after[128];
  gsize n_after, n;

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  n_after = seal (link);
  memcpy (after, link->record, n_after);
  n = nda_sealer_seal_end (link->sealer, link->record);
  assert_outcome (open_last (link, n), NDA_OUTCOME_OK);
  fail_unless (nda_opener_has_ended (link->opener));
  assert_equals_uint64 (link->opened.block.position, 2 * N_FRAMES);

  /* nothing more can be sealed, and what is left over is late */
  assert_equals_uint64 (seal (link), 0);
  memcpy (link->record, after, n_after);
  assert_outcome (open_last (link, n_after), NDA_OUTCOME_LATE);
}

GST_END_TEST;

GST_START_TEST (test_swapped_records_are_told)
{
  g_autoptr (Link) link = link_new (5, &stream);

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  seal (link);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_LOST);
}

GST_END_TEST;

GST_START_TEST (test_a_session_that_was_not_announced_is_stale_when_stored)
{
  g_autoptr (Link) link = link_new (5, &stream);

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_STALE);
}

GST_END_TEST;

GST_START_TEST (test_an_older_session_is_stale)
{
  g_autoptr (Link) link = link_new (5, &packets);
  guint8 old[128];
  gsize n = seal (link);

  memcpy (old, link->record, n);
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  memcpy (link->record, old, n);
  assert_outcome (open_last (link, n), NDA_OUTCOME_STALE);
}

GST_END_TEST;

GST_START_TEST (test_another_context_or_suite_is_an_unknown_key)
{
  g_autoptr (Link) link = link_new (5, &packets);
  NdaKeyUse bob = use_of (5, "626f62");
  NdaKeyUse other_suite = use_of (4, ALICE);

  nda_opener_start (link->opener, &bob, &packets);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
  nda_opener_start (link->opener, &other_suite, &packets);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
}

GST_END_TEST;

static void
add_master (NdaKeyring * ring, const gchar * hex)
{
  g_auto (Bytes) master = from_hex (hex);

  fail_unless (nda_keyring_add_master (ring, NDA_KEY_FROM_ACTION, master.data,
          master.n, NULL));
}

GST_START_TEST (test_master_keys_rotate)
{
  g_autoptr (Link) link = link_new (5, &packets);
  gsize n;

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  add_master (link->ring, OTHER_MASTER);
  add_master (link->sender_ring, OTHER_MASTER);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  n = nda_sealer_seal_switch (link->sealer, &link->use, &mono, link->record,
      NULL);
  assert_outcome (open_last (link, n), NDA_OUTCOME_OK);
  nda_keyring_forget (link->ring, NDA_KEY_FROM_FILE);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);

  nda_keyring_forget (link->ring, NDA_KEY_FROM_ACTION);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
}

GST_END_TEST;

GST_START_TEST (test_explicit_keys_and_those_asked_for)
{
  const guint8 key[20] = { 1, 2, 3 };
  g_autoptr (GBytes) answer = g_bytes_new_static (key, sizeof (key));
  g_auto (Folder) folder = folder_new ();
  g_autoptr (NdaSendState) state = nda_send_state_open (folder.state, NULL);
  g_autoptr (Link) link = link_new (5, &packets);

  nda_keyring_forget (link->sender_ring, NDA_KEY_FROM_FILE);
  fail_unless (nda_keyring_add_base (link->sender_ring, NDA_KEY_FROM_ACTION,
          7, 5, key, sizeof (key), NULL));
  nda_sealer_set_state (link->sealer, state);
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  assert_equals_uint64 (nda_sealer_get_kid (link->sealer), 7);

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
  fail_unless_equals_int (link->n_asked, 1);    /* once a second */
  link->answer = answer;
  link->now += G_USEC_PER_SEC;
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  fail_unless_equals_int (link->n_asked, 2);
  /* the same KID again, later: no question is needed */
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  fail_unless_equals_int (link->n_asked, 2);

  nda_opener_start (link->opener, &link->use, &packets);
  fail_unless (nda_keyring_add_base (link->ring, NDA_KEY_FROM_ACTION, 7, 5,
          key, sizeof (key), NULL));
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  fail_unless_equals_int (link->n_asked, 2);
  fail_unless (nda_keyring_remove_base (link->ring, 7));
  link->answer = NULL;
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
}

GST_END_TEST;

/* A record of a session after all others, under a key that is not held */
static gsize
forge (Link * link, guint64 kid)
{
  guint n = nda_record_header_write (link->record, kid,
      G_GUINT64_CONSTANT (0xfffffff0) << 32);

  memset (link->record + n, 7, 100);
  return n + 100;
}

GST_START_TEST (test_forged_senders_cost_little)
{
  g_autoptr (Link) link = link_new (5, &packets);
  gsize n;

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  n_allocations = 0;
  for (guint i = 0; i < 5000; i++)
    assert_outcome (open_last (link, forge (link, NDA_KID_DERIVED + i)),
        NDA_OUTCOME_UNKNOWN_KEY);
  /* the hundredth was the sender's own */
  fail_unless_equals_int (link->n_asked, 99);
  fail_unless (n_allocations > 100 && n_allocations < 100 * 200);

  /* the current session is not disturbed, nor the one that it announces */
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  n = nda_sealer_seal_switch (link->sealer, &link->use, &mono, link->record,
      NULL);
  assert_outcome (open_last (link, n), NDA_OUTCOME_OK);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);

  /* one that was not announced waits for the next second */
  fail_unless (nda_sealer_start (link->sealer, &link->use, &mono, NULL));
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_UNKNOWN_KEY);
  link->now += G_USEC_PER_SEC;
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
}

GST_END_TEST;

GST_START_TEST (test_old_recordings_and_wrong_clocks_are_expired)
{
  const NdaOpenerRules live = {.window = 64,.max_age = 30 };
  const struct
  {
    gint seconds;
    NdaOutcome outcome;
  } ages[] = { {0, NDA_OUTCOME_OK}, {29, NDA_OUTCOME_OK},
  {-290, NDA_OUTCOME_OK}, {40, NDA_OUTCOME_EXPIRED},
  {-310, NDA_OUTCOME_EXPIRED}
  };

  for (guint i = 0; i < G_N_ELEMENTS (ages); i++) {
    g_autoptr (Link) link = link_new (5, &live);
    NdaRecordHeader header;
    gsize n = seal (link);

    fail_unless (nda_record_header_read (link->record, n, &header));
    link->now = ((gint64) (header.counter >> 32) + ages[i].seconds)
        * G_USEC_PER_SEC;
    assert_outcome (open_last (link, n), ages[i].outcome);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_child_process_has_no_key)
{
  g_autoptr (Link) link = link_new (5, &packets);
  gint status;
  pid_t child;

  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
  child = fork ();
  if (child == 0) {
    g_autoptr (GError) error = NULL;

    if (!nda_sealer_lost_key (link->sealer) || seal (link) != 0)
      _exit (1);
    if (nda_keyring_get_n_keys (link->sender_ring) != 0)
      _exit (2);
    if (nda_sealer_start (link->sealer, &link->use, &mono, &error)
        || !strstr (error->message, "no key"))
      _exit (3);
    /* with a key of its own it begins a session of its own */
    add_master (link->sender_ring, MASTER);
    if (!nda_sealer_start (link->sealer, &link->use, &mono, NULL)
        || seal (link) == 0)
      _exit (4);
    _exit (0);
  }
  fail_unless (waitpid (child, &status, 0) == child);
  fail_unless (WIFEXITED (status));
  fail_unless_equals_int (WEXITSTATUS (status), 0);
  assert_outcome (open_last (link, seal (link)), NDA_OUTCOME_OK);
}

GST_END_TEST;

static Suite *
codec_suite (void)
{
  Suite *suite = suite_create ("codec");
  TCase *tc = tcase_create ("records");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_every_flipped_bit_is_refused);
  tcase_add_test (tc, test_both_ways_to_a_nonce_lead_to_one_record);
  tcase_add_test (tc, test_records_cost_no_allocation);
  tcase_add_test (tc, test_window_is_exact);
  tcase_add_test (tc, test_window_reaches_the_greatest_counter);
  tcase_add_test (tc, test_a_hundred_sessions_in_a_stored_stream);
  tcase_add_test (tc, test_end_ends_the_session);
  tcase_add_test (tc, test_swapped_records_are_told);
  tcase_add_test (tc,
      test_a_session_that_was_not_announced_is_stale_when_stored);
  tcase_add_test (tc, test_an_older_session_is_stale);
  tcase_add_test (tc, test_another_context_or_suite_is_an_unknown_key);
  tcase_add_test (tc, test_master_keys_rotate);
  tcase_add_test (tc, test_explicit_keys_and_those_asked_for);
  tcase_add_test (tc, test_forged_senders_cost_little);
  tcase_add_test (tc, test_old_recordings_and_wrong_clocks_are_expired);
  tcase_add_test (tc, test_a_child_process_has_no_key);
  return suite;
}

int
main (int argc, char **argv)
{
  CRYPTO_set_mem_functions (count_malloc, count_realloc, count_free);
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (codec_suite (), "codec", __FILE__);
}
