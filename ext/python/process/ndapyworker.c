/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* memfd_create (), ppoll () and such */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyworkerpriv.h"

#include "ndablock.h"
#include "ndapylog.h"
#include "ndapyworker-source.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_BYTES (NDA_PY_WORKER_AUDIO_AT \
    + NDA_BLOCK_MAX_CHANNELS * NDA_BLOCK_FRAMES * sizeof (gfloat))

/* What the process finds at which descriptor; there is none above */
enum
{
  FD_PROGRAM,
  FD_OUT,
  FD_ERR,
  FD_CONTROL,
  FD_MEMORY,
  FD_REQUEST,
  FD_REPLY,
  N_FDS
};

/* So that making one of the above does not overwrite a source of another */
#define FIRST_OWN_FD 16
#define LONGEST_LINE 4096
/* How long it may take to end by itself, in milliseconds */
#define EXIT_TIMEOUT 1000

/* --- descriptors -------------------------------------------------------- */

static void
close_fd (gint * fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* @fd, moved out of the way of the numbers above. */
static gint
move_up (gint fd)
{
  gint moved;

  if (fd < 0 || fd >= FIRST_OWN_FD)
    return fd;
  moved = fcntl (fd, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  close (fd);
  return moved;
}

static gboolean
write_all (gint fd, const gchar * text)
{
  gsize n_bytes = strlen (text);

  return write (fd, text, n_bytes) == (gssize) n_bytes;
}

/* The program of the process, in memory: it is always of one piece with us. */
static gint
make_program (void)
{
  gint fd = move_up (memfd_create ("nda-py-worker", MFD_CLOEXEC));

  if (fd >= 0 && write_all (fd, nda_py_worker_source)
      && lseek (fd, 0, SEEK_SET) == 0)
    return fd;
  close_fd (&fd);
  return -1;
}

static gint
make_memory (NdaPyWorker * self)
{
  gint fd = move_up (memfd_create ("nda-py-blocks",
          MFD_CLOEXEC | MFD_ALLOW_SEALING));
  gpointer memory = MAP_FAILED;

  /* nobody can take away what the other has mapped */
  if (fd >= 0 && ftruncate (fd, MEMORY_BYTES) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
      == 0)
    memory = mmap (NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
        fd, 0);
  if (memory == MAP_FAILED) {
    close_fd (&fd);
    return -1;
  }
  self->memory = memory;
  return fd;
}

/* A pipe whose writing end, @theirs, never makes the process wait. */
static gboolean
make_pipe (gint * ours, gint * theirs)
{
  gint fds[2];

  if (pipe2 (fds, O_CLOEXEC | O_NONBLOCK) < 0)
    return FALSE;
  *ours = move_up (fds[0]);
  *theirs = move_up (fds[1]);
  fcntl (*ours, F_SETPIPE_SZ, 1 << 20);
  return TRUE;
}

static gboolean
make_outputs (NdaPyWorker * self, gint * theirs)
{
  if (g_strcmp0 (g_getenv ("NDA_PYTHON_STDIO"), "inherit") == 0) {
    theirs[FD_OUT] = fcntl (1, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
    theirs[FD_ERR] = fcntl (2, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
    return TRUE;
  }
  return make_pipe (&self->out_fds[0], &theirs[FD_OUT])
      && make_pipe (&self->out_fds[1], &theirs[FD_ERR]);
}

/* Opens everything; in @theirs what is the process's alone. */
static gboolean
open_fds (NdaPyWorker * self, gint * theirs)
{
  gint sockets[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
    return FALSE;
  self->control = move_up (sockets[0]);
  theirs[FD_CONTROL] = move_up (sockets[1]);
  theirs[FD_PROGRAM] = make_program ();
  theirs[FD_MEMORY] = make_memory (self);
  self->request = move_up (eventfd (0, EFD_CLOEXEC));
  self->reply = move_up (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
  theirs[FD_REQUEST] = fcntl (self->request, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  theirs[FD_REPLY] = fcntl (self->reply, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
  if (!make_outputs (self, theirs))
    return FALSE;
  for (gint i = 0; i < N_FDS; i++)
    if (theirs[i] < 0)
      return FALSE;
  return TRUE;
}

/* --- making and ending -------------------------------------------------- */

/* A plugin's BLAS needs no threads for 512 frames: they cost memory. */
static GStrv
make_environment (void)
{
  GStrv env = g_strdupv (environ);

  env = g_environ_setenv (env, "OPENBLAS_NUM_THREADS", "1", FALSE);
  return g_environ_setenv (env, "OMP_NUM_THREADS", "1", FALSE);
}

static gint
spawn_with (NdaPyWorker * self, posix_spawn_file_actions_t * actions,
    posix_spawnattr_t * attributes, const gint * theirs)
{
  gchar *argv[] = { self->config.python, (gchar *) "-X", (gchar *) "utf8",
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
  for (gint i = 0; i < N_FDS && !result; i++)
    result = posix_spawn_file_actions_adddup2 (actions, theirs[i], i);
  if (!result)
    result = posix_spawn_file_actions_addclosefrom_np (actions, N_FDS);
  if (!result)
    result = posix_spawnp (&self->pid, self->config.python, actions,
        attributes, argv, env);
  return result;
}

/* Runs the interpreter. Returns an errno, or 0. */
static gint
spawn (NdaPyWorker * self, const gint * theirs)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  gint result;

  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  result = spawn_with (self, &actions, &attributes, theirs);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  if (result)
    return result;
  self->pid_fd = syscall (SYS_pidfd_open, self->pid, 0);
  fcntl (self->pid_fd, F_SETFD, FD_CLOEXEC);
  return self->pid_fd < 0 ? errno : 0;
}

static gboolean
begin (NdaPyWorker * self, GError ** error)
{
  gint theirs[N_FDS], result;

  for (gint i = 0; i < N_FDS; i++)
    theirs[i] = -1;
  errno = 0;
  result = open_fds (self, theirs) ? spawn (self, theirs) :
      errno ? errno : EMFILE;
  for (gint i = 0; i < N_FDS; i++)
    close_fd (&theirs[i]);
  if (!result)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _
      ("The Python “%s” does not start: %s. Set the property “python” to an "
          "interpreter."), self->config.python, g_strerror (result));
  return FALSE;
}

static NdaPyWorker *
allocate (const NdaPyWorkerConfig * config)
{
  NdaPyWorker *self = g_new0 (NdaPyWorker, 1);

  self->ref_count = 1;
  self->config = *config;
  self->config.path = g_strdup (config->path);
  self->config.python = g_strdup (config->python);
  self->pid_fd = self->control = self->request = self->reply = -1;
  self->can_spin = g_get_num_processors () > 1;
  for (guint i = 0; i < 2; i++) {
    self->out_fds[i] = -1;
    self->out_lines[i] = g_string_new (NULL);
  }
  g_mutex_init (&self->lock);
  g_mutex_init (&self->ask_lock);
  return self;
}

/* Makes a process with the plugin loaded and initialised. The calling thread
 * must live at least as long. */
NdaPyWorker *
nda_py_worker_new (const NdaPyWorkerConfig * config, GError ** error)
{
  NdaPyWorker *self = allocate (config);

  if (begin (self, error) && nda_py_worker_load (self, error))
    return self;
  nda_py_worker_watch (self, -1, 0);    /* what it had to say */
  nda_py_worker_unref (self);
  return NULL;
}

NdaPyWorker *
nda_py_worker_ref (NdaPyWorker * self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

/* Waits until it has ended by itself, or ends it, and what it has left behind;
 * no zombie remains. */
static void
reap (NdaPyWorker * self)
{
  struct pollfd pfd = { self->pid_fd, POLLIN, 0 };
  siginfo_t info;

  if (!self->pid)
    return;
  if (self->pid_fd < 0 || nda_py_worker_is_dead (self)
      || poll (&pfd, 1, EXIT_TIMEOUT) <= 0)
    kill (self->pid, SIGKILL);
  while (waitid (P_PID, self->pid, &info, WEXITED | WNOWAIT) < 0
      && errno == EINTR);
  kill (-self->pid, SIGKILL);
  while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR);
}

void
nda_py_worker_unref (NdaPyWorker * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  close_fd (&self->control);
  reap (self);
  if (self->memory)
    munmap (self->memory, MEMORY_BYTES);
  for (guint i = 0; i < 2; i++) {
    close_fd (&self->out_fds[i]);
    g_string_free (self->out_lines[i], TRUE);
  }
  close_fd (&self->pid_fd);
  close_fd (&self->request);
  close_fd (&self->reply);
  g_free (self->config.path);
  g_free (self->config.python);
  g_free (self->reason);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->ask_lock);
  g_free (self);
}

/* Ends the process at once, for @reason, a translated text. It is not reaped
 * before the last reference goes, so its number is nobody else's. */
void
nda_py_worker_kill (NdaPyWorker * self, const gchar * reason)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  struct pollfd pfd = { self->pid_fd, POLLIN, 0 };

  if (!self->reason && self->pid_fd >= 0 && poll (&pfd, 1, 0) == 0)
    self->reason = g_strdup (reason);
  self->is_dead = TRUE;
  if (self->pid)
    kill (self->pid, SIGKILL);
}

/* Whether it has ended, or is about to. */
gboolean
nda_py_worker_is_dead (NdaPyWorker * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  struct pollfd pfd = { self->pid_fd, POLLIN, 0 };

  if (!self->is_dead)
    self->is_dead = self->pid_fd < 0 || poll (&pfd, 1, 0) != 0;
  return self->is_dead;
}

/* How a call ends that takes longer than @timeout (transfer full). */
gchar *
nda_py_worker_describe_timeout (GstClockTime timeout)
{
  return g_strdup_printf (_("a call did not return within %" G_GUINT64_FORMAT
          " ms"), timeout / GST_MSECOND);
}

/* Why it is dead (transfer full). The system itself ends a block thread that it
 * gave real-time priority and that keeps it beyond the deadline. */
gchar *
nda_py_worker_describe_death (NdaPyWorker * self)
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
    return nda_py_worker_describe_timeout (self->config.deadline);
  return g_strdup_printf (_("it was killed by signal %d (%s)"),
      info.si_status, g_strsignal (info.si_status));
}

/* --- what it prints, and what it takes ---------------------------------- */

static void
log_lines (GString * text, gboolean is_error)
{
  gchar *end;

  while ((end = strchr (text->str, '\n')) || text->len >= LONGEST_LINE) {
    gsize n_bytes = end ? (gsize) (end - text->str) : text->len;
    g_autofree gchar *line = g_utf8_make_valid (text->str, n_bytes);

    if (is_error)
      GST_WARNING ("%s", line);
    else
      GST_INFO ("%s", line);
    g_string_erase (text, 0, end ? n_bytes + 1 : n_bytes);
  }
}

static void
read_output (NdaPyWorker * self, guint i)
{
  gchar data[4096];
  gssize n_bytes = read (self->out_fds[i], data, sizeof (data));

  if (n_bytes > 0) {
    for (gssize k = 0; k < n_bytes; k++)
      g_string_append_c (self->out_lines[i], data[k] ? data[k] : ' ');
    log_lines (self->out_lines[i], i == 1);
  } else if (n_bytes == 0 || (errno != EAGAIN && errno != EINTR)) {
    close_fd (&self->out_fds[i]);
  }
}

/* Logs what the process prints, until it has ended, @wake_fd can be read or
 * @timeout milliseconds are over (-1: never). */
void
nda_py_worker_watch (NdaPyWorker * self, gint wake_fd, gint timeout)
{
  gboolean is_over = FALSE;

  while (!is_over) {
    struct pollfd fds[] = {
      {self->out_fds[0], POLLIN, 0},
      {self->out_fds[1], POLLIN, 0},
      {self->pid_fd, POLLIN, 0},
      {wake_fd, POLLIN, 0},
    };
    gboolean has_said = FALSE;

    if (poll (fds, G_N_ELEMENTS (fds), timeout) <= 0)
      return;
    for (guint i = 0; i < 2; i++)
      if (fds[i].revents) {
        read_output (self, i);
        has_said = TRUE;
      }
    is_over = (!has_said && fds[2].revents) || fds[3].revents;
  }
}

/* How many bytes of memory the process takes, or 0 when it has ended. */
guint64
nda_py_worker_get_memory (NdaPyWorker * self)
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
