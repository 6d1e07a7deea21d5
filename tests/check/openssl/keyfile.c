/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a key file may be, and what a person reads if it is not. */

#define _GNU_SOURCE             /* ppoll () */

#include "config.h"

#include "hex.h"

#include "ndacryptoerror.h"
#include "ndakeyfile.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define MASTER \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE "base 0000000000000123 0005 000102030405060708090a0b0c0d0e0f"
#define FINGERPRINT "\xca\x65\x9c\x7b\x30\x02\x74\x0d"

#define NOBODY 65534

static gchar *folder, *path;
static NdaKeyring *ring;

static void
setup (void)
{
  folder = g_dir_make_tmp ("nda-keyfile-XXXXXX", NULL);
  path = g_build_filename (folder, "studio.key", NULL);
  ring = nda_keyring_new (NULL);
}

static void
teardown (void)
{
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
  nda_keyring_free (ring);
}

static void
write_file (const gchar * bytes, gsize n_bytes, gint mode)
{
  fail_unless (g_file_set_contents (path, bytes, n_bytes, NULL));
  fail_unless (g_chmod (path, mode) == 0);
}

static void
write_text (const gchar * text)
{
  write_file (text, strlen (text), 0600);
}

static void
assert_refused (NdaCryptoError code, const gchar * text)
{
  g_autoptr (GError) error = NULL;

  fail_if (nda_key_file_load (ring, path, &error));
  fail_unless (g_error_matches (error, NDA_CRYPTO_ERROR, code));
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "studio.key") != NULL);
  fail_unless_equals_int (nda_keyring_get_n_keys (ring), 0);
}

GST_START_TEST (test_raw_key)
{
  g_auto (Bytes) key = from_hex (MASTER);
  NdaKeyInfo info;

  write_file ((gchar *) key.data, key.n, 0600);
  fail_unless (nda_key_file_load (ring, path, NULL));
  fail_unless (nda_keyring_get_info (ring, 0, &info));
  fail_unless_equals_int (info.kind, NDA_KEY_MASTER);
  fail_unless (memcmp (info.fingerprint, FINGERPRINT, 8) == 0);
}

GST_END_TEST;

GST_START_TEST (test_text_with_comments)
{
  NdaKeyInfo info;

  write_text ("# keys of the studio\n\n  master\t" MASTER "  # since May\r\n"
      BASE "\n");
  fail_unless (nda_key_file_load (ring, path, NULL));
  fail_unless_equals_int (nda_keyring_get_n_keys (ring), 2);
  fail_unless (nda_keyring_find_sender (ring, &info, NULL));
  fail_unless_equals_int (info.kind, NDA_KEY_MASTER);
  fail_unless (memcmp (info.fingerprint, FINGERPRINT, 8) == 0);
  fail_unless (nda_keyring_get_info (ring, 1, &info));
  fail_unless_equals_int (info.kind, NDA_KEY_BASE);
  assert_equals_uint64 (info.kid, 0x123);
  fail_unless_equals_int (info.suite, 5);
}

GST_END_TEST;

GST_START_TEST (test_first_line_is_the_one_to_send_with)
{
  NdaKeyInfo info;

  write_text (BASE "\nmaster " MASTER);
  fail_unless (nda_key_file_load (ring, path, NULL));
  fail_unless (nda_keyring_find_sender (ring, &info, NULL));
  fail_unless_equals_int (info.kind, NDA_KEY_BASE);
}

GST_END_TEST;

GST_START_TEST (test_many_keys)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "base %016x 0004 %032x\n", i, i + 1);
  write_text (text->str);
  fail_unless (nda_key_file_load (ring, path, NULL));
  fail_unless_equals_int (nda_keyring_get_n_keys (ring), 1000);
  g_string_free (text, TRUE);
}

GST_END_TEST;

/* A writer of this test writes a byte each time that a reader waits, and a
 * second goes by. */
static gint slow_fd = -1;
static gint64 n_slow_seconds;

gint64
g_get_monotonic_time (void)
{
  return n_slow_seconds * G_USEC_PER_SEC;
}

int
poll (struct pollfd *fds, nfds_t n_fds, int timeout)
{
  struct timespec limit = { timeout / 1000, timeout % 1000 * 1000000 };

  if (slow_fd >= 0) {
    fail_unless (write (slow_fd, "#", 1) == 1);
    n_slow_seconds++;
  }
  return ppoll (fds, n_fds, timeout < 0 ? NULL : &limit, NULL);
}

