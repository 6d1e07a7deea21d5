/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndakeyfile.h"

#include "ndacryptoerror.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* *INDENT-OFF* */
static gboolean fail (GError ** error, NdaCryptoError code,
    const gchar * format, ...) G_GNUC_PRINTF (3, 4);
/* *INDENT-ON* */

static gboolean
fail (GError ** error, NdaCryptoError code, const gchar * format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (NDA_CRYPTO_ERROR, code, format, args);
  va_end (args);
  return FALSE;
}

/* --- reading --- */

/* With errno */
static gboolean
fail_reading (const gchar * name, GError ** error)
{
  return fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The key file “%s” cannot be read: %s. Check the path, and to whom "
          "the file belongs."), name, g_strerror (errno));
}

/* Only the owner may do anything with a file that holds a secret. */
static gboolean
check_mode (gint fd, const gchar * name, GError ** error)
{
  struct stat st;

  if (fstat (fd, &st))
    return fail_reading (name, error);
  if (S_ISREG (st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
    return fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("Others than its owner can get at the key file “%s” (mode %04o). "
            "Close it with “chmod 600 %s”, or create a new key if somebody may "
            "have read this one."), name, st.st_mode & 07777, name);
  return TRUE;
}

/* Reads all of @fd into secret pages, from its beginning if it has one. */
static NdaSecret *
read_all (gint fd, const gchar * name, gsize * n_bytes, GError ** error)
{
  g_autoptr (NdaSecret) secret = nda_secret_new (NDA_KEY_FILE_MAX + 1, error);
  gboolean can_seek = lseek (fd, 0, SEEK_CUR) >= 0;
  gssize n;

  if (!secret)
    return NULL;
  for (*n_bytes = 0; *n_bytes < secret->n_bytes; *n_bytes += n) {
    gchar *end = (gchar *) secret->data + *n_bytes;
    gsize n_room = secret->n_bytes - *n_bytes;

    do
      n = can_seek ? pread (fd, end, n_room, *n_bytes) : read (fd, end, n_room);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
      fail_reading (name, error);
      return NULL;
    }
    if (n == 0)
      return g_steal_pointer (&secret);
  }
  fail (error, NDA_CRYPTO_ERROR_INVALID,
      _("“%s” is longer than %d bytes, so it is no key file."), name,
      NDA_KEY_FILE_MAX);
  return NULL;
}

static NdaSecret *
read_fd (gint fd, const gchar * name, gsize * n_bytes, GError ** error)
{
  return check_mode (fd, name, error) ? read_all (fd, name, n_bytes, error) :
      NULL;
}

static NdaSecret *
read_path (const gchar * path, gsize * n_bytes, GError ** error)
{
  gint fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  NdaSecret *secret;

  if (fd < 0 && errno == ENOENT) {
    fail (error, NDA_CRYPTO_ERROR_NOT_FOUND,
        _("There is no key file “%s”. Create one with “nda keygen %s”, "
            "and give it to the other end."), path, path);
    return NULL;
  }
  if (fd < 0) {
    fail_reading (path, error);
    return NULL;
  }
  secret = read_fd (fd, path, n_bytes, error);
  close (fd);
  return secret;
}

/* --- understanding --- */

typedef struct
{
  const gchar *text;
  gsize n;
} Word;

/* Takes the next word off the line. */
static Word
next_word (Word * line)
{
  Word word;

  while (line->n && g_ascii_isspace (*line->text)) {
    line->text++;
    line->n--;
  }
  word = (Word) {
  line->text, 0};
  while (line->n && !g_ascii_isspace (*line->text)) {
    line->text++;
    line->n--;
    word.n++;
  }
  return word;
}

static gboolean
word_is (Word word, const gchar * text)
{
  return word.n == strlen (text) && memcmp (word.text, text, word.n) == 0;
}

/* Two hex digits a byte; FALSE for anything else, or for more than @n_max. */
static gboolean
read_hex (Word word, guint8 * bytes, gsize n_max, gsize * n_bytes)
{
  if (word.n % 2 || word.n / 2 > n_max)
    return FALSE;
  *n_bytes = word.n / 2;
  for (gsize i = 0; i < word.n; i++) {
    gint digit = g_ascii_xdigit_value (word.text[i]);

    if (digit < 0)
      return FALSE;
    bytes[i / 2] = (guint8) (bytes[i / 2] << 4 | digit);
  }
  return TRUE;
}

