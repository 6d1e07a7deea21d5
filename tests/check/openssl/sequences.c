/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Random sequences of all that can happen to a sender: formats, new keys and
 * sessions, flushes, segments, ends, restarts within a second, and another
 * sender beside it. No key meets a nonce twice, which OpenSSL itself is asked
 * about; and whatever is sent is read back whole.
 *
 * NDA_TEST_SEQUENCES says how many (60), NDA_TEST_SEED the first of them
 * (0). */

#include "config.h"

#include "pair.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <dlfcn.h>

#define N_MASTERS 3
#define N_SEQUENCES 60
#define N_MAX_STEPS 24

/* --- what OpenSSL is asked to encrypt with --- */

typedef int (*CipherInit) (EVP_CIPHER_CTX *, const EVP_CIPHER *,
    const unsigned char *, const unsigned char *, int, const OSSL_PARAM *);
typedef int (*EncryptInit) (EVP_CIPHER_CTX *, const EVP_CIPHER *,
    const unsigned char *, const unsigned char *, const OSSL_PARAM *);
typedef int (*SetParams) (EVP_CIPHER_CTX *, const OSSL_PARAM *);

static GHashTable *keys;        /* of contexts that encrypt */
static GHashTable *used;        /* keys with nonces */
static guint n_twice;

static void
note_key (EVP_CIPHER_CTX * c, const guint8 * key, gint n_bytes, gboolean seal)
{
  const guint8 of_trial[] = { 1, 2, 3, 0, 0, 0, 0, 0 };

  if (!keys || !key)
    return;
  /* the codec tries both ways to set a nonce with one key, once */
  if (!seal || memcmp (key, of_trial, sizeof (of_trial)) == 0)
    g_hash_table_remove (keys, c);
  else
    g_hash_table_insert (keys, c, g_bytes_new (key, n_bytes));
}

static void
note_nonce (EVP_CIPHER_CTX * c, const guint8 * nonce)
{
  GBytes *key = keys ? g_hash_table_lookup (keys, c) : NULL;
  GByteArray *both;

  if (!key || !nonce)
    return;
  both = g_byte_array_new ();
  g_byte_array_append (both, g_bytes_get_data (key, NULL),
      g_bytes_get_size (key));
  g_byte_array_append (both, nonce, NDA_SUITE_NONCE);
  n_twice += !g_hash_table_add (used, g_byte_array_free_to_bytes (both));
}

int
EVP_CipherInit_ex2 (EVP_CIPHER_CTX * c, const EVP_CIPHER * cipher,
    const unsigned char *key, const unsigned char *iv, int enc,
    const OSSL_PARAM params[])
{
  static CipherInit next;

  if (!next)
    next = (CipherInit) dlsym (RTLD_NEXT, "EVP_CipherInit_ex2");
  note_key (c, key, cipher ? EVP_CIPHER_get_key_length (cipher) : 0, enc);
  return next (c, cipher, key, iv, enc, params);
}

int
EVP_EncryptInit_ex2 (EVP_CIPHER_CTX * c, const EVP_CIPHER * cipher,
    const unsigned char *key, const unsigned char *iv,
    const OSSL_PARAM params[])
{
  static EncryptInit next;

  if (!next)
    next = (EncryptInit) dlsym (RTLD_NEXT, "EVP_EncryptInit_ex2");
  note_nonce (c, iv);
  return next (c, cipher, key, iv, params);
}

int
EVP_CIPHER_CTX_set_params (EVP_CIPHER_CTX * c, const OSSL_PARAM params[])
{
  const OSSL_PARAM *nonce = OSSL_PARAM_locate_const (params,
      OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED);
  static SetParams next;

  if (!next)
    next = (SetParams) dlsym (RTLD_NEXT, "EVP_CIPHER_CTX_set_params");
  note_nonce (c, nonce ? nonce->data : NULL);
  return next (c, params);
}

/* --- a sender, and who reads what it sends --- */