GST_START_TEST (test_descriptor_of_a_slow_writer)
{
  GError *error = NULL;
  gint fds[2];

  fail_unless (pipe (fds) == 0);
  slow_fd = fds[1];
  fail_if (nda_key_file_load_fd (ring, fds[0], &error));
  slow_fd = -1;
  fail_unless (g_error_matches (error, NDA_CRYPTO_ERROR,
          NDA_CRYPTO_ERROR_UNREADABLE));
  fail_unless (strstr (error->message, "10 seconds") != NULL);
  g_clear_error (&error);
  close (fds[0]);
  close (fds[1]);
}

GST_END_TEST;

GST_START_TEST (test_descriptor)
{
  g_auto (Bytes) key = from_hex (MASTER);
  gint fds[2];

  fail_unless (pipe (fds) == 0);
  fail_unless (write (fds[1], key.data, key.n) == (gssize) key.n);
  close (fds[1]);
  fail_unless (nda_key_file_load_fd (ring, fds[0], NULL));
  fail_unless_equals_int (nda_keyring_get_n_keys (ring), 1);
  close (fds[0]);
}

GST_END_TEST;

GST_START_TEST (test_wrong_lengths)
{
  gchar bytes[40] = { 1, 2, 3, 0 };

  write_file (bytes, 31, 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "holds 31 bytes, but a raw key "
      "has exactly 32");
  write_file (bytes, 33, 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "holds 33 bytes");
  write_file (bytes, 0, 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "is empty");
}

GST_END_TEST;

GST_START_TEST (test_no_secret)
{
  gchar zero[32] = { 0, };

  write_file (zero, 32, 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "all zero");
  write_text ("master 0000000000000000000000000000000000000000000000000000000"
      "000000000\n");
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "all zero");
}

GST_END_TEST;

GST_START_TEST (test_file_that_is_not_there)
{
  assert_refused (NDA_CRYPTO_ERROR_NOT_FOUND, "There is no key file");
}

GST_END_TEST;

GST_START_TEST (test_file_that_others_can_get_at)
{
  const gint modes[] = { 0640, 0604, 0620, 0601, 0610, 0602, 0644, 0777 };
  g_auto (Bytes) key = from_hex (MASTER);

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    write_file ((gchar *) key.data, key.n, modes[i]);
    assert_refused (NDA_CRYPTO_ERROR_UNREADABLE, "chmod 600");
  }
}

GST_END_TEST;

/* What somebody else owns, and a link to it, but not a link to one's own */
GST_START_TEST (test_file_of_somebody_else)
{
  g_auto (Bytes) key = from_hex (MASTER);
  g_autofree gchar *link = g_strconcat (folder, "/link-to-studio.key", NULL);
  g_autoptr (GError) error = NULL;

  write_file ((gchar *) key.data, key.n, 0600);
  fail_unless (symlink (path, link) == 0);
  fail_unless (nda_key_file_load (ring, link, NULL));
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);
  /* only root can give a file away */
  if (chown (path, NOBODY, NOBODY) == 0) {
    assert_refused (NDA_CRYPTO_ERROR_UNREADABLE, "belongs to somebody else");
    fail_if (nda_key_file_load (ring, link, &error));
    fail_unless (strstr (error->message, "belongs to somebody else") != NULL);
  }
  g_unlink (link);
}

GST_END_TEST;

/* A secret of root's that a group may read, as a container has it */
GST_START_TEST (test_file_of_root_for_a_group)
{
  const gint bad_modes[] = { 0460, 0450, 0444, 0441, 0442 };
  g_auto (Bytes) key = from_hex (MASTER);

  if (geteuid () != 0)
    return;
  fail_unless (g_chmod (folder, 0755) == 0);
  write_file ((gchar *) key.data, key.n, 0440);
  fail_unless (chown (path, 0, NOBODY) == 0);
  assert_refused (NDA_CRYPTO_ERROR_UNREADABLE, "chmod 600");
  fail_unless (setegid (NOBODY) == 0 && seteuid (NOBODY) == 0);
  fail_unless (nda_key_file_load (ring, path, NULL));
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);
  for (guint i = 0; i < G_N_ELEMENTS (bad_modes); i++) {
    fail_unless (seteuid (0) == 0);
    fail_unless (g_chmod (path, bad_modes[i]) == 0);
    fail_unless (seteuid (NOBODY) == 0);
    assert_refused (NDA_CRYPTO_ERROR_UNREADABLE, "chmod 600");
  }
  fail_unless (seteuid (0) == 0 && setegid (0) == 0);
}

