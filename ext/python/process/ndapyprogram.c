/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* memfd_create () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyprogram.h"

#include "ndapydescriptor.h"
#include "ndapyworker-source.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static gboolean
write_all (gint fd, const gchar * text)
{
  gsize n_bytes = strlen (text);

  return write (fd, text, n_bytes) == (gssize) n_bytes;
}

/* Returns a descriptor (transfer full), to be read from its start, or -1 with
 * errno. */
gint
nda_py_program_make (void)
{
  gint fd = nda_py_descriptor_move_up (memfd_create ("nda-py-worker",
          MFD_CLOEXEC));

  if (fd >= 0 && write_all (fd, nda_py_worker_source)
      && lseek (fd, 0, SEEK_SET) == 0)
    return fd;
  nda_py_descriptor_close (&fd);
  return -1;
}
