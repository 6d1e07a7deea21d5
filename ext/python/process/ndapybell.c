/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* preadv2 () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapybell.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* Returns the descriptor (transfer full), or -1 with errno. A second write
 * waits until the bell is empty, whatever its value is. */
gint
nda_py_bell_new (gboolean is_full)
{
  return nda_py_descriptor_move_up (eventfd (is_full, EFD_CLOEXEC));
}

/* Empties @bell. FALSE: it was empty. A kernel before 5.8 has no read that
 * never waits for this, so there the bell is polled first. */
gboolean
nda_py_bell_take (gint bell)
{
  guint64 n_rings;
  struct iovec into = { &n_rings, sizeof (n_rings) };
  gssize n_bytes = preadv2 (bell, &into, 1, -1, RWF_NOWAIT);

  if (G_UNLIKELY (n_bytes < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
      && nda_py_await_is_readable (bell))
    n_bytes = read (bell, &n_rings, sizeof (n_rings));
  return n_bytes == sizeof (n_rings);
}