typedef struct
{
  GRand *random;                /* not owned */
  gboolean is_stream;
  GstElement *enc;
  GstPad *src;                  /* before it */
  GstPad *sink;                 /* behind it */
  GString *said;                /* what was done, to be told when it fails */
  GByteArray *want;             /* samples that are to be read back */
  GByteArray *bytes;            /* of the stream that is being written */
  gboolean has_ended;           /* it has an end */

  GstElement *dec;              /* of packets */
  GstPad *dec_src;
  GstPad *dec_sink;
  GByteArray *got;
  guint n_messages;

  GstAudioInfo info;
  guint block_bytes;
  guint n_rest;                 /* bytes that make no block yet */
  GstClockTime time;
} Sender;

static const guint8 base_key[32] = { 9, 8, 7 };

static GstFlowReturn
take_samples (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  Sender *s = pad->chaindata;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (s->got, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static GstFlowReturn
take_record (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  Sender *s = pad->chaindata;
  GstMapInfo map;

  if (!s->is_stream)
    return gst_pad_push (s->dec_src, buffer);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_byte_array_append (s->bytes, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static void
give_key (GstElement * element, guint number)
{
  const guint8 key[32] = { number + 1, 77 };
  g_autoptr (GBytes) bytes = g_bytes_new (key, sizeof (key));
  gboolean ok;

  g_signal_emit_by_name (element, "set-master-key", bytes, &ok);
  fail_unless (ok);
}

static GstPad *
make_pad (GstElement * element, const gchar * name, GstPadDirection direction,
    Sender * s, GstPadChainFunction chain)
{
  g_autoptr (GstPad) other = gst_element_get_static_pad (element, name);
  GstPad *pad = gst_pad_new_from_static_template (direction == GST_PAD_SRC ?
      &any_src : &any_sink, NULL);

  if (chain)
    gst_pad_set_chain_function_full (pad, chain, s, NULL);
  fail_unless_equals_int (direction == GST_PAD_SRC ?
      gst_pad_link (pad, other) : gst_pad_link (other, pad), GST_PAD_LINK_OK);
  gst_pad_set_active (pad, TRUE);
  return gst_object_ref_sink (pad);
}

static void
drop_element (GstElement ** element, GstPad ** src, GstPad ** sink)
{
  gst_element_set_state (*element, GST_STATE_NULL);
  gst_pad_set_active (*src, FALSE);
  gst_pad_set_active (*sink, FALSE);
  gst_clear_object (element);
  gst_clear_object (src);
  gst_clear_object (sink);
}

static GstBusSyncReply
count_message (GstBus * bus, GstMessage * message, gpointer data)
{
  Sender *s = data;
  g_autofree gchar *text = NULL;

  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)) {
    text = gst_structure_to_string (gst_message_get_structure (message));
    g_string_append_printf (s->said, "\n%s\n", text);
    s->n_messages++;
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
begin_segment (GstPad * pad, GstFormat format, GstClockTime start)
{
  GstSegment segment;

  gst_segment_init (&segment, format);
  segment.start = segment.time = start;
  fail_unless (gst_pad_push_event (pad, gst_event_new_segment (&segment)));
}

static void
start_receiver (Sender * s, const gchar * caps)
{
  g_autoptr (GstCaps) record_caps = gst_caps_from_string (caps);
  g_autoptr (GstBus) bus = gst_bus_new ();
  const guint8 *base = base_key;
  g_autoptr (GBytes) bytes = g_bytes_new (base, sizeof (base_key));
  gboolean ok;

  s->dec = gst_object_ref_sink (gst_element_factory_make ("ndadecrypt", NULL));
  gst_bus_set_sync_handler (bus, count_message, s, NULL);
  gst_element_set_bus (s->dec, bus);
  for (guint i = 0; i < N_MASTERS; i++)
    give_key (s->dec, i);
  g_signal_emit_by_name (s->dec, "add-key", (guint64) 7, 5, bytes, &ok);
  s->dec_src = make_pad (s->dec, "sink", GST_PAD_SRC, s, NULL);
  s->dec_sink = make_pad (s->dec, "src", GST_PAD_SINK, s, take_samples);
  gst_element_set_state (s->dec, GST_STATE_PLAYING);
  gst_pad_push_event (s->dec_src, gst_event_new_stream_start ("records"));
  fail_unless (gst_pad_push_event (s->dec_src,
          gst_event_new_caps (record_caps)));
  begin_segment (s->dec_src, s->is_stream ? GST_FORMAT_BYTES : GST_FORMAT_TIME,
      0);
}

static void
stop_receiver (Sender * s)
{
  gst_element_set_bus (s->dec, NULL);
  drop_element (&s->dec, &s->dec_src, &s->dec_sink);
}

static void
assert_read_back (Sender * s)
{
  fail_unless (s->got->len == s->want->len
      && (!s->got->len || memcmp (s->got->data, s->want->data,
              s->got->len) == 0),
      "%u of %u bytes are read back after%s", s->got->len, s->want->len,
      s->said->str);
  fail_unless (s->n_messages == 0, "something is wrong after%s", s->said->str);
}

/* Reads the stream that was written, in pieces, by somebody who demands that it
 * be whole. */
static void
read_stream (Sender * s)
{
  guint at = 0;

  start_receiver (s, STREAM);
  while (at < s->bytes->len) {
    guint n = g_rand_int_range (s->random, 1, 3000);
    GstFlowReturn flow = gst_pad_push (s->dec_src,
        gst_buffer_new_memdup (s->bytes->data + at, MIN (n,
                s->bytes->len - at)));

    fail_unless (flow == GST_FLOW_OK, "flow %d after%s", flow, s->said->str);
    at += n;
  }
  if (s->has_ended)
    gst_pad_push_event (s->dec_src, gst_event_new_eos ());
  assert_read_back (s);
  stop_receiver (s);
  g_byte_array_set_size (s->got, 0);
}

/* --- what can happen --- */

static void
forget_rest (Sender * s)
{
  g_byte_array_set_size (s->want, s->want->len - s->n_rest);
  s->n_rest = 0;
}

/* What is written next is another stream. */
static void
finish_stream (Sender * s)
{
  if (!s->is_stream)
    return;
  read_stream (s);
  g_byte_array_set_size (s->want, 0);
  g_byte_array_set_size (s->bytes, 0);
  s->has_ended = FALSE;
}

static void
say_format (Sender * s)
{
  const gint rates[] = { 8000, 44100, 48000 };
  const gchar *formats[] = { "S16LE", "S24LE", "F32LE" };
  g_autofree gchar *text = g_strdup_printf ("audio/x-raw,format=%s,rate=%d,"
      "channels=%d,layout=interleaved", formats[g_rand_int_range (s->random, 0,
              3)], rates[g_rand_int_range (s->random, 0, 3)],
      g_rand_int_range (s->random, 1, 3));
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstAudioInfo info;

  fail_unless (gst_audio_info_from_caps (&info, caps));
  if (!gst_audio_info_is_equal (&info, &s->info))
    s->n_rest = 0;
  s->info = info;
  fail_unless (gst_pad_push_event (s->src, gst_event_new_caps (caps)),
      "caps are refused after%s", s->said->str);
}

static void
say_segment (Sender * s)
{
  s->n_rest = 0;
  s->time = g_rand_int_range (s->random, 0, 100) * GST_SECOND;
  begin_segment (s->src, GST_FORMAT_TIME, s->time);
}

/* What a stream begins with, after a start or an end */
static void
say_stream (Sender * s)
{
  gst_pad_push_event (s->src, gst_event_new_stream_start ("audio"));
  say_format (s);
  say_segment (s);
}

static void
say_samples (Sender * s, guint block_frames)
{
  const guint lengths[] = { 1, 5, 64, 512, 513, 2000 };
  guint n_frames = lengths[g_rand_int_range (s->random, 0, 6)];
  guint n_bytes = n_frames * s->info.bpf;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_bytes, NULL);
  GstMapInfo map;
  GstFlowReturn flow;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (guint i = 0; i < n_bytes; i++)
    map.data[i] = g_rand_int (s->random);
  g_byte_array_append (s->want, map.data, n_bytes);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = s->time;
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale (n_frames, GST_SECOND, s->info.rate);
  s->time += GST_BUFFER_DURATION (buffer);
  s->n_rest = (s->n_rest + n_bytes) % (block_frames * s->info.bpf);
  flow = gst_pad_push (s->src, buffer);
  fail_unless (flow == GST_FLOW_OK, "flow %d after%s", flow, s->said->str);
}

/* As a file is written anew from its beginning, and a network knows nothing */
static void
flush (Sender * s)
{
  gst_pad_push_event (s->src, gst_event_new_flush_start ());
  gst_pad_push_event (s->src, gst_event_new_flush_stop (TRUE));
  forget_rest (s);
  if (s->is_stream) {
    g_byte_array_set_size (s->want, 0);
    g_byte_array_set_size (s->bytes, 0);
    s->has_ended = FALSE;
  }
  say_segment (s);
}

/* The end, and what may come after it */
static void
say_end (Sender * s)
{
  s->n_rest = 0;
  gst_pad_push_event (s->src, gst_event_new_eos ());
  s->has_ended = TRUE;
  if (g_rand_boolean (s->random)) {
    g_string_append (s->said, " flush");
    flush (s);
  } else {
    finish_stream (s);
    say_stream (s);
  }
}

/* Without a word, as when it is killed */
static void
restart (Sender * s)
{
  forget_rest (s);
  gst_element_set_state (s->enc, GST_STATE_READY);
  finish_stream (s);
  gst_pad_set_active (s->src, FALSE);
  gst_pad_set_active (s->src, TRUE);
  s->info = (GstAudioInfo) {
  0};
  fail_unless_equals_int (gst_element_set_state (s->enc, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  say_stream (s);
}

static void
step (Sender * s, guint block_frames, gboolean has_base)
{
  gdouble what = g_rand_double (s->random);

  if (what < 0.12) {
    g_string_append (s->said, " format");
    say_format (s);
  } else if (what < 0.24) {
    g_string_append (s->said, " rekey");
    g_signal_emit_by_name (s->enc, "rekey");
  } else if (what < 0.30 && !has_base) {
    g_string_append (s->said, " key");
    give_key (s->enc, g_rand_int_range (s->random, 0, N_MASTERS));
  } else if (what < 0.37) {
    g_string_append (s->said, " flush");
    flush (s);
  } else if (what < 0.44) {
    g_string_append (s->said, " segment");
    say_segment (s);
  } else if (what < 0.50) {
    g_string_append (s->said, " end");
    say_end (s);
  } else if (what < 0.55) {
    g_string_append (s->said, " restart");
    restart (s);
  } else {
    g_string_append (s->said, " samples");
    say_samples (s, block_frames);
  }
}

/* --- one sequence --- */

static void
start_sender (Sender * s, GRand * random, const gchar * description,
    gboolean is_stream, gboolean has_base)
{
  g_autoptr (GBytes) bytes = g_bytes_new (base_key, sizeof (base_key));
  gboolean ok;

  *s = (Sender) {
  .random = random,.is_stream = is_stream};
  s->said = g_string_new (NULL);
  s->want = g_byte_array_new ();
  s->bytes = g_byte_array_new ();
  s->got = g_byte_array_new ();
  s->enc = gst_object_ref_sink (gst_parse_launch (description, NULL));
  if (has_base)
    g_signal_emit_by_name (s->enc, "add-key", (guint64) 7, 5, bytes, &ok);
  else
    give_key (s->enc, 0);
  s->src = make_pad (s->enc, "sink", GST_PAD_SRC, s, NULL);
  s->sink = make_pad (s->enc, "src", GST_PAD_SINK, s, take_record);
  if (!is_stream)
    start_receiver (s, PACKETS);
  fail_unless_equals_int (gst_element_set_state (s->enc, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  say_stream (s);
}

static void
finish_sender (Sender * s)
{
  s->n_rest = 0;
  gst_pad_push_event (s->src, gst_event_new_eos ());
  s->has_ended = TRUE;
  if (s->is_stream)
    read_stream (s);
  else
    assert_read_back (s);
}

static void
clear_sender (Sender * s)
{
  drop_element (&s->enc, &s->src, &s->sink);
  if (s->dec)
    stop_receiver (s);
  g_string_free (s->said, TRUE);
  g_byte_array_unref (s->want);
  g_byte_array_unref (s->bytes);
  g_byte_array_unref (s->got);
}

/* One or two senders with one key take turns. A base key has one sender, but
 * that is followed by another at once. */
static void
run_sequence (guint32 seed, const gchar * state)
{
  const guint blocks[] = { 1, 7, 64, 512, 512, 1000 };
  const guint limits[] = { 2, 3, 5, 1 << 24 };
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  gboolean has_base = g_rand_int_range (random, 0, 4) == 0;
  gboolean is_stream = g_rand_boolean (random);
  /* each session of a base key waits for the disk */
  guint block_frames = blocks[g_rand_int_range (random, has_base ? 3 : 0, 6)];
  g_autofree gchar *description = g_strdup_printf ("ndaencrypt framing=%s "
      "block-frames=%u session-records=%u suite=5 %s%s",
      is_stream ? "stream" : "packet", block_frames,
      limits[g_rand_int_range (random, 0, 4)], has_base ? "state-file=" : "",
      has_base ? state : "");
  guint n_senders = 2, n_steps = g_rand_int_range (random, 1, N_MAX_STEPS);
  Sender senders[2];

  for (guint i = 0; i < (has_base ? 1 : n_senders); i++) {
    start_sender (&senders[i], random, description, is_stream, has_base);
    g_string_append_printf (senders[i].said, " start %u %s", seed, description);
  }
  for (guint i = 0; i < n_steps; i++)
    step (&senders[has_base ? 0 : i % 2], block_frames, has_base);
  for (guint i = 0; i < n_senders; i++) {
    if (has_base && i == 1)
      start_sender (&senders[i], random, description, is_stream, has_base);
    finish_sender (&senders[i]);
    if (has_base)
      clear_sender (&senders[i]);
  }
  for (guint i = 0; i < (has_base ? 0 : n_senders); i++)
    clear_sender (&senders[i]);
  fail_unless (n_twice == 0, "a nonce is used twice in sequence %u", seed);
}

static guint
get_number (const gchar * name, guint usual)
{
  const gchar *text = g_getenv (name);

  return text ? (guint) g_ascii_strtoull (text, NULL, 10) : usual;
}

GST_START_TEST (test_any_sequence_is_read_back_and_repeats_no_nonce)
{
  g_auto (Folder) folder = folder_new ();
  guint seed = get_number ("NDA_TEST_SEED", 0);
  guint n = get_number ("NDA_TEST_SEQUENCES", N_SEQUENCES);

  keys = g_hash_table_new_full (NULL, NULL, NULL,
      (GDestroyNotify) g_bytes_unref);
  used = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
      (GDestroyNotify) g_bytes_unref, NULL);
  for (guint i = 0; i < n; i++)
    run_sequence (seed + i, folder.state);
  /* OpenSSL was looked at */
  fail_unless (g_hash_table_size (used) > n);
  g_print ("%u sequences, %u nonces\n", n, g_hash_table_size (used));
  g_clear_pointer (&keys, g_hash_table_unref);
  g_clear_pointer (&used, g_hash_table_unref);
}

GST_END_TEST;

static Suite *
sequences_suite (void)
{
  Suite *suite = suite_create ("sequences");
  TCase *tc = tcase_create ("sequences");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 3600);
  tcase_add_test (tc, test_any_sequence_is_read_back_and_repeats_no_nonce);
  return suite;
}

GST_CHECK_MAIN (sequences);
