/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndakeyfile.h"

#include "ndacryptoerror.h"
#include "ndasecretfile.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "\xef\xbb\xbf"     /* the byte order mark of UTF-8 */
#define N_MARK 3

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
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
      _("Line %u of the key file “%s” is not understood. It should be "
          "“master” and 64 hexadecimal digits, or “base”, 16 digits of key id, "
          "4 of cipher suite and 32 to 128 of key; “#” begins a comment."),
      line_number, name);
}

static gboolean
in_line (const gchar * name, guint line_number, const GError * cause,
    GError ** error)
{
  return nda_secret_file_fail (error, cause->code,
      _("Line %u of the key file “%s”: %s"), line_number, name,
      cause->message);
}

/* Parses a line; @key is memory in secret pages. */
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

/* Takes the first line of @text off, without its comment. */
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
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
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
is_utf_16 (const gchar * bytes, gsize n_bytes)
{
  return n_bytes >= 2 && (memcmp (bytes, "\xff\xfe", 2) == 0
      || memcmp (bytes, "\xfe\xff", 2) == 0);
}

/* Programs that write text may put a mark before it. */
static gsize
get_mark (const gchar * bytes, gsize n_bytes)
{
  return n_bytes >= N_MARK && memcmp (bytes, MARK, N_MARK) == 0 ? N_MARK : 0;
}

/* Whether 32 bytes are no random ones: nearly all are those of text, in
 * whatever encoding, or zero. Two of a hundred million random keys are so.
 * Zeros alone have an error of their own. */
static gboolean
is_nearly_text (const gchar * bytes)
{
  guint n_plain = 0, n_zero = 0;

  for (gsize i = 0; i < NDA_MASTER_KEY; i++) {
    n_zero += !bytes[i];
    n_plain += g_ascii_isprint (bytes[i]) || g_ascii_isspace (bytes[i]);
  }
  return n_zero < NDA_MASTER_KEY && n_zero + n_plain >= NDA_MASTER_KEY - 4;
}

static gboolean
is_no_key (const gchar * bytes)
{
  return is_nearly_text (bytes) || is_text (bytes, NDA_MASTER_KEY);
}

/* Text is often taken for a key. */
static gboolean
parse_raw (NdaKeyring * ring, const gchar * name, const gchar * bytes,
    GError ** error)
{
  g_autoptr (GError) cause = NULL;

  if (is_no_key (bytes))
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” holds %d bytes of text or zeros, which are no "
            "random key. If they are a passphrase, name the file in "
            "“passphrase-file”; else create a key with “nda keygen”."),
        name, NDA_MASTER_KEY);
  if (nda_keyring_add_master (ring, NDA_KEY_FROM_FILE, (const guint8 *) bytes,
          NDA_MASTER_KEY, &cause))
    return TRUE;
  return nda_secret_file_fail (error, cause->code,
      _("The key file “%s”: %s"), name, cause->message);
}

static gboolean
parse (NdaKeyring * ring, const gchar * name, const gchar * bytes,
    gsize n_bytes, GError ** error)
{
  gsize n_mark = get_mark (bytes, n_bytes);

  if (n_bytes == NDA_MASTER_KEY)
    return parse_raw (ring, name, bytes, error);
  if (n_bytes == 0)
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” is empty. Create one with “nda keygen”."),
        name);
  if (!is_text (bytes, n_bytes) && is_utf_16 (bytes, n_bytes))
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” is text, but not in UTF-8. Save it as UTF-8."),
        name);
  if (!is_text (bytes, n_bytes))
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The key file “%s” holds %u bytes, but a raw key has exactly %d. "
            "Create a new one with “nda keygen”."), name, (guint) n_bytes,
        NDA_MASTER_KEY);
  return parse_text (ring, name, bytes + n_mark, n_bytes - n_mark, error);
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
  g_autoptr (NdaSecret) secret = nda_secret_file_read (path, NDA_KEY_FILE_MAX,
      &n_bytes, error);

  return secret
      && nda_key_file_parse (ring, path, secret->data, n_bytes, error);
}

