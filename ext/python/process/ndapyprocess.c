/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* waitid () and posix_spawn_file_actions_addclosefrom_np () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyprocess.h"

#include "ndapydescriptor.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long it may take to end by itself, in milliseconds */
#define EXIT_TIMEOUT 1000

void
nda_py_process_init (NdaPyProcess * self, GstClockTime deadline)
{
  self->end_fd = -1;
  self->deadline = deadline;
  g_mutex_init (&self->lock);
}

void
nda_py_process_clear (NdaPyProcess * self)
{
  nda_py_descriptor_close (&self->end_fd);
  g_free (self->reason);
  g_mutex_clear (&self->lock);
}

/* --- spawning and reaping ------------------------------------------------ */

/* A plugin's BLAS needs no threads for 512 frames: they cost memory. */
static GStrv
make_environment (void)
{
  GStrv env = g_strdupv (environ);

  env = g_environ_setenv (env, "OPENBLAS_NUM_THREADS", "1", FALSE);
  return g_environ_setenv (env, "OMP_NUM_THREADS", "1", FALSE);
}

static gint
spawn_with (NdaPyProcess * self, const gchar * python, const gint * fds,
    posix_spawn_file_actions_t * actions, posix_spawnattr_t * attributes)
{
  gchar *argv[] = { (gchar *) python, (gchar *) "-X", (gchar *) "utf8",
    (gchar *) "-", NULL
  };
  g_auto (GStrv) env = make_environment ();
  sigset_t none, all;
  gint result = 0;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_setsigmask (attributes, &none);
  posix_spawnattr_setsigdefault (attributes, &all);
  /* Ctrl-C is for us: we then stop the plugin as it must be */
  posix_spawnattr_setpgroup (attributes, 0);
  posix_spawnattr_setflags (attributes, POSIX_SPAWN_SETSIGMASK
      | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  for (gint i = 0; i < NDA_PY_N_FDS && !result; i++)
    result = posix_spawn_file_actions_adddup2 (actions, fds[i], i);
  if (!result)
    result = posix_spawn_file_actions_addclosefrom_np (actions, NDA_PY_N_FDS);
  if (!result)
    result = posix_spawnp (&self->pid, python, actions, attributes, argv, env);
  return result;
}

/* Runs the interpreter @python, which finds @fds at their numbers. Returns an
 * errno, or 0. */
gint
nda_py_process_spawn (NdaPyProcess * self, const gchar * python,
    const gint * fds)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  gint result;

  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  result = spawn_with (self, python, fds, &actions, &attributes);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  if (result)
    return result;
  self->end_fd = syscall (SYS_pidfd_open, self->pid, 0);
  fcntl (self->end_fd, F_SETFD, FD_CLOEXEC);
  return self->end_fd < 0 ? errno : 0;
}

/* Waits @timeout milliseconds for its end. */
gboolean
nda_py_process_wait (NdaPyProcess * self, gint timeout)
{
  struct pollfd pfd = { self->end_fd, POLLIN, 0 };

  return poll (&pfd, 1, timeout) > 0;
}

/* Waits until it has ended by itself, or ends it, and what it has left behind;
 * no zombie remains. */
void
nda_py_process_reap (NdaPyProcess * self)
{
  siginfo_t info;

  if (!self->pid)
    return;
  if (self->end_fd < 0 || nda_py_process_is_dead (self)
      || !nda_py_process_wait (self, EXIT_TIMEOUT))
    kill (self->pid, SIGKILL);
  while (waitid (P_PID, self->pid, &info, WEXITED | WNOWAIT) < 0
      && errno == EINTR);
  kill (-self->pid, SIGKILL);
  while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR);
}

/* --- any thread --------------------------------------------------------- */

/* Ends the process at once, for @reason, a translated text. It is not reaped
 * before the last use of it, so its number is nobody else's. */
void
nda_py_process_kill (NdaPyProcess * self, const gchar * reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  struct pollfd pfd = { self->end_fd, POLLIN, 0 };

  if (!self->reason && self->end_fd >= 0 && poll (&pfd, 1, 0) == 0)
    self->reason = g_strdup (reason);
  self->is_dead = TRUE;
  if (self->pid)
    kill (self->pid, SIGKILL);
}

/* How a call ends that takes longer than @timeout (transfer full). */
static gchar *
describe_timeout (GstClockTime timeout)
{
  g_autofree gchar *milliseconds =
      g_strdup_printf ("%" G_GUINT64_FORMAT, timeout / GST_MSECOND);

  return g_strdup_printf (_("a call did not return within %s ms"),
      milliseconds);
}

/* Ends the process, in which a call takes longer than @timeout. */
void
nda_py_process_kill_late (NdaPyProcess * self, GstClockTime timeout)
{
  g_autofree gchar *reason = describe_timeout (timeout);

  nda_py_process_kill (self, reason);
}

/* Whether it has ended, or is about to. */
gboolean
nda_py_process_is_dead (NdaPyProcess * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  struct pollfd pfd = { self->end_fd, POLLIN, 0 };

  if (!self->is_dead)
    self->is_dead = self->end_fd < 0 || poll (&pfd, 1, 0) != 0;
  return self->is_dead;
}

/* Why it is dead (transfer full). The system itself ends a block thread that it
 * gave real-time priority and that keeps it beyond the deadline. */
gchar *
nda_py_process_describe_death (NdaPyProcess * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  siginfo_t info = { 0 };

  if (self->reason)
    return g_strdup (self->reason);
  /* it is left to be reaped */
  if (!self->pid || waitid (P_PID, self->pid, &info, WEXITED | WNOWAIT) < 0)
    return g_strdup (_("it has ended"));
  if (info.si_code == CLD_EXITED)
    return g_strdup_printf (_("it exited with status %d"), info.si_status);
  if (info.si_status == SIGXCPU)
    return describe_timeout (self->deadline);
  return g_strdup_printf (_("it was killed by signal %d (%s)"),
      info.si_status, g_strsignal (info.si_status));
}

/* How many bytes of memory the process takes, or 0 when it has ended. */
guint64
nda_py_process_get_memory (NdaPyProcess * self)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/%d/statm", (gint) self->pid);
  g_autofree gchar *text = NULL;
  const gchar *resident;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  resident = strchr (text, ' ');
  return resident ? g_ascii_strtoull (resident, NULL, 10)
      * sysconf (_SC_PAGESIZE) : 0;
}
