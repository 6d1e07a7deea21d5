/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapygroup.h"

#include "ndapycommon.h"
#include "ndapydescriptor.h"
#include "ndapyparameters.h"
#include "ndapypaths.h"
#include "ndapyproblem.h"
#include "ndapyquestions.h"
#include "ndapystart.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>

/* The process gets these descriptors, and those above, of each member */
#define FIRST_SENT NDA_PY_FD_CONTROL
#define N_SENT (NDA_PY_N_FDS - FIRST_SENT)

/* A group outlives each of its plugins, so a plugin that closes ends no wait
 * for the group */
static const gint is_never_closing = FALSE;

struct _NdaPyGroup
{
  NdaPyCommon parent;           /* its lock is held during a join */
  NdaPyMould *mould;            /* [const] owned, or NULL; of its process */
  NdaPyRunnerConfig *config;    /* [const] owned; of the first member */
  GError *error;                /* [const] owned; why it did not begin */
  NdaPyQuestions questions;     /* has its own lock */
  gint n_preparing;             /* [atomic] */
};

/* --- its thread ---------------------------------------------------------- */

/* Opens the descriptors of the process, in @theirs (transfer full). The members
 * bring their own ones. FALSE, with errno. */
static gboolean
open_all (NdaPyGroup * self, gint * theirs)
{
  if (!nda_py_questions_open (&self->questions, &theirs[NDA_PY_FD_CONTROL])
      || !nda_py_output_open (&self->parent.output, &theirs[NDA_PY_FD_OUT],
          &theirs[NDA_PY_FD_ERR]))
    return FALSE;
  for (guint i = 0; i < NDA_PY_N_FDS; i++)
    if (theirs[i] < 0)
      theirs[i] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  for (guint i = 0; i < NDA_PY_N_FDS; i++)
    if (theirs[i] < 0)
      return FALSE;
  return TRUE;
}

static gboolean
start (NdaPyGroup * self)
{
  gint theirs[NDA_PY_N_FDS];
  gboolean ok;

  for (guint i = 0; i < NDA_PY_N_FDS; i++)
    theirs[i] = -1;
  ok = open_all (self, theirs);
  if (!ok)
    nda_py_start_set_no_resources (&self->error, errno);
  else
    ok = nda_py_start_process (&self->parent.process, &self->mould,
        self->config, theirs, &self->error);
  for (guint i = 0; i < NDA_PY_N_FDS; i++)
    nda_py_descriptor_close (&theirs[i]);
  return ok;
}

/* Sends texts, up to NULL. Returns the answer (transfer full), or NULL. */
static GStrv G_GNUC_NULL_TERMINATED
ask (NdaPyGroup * self, ...)
{
  gboolean is_late;
  va_list texts;
  GStrv answer;

  va_start (texts, self);
  answer = nda_py_questions_ask (&self->questions,
      self->parent.process.end_fd, self->config->timeout, &is_late, texts);
  va_end (texts);
  return answer;
}

/* Tells the process that it is a group, and the settings that all its members
 * share. */
static gboolean
tell (NdaPyGroup * self)
{
  const NdaPyRunnerConfig *config = self->config;
  g_autofree gchar *api = nda_py_paths_find_folder ("api");
  g_auto (GStrv) answer = ask (self, "group", api, NDA_PY_SECRET_WORDS,
      config->sandbox == NDA_PY_SANDBOX_ON ? "yes" : "no",
      config->sandbox_folder ? config->sandbox_folder : "", NULL);

  if (answer && g_str_equal (answer[0], "ok"))
    return TRUE;
  if (answer && g_strv_length (answer) == 4)
    nda_py_problem_set_told (&self->error, config->path, answer[1], answer[2],
        answer[3]);
  else
    g_set_error (&self->error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The process of the group “%s” under “%s” did not begin. See "
            "GST_DEBUG=ndapython:4, and whether that is Python 3.10 or later "
            "with NumPy."), config->group, config->python);
  return FALSE;
}

static NdaPyCommonState
nda_py_group_begin (NdaPyCommon * common)
{
  NdaPyGroup *self = (NdaPyGroup *) common;

  return start (self) && tell (self) ? NDA_PY_COMMON_READY :
      NDA_PY_COMMON_ENDED;
}

