/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapydescriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Another descriptor of what @fd is one of. */
gint
nda_py_descriptor_copy (gint fd)
{
  return fcntl (fd, F_DUPFD_CLOEXEC, NDA_PY_DESCRIPTOR_FIRST);
}

/* @fd (transfer full), moved out of the way of the process's own. */
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

/* Two ends of a socket of @type that join in nothing: what the process sets
 * about @theirs changes nothing about @ours (both transfer full). FALSE, with
 * errno: there is no more of them. */
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
