/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyworkerpriv.h"

#include "ndablock.h"
#include "ndapydescendants.h"
#include "ndapydescriptor.h"
#include "ndapypaths.h"
#include "ndapyproblem.h"
#include "ndapystart.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <fcntl.h>

/* The limit for a question that runs none of the plugin's code */
#define INTERRUPT_TIMEOUT (1 * GST_SECOND)
/* The largest values that a plugin can report; ndapyembed.py has the same
 * limits */
#define MAX_LATENCY (3600 * GST_SECOND)
#define MAX_DELAY G_MAXINT      /* frames */

/* --- making and ending -------------------------------------------------- */

/* Opens the descriptors that each member of a group needs too; @theirs
 * (transfer full) are the process's. FALSE, with errno: there are no more
 * descriptors. */
static gboolean
open_own (NdaPyWorker * self, gint * theirs)
{
  return nda_py_questions_open (&self->questions, &theirs[NDA_PY_FD_CONTROL])
      && nda_py_shared_block_open (&self->block, &theirs[NDA_PY_FD_MEMORY],
      &theirs[NDA_PY_FD_BELL], &theirs[NDA_PY_FD_REPLY_BELL]);
}

/* Opens the descriptors of a process that has one plugin. */
static gboolean
open_rest (NdaPyWorker * self, gint * theirs)
{
  if (!nda_py_output_open (&self->output, &theirs[NDA_PY_FD_OUT],
          &theirs[NDA_PY_FD_ERR]))
    return FALSE;
  theirs[NDA_PY_FD_PROGRAM] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  return theirs[NDA_PY_FD_PROGRAM] >= 0;
}

/* Joins a group. Its answers may wait for other plugins, so this side does not
 * poll for them. */
static gboolean
join_group (NdaPyWorker * self, const gint * theirs, GError ** error)
{
  self->group = nda_py_group_join (self->config, self->seat, theirs, error);
  if (!self->group)
    return FALSE;
  self->process = nda_py_group_get_process (self->group);
  self->block.can_spin = FALSE;
  return TRUE;
}

static gboolean
start_with (NdaPyWorker * self, gint * theirs, GError ** error)
{
  gboolean has_group = nda_py_runner_config_has_group (self->config);

  if (!open_own (self, theirs) || (!has_group && !open_rest (self, theirs))) {
    nda_py_start_set_no_resources (error, errno);
    return FALSE;
  }
  if (has_group)
    return join_group (self, theirs, error);
  return nda_py_start_process (self->process, &self->mould, self->config,
      theirs, error);
}

static gboolean
start (NdaPyWorker * self, GError ** error)
{
  gint theirs[NDA_PY_N_FDS];
  gboolean ok;

  for (gint i = 0; i < NDA_PY_N_FDS; i++)
    theirs[i] = -1;
  ok = start_with (self, theirs, error);
  for (gint i = 0; i < NDA_PY_N_FDS; i++)
    nda_py_descriptor_close (&theirs[i]);
  return ok;
}

/* Makes a worker that has loaded no plugin yet, in a process of its own or of
 * its group. @config outlives it, and names the interpreter. Workers of the
 * same @seat can share a process. */