/* Closes the socket. The process then ends by itself. */
static void
nda_py_group_end (NdaPyCommon * common)
{
  nda_py_questions_close (&((NdaPyGroup *) common)->questions);
}

static void
nda_py_group_clear (NdaPyCommon * common)
{
  NdaPyGroup *self = (NdaPyGroup *) common;

  nda_py_questions_clear (&self->questions);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
  nda_py_runner_config_free (self->config);
  g_clear_error (&self->error);
}

static void
nda_py_group_set_up (NdaPyCommon * common, gconstpointer data)
{
  NdaPyGroup *self = (NdaPyGroup *) common;

  self->config = nda_py_runner_config_copy (data);
  common->process.deadline = self->config->deadline;
  nda_py_questions_init (&self->questions, &is_never_closing);
}

static const NdaPyCommonKind group_kind = {
  .n_bytes = sizeof (NdaPyGroup),
  .thread_name = "nda-py-group",
  .begin = nda_py_group_begin,
  .end = nda_py_group_end,
  .clear = nda_py_group_clear,
};

/* --- members ------------------------------------------------------------- */

/* Makes the key of a group. Elements with the same name share a process only if
 * the key is the same. The first process of a plugin and its standby have
 * different keys, and so have plugins that differ in a property of the whole
 * process. */
static gchar *
make_key (const NdaPyRunnerConfig * config, guint seat)
{
  return g_strdup_printf ("%s\n%u\n%s\n%d\n%s\n%" G_GUINT64_FORMAT,
      config->group, seat, config->python, config->sandbox,
      config->sandbox_folder ? config->sandbox_folder : "", config->deadline);
}

/* FALSE without @error: the process has ended meanwhile. */
static gboolean
enter (NdaPyGroup * self, const gint * fds, GError ** error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->parent.lock);

  if (self->error)
    g_propagate_error (error, g_error_copy (self->error));
  if (!nda_py_common_is_ready_locked (&self->parent))
    return FALSE;
  if (nda_py_descriptor_send (self->questions.control, "+", fds + FIRST_SENT,
          N_SENT))
    return TRUE;
  if (errno == EPIPE || errno == ECONNRESET)
    self->parent.state = NDA_PY_COMMON_ENDED;
  else
    nda_py_start_set_no_resources (error, errno);
  return FALSE;
}

/* Asks the process of the group of @config to take a member with @fds, and
 * makes the process if there is none. A process that ends meanwhile is replaced
 * once. Returns the group (transfer full). */
NdaPyGroup *
nda_py_group_join (const NdaPyRunnerConfig * config, guint seat,
    const gint * fds, GError ** error)
{
  g_autofree gchar *key = make_key (config, seat);
  GError *failure = NULL;

  for (guint i = 0; i < 2 && !failure; i++) {
    NdaPyGroup *self = (NdaPyGroup *) nda_py_common_get (&group_kind, key,
        nda_py_group_set_up, config);

    if (enter (self, fds, &failure))
      return self;
    nda_py_group_leave (self);
  }
  if (failure)
    g_propagate_error (error, failure);
  else
    nda_py_start_set_no_resources (error, EAGAIN);
  return NULL;
}

/* Leaves the group. The last member to leave ends the process. */
void
nda_py_group_leave (NdaPyGroup * self)
{
  nda_py_common_unref (&self->parent);
}

void
nda_py_group_set_preparing (NdaPyGroup * self, gboolean is_preparing)
{
  g_atomic_int_add (&self->n_preparing, is_preparing ? 1 : -1);
}

const gint *
nda_py_group_get_n_preparing (NdaPyGroup * self)
{
  return &self->n_preparing;
}

/* Returns the process (not owned). */
NdaPyProcess *
nda_py_group_get_process (NdaPyGroup * self)
{
  return &self->parent.process;
}

/* Returns the mould of its process (not owned), or NULL. */
NdaPyMould *
nda_py_group_get_mould (NdaPyGroup * self)
{
  return self->mould;
}
