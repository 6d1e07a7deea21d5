/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* waitid () and posix_spawn_file_actions_addclosefrom_np () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyprocess.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"
#include "ndapydescendants.h"
#include "ndapyending.h"
#include "ndapylog.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a process may take to end by itself, and to end after a kill */
#define EXIT_TIMEOUT (1 * GST_SECOND)
#define KILL_TIMEOUT (5 * GST_SECOND)

/* This code runs first. It removes the current directory, which is first on the
 * path until then, before it imports anything that is not part of the
 * interpreter. The program comes on standard input. Python before 3.10 cannot
 * read it. */
#define BOOTSTRAP \
    "import sys\n" \
    "if sys.path[:1] == ['']: del sys.path[0]\n" \
    "if sys.version_info < (3, 10): sys.exit('Python ' " \
    "+ sys.version.split()[0] + ' is too old: 3.10 or later is needed')\n" \
    "program = type(sys)('nda_worker')\n" \
    "exec(compile(sys.stdin.buffer.read(), '<nda>', 'exec'), " \
    "program.__dict__)\n"

void
nda_py_process_init (NdaPyProcess * self, GstClockTime deadline)
{
  self->end_fd = -1;
  self->deadline = deadline;
  self->mark = nda_py_descendants_make_mark ();
  g_mutex_init (&self->lock);
}

void
nda_py_process_clear (NdaPyProcess * self)
{
  nda_py_descriptor_close (&self->end_fd);
  g_free (self->mark);
  g_free (self->reason);
  g_mutex_clear (&self->lock);
}

/* --- spawning and reaping ------------------------------------------------ */

/* A plugin's BLAS needs no threads for 512 frames, and they cost memory. Python
 * 3.13 imports a module before it runs -c, from the current directory unless
 * the path is safe; ndapyworker.py resets that setting. */
static GStrv
make_environment (const gchar * mark)
{
  GStrv env = g_strdupv (environ);

  env = g_environ_setenv (env, "OPENBLAS_NUM_THREADS", "1", FALSE);
  env = g_environ_setenv (env, "OMP_NUM_THREADS", "1", FALSE);
  env = g_environ_setenv (env, "PYTHONSAFEPATH", "nda", FALSE);
  return g_environ_setenv (env, NDA_PY_DESCENDANTS_MARK, mark, TRUE);
}

/* Returns the command line of @python with @arguments, which may be NULL
 * (transfer container). */
static gchar **
make_command (const gchar * python, GStrv arguments)
{
  GPtrArray *command = g_ptr_array_new ();

  g_ptr_array_add (command, (gchar *) python);
  g_ptr_array_add (command, (gchar *) "-X");
  g_ptr_array_add (command, (gchar *) "utf8");
  g_ptr_array_add (command, (gchar *) "-c");
  g_ptr_array_add (command, (gchar *) BOOTSTRAP);
  for (guint i = 0; arguments && arguments[i]; i++)
    g_ptr_array_add (command, arguments[i]);
  g_ptr_array_add (command, NULL);
  return (gchar **) g_ptr_array_free (command, FALSE);
}

static gint
add_descriptors (posix_spawn_file_actions_t * actions, const gint * fds,
    guint n_fds)
{
  gint result = 0;

  for (guint i = 0; i < n_fds && !result; i++)
    result = posix_spawn_file_actions_adddup2 (actions, fds[i], i);
  return result ? result :
      posix_spawn_file_actions_addclosefrom_np (actions, n_fds);
}

static gint
spawn_with (NdaPyProcess * self, const NdaPyProgram * program,
    posix_spawn_file_actions_t * actions, posix_spawnattr_t * attributes)
{
  g_autofree gchar **argv = make_command (program->python, program->arguments);
  g_auto (GStrv) env = make_environment (self->mark);
  sigset_t none, all;
  gint result;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_setsigmask (attributes, &none);
  posix_spawnattr_setsigdefault (attributes, &all);
  /* Ctrl-C goes to this program only, which then stops the plugin properly */
  posix_spawnattr_setpgroup (attributes, 0);
  posix_spawnattr_setflags (attributes, POSIX_SPAWN_SETSIGMASK
      | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  result = add_descriptors (actions, program->fds, program->n_fds);
  if (!result)
    result = posix_spawnp (&self->pid, program->python, actions, attributes,
        argv, env);
  return result;
}

/* Returns an errno, or 0. */
static gint
watch (NdaPyProcess * self)
{
  self->end_fd = nda_py_ending_watch (self->pid);
  return self->end_fd < 0 ? errno : 0;
}

/* Runs an interpreter, with its descriptors at their numbers. Returns an errno,
 * or 0. */
gint
nda_py_process_spawn (NdaPyProcess * self, const NdaPyProgram * program)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  gint result;

  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  result = spawn_with (self, program, &actions, &attributes);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return result ? result : watch (self);
}

