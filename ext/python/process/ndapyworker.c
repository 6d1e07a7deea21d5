/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* memfd_create () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyworker.h"

#include "ndapydescriptor.h"
#include "ndapyoutput.h"
#include "ndapypaths.h"
#include "ndapyproblem.h"
#include "ndapyprocess.h"
#include "ndapyquestions.h"
#include "ndapysharedblock.h"
#include "ndapyworker-source.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* in milliseconds: for initialize (), which may open devices, and the rest */
#define LOAD_TIMEOUT 30000
#define ASK_TIMEOUT 5000
#define EXIT_TIMEOUT 100
/* For start (), which may wait for a device */
#define START_TIMEOUT (30 * GST_SECOND)

struct _NdaPyWorker
{
  gint ref_count;               /* [atomic] */
  const NdaPyRunnerConfig *config;      /* [const] not owned */

  NdaPyProcess process;         /* has its own lock */
  NdaPyOutput output;           /* [keeper] */
  NdaPyQuestions questions;     /* has its own lock */
  NdaPySharedBlock block;       /* [block thread] */
};

/* --- making and ending -------------------------------------------------- */

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
  gint fd = nda_py_descriptor_move_up (memfd_create ("nda-py-worker",
          MFD_CLOEXEC));

  if (fd >= 0 && write_all (fd, nda_py_worker_source)
      && lseek (fd, 0, SEEK_SET) == 0)
    return fd;
  nda_py_descriptor_close (&fd);
  return -1;
}

/* Opens everything; in @theirs (transfer full) what is the process's alone. */
static gboolean
open_all (NdaPyWorker * self, gint * theirs)
{
  if (!nda_py_questions_open (&self->questions, &theirs[NDA_PY_FD_CONTROL])
      || !nda_py_shared_block_open (&self->block, &theirs[NDA_PY_FD_MEMORY],
          &theirs[NDA_PY_FD_REQUEST], &theirs[NDA_PY_FD_REPLY])
      || !nda_py_output_open (&self->output, &theirs[NDA_PY_FD_OUT],
          &theirs[NDA_PY_FD_ERR]))
    return FALSE;
  theirs[NDA_PY_FD_PROGRAM] = make_program ();
  for (gint i = 0; i < NDA_PY_N_FDS; i++)
    if (theirs[i] < 0)
      return FALSE;
  return TRUE;
}

static gboolean
spawn (NdaPyWorker * self, GError ** error)
{
  const gchar *python = self->config->python;
  gint theirs[NDA_PY_N_FDS], result;

  for (gint i = 0; i < NDA_PY_N_FDS; i++)
    theirs[i] = -1;
  errno = 0;
  if (open_all (self, theirs))
    result = nda_py_process_spawn (&self->process, python, theirs);
  else
    result = errno ? errno : EMFILE;
  for (gint i = 0; i < NDA_PY_N_FDS; i++)
    nda_py_descriptor_close (&theirs[i]);
  if (!result)
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The Python “%s” does not start: %s. Set the property "
          "“python” to an interpreter."), python, g_strerror (result));
  return FALSE;
}

/* Makes a process that has loaded no plugin yet. @config outlives it, and names
 * the interpreter. */
NdaPyWorker *
nda_py_worker_new (const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyWorker *self = g_new0 (NdaPyWorker, 1);

  self->ref_count = 1;
  self->config = config;
  nda_py_process_init (&self->process, config->deadline);
  nda_py_output_init (&self->output);
  nda_py_questions_init (&self->questions);
  nda_py_shared_block_init (&self->block);
  if (spawn (self, error))
    return self;
  nda_py_worker_unref (self);
  return NULL;
}

