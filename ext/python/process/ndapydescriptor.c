/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapydescriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns a second descriptor for the file of @fd. */
gint
nda_py_descriptor_copy (gint fd)
{
  return fcntl (fd, F_DUPFD_CLOEXEC, NDA_PY_DESCRIPTOR_FIRST);
}

/* Moves @fd (transfer full) to a number that the process does not use. */
gint
nda_py_descriptor_move_up (gint fd)
{
  gint moved;

  if (fd < 0 || fd >= NDA_PY_DESCRIPTOR_FIRST)
    return fd;
  moved = nda_py_descriptor_copy (fd);
  close (fd);
  return moved;
}

void
nda_py_descriptor_close (gint * fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* Makes two ends of a socket of @type. They do not share their settings:
 * nothing that the process sets on @theirs changes @ours (both transfer full).
 * FALSE, with errno: there are no more descriptors. */
gboolean
nda_py_descriptor_make_pair (gint type, gint * ours, gint * theirs)
{
  gint sockets[2];

  if (socketpair (AF_UNIX, type | SOCK_CLOEXEC, 0, sockets) < 0)
    return FALSE;
  *ours = nda_py_descriptor_move_up (sockets[0]);
  *theirs = nda_py_descriptor_move_up (sockets[1]);
  return *ours >= 0 && *theirs >= 0;
}

/* Sends @text together with @fds, NDA_PY_DESCRIPTOR_MAX_SENT at most. Never
 * waits. */
gboolean
nda_py_descriptor_send (gint socket, const gchar * text, const gint * fds,
    guint n_fds)
{
  union
  {
    struct cmsghdr header;
    gchar space[CMSG_SPACE (NDA_PY_DESCRIPTOR_MAX_SENT * sizeof (gint))];
  }
  ancillary = { 0 };
  struct iovec data = { (gpointer) text, strlen (text) };
  struct msghdr message = { 0 };
  struct cmsghdr *header;

  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = CMSG_SPACE (n_fds * sizeof (gint));
  header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (n_fds * sizeof (gint));
  memcpy (CMSG_DATA (header), fds, n_fds * sizeof (gint));
  return sendmsg (socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
      == (gssize) data.iov_len;
}