/* Takes over a child of ours that another process has started. Returns an
 * errno, or 0. */
gint
nda_py_process_adopt (NdaPyProcess * self, pid_t pid)
{
  self->pid = pid;
  return watch (self);
}

/* Waits until the process has ended. */
gboolean
nda_py_process_wait (NdaPyProcess * self, GstClockTime timeout)
{
  return nda_py_await (-1, 0, self->end_fd, nda_py_await_end_of (timeout))
      == NDA_PY_AWAIT_ENDED;
}

/* Kills the process and its process group: if it is a wrapper, its interpreter
 * is in that group. */
static void
kill_group (NdaPyProcess * self)
{
  kill (self->pid, SIGKILL);
  kill (-self->pid, SIGKILL);
}

/* Waits until the process has ended by itself, or ends it, and all processes
 * that it has started. No zombie remains. If the kernel itself does not let a
 * process end, such as in a driver, it is left to the kernel. */
void
nda_py_process_reap (NdaPyProcess * self)
{
  if (!self->pid)
    return;
  if (self->end_fd < 0 || nda_py_process_is_dead (self)
      || !nda_py_process_wait (self, EXIT_TIMEOUT))
    kill_group (self);
  if (self->end_fd >= 0)
    nda_py_process_wait (self, KILL_TIMEOUT);
  kill_group (self);
  nda_py_descendants_kill (self->mark);
  /* if no descriptor shows its end, it is polled */
  if (!nda_py_await_reap (self->pid, nda_py_await_end_of (self->end_fd < 0 ?
              KILL_TIMEOUT : 1)))
    GST_WARNING ("The process %d was killed and does not end",
        (gint) self->pid);
}

/* --- any thread --------------------------------------------------------- */

/* Ends the process at once, for @reason, a translated text. The process is not
 * reaped before its last use, so no other process can have its number. */
void
nda_py_process_kill (NdaPyProcess * self, const gchar * reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->reason && self->end_fd >= 0
      && !nda_py_await_is_readable (self->end_fd))
    self->reason = g_strdup (reason);
  self->is_dead = TRUE;
  if (self->pid)
    kill_group (self);
}

/* Returns the text for a call that takes longer than @timeout (transfer
 * full). */
static gchar *
describe_timeout (const gchar * call, GstClockTime timeout,
    const gchar * property)
{
  g_autofree gchar *milliseconds =
      g_strdup_printf ("%" G_GUINT64_FORMAT, timeout / GST_MSECOND);

  return g_strdup_printf (_("%s did not return within %s ms; see the property "
          "“%s”"), call, milliseconds, property);
}

/* Ends the process because @call takes longer than @timeout, the value of
 * @property. */
void
nda_py_process_kill_late (NdaPyProcess * self, const gchar * call,
    GstClockTime timeout, const gchar * property)
{
  g_autofree gchar *reason = describe_timeout (call, timeout, property);

  nda_py_process_kill (self, reason);
}

/* Whether the process has ended by itself, and was not killed for a reason. */
gboolean
nda_py_process_died_by_itself (NdaPyProcess * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return !self->reason && nda_py_await_is_readable (self->end_fd);
}

/* Whether the process has ended, or is about to end. */
gboolean
nda_py_process_is_dead (NdaPyProcess * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->is_dead)
    self->is_dead = self->end_fd < 0 || nda_py_await_is_readable (self->end_fd);
  return self->is_dead;
}

/* Returns why the process is dead (transfer full). The kernel itself ends a
 * block thread with real-time priority that computes beyond the deadline. */
gchar *
nda_py_process_describe_death (NdaPyProcess * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  siginfo_t info = { 0 };

  if (self->reason)
    return g_strdup (self->reason);
  /* it stays to be reaped */
  if (!self->pid || waitid (P_PID, self->pid, &info,
          WEXITED | WNOWAIT | WNOHANG) < 0 || !info.si_pid)
    return g_strdup (_("it has ended"));
  if (info.si_code == CLD_EXITED)
    return g_strdup_printf (_("it exited with status %d"), info.si_status);
  if (info.si_status == SIGXCPU)
    return describe_timeout (_("a block call"), self->deadline, "deadline");
  return g_strdup_printf (_("it was killed by signal %d (%s)"),
      info.si_status, g_strsignal (info.si_status));
}