NdaPyWorker *
nda_py_worker_ref (NdaPyWorker * self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

/* The last one reaps the process. */
void
nda_py_worker_unref (NdaPyWorker * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  nda_py_questions_close (&self->questions);    /* it then ends by itself */
  nda_py_process_reap (&self->process);
  nda_py_questions_clear (&self->questions);
  nda_py_shared_block_clear (&self->block);
  nda_py_output_clear (&self->output);
  nda_py_process_clear (&self->process);
  g_free (self);
}

/* Logs what the process prints, until it has ended, @wake_fd can be read or
 * @timeout milliseconds are over (-1: never). */
void
nda_py_worker_log (NdaPyWorker * self, gint wake_fd, gint timeout)
{
  nda_py_output_log (&self->output, self->process.end_fd, wake_fd, timeout);
}

void
nda_py_worker_kill (NdaPyWorker * self, const gchar * reason)
{
  nda_py_process_kill (&self->process, reason);
}

gboolean
nda_py_worker_is_dead (NdaPyWorker * self)
{
  return nda_py_process_is_dead (&self->process);
}

gchar *
nda_py_worker_describe_death (NdaPyWorker * self)
{
  return nda_py_process_describe_death (&self->process);
}

guint64
nda_py_worker_get_memory (NdaPyWorker * self)
{
  return nda_py_process_get_memory (&self->process);
}

/* --- questions ---------------------------------------------------------- */

/* Sends texts, up to NULL, and waits @timeout milliseconds for the answer
 * (transfer full); NULL: there is none, and the process is dead. */
static GStrv G_GNUC_NULL_TERMINATED
ask (NdaPyWorker * self, gint timeout, ...)
{
  GStrv answer;
  va_list texts;

  va_start (texts, timeout);
  answer = nda_py_questions_ask (&self->questions, timeout, texts);
  va_end (texts);
  if (!answer) {
    /* it may be about to end by itself */
    nda_py_process_wait (&self->process, EXIT_TIMEOUT);
    nda_py_process_kill (&self->process, _("it does not answer"));
  }
  return answer;
}

static void
set_problem (NdaPyWorker * self, const gchar * nick, const gchar * name,
    const gchar * reason, GError ** error)
{
  nda_py_problem_set_error (error, nda_py_problem_from_nick (nick),
      self->config->path, name, reason);
}

/* Loads and initialises the plugin in the process. */
gboolean
nda_py_worker_load (NdaPyWorker * self, GError ** error)
{
  const NdaPyRunnerConfig *config = self->config;
  g_autofree gchar *api = nda_py_paths_find_folder ("api");
  g_autofree gchar *parent = g_strdup_printf ("%d", (gint) getpid ());
  g_autofree gchar *deadline =
      g_strdup_printf ("%" G_GUINT64_FORMAT, config->deadline);
  g_auto (GStrv) answer = ask (self, LOAD_TIMEOUT, "load", config->path,
      nda_py_role_name (config->role), api, NDA_PY_SECRET_WORDS, parent,
      deadline, NULL);
  g_autofree gchar *death = NULL;

  if (answer && g_str_equal (answer[0], "ok"))
    return TRUE;
  if (answer && g_strv_length (answer) == 4) {
    set_problem (self, answer[1], answer[2], answer[3], error);
    return FALSE;
  }
  death = nda_py_process_describe_death (&self->process);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The process of the plugin “%s” under “%s” did not begin: "
          "%s. See GST_DEBUG=ndapython:4, and whether that Python has NumPy."),
      config->path, config->python, death);
  return FALSE;
}

/* Makes a worker with the plugin loaded and initialised. */
NdaPyWorker *
nda_py_worker_open (const NdaPyRunnerConfig * config, GError ** error)
{
  NdaPyWorker *self = nda_py_worker_new (config, error);

  if (!self || nda_py_worker_load (self, error))
    return self;
  nda_py_worker_log (self, -1, 0);      /* what it had to say */
  nda_py_worker_unref (self);
  return NULL;
}

/* Sets a parameter. Returns what went wrong (transfer full), or NULL. */
gchar *
nda_py_worker_set_parameter (NdaPyWorker * self, const gchar * key,
    const gchar * value)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "set", key, value, NULL);

  if (!answer)
    return nda_py_process_describe_death (&self->process);
  return answer[1] && *answer[1] ? g_strdup (answer[1]) : NULL;
}

/* A parameter as text (transfer full), "" when it is not known. */
gchar *
nda_py_worker_get_parameter (NdaPyWorker * self, const gchar * key)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "get", key, NULL);

  return g_strdup (answer && answer[1] ? answer[1] : "");
}

/* What the plugin says of itself now. */
void
nda_py_worker_get_facts (NdaPyWorker * self, NdaPyFacts * facts)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "facts", NULL);

  *facts = (NdaPyFacts) {
  0};
  if (!answer || g_strv_length (answer) < 3)
    return;
  facts->latency = g_ascii_strtoull (answer[1], NULL, 10);
  facts->n_channels = g_ascii_strtoull (answer[2], NULL, 10);
}

/* stop (), beside a block call perhaps. */
void
nda_py_worker_stop (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "stop", NULL);

  (void) answer;
}

