/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE             /* renameat2 () */

#include "config.h"

#include "ndasendstate.h"

#include "ndacryptoerror.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole content of the file. It is overwritten in place, so its length is
 * constant */
#define TEXT "nda send state 1, last T %010u\n"
#define N_TEXT 36

struct _NdaSendState
{
  gchar *path;                  /* owned, absolute */
  gint fd;                      /* owned, and locked */
  guint32 last;                 /* as in the file */
  pid_t pid;                    /* of the process that has the lock */
};

static gboolean
fail (GError ** error, const gchar * path, gint number)
{
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The state file “%s” cannot be used: %s. It has to keep the last "
          "session of a base key, or nothing is sent with one; check the "
          "path, and that you may write there."), path, g_strerror (number));
  return FALSE;
}

/* Writes @t, and waits until the disk has it. */
static gboolean
keep (NdaSendState * self, guint32 t, GError ** error)
{
  gchar text[N_TEXT + 1];
  gssize n;

  g_snprintf (text, sizeof (text), TEXT, t);
  n = pwrite (self->fd, text, N_TEXT, 0);
  if (n >= 0 && n < N_TEXT)
    return fail (error, self->path, ENOSPC);
  if (n < 0 || fdatasync (self->fd))
    return fail (error, self->path, errno);
  self->last = t;
  return TRUE;
}

/* Writes the folder to the disk: the name of a new file must survive a loss of
 * power too. */
static gboolean
sync_folder (const gchar * path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  gint fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && fsync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return ok;
}

/* Checks the owner: a person who can set the file back can have nonces used
 * twice. */
static gboolean
fail_owner (GError ** error, const gchar * path)
{
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The state file “%s” has to be a file of your own, and no link, "
          "that nobody else can write to: who sets it back can break the "
          "encryption."), path);
  return FALSE;
}

static gboolean
check_owner (NdaSendState * self, GError ** error)
{
  struct stat st;

  if (fstat (self->fd, &st))
    return fail (error, self->path, errno);
  if (S_ISREG (st.st_mode) && st.st_uid == geteuid ()
      && !(st.st_mode & (S_IWGRP | S_IWOTH)))
    return TRUE;
  return fail_owner (error, self->path);
}

static gboolean
lock (NdaSendState * self, GError ** error)
{
  gint result;

  do
    result = flock (self->fd, LOCK_EX | LOCK_NB);
  while (result && errno == EINTR);
  if (!result)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return fail (error, self->path, errno);
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The state file “%s” is in use by another sender. A base key has "
          "one sender: stop the other, or give this one a key of its own."),
      self->path);
  return FALSE;
}

/* Reads the file. A file without its text is an error: it may have lost what it
 * kept. */
static gboolean
read_last (NdaSendState * self, GError ** error)
{
  gchar text[N_TEXT + 2] = { 0, }, again[N_TEXT + 1];
  gssize n = pread (self->fd, text, N_TEXT + 1, 0);
  guint32 last;

  if (n < 0)
    return fail (error, self->path, errno);
  if (n == N_TEXT && sscanf (text, TEXT, &last) == 1) {
    g_snprintf (again, sizeof (again), TEXT, last);
    self->last = last;
    if (g_str_equal (text, again))
      return TRUE;
  }
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
      _("“%s” is no state file, or a damaged one. Name a file that does "
          "not exist; but if a base key was used with this one, give both "
          "ends a new key first."), self->path);
  return FALSE;
}

/* --- opening --- */

/* Takes the file that is there. ENOENT in *@number: there is none. */
static gboolean
open_old (NdaSendState * self, gint * number, GError ** error)
{
  const gint flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

  self->fd = open (self->path, flags);
  *number = self->fd < 0 ? errno : 0;
  if (*number == ELOOP)
    return fail_owner (error, self->path);
  if (self->fd < 0)
    return fail (error, self->path, errno);
  return check_owner (self, error) && lock (self, error)
      && read_last (self, error);
}

/* Gives the file @made its name, unless there is one of that name. Not every
 * file system has links. */
static gint
give_name (const gchar * made, const gchar * path)
{
  if (link (made, path) == 0)
    return 0;
  if (errno != EPERM && errno != EOPNOTSUPP)
    return errno;
  return renameat2 (AT_FDCWD, made, AT_FDCWD, path, RENAME_NOREPLACE) ?
      errno : 0;
}

/* Makes a file that is locked and whole before it has its name, so that nobody
 * finds an empty one, whatever comes in between. *@number: as give_name (). */
static gboolean
open_new (NdaSendState * self, gint * number, GError ** error)
{
  g_autofree gchar *made = g_strconcat (self->path, ".XXXXXX", NULL);
  gboolean ok;

  *number = 0;
  self->fd = g_mkstemp_full (made, O_RDWR | O_CLOEXEC, 0600);
  if (self->fd < 0)
    return fail (error, self->path, errno);
  ok = lock (self, error) && keep (self, 0, error);
  if (ok)
    *number = give_name (made, self->path);
  unlink (made);
  if (!ok)
    return FALSE;
  if (*number)
    return fail (error, self->path, *number);
  return sync_folder (self->path) || fail (error, self->path, errno);
}

static void
close_file (NdaSendState * self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/* Another sender may make the file at the same time: it has it then. */
static gboolean
open_file (NdaSendState * self, GError ** error)
{
  gint number;

  if (open_old (self, &number, error))
    return TRUE;
  if (number != ENOENT)
    return FALSE;
  g_clear_error (error);
  if (open_new (self, &number, error))
    return TRUE;
  if (number != EEXIST)
    return FALSE;
  g_clear_error (error);
  close_file (self);
  return open_old (self, &number, error);
}

/* Opens or creates the file, and locks it. */
NdaSendState *
nda_send_state_open (const gchar * path, GError ** error)
{
  g_autoptr (NdaSendState) self = g_new0 (NdaSendState, 1);

  self->path = g_canonicalize_filename (path, NULL);
  self->pid = getpid ();
  self->fd = -1;
  return open_file (self, error) ? g_steal_pointer (&self) : NULL;
}

void
nda_send_state_close (NdaSendState * self)
{
  if (!self)
    return;
  close_file (self);
  g_free (self->path);
  g_free (self);
}

/* Without its name, the file no longer keeps a second sender away. */
static gboolean
check_name (NdaSendState * self, GError ** error)
{
  struct stat mine, named;

  if (fstat (self->fd, &mine))
    return fail (error, self->path, errno);
  if (lstat (self->path, &named) == 0 && named.st_ino == mine.st_ino
      && named.st_dev == mine.st_dev)
    return TRUE;
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_UNREADABLE,
      _("The state file “%s” was taken away or replaced while it was in "
          "use, so another sender may have the same base key. Put it back, "
          "or give both ends a new key."), self->path);
  return FALSE;
}

guint32
nda_send_state_take (NdaSendState * self, guint32 now, GError ** error)
{
  guint32 t;

  /* a child process has the same lock */
  if (self->pid != getpid ()) {
    fail (error, self->path, EBUSY);
    return 0;
  }
  if (self->last == G_MAXUINT32) {
    fail (error, self->path, EOVERFLOW);
    return 0;
  }
  if (!check_name (self, error))
    return 0;
  t = MAX (now, self->last + 1);
  return keep (self, t, error) ? t : 0;
}
