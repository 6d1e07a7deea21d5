/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasecretfile.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long (in s) a pipe may take to give all that it gives */
#define MAX_WAIT 10

gboolean
nda_secret_file_fail (GError ** error, NdaCryptoError code,
    const gchar * format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (NDA_CRYPTO_ERROR, code, format, args);
  va_end (args);
  return FALSE;
}

/* Sets an error from errno */
static gboolean
fail_reading (const gchar * name, GError ** error)
{
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The key file “%s” cannot be read: %s. Check the path, and to whom "
          "the file belongs."), name, g_strerror (errno));
}

/* --- who else can get at it --- */

static gboolean
check_owner (const struct stat *st, const gchar * name, GError ** error)
{
  if (st->st_uid == geteuid () || st->st_uid == 0)
    return TRUE;
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The key file “%s” belongs to somebody else (user %u), who has "
          "the key too and can put another in its place. Make a file of your "
          "own, or create a new key."), name, (guint) st->st_uid);
}

/* Root's file may be readable by a group, to which root gave it. */
static gboolean
check_mode (const struct stat *st, const gchar * name, GError ** error)
{
  mode_t others = S_IRWXG | S_IRWXO;

  if (st->st_uid == 0 && geteuid () != 0)
    others &= ~S_IRGRP;
  if (!(st->st_mode & others))
    return TRUE;
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("Others than its owner can get at “%s” (mode %04o), so it is not "
          "read as a key file. If it is one, close it with “chmod 600 %s”, "
          "or create a new key if somebody may have read this one."),
      name, (guint) st->st_mode & 07777, name);
}

static gboolean
check_kind (const struct stat *st, const gchar * name, GError ** error)
{
  if (S_ISREG (st->st_mode))
    return TRUE;
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("“%s” is not a regular file, so it is not read as a key file. Give "
          "an open pipe by its descriptor, in “key-fd”."), name);
}

static gboolean
check (gint fd, const gchar * name, gboolean may_be_pipe, GError ** error)
{
  struct stat st;

  if (fstat (fd, &st))
    return fail_reading (name, error);
  if (may_be_pipe && !S_ISREG (st.st_mode))
    return TRUE;
  return check_kind (&st, name, error) && check_owner (&st, name, error)
      && check_mode (&st, name, error);
}

/* --- reading --- */

/* Waits for a pipe until @end. Its writer may be slow, but cannot have us wait
 * for longer. */
static gboolean
wait_for (gint fd, const gchar * name, gint64 end, GError ** error)
{
  struct pollfd wanted = {.fd = fd,.events = POLLIN };
  gint64 left;
  gint n;

  do {
    left = (end - g_get_monotonic_time ()) / 1000;
    n = left > 0 ? poll (&wanted, 1, left) : 0;
  } while (n < 0 && errno == EINTR);
  if (n > 0)
    return TRUE;
  if (n < 0)
    return fail_reading (name, error);
  return nda_secret_file_fail (error, NDA_CRYPTO_ERROR_UNREADABLE,
      _("No whole key came out of “%s” in %d seconds. Check what writes to "
          "it, and that it closes its end."), name, MAX_WAIT);
}

/* Reads some bytes, or none at the end; -1: it failed. @offset: -1 for a
 * pipe. */
static gssize
read_some (gint fd, const gchar * name, gchar * out, gsize n_room,
    goffset offset, gint64 end, GError ** error)
{
  gssize n;

  do {
    if (offset < 0 && !wait_for (fd, name, end, error))
      return -1;
    n = offset >= 0 ? pread (fd, out, n_room, offset) : read (fd, out, n_room);
  } while (n < 0 && (errno == EINTR || errno == EAGAIN));
  if (n < 0)
    fail_reading (name, error);
  return n;
}

/* Reads all of @fd, from its beginning if it has one. */
static NdaSecret *
read_all (gint fd, const gchar * name, gsize n_max, gsize * n_bytes,
    GError ** error)
{
  g_autoptr (NdaSecret) secret = nda_secret_new (n_max + 1, error);
  gint64 end = g_get_monotonic_time () + MAX_WAIT * G_USEC_PER_SEC;
  gboolean can_seek = lseek (fd, 0, SEEK_CUR) >= 0;
  gssize n;

  if (!secret)
    return NULL;
  for (*n_bytes = 0; *n_bytes < secret->n_bytes; *n_bytes += n) {
    n = read_some (fd, name, (gchar *) secret->data + *n_bytes,
        secret->n_bytes - *n_bytes, can_seek ? (goffset) * n_bytes : -1, end,
        error);
    if (n < 0)
      return NULL;
    if (n == 0)
      return g_steal_pointer (&secret);
  }
  nda_secret_file_fail (error, NDA_CRYPTO_ERROR_INVALID,
      _("“%s” is longer than %u bytes, so it is no key file."), name,
      (guint) n_max);
  return NULL;
}

/* Reads a descriptor, which stays open. A pipe can be read only once. */
NdaSecret *
nda_secret_file_read_fd (gint fd, const gchar * name, gsize n_max,
    gsize * n_bytes, GError ** error)
{
  return check (fd, name, TRUE, error) ?
      read_all (fd, name, n_max, n_bytes, error) : NULL;
}

NdaSecret *
nda_secret_file_read (const gchar * path, gsize n_max, gsize * n_bytes,
    GError ** error)
{
  /* without waiting for a writer, if the path is a pipe */
  gint fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  NdaSecret *secret = NULL;

  if (fd < 0 && errno == ENOENT) {
    nda_secret_file_fail (error, NDA_CRYPTO_ERROR_NOT_FOUND,
        _("There is no key file “%s”. Create one with “nda keygen %s”, "
            "and give it to the other end."), path, path);
    return NULL;
  }
  if (fd < 0) {
    fail_reading (path, error);
    return NULL;
  }
  if (check (fd, path, FALSE, error))
    secret = read_all (fd, path, n_max, n_bytes, error);
  close (fd);
  return secret;
}
