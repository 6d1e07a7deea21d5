/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* O_PATH */
#define _GNU_SOURCE

#include "config.h"

#include "ndapymould.h"

#include "ndapyawait.h"
#include "ndapycommon.h"
#include "ndapydescendants.h"
#include "ndapydescriptor.h"
#include "ndapylog.h"
#include "ndapymouldkey.h"
#include "ndapyprogram.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a mould may take to begin, and to fork one worker */
#define BEGIN_TIMEOUT (30 * GST_SECOND)
#define CAST_TIMEOUT (5 * GST_SECOND)
/* How long a killed one may take to end */
#define KILL_TIMEOUT (1 * GST_SECOND)
/* The mould gets this for a worker: the descriptors, and the current folder */
#define N_SENT (NDA_PY_N_FDS + 1)
#define MAX_ANSWER 256

struct _NdaPyMould
{
  NdaPyCommon parent;           /* its lock is held while it forks */
  gchar *python;                /* [const] owned */
  GStrv arguments;              /* [const] owned; of its program */
  gint control;                 /* [const] its socket, once it is ready */
};

/* The settings of a new mould */
typedef struct
{
  const gchar *python;
  GStrv modules;                /* modules to load */
} Making;

/* --- its thread ---------------------------------------------------------- */

/* Reads the mould's answer, a text, within @timeout. FALSE: there is none. */
static gboolean
hear (NdaPyMould * self, GstClockTime timeout, gchar answer[MAX_ANSWER])
{
  gssize n_bytes;

  if (nda_py_await (self->control, POLLIN, self->parent.process.end_fd,
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
      || !nda_py_output_open (&self->parent.output, &theirs[NDA_PY_FD_OUT],
          &theirs[NDA_PY_FD_ERR]))
    return FALSE;
  theirs[NDA_PY_FD_PROGRAM] = nda_py_program_make ();
  return theirs[NDA_PY_FD_PROGRAM] >= 0;
}

static gboolean
spawn (NdaPyMould * self)
{
  gint theirs[] = { -1, -1, -1, -1 };
  const NdaPyProgram program = { self->python, self->arguments, theirs,
    NDA_PY_N_FDS_OF_A_MOULD
  };
  gboolean ok = open_all (self, theirs)
      && nda_py_process_spawn (&self->parent.process, &program) == 0;

  G_STATIC_ASSERT (G_N_ELEMENTS (theirs) == NDA_PY_N_FDS_OF_A_MOULD);
  for (guint i = 0; i < G_N_ELEMENTS (theirs); i++)
    nda_py_descriptor_close (&theirs[i]);
  return ok;
}

/* A mould is fit if it is our own child and has all that it needs. An unfit
 * mould says why, or ends. */
static NdaPyCommonState
nda_py_mould_begin (NdaPyCommon * common)
{
  NdaPyMould *self = (NdaPyMould *) common;
  gchar answer[MAX_ANSWER];
  g_autofree gchar *expected = NULL;

  if (!spawn (self) || !hear (self, BEGIN_TIMEOUT, answer))
    return NDA_PY_COMMON_UNFIT;
  expected = g_strdup_printf ("%d", (gint) common->process.pid);
  if (g_str_equal (answer, expected))
    return NDA_PY_COMMON_READY;
  GST_INFO ("No worker is forked under “%s”, each is started by itself: %s",
      self->python, answer);
  return NDA_PY_COMMON_UNFIT;
}

static void
nda_py_mould_end (NdaPyCommon * common)
{
  nda_py_process_kill (&common->process, "");
}

static void
nda_py_mould_clear (NdaPyCommon * common)
{
  NdaPyMould *self = (NdaPyMould *) common;

  nda_py_descriptor_close (&self->control);
  g_strfreev (self->arguments);
  g_free (self->python);
}

static const NdaPyCommonKind mould_kind = {
  .n_bytes = sizeof (NdaPyMould),
  .thread_name = "nda-py-mould",
  .begin = nda_py_mould_begin,
  .end = nda_py_mould_end,
  .clear = nda_py_mould_clear,
};

/* --- life cycle ---------------------------------------------------------- */

/* The arguments of the mould's program: that it is a mould, and the modules to
 * load. */
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

static void
nda_py_mould_set_up (NdaPyCommon * common, gconstpointer data)
{
  NdaPyMould *self = (NdaPyMould *) common;
  const Making *making = data;

  self->control = -1;
  self->python = g_strdup (making->python);
  self->arguments = make_arguments (making->modules);
}

/* Returns the mould (transfer full) for the plugin at @plugin, or for any
 * plugin if that is NULL, under @python, once the mould has begun. NULL: the
 * plugin must run in a process that is started directly. */
NdaPyMould *
nda_py_mould_get (const gchar * python, const gchar * plugin)
{
  g_autofree gchar *interpreter = nda_py_mould_key_find_interpreter (python);
  g_autofree gchar *key = NULL;
  g_auto (GStrv) modules = NULL;
  Making making = { interpreter, NULL };

  if (!interpreter
      || (plugin && !nda_py_mould_key_read_plugin (plugin, &modules)))
    return NULL;
  making.modules = modules;
  key = nda_py_mould_key_make (interpreter, modules);
  return (NdaPyMould *) nda_py_common_get (&mould_kind, key,
      nda_py_mould_set_up, &making);
}

NdaPyMould *
nda_py_mould_ref (NdaPyMould * self)
{
  return (NdaPyMould *) nda_py_common_ref (&self->parent);
}

/* Drops a reference. The last one ends the mould. */
void
nda_py_mould_unref (NdaPyMould * self)
{
  nda_py_common_unref (&self->parent);
}

/* --- casting ------------------------------------------------------------- */

/* Sends the request, with the descriptors and the current folder of this
 * process. */
static gboolean
ask (NdaPyMould * self, const gint * fds, const gchar * mark)
{
  gint sent[N_SENT];
  gboolean ok;

  memcpy (sent, fds, NDA_PY_N_FDS * sizeof (gint));
  sent[NDA_PY_N_FDS] = open (".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  ok = sent[NDA_PY_N_FDS] >= 0 && nda_py_descriptor_send (self->control,
      mark, sent, N_SENT);
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

/* Ends a mould that does not answer, and what it may have forked before that. A
 * worker has the mark of the mould until it has its own @mark. */
static void
give_up (NdaPyMould * self, const gchar * mark)
{
  NdaPyProcess *process = &self->parent.process;

  self->parent.state = NDA_PY_COMMON_ENDED;
  nda_py_process_kill (process, "");
  nda_py_process_wait (process, KILL_TIMEOUT);
  nda_py_descendants_kill (process->mark);
  nda_py_descendants_kill (mark);
}

/* Asks the mould to fork a worker, with @fds at their numbers and @mark in its
 * environment. Returns the worker's process id; it is our child and has its
 * mark when it answers. 0: there is none. */
pid_t
nda_py_mould_cast (NdaPyMould * self, const gint * fds, const gchar * mark)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->parent.lock);
  gchar answer[MAX_ANSWER];
  pid_t pid;

  if (!nda_py_common_is_ready_locked (&self->parent)
      || !ask (self, fds, mark))
    return 0;
  if (hear (self, CAST_TIMEOUT, answer)) {
    pid = g_ascii_strtoll (answer, NULL, 10);
    return is_our_child (pid) ? pid : 0;
  }
  give_up (self, mark);         /* it is late, or was killed */
  return 0;
}
