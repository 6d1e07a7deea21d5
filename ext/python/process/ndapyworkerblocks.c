/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The calls of the worker's block thread, and a worker that takes the place of
 * another. */

#include "config.h"

#include "ndapyworkerpriv.h"

#include "ndapyproblem.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* --- blocks ------------------------------------------------------------- */

static void
set_start_error (NdaPyWorker * self, GError ** error)
{
  gchar *texts[3];
  g_autofree gchar *death = NULL;

  if (!nda_py_process_is_dead (self->process)) {
    nda_py_shared_block_take_texts (&self->block, texts);
    nda_py_problem_set_told (error, self->config->path, texts[0], texts[1],
        texts[2]);
    for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
      g_free (texts[i]);
    return;
  }
  death = nda_py_worker_describe_death (self);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The process of the plugin “%s” ended in its start (): %s"),
      self->config->path, death);
}

/* Whether the process has answered. It is killed if it takes longer for @call
 * than @timeout, the value of @property, or if it answers something else. */
static gboolean
has_answered (NdaPyWorker * self, NdaPySharedOutcome outcome,
    const gchar * call, GstClockTime timeout, const gchar * property)
{
  if (outcome == NDA_PY_SHARED_LATE) {
    g_atomic_int_set (&self->is_late, TRUE);
    nda_py_process_kill_late (self->process, call, timeout, property);
  }
  if (outcome == NDA_PY_SHARED_LIED)
    nda_py_process_kill (self->process, _("it answers what was not asked"));
  if (outcome == NDA_PY_SHARED_ENDED)
    nda_py_worker_end_silent (self);
  return outcome == NDA_PY_SHARED_ANSWERED;
}

/* Configures and starts the plugin, on the process's block thread. */
gboolean
nda_py_worker_start (NdaPyWorker * self, NdaPyFormat * format, GError ** error)
{
  NdaPySharedOutcome outcome;

  nda_py_worker_set_preparing (self, TRUE);
  outcome = nda_py_shared_block_start (&self->block, self->config->role, format,
      self->process->end_fd, self->config->timeout);
  nda_py_worker_set_preparing (self, FALSE);
  if (has_answered (self, outcome, "start ()", self->config->timeout, "timeout")
      && self->block.result == NDA_PY_CALL_OK) {
    self->is_first_call = TRUE;
    return TRUE;
  }
  set_start_error (self, error);
  return FALSE;
}

/* The first call after a start may compile, and may take as long as a start. A
 * later call in a group is not late while another member is prepared. */
static NdaPySharedOutcome
call (NdaPyWorker * self, const NdaPyAudio * in, const NdaPyAudio * out,
    guint n_frames, gboolean is_gated, GstClockTime timeout)
{
  gboolean is_first = self->is_first_call;
  /* a sink gets a short last block as it is (6.1.7) */
  guint n_shown = self->config->role == NDA_PY_ROLE_SINK ? n_frames :
      self->block.format.n_frames;
  NdaPySharedOutcome outcome;

  if (G_UNLIKELY (is_first))
    nda_py_worker_set_preparing (self, TRUE);
  else if (self->group)
    self->block.excuse = nda_py_group_get_n_preparing (self->group);
  outcome = nda_py_shared_block_call (&self->block, in, out, n_frames, n_shown,
      is_gated, self->process->end_fd, timeout);
  self->block.excuse = NULL;
  if (G_UNLIKELY (is_first))
    nda_py_worker_set_preparing (self, FALSE);
  return outcome;
}

/* Makes one block call. Takes data only from a process that has answered, and
 * none from a process that died or hung. DEAD: there is no process. */
NdaPyCallResult
nda_py_worker_call (NdaPyWorker * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  GstClockTime deadline = self->config->deadline;
  gboolean is_first = self->is_first_call && deadline;
  GstClockTime timeout = is_first ? MAX (self->config->timeout, deadline) :
      deadline;
  NdaPySharedOutcome outcome;

  g_atomic_int_set (&self->is_calling, TRUE);
  outcome = call (self, in, out, n_frames, is_gated, timeout);
  if (!has_answered (self, outcome, is_first ? _("the first block call") :
          _("a block call"), timeout, is_first ? "timeout" : "deadline"))
    return NDA_PY_CALL_DEAD;
  self->is_first_call = FALSE;
  g_atomic_int_set (&self->is_calling, FALSE);
  return self->block.result;
}

/* Tells the plugin that the next block does not follow the last one. */
void
nda_py_worker_reset (NdaPyWorker * self)
{
  NdaPySharedOutcome outcome;

  g_atomic_int_set (&self->is_calling, TRUE);
  outcome = nda_py_shared_block_reset (&self->block, self->process->end_fd,
      self->config->timeout);
  if (has_answered (self, outcome, "reset ()", self->config->timeout,
          "timeout"))
    g_atomic_int_set (&self->is_calling, FALSE);
}

/* How many frames the last call of a source gave, if it ENDED. */
guint
nda_py_worker_get_n_last (NdaPyWorker * self)
{
  return self->block.n_last;
}

/* Whether the process was killed, and did not end by itself. */
gboolean
nda_py_worker_was_late (NdaPyWorker * self)
{
  return !nda_py_process_died_by_itself (self->process);
}

/* Limits the first call after the start to the time of any other call. */
void
nda_py_worker_skip_first_call (NdaPyWorker * self)
{
  self->is_first_call = FALSE;
}

/* Describes the end of a process that died of @death (transfer full). */
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
  g_autofree gchar *text = NULL;

  if (result == NDA_PY_CALL_DEAD) {
    text = nda_py_worker_describe_death (self);
    return nda_py_worker_describe_end (self->config, text);
  }
  text = nda_py_shared_block_take_text (&self->block);
  return nda_py_problem_describe_failure (self->config->path,
      self->config->role, result, text);
}

/* --- in the place of another -------------------------------------------- */

/* Drops a parameter that ends each process, so that no further process gets
 * it. */
static void
drop_parameter (NdaPyWorker * self, const NdaPyParameter * parameter,
    const gchar * problem)
{
  const NdaPyRunnerConfig *config = self->config;
  g_autofree gchar *text = g_strdup_printf (_("%s: %s. The parameter is not "
          "set again."), parameter->key, problem);

  nda_py_last_parameters_drop (config->last, parameter->key);
  config->refused (config->owner, text);
}

/* Sets the parameters that the plugin accepted last. Returns the number of
 * changes that they include. */
guint
nda_py_worker_set_again (NdaPyWorker * self)
{
  guint n_told;
  g_autoptr (GPtrArray) parameters =
      nda_py_last_parameters_copy (self->config->last, &n_told);

  for (guint i = 0; i < parameters->len
      && !nda_py_process_is_dead (self->process); i++) {
    NdaPyParameter *p = g_ptr_array_index (parameters, i);
    g_autofree gchar *problem =
        nda_py_worker_set_parameter (self, p->key, p->value);

    if (problem && nda_py_worker_died_setting (self))
      drop_parameter (self, p, problem);
  }
  return n_told;
}

/* Starts the plugin, which must start with the same format as the one
 * @before. */
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