NdaPyWorker *
nda_py_worker_new (const NdaPyRunnerConfig * config, guint seat,
    GError ** error)
{
  NdaPyWorker *self = g_new0 (NdaPyWorker, 1);

  self->ref_count = 1;
  self->config = config;
  self->seat = seat;
  self->process = &self->own_process;
  nda_py_process_init (&self->own_process, config->deadline);
  nda_py_output_init (&self->output);
  nda_py_questions_init (&self->questions, config->is_closing);
  nda_py_shared_block_init (&self->block);
  if (start (self, error))
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

/* Drops a reference. The last one reaps the process, or leaves its group. */
void
nda_py_worker_unref (NdaPyWorker * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  nda_py_questions_close (&self->questions);    /* the process then ends by
                                                 * itself */
  g_clear_pointer (&self->group, nda_py_group_leave);
  nda_py_process_reap (&self->own_process);
  nda_py_questions_clear (&self->questions);
  nda_py_shared_block_clear (&self->block);
  nda_py_output_clear (&self->output);
  nda_py_process_clear (&self->own_process);
  g_clear_pointer (&self->mould, nda_py_mould_unref);
  g_free (self);
}

/* The mould of the process (not owned). NULL: the process was started
 * directly. */
NdaPyMould *
nda_py_worker_get_mould (NdaPyWorker * self)
{
  return self->group ? nda_py_group_get_mould (self->group) : self->mould;
}

/* Logs the output of the process until it has ended, @wake_fd can be read or
 * the time @end is over. */
void
nda_py_worker_log (NdaPyWorker * self, gint wake_fd, gint64 end)
{
  nda_py_output_log (&self->output, self->process->end_fd, wake_fd, end);
}

/* Logs the rest of the output of a process that has ended. */
void
nda_py_worker_log_rest (NdaPyWorker * self)
{
  nda_py_output_log_rest (&self->output);
}

/* Ends the plugin for @reason, whatever it is doing. If it has a process of its
 * own, this ends the process. A group shuts the plugin down as soon as that
 * returns, and its others play on. */
void
nda_py_worker_abandon (NdaPyWorker * self, const gchar * reason)
{
  g_atomic_int_set (&self->is_abandoned, TRUE);
  if (self->group)
    nda_py_questions_abort (&self->questions);  /* others need the process */
  else
    nda_py_process_kill (self->process, reason);
}

void
nda_py_worker_kill (NdaPyWorker * self, const gchar * reason)
{
  nda_py_process_kill (self->process, reason);
}

/* Whether it can do no more work: its process has ended, or its group goes on
 * without it. */
gboolean
nda_py_worker_is_dead (NdaPyWorker * self)
{
  return g_atomic_int_get (&self->is_abandoned)
      || nda_py_process_is_dead (self->process);
}

/* How its process ended, and what that printed last (transfer full). What one
 * of a group prints, others may have printed. */
gchar *
nda_py_worker_describe_death (NdaPyWorker * self)
{
  g_autofree gchar *death = nda_py_process_describe_death (self->process);
  g_autofree gchar *printed =
      self->group ? NULL : nda_py_output_read_last (&self->output);

  if (self->group && g_atomic_int_get (&self->is_abandoned))
    return g_strdup (_("it is not needed any more"));
  if (!printed)
    return g_steal_pointer (&death);
  return g_strdup_printf (_("%s; it printed: %s"), death, printed);
}

guint64
nda_py_worker_get_memory (NdaPyWorker * self)
{
  return nda_py_descendants_get_memory (self->process->pid);
}

/* --- questions ---------------------------------------------------------- */

/* Ends a process that is about to end by itself, or does not answer. */
void
nda_py_worker_end_silent (NdaPyWorker * self)
{
  nda_py_process_wait (self->process, NDA_PY_WORKER_EXIT_TIMEOUT);
  nda_py_process_kill (self->process, _("it does not answer"));
}

/* Whether @answer says that all is well, with @n_texts beside it. */
static gboolean
is_ok (GStrv answer, guint n_texts)
{
  return g_strv_length (answer) == 1 + n_texts && g_str_equal (answer[0], "ok");
}

/* Whether @answer reports a problem, in the form of ndapyembed.py's Problem. */
static gboolean
is_problem (GStrv answer)
{
  return g_strv_length (answer) == 4 && g_str_equal (answer[0], "problem");
}

/* Ends a process that gave no answer to a question that runs @call of the
 * plugin. */
static void
end_unanswering (NdaPyWorker * self, const gchar * call, gboolean is_late)
{
  if (self->group && (g_atomic_int_get (&self->is_abandoned)
          || g_atomic_int_get (self->config->is_closing)))
    return;                     /* others need the process */
  if (is_late)
    g_atomic_int_set (&self->is_late, TRUE);
  if (is_late && g_strcmp0 (call, "set_parameter ()") == 0)
    self->is_late_setting = TRUE;
  if (is_late && call)
    nda_py_process_kill_late (self->process, call, self->config->timeout,
        "timeout");
  else if (g_atomic_int_get (self->config->is_closing))
    nda_py_process_kill (self->process, _("its plugin is closed"));
  else
    nda_py_worker_end_silent (self);
}

/* Sends texts, up to NULL, and waits for the answer (transfer full), which has
 * @n_texts after its “ok”, or is a problem if that is allowed. The limit is the
 * one of @call, a method of the plugin or NULL. NULL: there is no answer, and
 * the process is dead. */
static GStrv G_GNUC_NULL_TERMINATED
ask (NdaPyWorker * self, const gchar * call, guint n_texts, gboolean may_fail,
    ...)
{
  g_auto (GStrv) answer = NULL;
  gboolean is_late = FALSE;
  va_list texts;

  va_start (texts, may_fail);
  answer = nda_py_questions_ask (&self->questions, self->process->end_fd,
      call ? self->config->timeout : INTERRUPT_TIMEOUT, &is_late, texts);
  va_end (texts);
  if (answer && (is_ok (answer, n_texts) || (may_fail && is_problem (answer))))
    return g_steal_pointer (&answer);
  if (answer)
    nda_py_process_kill (self->process, _("it answers what was not asked"));
  else
    end_unanswering (self, call, is_late);
  return NULL;
}

/* Sets @error if an interpreter, or a program in its place, did not get as far
 * as the plugin: the last lines that it printed say why. */
static void
set_no_begin (NdaPyWorker * self, GError ** error)
{
  g_autofree gchar *death = nda_py_worker_describe_death (self);

  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The process of the plugin “%s” under “%s” did not begin: "
          "%s. See GST_DEBUG=ndapython:4, and whether that is Python 3.10 "
          "or later with NumPy."), self->config->path, self->config->python,
      death);
}