GST_END_TEST;

/* Nobody writes to it, and nobody waits for that. */
GST_START_TEST (test_pipe_in_the_place_of_a_file)
{
  fail_unless (mkfifo (path, 0600) == 0);
  assert_refused (NDA_CRYPTO_ERROR_UNREADABLE, "not a regular file");
}

GST_END_TEST;

GST_START_TEST (test_text_that_looks_like_a_raw_key)
{
  write_text ("correct horse battery staple 123");
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "“passphrase-file”");
  write_text ("000102030405060708090a0b0c0d0e0f");
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "32 bytes of text");
}

GST_END_TEST;

/* What editors and shells of other systems make of 32 bytes, and a key that
 * somebody typed for a try */
GST_START_TEST (test_what_is_nearly_text_is_no_raw_key)
{
  const gchar utf_16[] = "\xff\xfe" "c\0o\0r\0r\0e\0c\0t\0 \0h\0o\0r\0s\0"
      "e\0\r\0\n";
  gchar one[32] = { 0, };

  G_STATIC_ASSERT (sizeof (utf_16) == 32);
  write_file (utf_16, sizeof (utf_16), 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "32 bytes of text");
  write_file (utf_16, 20, 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "Save it as UTF-8");
  write_text ("correct h\xf6rse battery staple 123");
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "32 bytes of text");
  one[31] = 1;
  write_file (one, sizeof (one), 0600);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "32 bytes of text or zeros");
}

GST_END_TEST;

GST_START_TEST (test_byte_order_marks_are_passed_over)
{
  guint8 with[NDA_FINGERPRINT];
  NdaKeyInfo info;

  write_text ("\xef\xbb\xbfmaster " MASTER "\r\n");
  fail_unless (nda_key_file_load (ring, path, NULL));
  fail_unless (nda_keyring_get_info (ring, 0, &info));
  fail_unless (memcmp (info.fingerprint, FINGERPRINT, 8) == 0);
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);

  write_text ("\xef\xbb\xbf" "correct horse battery staple\n");
  fail_unless (nda_key_file_load_passphrase (ring, path, "room-1234", NULL));
  fail_unless (nda_keyring_get_info (ring, 0, &info));
  memcpy (with, info.fingerprint, sizeof (with));
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);
  write_text ("correct horse battery staple\n");
  fail_unless (nda_key_file_load_passphrase (ring, path, "room-1234", NULL));
  fail_unless (nda_keyring_get_info (ring, 0, &info));
  fail_unless (memcmp (with, info.fingerprint, sizeof (with)) == 0);
}

GST_END_TEST;

GST_START_TEST (test_folder_and_too_long)
{
  g_autofree gchar *long_text = g_strnfill (64 * 1024 + 1, '#');
  g_autoptr (GError) error = NULL;

  fail_if (nda_key_file_load (ring, folder, &error));
  fail_unless (strstr (error->message, "not a regular file") != NULL);
  write_text (long_text);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "longer than 65536 bytes");
}

GST_END_TEST;

GST_START_TEST (test_a_bad_line_refuses_the_whole_file)
{
  const gchar *bad[] = {
    "master", "master 00", "master " MASTER "00", "master " MASTER " 1",
    "Master " MASTER, "master 0x" MASTER, "key " MASTER, MASTER,
    "base 123 0005 000102030405060708090a0b0c0d0e0f",
    "base 0000000000000123 5 000102030405060708090a0b0c0d0e0f",
    "base 0000000000000123 0005 0001020304050607",
    "base 0000000000000123 0006 000102030405060708090a0b0c0d0e0f",
    "base 0000000000000123 0005 000102030405060708090a0b0c0d0e0g",
    "base 0000000000000123 0005", BASE " more"
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("master %s\n# and\n%s\n", MASTER, bad[i]);

    write_text (text);
    assert_refused (NDA_CRYPTO_ERROR_INVALID, "Line 3");
  }
}

GST_END_TEST;

GST_START_TEST (test_only_comments)
{
  write_text ("# nothing here, and more than thirty-two bytes of it\n\n");
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "holds no key");
}

GST_END_TEST;

GST_START_TEST (test_too_many_master_keys)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < 9; i++)
    g_string_append_printf (text, "master %064x\n", i + 1);
  write_text (text->str);
  assert_refused (NDA_CRYPTO_ERROR_INVALID, "More than 8 master keys");
  g_string_free (text, TRUE);
}

