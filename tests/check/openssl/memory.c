/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where keys are in this process's memory: while playing, and after NULL, when
 * no copy of a key, nor of a stage from a key to a cipher context, may be left
 * in memory that can be written to. What is looked for is kept XORed with a
 * pad, so that the search does not find itself. */

#include "config.h"

#include "pair.h"

#include "ndakeyfile.h"
#include "ndaschedule.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAD G_GUINT64_CONSTANT (0x5bd1e9955bd1e995)

/* Whether the system refuses memory that is fit for keys */
static gboolean is_refused;

int
madvise (void *data, size_t n_bytes, int advice)
{
  if (is_refused && advice == MADV_WIPEONFORK) {
    errno = EINVAL;
    return -1;
  }
  return syscall (SYS_madvise, data, n_bytes, advice);
}

/* *INDENT-OFF* */
static const struct { const gchar *name; guint n_bytes; } stages[] = {
  { "master", 32 }, { "prk", 64 }, { "base_key", 32 },
  { "sframe_secret", 64 }, { "sframe_key", 32 }, { "sframe_salt", 12 },
};
/* *INDENT-ON* */

#define N_STAGES G_N_ELEMENTS (stages)
#define MASTER 0
#define DEEP 8192
#define PRK 1
#define SFRAME_KEY 4

typedef struct
{
  guint8 bytes[N_STAGES][64];   /* XORed with the pad */
} Needles;

static void
pad (guint8 * out, const guint8 * in, guint n_bytes)
{
  const guint64 key = PAD;

  for (guint i = 0; i < n_bytes; i++)
    out[i] = in[i] ^ ((const guint8 *) &key)[i % 8];
}

/* The master key that a file is, or that a passphrase in it makes */
static gboolean
read_master (const gchar * path, const gchar * salt, guint8 * master)
{
  gint fd = open (path, O_RDONLY);
  gchar text[NDA_MASTER_KEY];
  gssize n = read (fd, text, sizeof (text));

  close (fd);
  if (salt)
    return nda_schedule_master_from_passphrase (text, n, (guint8 *) salt,
        strlen (salt), master, NULL);
  memcpy (master, text, NDA_MASTER_KEY);
  return n == NDA_MASTER_KEY;
}

/* In a process of its own: derives every stage, and writes them padded. */
static void
derive (const gchar * path, const gchar * salt, guint64 kid, gint out)
{
  const NdaSuite *suite = nda_suite_find (5);
  guint8 master[32], prk[64], base[32];
  NdaSframeKeys keys;
  Needles needles;

  if (!read_master (path, salt, master)
      || !nda_schedule_prk (master, prk, NULL)
      || !nda_schedule_base_key (prk, 5, kid, NULL, 0, base, NULL)
      || !nda_schedule_sframe_keys (suite, kid, base, 32, &keys, NULL))
    _exit (1);
  pad (needles.bytes[0], master, 32);
  pad (needles.bytes[1], prk, 64);
  pad (needles.bytes[2], base, 32);
  pad (needles.bytes[3], keys.secret, 64);
  pad (needles.bytes[4], keys.key, 32);
  pad (needles.bytes[5], keys.salt, 12);
  _exit (write (out, &needles, sizeof (needles)) != sizeof (needles));
}

static void
find_needles (const gchar * path, const gchar * salt, guint64 kid,
    Needles * needles)
{
  gint fds[2], status;
  pid_t child;

  fail_unless (pipe (fds) == 0);
  child = fork ();
  if (child == 0)
    derive (path, salt, kid, fds[1]);
  close (fds[1]);
  fail_unless (read (fds[0], needles, sizeof (*needles))
      == sizeof (*needles));
  fail_unless (waitpid (child, &status, 0) == child && status == 0);
  close (fds[0]);
}

/* Whether the padded @needle is at @at, without putting it together. */
static gboolean
is_at (const guint8 * at, const guint8 * needle, guint n_bytes)
{
  const guint64 key = PAD;

  for (guint i = 0; i < n_bytes; i++)
    if ((at[i] ^ ((const guint8 *) &key)[i % 8]) != needle[i])
      return FALSE;
  return TRUE;
}

static guint
count_in (const guint8 * from, const guint8 * to, const guint8 * needle,
    guint n_bytes)
{
  guint64 first;
  guint n_found = 0;

  memcpy (&first, needle, 8);
  for (const guint8 * at = from; at + n_bytes <= to; at++) {
    guint64 word;

    memcpy (&word, at, 8);
    if (G_UNLIKELY ((word ^ PAD) == first) && is_at (at, needle, n_bytes))
      n_found++;
  }
  return n_found;
}

/* How often a stage is in memory that this process can write to. */
static guint
count (const Needles * needles, guint stage)
{
  FILE *maps = fopen ("/proc/self/maps", "r");
  gchar line[512];
  guint n_found = 0;

  fail_unless (maps != NULL);
  while (fgets (line, sizeof (line), maps)) {
    guint64 from, to;
    gchar mode[8];

    if (sscanf (line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %7s",
            &from, &to, mode) == 3 && g_str_has_prefix (mode, "rw")
        && mode[3] == 'p')
      n_found += count_in (GSIZE_TO_POINTER (from), GSIZE_TO_POINTER (to),
          needles->bytes[stage], stages[stage].n_bytes);
  }
  fclose (maps);
  return n_found;
}