/* Tells the others of its group that it runs code now which may take longer
 * than a block call, or that it has done so. */
void
nda_py_worker_set_preparing (NdaPyWorker * self, gboolean is_preparing)
{
  if (self->group)
    nda_py_group_set_preparing (self->group, is_preparing);
}

static gboolean
load (NdaPyWorker * self, GError ** error)
{
  const NdaPyRunnerConfig *config = self->config;
  g_autofree gchar *api = nda_py_paths_find_folder ("api");
  g_autofree gchar *deadline =
      g_strdup_printf ("%" G_GUINT64_FORMAT, config->deadline);
  g_auto (GStrv) answer =
      ask (self, "its module code or initialize ()", 0, TRUE, "load",
      config->path, nda_py_role_name (config->role),
      config->entry ? config->entry : "", api, NDA_PY_SECRET_WORDS, deadline,
      config->sandbox == NDA_PY_SANDBOX_ON && !self->group ? "yes" :
      "no", config->sandbox_folder ? config->sandbox_folder : "", NULL);

  if (!answer) {
    set_no_begin (self, error);
    return FALSE;
  }
  if (is_ok (answer, 0))
    return TRUE;
  nda_py_problem_set_told (error, self->config->path, answer[1], answer[2],
      answer[3]);
  return FALSE;
}

/* Loads and initialises the plugin in the process. */
gboolean
nda_py_worker_load (NdaPyWorker * self, GError ** error)
{
  gboolean ok;

  nda_py_worker_set_preparing (self, TRUE);
  ok = load (self, error);
  nda_py_worker_set_preparing (self, FALSE);
  return ok;
}

/* Whether the process has ended, and perhaps because of another plugin of its
 * group. */
gboolean
nda_py_worker_died_of_others (NdaPyWorker * self)
{
  return self->group && !g_atomic_int_get (&self->is_late)
      && nda_py_process_is_dead (self->process)
      && !g_atomic_int_get (&self->is_abandoned)
      && !g_atomic_int_get (self->config->is_closing);
}

