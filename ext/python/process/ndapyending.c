/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* waitid () and eventfd () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyending.h"

#include "ndapydescriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the thread that waits for the end of a process if the kernel gives no
 * descriptor for it */
typedef struct
{
  pid_t pid;
  gint end_fd;                  /* owned */
} Watch;

static void
free_watch (Watch * self)
{
  nda_py_descriptor_close (&self->end_fd);
  g_free (self);
}

static gpointer
nda_py_ending_thread (gpointer data)
{
  Watch *self = data;
  const guint64 one = 1;
  siginfo_t info;

  while (waitid (P_PID, self->pid, &info, WEXITED | WNOWAIT) < 0
      && errno == EINTR);
  while (write (self->end_fd, &one, sizeof (one)) < 0 && errno == EINTR);
  free_watch (self);
  return NULL;
}

static gint
watch_by_thread (pid_t pid)
{
  gint end_fd = nda_py_descriptor_move_up (eventfd (0,
          EFD_CLOEXEC | EFD_NONBLOCK));
  Watch *watch = g_new (Watch, 1);
  GThread *thread = NULL;

  watch->pid = pid;
  watch->end_fd = end_fd < 0 ? -1 : nda_py_descriptor_copy (end_fd);
  if (watch->end_fd >= 0)
    thread = g_thread_try_new ("nda-py-ending", nda_py_ending_thread, watch,
        NULL);
  if (thread) {
    g_thread_unref (thread);
    return end_fd;
  }
  free_watch (watch);
  nda_py_descriptor_close (&end_fd);
  errno = EAGAIN;
  return -1;
}

/* Returns the descriptor (transfer full) for the child @pid, or -1, with errno.
 * The child must not be reaped before the descriptor can be read. Containers
 * with an older list of system calls than the kernel's can forbid pidfd_open
 * (); a thread waits then. */
gint
nda_py_ending_watch (pid_t pid)
{
  gint end_fd = syscall (SYS_pidfd_open, pid, 0);

  if (end_fd < 0 && errno != EMFILE && errno != ENFILE)
    return watch_by_thread (pid);
  end_fd = nda_py_descriptor_move_up (end_fd);
  if (end_fd >= 0)
    fcntl (end_fd, F_SETFD, FD_CLOEXEC);
  return end_fd;
}