/* Sends a SystemExit to the block call. */
void
nda_py_worker_interrupt (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "interrupt", NULL);

  (void) answer;
}

/* shutdown (), after which the process ends by itself. */
void
nda_py_worker_shut_down (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "shut-down", NULL);

  (void) answer;
}

/* --- blocks ------------------------------------------------------------- */

static void
set_start_error (NdaPyWorker * self, GError ** error)
{
  g_autofree gchar *kind = nda_py_shared_block_take_texts (&self->block);
  const gchar *name = kind + strlen (kind) + 1;
  g_autofree gchar *death = NULL;

  if (!nda_py_process_is_dead (&self->process)) {
    set_problem (self, kind, name, name + strlen (name) + 1, error);
    return;
  }
  death = nda_py_process_describe_death (&self->process);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The process of the plugin “%s” ended in its start (): %s"),
      self->config->path, death);
}

/* Whether the process has answered; one that takes longer than @timeout is
 * killed. */
static gboolean
has_answered (NdaPyWorker * self, NdaPySharedOutcome outcome,
    GstClockTime timeout)
{
  if (outcome == NDA_PY_SHARED_LATE)
    nda_py_process_kill_late (&self->process, timeout);
  return outcome == NDA_PY_SHARED_ANSWERED;
}

/* Configures and starts the plugin, on the process's block thread. */
gboolean
nda_py_worker_start (NdaPyWorker * self, NdaPyFormat * format, GError ** error)
{
  NdaPySharedOutcome outcome = nda_py_shared_block_start (&self->block, format,
      self->process.end_fd, START_TIMEOUT);

  if (has_answered (self, outcome, START_TIMEOUT)
      && self->block.result == NDA_PY_CALL_OK)
    return TRUE;
  set_start_error (self, error);
  return FALSE;
}

/* Makes one block call. What comes back is taken only from a process that has
 * answered: of one that died or hung, nothing is. DEAD where there is nobody to
 * make it. */
NdaPyCallResult
nda_py_worker_call (NdaPyWorker * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  GstClockTime deadline = self->config->deadline;
  /* a sink is shown a short last block as it is (6.1.7) */
  guint n_shown = self->config->role == NDA_PY_ROLE_SINK ? n_frames :
      self->block.format.n_frames;
  NdaPySharedOutcome outcome = nda_py_shared_block_call (&self->block, in, out,
      n_frames, n_shown, is_gated, self->process.end_fd, deadline);

  return has_answered (self, outcome, deadline) ? self->block.result :
      NDA_PY_CALL_DEAD;
}

/* What befell the plugin when its process died of @death (transfer full). */
gchar *
nda_py_worker_describe_end (const NdaPyRunnerConfig * config,
    const gchar * death)
{
  return g_strdup_printf (_("The process of the plugin “%s” has ended: %s"),
      config->path, death);
}

/* Why the last block call had this @result (transfer full). */
gchar *
nda_py_worker_describe_failure (NdaPyWorker * self, NdaPyCallResult result)
{
  g_autofree gchar *reason = NULL;

  if (result == NDA_PY_CALL_DEAD) {
    reason = nda_py_process_describe_death (&self->process);
    return nda_py_worker_describe_end (self->config, reason);
  }
  if (result == NDA_PY_CALL_FAILED)
    reason = nda_py_shared_block_take_text (&self->block);
  return nda_py_problem_describe_failure (self->config->path,
      self->config->role, reason);
}

/* --- in the place of another -------------------------------------------- */

/* Sets the parameters that the plugin took last. Returns how often they had
 * changed by then. */
guint
nda_py_worker_set_again (NdaPyWorker * self)
{
  guint n_told;
  g_autoptr (GPtrArray) parameters =
      nda_py_last_parameters_copy (self->config->last, &n_told);

  for (guint i = 0; i < parameters->len; i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);

    g_free (nda_py_worker_set_parameter (self, p->key, p->value));
  }
  return n_told;
}

/* Starts the plugin, which must start as the one @before did. */
gboolean
nda_py_worker_start_again (NdaPyWorker * self, const NdaPyFormat * before,
    GError ** error)
{
  NdaPyFormat format = *before;

  if (!nda_py_worker_start (self, &format, error))
    return FALSE;
  if (nda_py_problem_check_format (self->config->path, before, &format, error))
    return TRUE;
  nda_py_worker_stop (self);
  return FALSE;
}