static gboolean
read_number (Word word, guint n_digits, guint64 * value)
{
  guint8 bytes[8] = { 0, };
  gsize n_bytes;

  if (word.n != n_digits || !read_hex (word, bytes, 8, &n_bytes))
    return FALSE;
  *value = 0;
  for (gsize i = 0; i < n_bytes; i++)
    *value = *value << 8 | bytes[i];
  return TRUE;
}

static gboolean
not_understood (const gchar * name, guint line_number, GError ** error)
{
  return fail (error, NDA_CRYPTO_ERROR_INVALID,
      _("Line %u of the key file “%s” is not understood. It should be "
          "“master” and 64 hexadecimal digits, or “base”, 16 digits of key id, "
          "4 of cipher suite and 32 to 128 of key; “#” begins a comment."),
      line_number, name);
}

static gboolean
in_line (const gchar * name, guint line_number, const GError * cause,
    GError ** error)
{
  return fail (error, cause->code, _("Line %u of the key file “%s”: %s"),
      line_number, name, cause->message);
}

/* @key is room in secret pages. */
static gboolean
parse_line (NdaKeyring * ring, const gchar * name, guint line_number, Word line,
    guint8 * key, GError ** error)
{
  g_autoptr (GError) cause = NULL;
  Word kind = next_word (&line);
  guint64 kid = 0, suite = 0;
  gsize n_key;
  gboolean is_base = word_is (kind, "base");

  if (!kind.n)
    return TRUE;
  if (!is_base && !word_is (kind, "master"))
    return not_understood (name, line_number, error);
  if (is_base && (!read_number (next_word (&line), 16, &kid)
          || !read_number (next_word (&line), 4, &suite)))
    return not_understood (name, line_number, error);
  memset (key, 0, NDA_BASE_KEY_MAX);
  if (!read_hex (next_word (&line), key, NDA_BASE_KEY_MAX, &n_key)
      || n_key == 0 || next_word (&line).n)
    return not_understood (name, line_number, error);

  if (is_base ? nda_keyring_add_base (ring, NDA_KEY_FROM_FILE, kid, suite, key,
          n_key, &cause) :
      nda_keyring_add_master (ring, NDA_KEY_FROM_FILE, key, n_key, &cause))
    return TRUE;
  return in_line (name, line_number, cause, error);
}

/* What is before the comment of the first line of @text. */
static Word
cut_line (Word * text)
{
  const gchar *end = memchr (text->text, '\n', text->n);
  Word line = { text->text, end ? (gsize) (end - text->text) : text->n };
  const gchar *comment = memchr (line.text, '#', line.n);
  gsize n_used = line.n + (end ? 1 : 0);

  if (comment)
    line.n = comment - line.text;
  text->text += n_used;
  text->n -= n_used;
  return line;
}

static gboolean
parse_text (NdaKeyring * ring, const gchar * name, const gchar * bytes,
    gsize n_bytes, GError ** error)
{
  g_autoptr (NdaSecret) key = nda_secret_new (NDA_BASE_KEY_MAX, error);
  Word text = { bytes, n_bytes };
  guint n_before = nda_keyring_get_n_keys (ring);
  gboolean ok = key != NULL;

  for (guint i = 1; ok && text.n; i++)
    ok = parse_line (ring, name, i, cut_line (&text), key->data, error);
  if (ok && nda_keyring_get_n_keys (ring) == n_before)
    return fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” holds no key. Create one with "
            "“nda keygen”."), name);
  return ok;
}

/* Whether this can be the text of a key file, rather than a raw key of a wrong
 * length. */
static gboolean
is_text (const gchar * bytes, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    if ((guchar) bytes[i] < ' ' && !g_ascii_isspace (bytes[i]))
      return FALSE;
  return g_utf8_validate (bytes, n_bytes, NULL);
}

static gboolean
parse (NdaKeyring * ring, const gchar * name, const gchar * bytes,
    gsize n_bytes, GError ** error)
{
  g_autoptr (GError) cause = NULL;

  if (n_bytes == NDA_MASTER_KEY) {
    if (nda_keyring_add_master (ring, NDA_KEY_FROM_FILE,
            (const guint8 *) bytes, n_bytes, &cause))
      return TRUE;
    return fail (error, cause->code, _("The key file “%s”: %s"), name,
        cause->message);
  }
  if (n_bytes == 0)
    return fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” is empty. Create one with “nda keygen”."),
        name);
  if (!is_text (bytes, n_bytes))
    return fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” holds %u bytes, but a raw key has exactly %d. "
            "Create a new one with “nda keygen”."), name, (guint) n_bytes,
        NDA_MASTER_KEY);
  return parse_text (ring, name, bytes, n_bytes, error);
}

