/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyrunner.h"

#include "ndapylog.h"

NdaPyRunnerConfig *
nda_py_runner_config_copy (const NdaPyRunnerConfig * config)
{
  NdaPyRunnerConfig *copy = g_new (NdaPyRunnerConfig, 1);

  *copy = *config;
  copy->path = g_strdup (config->path);
  copy->entry = g_strdup (config->entry);
  copy->python = g_strdup (config->python);
  copy->sandbox_folder = g_strdup (config->sandbox_folder);
  copy->group = g_strdup (config->group);
  return copy;
}

gboolean
nda_py_runner_config_has_group (const NdaPyRunnerConfig * self)
{
  return self->group && *self->group;
}

void
nda_py_runner_config_free (NdaPyRunnerConfig * self)
{
  g_free (self->path);
  g_free (self->entry);
  g_free (self->python);
  g_free (self->sandbox_folder);
  g_free (self->group);
  g_free (self);
}

void
nda_py_runner_init (NdaPyRunner * self, const NdaPyRunnerKind * kind)
{
  self->kind = kind;
  self->ref_count = 1;
  self->n_last = 0;
}

NdaPyRunner *
nda_py_runner_ref (NdaPyRunner * self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

static void
nda_py_runner_close_job (gpointer data)
{
  NdaPyRunner *self = data;

  self->kind->close (self);
}

/* Drops a reference. The last one shuts the plugin down. FALSE: the plugin
 * cannot be called any more, or its shutdown () does not return; it is
 * abandoned. */
gboolean
nda_py_runner_unref_or_tell (NdaPyRunner * self, GError ** error)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return TRUE;
  return nda_py_runner_run (self, nda_py_runner_close_job, self, error);
}

void
nda_py_runner_unref (NdaPyRunner * self)
{
  g_autoptr (GError) error = NULL;

  if (!nda_py_runner_unref_or_tell (self, &error))
    GST_WARNING ("A plugin is left behind: %s", error->message);
}

/* Runs @job in a place where a plugin of this kind can be called, and waits for
 * it. The caller is outside of Python. */
gboolean
nda_py_runner_kind_run (const NdaPyRunnerKind * kind, NdaPyJob job,
    gpointer data, const NdaPyPatience * patience, GError ** error)
{
  if (kind->run)
    return kind->run (job, data, patience, error);
  job (data);
  return TRUE;
}

gboolean
nda_py_runner_run (NdaPyRunner * self, NdaPyJob job, gpointer data,
    GError ** error)
{
  return nda_py_runner_kind_run (self->kind, job, data, &self->patience, error);
}