/* Reads a descriptor, which stays open. A pipe can be read only once. */
gboolean
nda_key_file_load_fd (NdaKeyring * ring, gint fd, GError ** error)
{
  g_autofree gchar *name = g_strdup_printf ("/dev/fd/%d", fd);
  gsize n_bytes;
  g_autoptr (NdaSecret) secret = nda_secret_file_read_fd (fd, name,
      NDA_KEY_FILE_MAX, &n_bytes, error);

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

/* The length of the only line, without its end */
static gboolean
cut_passphrase (const gchar * text, gsize n_bytes, gsize * n_phrase)
{
  if (n_bytes && text[n_bytes - 1] == '\n')
    n_bytes--;
  if (n_bytes && text[n_bytes - 1] == '\r')
    n_bytes--;
  *n_phrase = n_bytes;
  return n_bytes && !memchr (text, '\n', n_bytes)
      && g_utf8_validate (text, n_bytes, NULL);
}

/* Sets the error for a missing passphrase file, without the advice about key
 * files. */
static gboolean
fail_without_passphrase (const gchar * path, GError ** error)
{
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_NOT_FOUND,
      _("There is no passphrase file “%s”. Write the passphrase into it, "
          "as its only line, and close it with “chmod 600 %s”."),
      path, path);
}

/* Takes the master key that the file's first line makes with @salt. This takes
 * half a second and 128 MiB: never on a streaming thread. */
gboolean
nda_key_file_load_passphrase (NdaKeyring * ring, const gchar * path,
    const gchar * salt, GError ** error)
{
  gsize n_bytes, n_mark, n_phrase, n_salt = salt ? strlen (salt) : 0;
  g_autoptr (NdaSecret) secret = NULL;
  const gchar *text;

  if (n_salt < NDA_PASSPHRASE_SALT_MIN || n_salt > NDA_PASSPHRASE_SALT_MAX)
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("A passphrase needs a salt of %d to %d bytes, the same at both ends, "
            "and this one has %u. Set “passphrase-salt”, for example to the "
            "name of the room."), NDA_PASSPHRASE_SALT_MIN,
        NDA_PASSPHRASE_SALT_MAX, (guint) n_salt);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return fail_without_passphrase (path, error);
  secret = nda_secret_file_read (path, NDA_KEY_FILE_MAX, &n_bytes, error);
  if (!secret)
    return FALSE;
  text = secret->data;
  n_mark = get_mark (text, n_bytes);
  if (!cut_passphrase (text + n_mark, n_bytes - n_mark, &n_phrase))
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
        _("The passphrase file “%s” should hold one line of UTF-8 text, "
            "and holds something else."), path);
  return stretch (ring, text + n_mark, n_phrase, salt, error);
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

/* Draws 32 random bytes that cannot be taken for text */
static gboolean
draw_key (NdaSecret * master, GError ** error)
{
  do {
    if (RAND_priv_bytes (master->data, NDA_MASTER_KEY) != 1) {
      nda_crypto_set_library_error (error, "drawing a random key");
      return FALSE;
    }
  } while (is_no_key (master->data));
  return TRUE;
}

/* Makes a new file that only its owner can read, with 32 random bytes. */
gboolean
nda_key_file_create (const gchar * path, GError ** error)
{
  g_autoptr (NdaSecret) master = nda_secret_new (NDA_MASTER_KEY, error);
  gint fd, write_error;

  if (!master || !draw_key (master, error))
    return FALSE;
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST)
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("There is a file “%s” already, and a key that is written over is "
            "gone for good. Choose another name."), path);
  if (fd < 0)
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("The key file “%s” cannot be created: %s"), path,
        g_strerror (errno));
  write_error = fchmod (fd, 0600) || !write_all (fd, master->data,
      NDA_MASTER_KEY) ? errno : 0;
  if (close (fd) || write_error) {
    g_unlink (path);
    return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
        _("The key file “%s” cannot be written: %s"), path,
        g_strerror (write_error ? write_error : errno));
  }
  return TRUE;
}