/* @may_go_on tells whether another process may do better. */
static NdaPyWorker *
open_once (const NdaPyRunnerConfig * config, gboolean * may_go_on,
    GError ** error)
{
  NdaPyWorker *self = nda_py_worker_new (config, 0, error);

  *may_go_on = FALSE;
  if (!self || nda_py_worker_load (self, error))
    return self;
  *may_go_on = nda_py_worker_died_of_others (self);
  nda_py_worker_log_rest (self);        /* the rest of its output */
  nda_py_worker_unref (self);
  return NULL;
}

/* Makes a worker with the plugin loaded and initialised. If its group ends
 * meanwhile, it is loaded once more: the fault may be another plugin's. */
NdaPyWorker *
nda_py_worker_open (const NdaPyRunnerConfig * config, GError ** error)
{
  g_autoptr (GError) failure = NULL;
  gboolean may_go_on;
  NdaPyWorker *self = open_once (config, &may_go_on, &failure);

  if (!self && may_go_on) {
    g_clear_error (&failure);
    self = open_once (config, &may_go_on, &failure);
  }
  if (!self)
    g_propagate_error (error, g_steal_pointer (&failure));
  return self;
}

/* Sets a parameter. Returns an error text (transfer full), or NULL. */
gchar *
nda_py_worker_set_parameter (NdaPyWorker * self, const gchar * key,
    const gchar * value)
{
  g_auto (GStrv) answer =
      ask (self, "set_parameter ()", 1, FALSE, "set", key, value, NULL);

  if (!answer)
    return nda_py_process_describe_death (self->process);
  return *answer[1] ? g_utf8_make_valid (answer[1], -1) : NULL;
}

/* A parameter as text (transfer full), "" when it is not known. */
gchar *
nda_py_worker_get_parameter (NdaPyWorker * self, const gchar * key)
{
  g_auto (GStrv) answer =
      ask (self, "get_parameter ()", 1, FALSE, "get", key, NULL);

  return answer ? g_utf8_make_valid (answer[1], -1) : g_strdup ("");
}

/* Reads the facts of the plugin, such as its latency, as they are now. */
void
nda_py_worker_get_facts (NdaPyWorker * self, NdaPyFacts * facts)
{
  g_auto (GStrv) answer =
      ask (self, "get_processing_latency ()", 4, FALSE, "facts", NULL);

  *facts = (NdaPyFacts) {
  0};
  if (!answer)
    return;
  facts->latency = MIN (g_ascii_strtoull (answer[1], NULL, 10), MAX_LATENCY);
  facts->n_channels = MIN (g_ascii_strtoull (answer[2], NULL, 10),
      NDA_BLOCK_MAX_CHANNELS);
  facts->delay = MIN (g_ascii_strtoull (answer[3], NULL, 10), MAX_DELAY);
  facts->is_analyser = g_str_equal (answer[4], "1");
}

/* Returns the plugin's declarations (transfer full), or NULL. */
gchar *
nda_py_worker_describe (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, "its module code", 1, FALSE, "describe",
      NULL);

  return answer && *answer[1] ? g_utf8_make_valid (answer[1], -1) : NULL;
}

/* Whether the process has ended because of the parameter that it was setting:
 * in the setter, and not in a block call at the same time. */
gboolean
nda_py_worker_died_setting (NdaPyWorker * self)
{
  return self->is_late_setting || (!g_atomic_int_get (&self->is_calling)
      && nda_py_process_died_by_itself (self->process)
      && nda_py_shared_block_was_setting (&self->block));
}

/* Calls stop (), perhaps during a block call. FALSE: it did not return. */
gboolean
nda_py_worker_stop (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, "stop ()", 0, FALSE, "stop", NULL);

  return answer != NULL;
}

/* Sends a SystemExit to the block call. */
void
nda_py_worker_interrupt (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, NULL, 0, FALSE, "interrupt", NULL);

  (void) answer;
}

/* Calls shutdown (); the process then ends by itself. FALSE: it did not
 * return. */
gboolean
nda_py_worker_shut_down (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, "shutdown ()", 0, FALSE, "shut-down",
      NULL);

  return answer != NULL;
}
