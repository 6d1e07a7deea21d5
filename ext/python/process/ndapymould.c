/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* O_PATH */
#define _GNU_SOURCE

#include "config.h"

#include "ndapymould.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"
#include "ndapylog.h"
#include "ndapymouldkey.h"
#include "ndapyoutput.h"
#include "ndapyprocess.h"
#include "ndapyprogram.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long it may take to begin, and to cast one worker */
#define BEGIN_TIMEOUT (30 * GST_SECOND)
#define CAST_TIMEOUT (5 * GST_SECOND)
/* What it is sent for a worker: the descriptors, and the current folder */
#define N_SENT (NDA_PY_N_FDS + 1)
#define MAX_ANSWER 256

typedef enum
{
  STATE_BEGINNING,
  STATE_FIT,
  STATE_UNFIT,
  STATE_ENDED,
} NdaPyMouldState;

struct _NdaPyMould
{
  gint ref_count;               /* [moulds lock] */
  gchar *key;                   /* [const] owned */
  gchar *python;                /* [const] owned */
  GStrv modules;                /* [const] owned; that it loads, or NULL */
  GThread *thread;              /* [const] owned; NULL: there is none to have */
  gint wake_fd;                 /* [const] rung when nobody needs it */
  gint control;                 /* [const] its socket, once it is fit */

  NdaPyProcess process;         /* has its own lock */
  NdaPyOutput output;           /* [its thread] */

  GMutex lock;                  /* while it casts, CAST_TIMEOUT at most */
  GCond changed;                /* state */
  NdaPyMouldState state;        /* [lock] */
};

/* By key; none of them owned */
static GMutex moulds_lock;
static GHashTable *moulds;      /* [moulds lock] */

/* --- its thread ---------------------------------------------------------- */

static void
set_state (NdaPyMould * self, NdaPyMouldState state)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->state = state;
  g_cond_broadcast (&self->changed);
}

/* What it says within @timeout, a text; FALSE: nothing. */
static gboolean
hear (NdaPyMould * self, GstClockTime timeout, gchar answer[MAX_ANSWER])
{
  gssize n_bytes;

  if (nda_py_await (self->control, POLLIN, self->process.end_fd,
          nda_py_await_end_of (timeout)) != NDA_PY_AWAIT_READY)
    return FALSE;
  n_bytes = recv (self->control, answer, MAX_ANSWER - 1, MSG_DONTWAIT);
  if (n_bytes <= 0)
    return FALSE;
  answer[n_bytes] = '\0';
  return TRUE;
}

static gboolean
open_all (NdaPyMould * self, gint * theirs)
{
  if (!nda_py_descriptor_make_pair (SOCK_SEQPACKET, &self->control,
          &theirs[NDA_PY_FD_CONTROL])
      || !nda_py_output_open (&self->output, &theirs[NDA_PY_FD_OUT],
          &theirs[NDA_PY_FD_ERR]))
    return FALSE;
  theirs[NDA_PY_FD_PROGRAM] = nda_py_program_make ();
  return theirs[NDA_PY_FD_PROGRAM] >= 0;
}

static gboolean
spawn (NdaPyMould * self)
{
  gint theirs[] = { -1, -1, -1, -1 };
  const NdaPyProgram program = { self->python, self->modules, theirs,
    NDA_PY_N_FDS_OF_A_MOULD
  };
  gboolean ok = open_all (self, theirs)
      && nda_py_process_spawn (&self->process, &program) == 0;

  G_STATIC_ASSERT (G_N_ELEMENTS (theirs) == NDA_PY_N_FDS_OF_A_MOULD);
  for (guint i = 0; i < G_N_ELEMENTS (theirs); i++)
    nda_py_descriptor_close (&theirs[i]);
  return ok;
}

/* Whether it is fit: our own child, with all that it needs. One that is not
 * says why, or ends. */
static gboolean
begin (NdaPyMould * self)
{
  gchar answer[MAX_ANSWER];
  g_autofree gchar *expected = NULL;

  if (!spawn (self))
    return FALSE;
  if (!hear (self, BEGIN_TIMEOUT, answer))
    return FALSE;
  expected = g_strdup_printf ("%d", (gint) self->process.pid);
  if (g_str_equal (answer, expected))
    return TRUE;
  GST_INFO ("No worker is forked under “%s”, each is started by itself: %s",
      self->python, answer);
  return FALSE;
}

static void
end (NdaPyMould * self)
{
  nda_py_process_kill (&self->process, "");
  nda_py_process_reap (&self->process);
  nda_py_output_log_rest (&self->output);
}

/* It stays until nobody needs it, whenever its process ends. */
static gpointer
nda_py_mould_thread (gpointer data)
{
  NdaPyMould *self = data;

  if (!begin (self)) {
    end (self);
    set_state (self, STATE_UNFIT);
    return NULL;
  }
  set_state (self, STATE_FIT);
  nda_py_output_log (&self->output, self->process.end_fd, self->wake_fd,
      G_MAXINT64);
  if (!nda_py_await_is_readable (self->wake_fd)) {
    GST_WARNING ("The process that others are forked from has ended; the next "
        "one is forked from another");
    set_state (self, STATE_ENDED);
    nda_py_await (self->wake_fd, POLLIN, -1, G_MAXINT64);
  }
  end (self);
  return NULL;
}

/* --- life cycle ---------------------------------------------------------- */

