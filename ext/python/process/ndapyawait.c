/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ppoll () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyawait.h"

#include <errno.h>
#include <sys/wait.h>

#define REAP_INTERVAL (1 * GST_MSECOND)

/* The time at which a @timeout that begins now is over, in microseconds on the
 * monotonic clock. A @timeout of 0 is never over. */
gint64
nda_py_await_end_of (GstClockTime timeout)
{
  gint64 now = g_get_monotonic_time ();

  if (!timeout || GST_TIME_AS_USECONDS (timeout) >= (guint64) (G_MAXINT64
          - now))
    return G_MAXINT64;
  return now + GST_TIME_AS_USECONDS (timeout);
}

/* Returns how many of @fds are ready; 0 when the time @end is over. A signal
 * neither ends nor lengthens the wait. */
gint
nda_py_await_any (struct pollfd *fds, guint n_fds, gint64 end)
{
  gint n_ready;

  do {
    gint64 us = MAX (end - g_get_monotonic_time (), 0);
    struct timespec left = { us / G_USEC_PER_SEC, us % G_USEC_PER_SEC * 1000 };

    n_ready = ppoll (fds, n_fds, end == G_MAXINT64 ? NULL : &left, NULL);
  } while (n_ready < 0 && errno == EINTR);
  return n_ready;
}

/* Waits until @fd, which may be -1, has one of @events, until @end_fd shows
 * that the process has ended, or until the time @end is over. */
NdaPyAwait
nda_py_await (gint fd, gshort events, gint end_fd, gint64 end)
{
  struct pollfd fds[] = {
    {fd, events, 0},
    {end_fd, POLLIN, 0},
  };

  if (nda_py_await_any (fds, G_N_ELEMENTS (fds), end) == 0)
    return NDA_PY_AWAIT_LATE;
  return fds[0].revents & events ? NDA_PY_AWAIT_READY : NDA_PY_AWAIT_ENDED;
}

gboolean
nda_py_await_is_readable (gint fd)
{
  struct pollfd pfd = { fd, POLLIN, 0 };

  return nda_py_await_any (&pfd, 1, 0) != 0;
}

/* Reaps @pid. Polls for its end until the time @end. FALSE: it has not ended.
 * TRUE also if it is no child of this program, or was reaped before. */
gboolean
nda_py_await_reap (pid_t pid, gint64 end)
{
  pid_t found;

  while ((found = waitpid (pid, NULL, WNOHANG)) == 0
      && g_get_monotonic_time () < end)
    nda_py_await (-1, 0, -1, nda_py_await_end_of (REAP_INTERVAL));
  return found != 0;
}