/* Plays with the keys that @keys (properties) name in the file at @path. */
static void
check_memory (const gchar * keys, const gchar * path, const gchar * salt)
{
  Pair p = {.in = g_byte_array_new (),.out = g_byte_array_new () };
  g_autofree gchar *enc = g_strconcat ("ndaencrypt ", keys, NULL);
  g_autofree gchar *dec = g_strconcat ("ndadecrypt ", keys, NULL);
  Needles needles;
  guint64 kid;

  p.enc = make_harness (enc, NULL);
  p.dec = make_harness (dec, NULL);
  gst_harness_set_src_caps_str (p.enc, S16_MONO);
  gst_harness_set_src_caps_str (p.dec, STREAM);
  for (guint i = 0; i < 20; i++)
    push_frames (&p, 512);
  fail_unless_equals_int (carry (&p), GST_FLOW_OK);
  assert_same (&p);
  g_object_get (p.enc->element, "kid", &kid, NULL);
  find_needles (path, salt, kid, &needles);

  /* while playing: prk in the secret pages, the key in cipher contexts */
  fail_unless_equals_int (count (&needles, MASTER), 0);
  fail_unless (count (&needles, PRK) == 2);
  fail_unless (count (&needles, SFRAME_KEY) >= 2);

  gst_element_set_state (p.enc->element, GST_STATE_NULL);
  gst_element_set_state (p.dec->element, GST_STATE_NULL);
  for (guint i = 0; i < N_STAGES; i++)
    fail_unless (count (&needles, i) == 0, "%s is left", stages[i].name);

  gst_harness_teardown (p.enc);
  gst_harness_teardown (p.dec);
  g_byte_array_unref (p.in);
  g_byte_array_unref (p.out);
}

GST_START_TEST (test_no_key_is_left_after_null)
{
  g_autofree gchar *folder = g_dir_make_tmp ("nda-memory-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "key", NULL);
  g_autofree gchar *keys = g_strdup_printf ("key-file=\"%s\"", path);

  fail_unless (nda_key_file_create (path, NULL));
  check_memory (keys, path, NULL);
  g_unlink (path);
  g_rmdir (folder);
}

GST_END_TEST;

GST_START_TEST (test_no_key_of_a_passphrase_is_left_after_null)
{
  g_autofree gchar *folder = g_dir_make_tmp ("nda-memory-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "phrase", NULL);
  g_autofree gchar *keys = g_strdup_printf ("passphrase-file=\"%s\" "
      "passphrase-salt=room-1234", path);

  fail_unless (g_file_set_contents_full (path, "battery staple", -1,
          G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  check_memory (keys, path, "room-1234");
  g_unlink (path);
  g_rmdir (folder);
}

GST_END_TEST;

/* An element is made all the same, as tools do that look at all elements; it
 * says why it does not start. */
static void
check_refusal (const gchar * name)
{
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstElement *element;
  const guint8 key[32] = { 1 };
  g_autoptr (GBytes) bytes = g_bytes_new (key, sizeof (key));
  gboolean ok = TRUE;

  is_refused = TRUE;
  element = gst_object_ref_sink (gst_element_factory_make (name, NULL));
  is_refused = FALSE;
  gst_element_set_bus (element, bus);
  g_signal_emit_by_name (element, "set-master-key", bytes, &ok);
  fail_if (ok);
  g_signal_emit_by_name (element, "add-key", (guint64) 7, 5, bytes, &ok);
  fail_if (ok);
  g_signal_emit_by_name (element, "remove-key", (guint64) 7, &ok);
  fail_if (ok);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  assert_error (bus, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
      "no memory that is fit for keys");
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
}

GST_START_TEST (test_elements_without_memory_for_keys)
{
  check_refusal ("ndaencrypt");
  check_refusal ("ndadecrypt");
}

GST_END_TEST;

/* Opens a record so deep in the stack that looking there disturbs nothing. */
static G_GNUC_NO_INLINE gboolean
open_deep (NdaAead * aead, const guint8 * record, gsize n, guint8 * plain)
{
  volatile guint8 room[DEEP];
  NdaRecordHeader header;

  room[0] = room[DEEP - 1] = 0;
  fail_unless (nda_record_header_read (record, n, &header));
  return nda_record_open (aead, &header, record, n, plain);
}

/* With the tag that was expected, what was refused could be sent again. */
GST_START_TEST (test_no_tag_is_left_of_what_is_refused)
{
  g_autoptr (NdaKeyring) ring = ring_with_master (records[0].master_key);
  NdaKeyUse use = use_of (1, "");
  g_autoptr (NdaAead) sealing = aead_from_ring (ring, NDA_KID_DERIVED, &use,
      TRUE);
  g_autoptr (NdaAead) opening = aead_from_ring (ring, NDA_KID_DERIVED, &use,
      FALSE);
  const guint8 samples[2] = { 1, 2 };
  NdaBlockHeader header = { NDA_RECORD_AUDIO, {NDA_SAMPLES_S16LE, 1, 48000},
  1, 0
  };
  guint8 record[128], plain[128], tag[16];
  guint n_found;
  gsize n = nda_record_seal (sealing, NDA_KID_DERIVED, 1, &header, samples, 2,
      record);

  pad (tag, record + n - 10, 10);
  memset (record + n - 10, 0, 10);
  fail_if (open_deep (opening, record, n, plain));
  n_found = count_in ((guint8 *) __builtin_frame_address (0) - 2 * DEEP,
      (guint8 *) __builtin_frame_address (0), tag, 10);
  fail_unless_equals_int (n_found, 0);
}

GST_END_TEST;

static Suite *
memory_suite (void)
{
  Suite *suite = suite_create ("memory");
  TCase *tc = tcase_create ("memory");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_no_key_is_left_after_null);
  tcase_add_test (tc, test_no_key_of_a_passphrase_is_left_after_null);
  tcase_add_test (tc, test_elements_without_memory_for_keys);
  tcase_add_test (tc, test_no_tag_is_left_of_what_is_refused);
  return suite;
}

GST_CHECK_MAIN (memory);