/* Takes the keys of a file called @name that has been read; all of it or
 * nothing: after FALSE, no key from a file is held. */
gboolean
nda_key_file_parse (NdaKeyring * ring, const gchar * name, const gchar * bytes,
    gsize n_bytes, GError ** error)
{
  if (parse (ring, name, bytes, n_bytes, error))
    return TRUE;
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);
  return FALSE;
}

gboolean
nda_key_file_load (NdaKeyring * ring, const gchar * path, GError ** error)
{
  gsize n_bytes;
  g_autoptr (NdaSecret) secret = read_path (path, &n_bytes, error);

  return secret
      && nda_key_file_parse (ring, path, secret->data, n_bytes, error);
}

/* The descriptor stays the caller's. A pipe can be read only once. */
gboolean
nda_key_file_load_fd (NdaKeyring * ring, gint fd, GError ** error)
{
  g_autofree gchar *name = g_strdup_printf ("/dev/fd/%d", fd);
  gsize n_bytes;
  g_autoptr (NdaSecret) secret = read_fd (fd, name, &n_bytes, error);

  return secret
      && nda_key_file_parse (ring, name, secret->data, n_bytes, error);
}

/* --- passphrases --- */

static gboolean
stretch (NdaKeyring * ring, const gchar * passphrase, gsize n_passphrase,
    const gchar * salt, GError ** error)
{
  g_autoptr (NdaSecret) master = nda_secret_new (NDA_MASTER_KEY, error);

  return master && nda_schedule_master_from_passphrase (passphrase,
      n_passphrase, (const guint8 *) salt, strlen (salt), master->data, error)
      && nda_keyring_add_master (ring, NDA_KEY_FROM_FILE, master->data,
      NDA_MASTER_KEY, error);
}

/* Takes the master key that the first line of the file makes with @salt. Half
 * a second and 128 MiB: never on a streaming thread. */
gboolean
nda_key_file_load_passphrase (NdaKeyring * ring, const gchar * path,
    const gchar * salt, GError ** error)
{
  gsize n_bytes, n_salt = salt ? strlen (salt) : 0;
  g_autoptr (NdaSecret) secret = NULL;
  const gchar *text;

  if (n_salt < NDA_PASSPHRASE_SALT_MIN || n_salt > NDA_PASSPHRASE_SALT_MAX)
    return fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("A passphrase needs a salt of %d to %d bytes, the same at both ends, "
            "and this one has %u. Set “passphrase-salt”, for example to the "
            "name of the room."), NDA_PASSPHRASE_SALT_MIN,
        NDA_PASSPHRASE_SALT_MAX, (guint) n_salt);
  secret = read_path (path, &n_bytes, error);
  if (!secret)
    return FALSE;
  text = secret->data;
  if (n_bytes && text[n_bytes - 1] == '\n')
    n_bytes--;
  if (n_bytes && text[n_bytes - 1] == '\r')
    n_bytes--;
  if (!n_bytes || memchr (text, '\n', n_bytes)
      || !g_utf8_validate (text, n_bytes, NULL))
    return fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The passphrase file “%s” should hold one line of UTF-8 text, "
            "and holds something else."), path);
  return stretch (ring, text, n_bytes, salt, error);
}

/* --- making --- */

static gboolean
write_all (gint fd, const guint8 * bytes, gsize n_bytes)
{
  while (n_bytes) {
    gssize n = write (fd, bytes, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    bytes += n;
    n_bytes -= n;
  }
  return fsync (fd) == 0 || errno == EINVAL || errno == EROFS;
}

/* A new file that only its owner can read, with 32 random bytes. */
gboolean
nda_key_file_create (const gchar * path, GError ** error)
{
  g_autoptr (NdaSecret) master = nda_secret_new (NDA_MASTER_KEY, error);
  gint fd, write_error;

  if (!master)
    return FALSE;
  if (RAND_priv_bytes (master->data, NDA_MASTER_KEY) != 1) {
    nda_crypto_set_library_error (error, "drawing a random key");
    return FALSE;
  }
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST)
    return fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("There is a file “%s” already, and a key that is written over is "
            "gone for good. Choose another name."), path);
  if (fd < 0)
    return fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("The key file “%s” cannot be created: %s"), path,
        g_strerror (errno));
  write_error = fchmod (fd, 0600) || !write_all (fd, master->data,
      NDA_MASTER_KEY) ? errno : 0;
  if (close (fd) || write_error) {
    g_unlink (path);
    return fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("The key file “%s” cannot be written: %s"), path,
        g_strerror (write_error ? write_error : errno));
  }
  return TRUE;
}