GST_END_TEST;

/* --- passphrases --- */

static void
assert_passphrase_refused (const gchar * salt, const gchar * reason)
{
  g_autoptr (GError) error = NULL;

  fail_if (nda_key_file_load_passphrase (ring, path, salt, &error));
  fail_unless (strstr (error->message, reason) != NULL, "%s", error->message);
  fail_unless_equals_int (nda_keyring_get_n_keys (ring), 0);
}

GST_START_TEST (test_passphrase)
{
  NdaKeyInfo info;

  write_text ("correct horse battery staple\n");
  fail_unless (nda_key_file_load_passphrase (ring, path, "room-1234", NULL));
  fail_unless (nda_keyring_find_sender (ring, &info, NULL));
  fail_unless (memcmp (info.fingerprint, "\x68\xff\x89\x1f\xcd\xba\x63\xdc", 8)
      == 0);
}

GST_END_TEST;

GST_START_TEST (test_bad_passphrases)
{
  g_autofree gchar *long_salt = g_strnfill (65, 's');

  write_text ("correct horse battery staple\n");
  assert_passphrase_refused (NULL, "needs a salt of 8 to 64 bytes");
  assert_passphrase_refused ("1234567", "and this one has 7");
  assert_passphrase_refused (long_salt, "and this one has 65");
  write_text ("\n");
  assert_passphrase_refused ("room-1234", "one line of UTF-8");
  write_text ("one\ntwo\n");
  assert_passphrase_refused ("room-1234", "one line of UTF-8");
  write_text ("\xff\xfe");
  assert_passphrase_refused ("room-1234", "one line of UTF-8");
  g_chmod (path, 0644);
  assert_passphrase_refused ("room-1234", "chmod 600");
}

GST_END_TEST;

/* --- making --- */

GST_START_TEST (test_create)
{
  g_autofree gchar *one = NULL, *another = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;
  GStatBuf st;

  fail_unless (nda_key_file_create (path, NULL));
  fail_unless (g_stat (path, &st) == 0);
  fail_unless_equals_int (st.st_mode & 07777, 0600);
  fail_unless (g_file_get_contents (path, &one, &n, NULL));
  assert_equals_uint64 (n, 32);
  fail_unless (nda_key_file_load (ring, path, NULL));

  fail_if (nda_key_file_create (path, &error));
  fail_unless (strstr (error->message, "already") != NULL);
  g_unlink (path);
  fail_unless (nda_key_file_create (path, NULL));
  fail_unless (g_file_get_contents (path, &another, &n, NULL));
  fail_if (memcmp (one, another, 32) == 0);
}

GST_END_TEST;

static Suite *
keyfile_suite (void)
{
  Suite *suite = suite_create ("keyfile");
  TCase *tc = tcase_create ("files");

  suite_add_tcase (suite, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_raw_key);
  tcase_add_test (tc, test_text_with_comments);
  tcase_add_test (tc, test_first_line_is_the_one_to_send_with);
  tcase_add_test (tc, test_many_keys);
  tcase_add_test (tc, test_descriptor);
  tcase_add_test (tc, test_descriptor_of_a_slow_writer);
  tcase_add_test (tc, test_wrong_lengths);
  tcase_add_test (tc, test_no_secret);
  tcase_add_test (tc, test_file_that_is_not_there);
  tcase_add_test (tc, test_file_that_others_can_get_at);
  tcase_add_test (tc, test_file_of_somebody_else);
  tcase_add_test (tc, test_file_of_root_for_a_group);
  tcase_add_test (tc, test_pipe_in_the_place_of_a_file);
  tcase_add_test (tc, test_text_that_looks_like_a_raw_key);
  tcase_add_test (tc, test_what_is_nearly_text_is_no_raw_key);
  tcase_add_test (tc, test_byte_order_marks_are_passed_over);
  tcase_add_test (tc, test_folder_and_too_long);
  tcase_add_test (tc, test_a_bad_line_refuses_the_whole_file);
  tcase_add_test (tc, test_only_comments);
  tcase_add_test (tc, test_too_many_master_keys);
  tcase_add_test (tc, test_passphrase);
  tcase_add_test (tc, test_bad_passphrases);
  tcase_add_test (tc, test_create);
  return suite;
}

GST_CHECK_MAIN (keyfile);