static void
free_mould (NdaPyMould * self)
{
  const guint64 one = 1;

  if (self->wake_fd >= 0 && write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("A mould cannot be woken");
  g_clear_pointer (&self->thread, g_thread_join);
  nda_py_descriptor_close (&self->wake_fd);
  nda_py_descriptor_close (&self->control);
  nda_py_output_clear (&self->output);
  nda_py_process_clear (&self->process);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_strfreev (self->modules);
  g_free (self->python);
  g_free (self->key);
  g_free (self);
}

/* What its program is told: that it is a mould, and the modules to load. */
static GStrv
make_arguments (GStrv modules)
{
  GPtrArray *arguments = g_ptr_array_new ();

  g_ptr_array_add (arguments, g_strdup ("mould"));
  for (guint i = 0; modules && modules[i]; i++)
    if (*modules[i])
      g_ptr_array_add (arguments, g_strdup (modules[i]));
  g_ptr_array_add (arguments, NULL);
  return (GStrv) g_ptr_array_free (arguments, FALSE);
}

static NdaPyMould *
make_mould (const gchar * key, const gchar * python, GStrv modules)
{
  NdaPyMould *self = g_new0 (NdaPyMould, 1);

  self->key = g_strdup (key);
  self->python = g_strdup (python);
  self->modules = make_arguments (modules);
  self->control = -1;
  nda_py_process_init (&self->process, 0);
  nda_py_output_init (&self->output);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->wake_fd = nda_py_descriptor_move_up (eventfd (0,
          EFD_CLOEXEC | EFD_NONBLOCK));
  if (self->wake_fd >= 0)
    self->thread = g_thread_try_new ("nda-py-mould", nda_py_mould_thread, self,
        NULL);
  if (!self->thread)
    self->state = STATE_UNFIT;
  return self;
}

static NdaPyMouldState
get_state (NdaPyMould * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->state == STATE_BEGINNING)
    g_cond_wait (&self->changed, &self->lock);
  return self->state;
}

/* Whether @self casts workers, or never will: waits for no state. */
static gboolean
has_ended (NdaPyMould * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->state == STATE_ENDED;
}

/* The mould of that key, made where there is none that lives (transfer full).
 */
static NdaPyMould *
find_or_make (const gchar * key, const gchar * python, GStrv modules)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&moulds_lock);
  NdaPyMould *self;

  if (!moulds)
    moulds = g_hash_table_new (g_str_hash, g_str_equal);
  self = g_hash_table_lookup (moulds, key);
  if (!self || has_ended (self)) {
    self = make_mould (key, python, modules);
    g_hash_table_replace (moulds, self->key, self);
  }
  self->ref_count++;
  return self;
}

/* The mould (transfer full) for the plugin at @plugin under @python, once it
 * has begun. NULL: the plugin shall be in a process that was started for it. */
NdaPyMould *
nda_py_mould_get (const gchar * python, const gchar * plugin)
{
  g_autofree gchar *interpreter = nda_py_mould_key_find_interpreter (python);
  g_autofree gchar *key = NULL;
  g_auto (GStrv) modules = NULL;
  NdaPyMould *self;

  if (!interpreter || !nda_py_mould_key_read_plugin (plugin, &modules))
    return NULL;
  key = nda_py_mould_key_make (interpreter, modules);
  self = find_or_make (key, interpreter, modules);
  get_state (self);
  return self;
}

NdaPyMould *
nda_py_mould_ref (NdaPyMould * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&moulds_lock);

  self->ref_count++;
  return self;
}

/* The last one ends it. */
void
nda_py_mould_unref (NdaPyMould * self)
{
  gboolean is_last;

  g_mutex_lock (&moulds_lock);
  is_last = --self->ref_count == 0;
  if (is_last && g_hash_table_lookup (moulds, self->key) == self)
    g_hash_table_remove (moulds, self->key);
  if (is_last && !g_hash_table_size (moulds))
    g_clear_pointer (&moulds, g_hash_table_unref);
  g_mutex_unlock (&moulds_lock);
  if (is_last)
    free_mould (self);
}

/* --- casting ------------------------------------------------------------- */

static gboolean
send_with (gint control, const gchar * mark, const gint * fds)
{
  union
  {
    struct cmsghdr header;
    gchar space[CMSG_SPACE (N_SENT * sizeof (gint))];
  }
  ancillary = { 0 };
  struct iovec text = { (gpointer) mark, strlen (mark) };
  struct msghdr message = { 0 };
  struct cmsghdr *header;

  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof (ancillary.space);
  header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (N_SENT * sizeof (gint));
  memcpy (CMSG_DATA (header), fds, N_SENT * sizeof (gint));
  return sendmsg (control, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
      == (gssize) text.iov_len;
}

/* Sends the question, with the descriptors and this process's folder. */
static gboolean
ask (NdaPyMould * self, const gint * fds, const gchar * mark)
{
  gint sent[N_SENT];
  gboolean ok;

  memcpy (sent, fds, NDA_PY_N_FDS * sizeof (gint));
  sent[NDA_PY_N_FDS] = open (".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  ok = sent[NDA_PY_N_FDS] >= 0 && send_with (self->control, mark, sent);
  nda_py_descriptor_close (&sent[NDA_PY_N_FDS]);
  return ok;
}

static gboolean
is_our_child (pid_t pid)
{
  siginfo_t info;

  return pid > 0 && waitid (P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG)
      == 0;
}

/* Has a worker forked, with @fds at their numbers and @mark in its environment.
 * Returns it, a child of ours that bears its mark when it answers; 0: there is
 * none. */
pid_t
nda_py_mould_cast (NdaPyMould * self, const gint * fds, const gchar * mark)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gchar answer[MAX_ANSWER];
  pid_t pid;

  if (self->state != STATE_FIT || !ask (self, fds, mark))
    return 0;
  if (hear (self, CAST_TIMEOUT, answer)) {
    pid = g_ascii_strtoll (answer, NULL, 10);
    return is_our_child (pid) ? pid : 0;
  }
  self->state = STATE_ENDED;    /* it is late, or was killed */
  nda_py_process_kill (&self->process, "");
  return 0;
}
