/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyinprocess.h"

#include "ndapygil.h"
#include "ndapyjob.h"
#include "ndapyplugin.h"
#include "ndapython.h"

typedef struct
{
  NdaPyRunnerConfig *config;    /* owned */
  NdaPyRunner *runner;
  GError *error;
} OpenJob;

static void
nda_py_inprocess_open_job (gpointer data)
{
  OpenJob *job = data;

  job->runner = nda_py_plugin_load (&nda_py_inprocess_kind, job->config,
      &job->error);
}

static NdaPyRunner *
nda_py_inprocess_open (const NdaPyRunnerConfig * config, GError ** error)
{
  const NdaPyPatience patience = { config->path, config->timeout,
    config->is_closing
  };
  NdaPyRunner *runner;
  OpenJob *job;

  if (!nda_python_start (error))
    return NULL;
  job = g_new0 (OpenJob, 1);
  job->config = nda_py_runner_config_copy (config);
  if (!nda_py_job_run (nda_py_inprocess_open_job, job, &patience, error))
    return NULL;
  runner = job->runner;
  if (job->error)
    g_propagate_error (error, job->error);
  nda_py_runner_config_free (job->config);
  g_free (job);
  return runner;
}

static void
nda_py_inprocess_interrupt_job (gpointer data)
{
  nda_py_plugin_set_interrupt (data, TRUE);
}

static void
nda_py_inprocess_forget_job (gpointer data)
{
  nda_py_plugin_set_interrupt (data, FALSE);
}

/* Runs a job, which holds a reference to the runner. */
static void
run_with (NdaPyRunner * self, NdaPyJob job)
{
  nda_py_runner_ref (self);
  if (nda_py_runner_run (self, job, self, NULL))
    nda_py_runner_unref (self);
}

static void
nda_py_inprocess_interrupt (NdaPyRunner * self)
{
  run_with (self, nda_py_inprocess_interrupt_job);
}

static void
nda_py_inprocess_forget_interrupt (NdaPyRunner * self)
{
  run_with (self, nda_py_inprocess_forget_job);
}

const NdaPyRunnerKind nda_py_inprocess_kind = {
  .open = nda_py_inprocess_open,
  .starts_on_block_thread = TRUE,       /* as plugins expect (4.1, 9.1) */

  .run = nda_py_job_run,
  .enter = nda_py_gil_enter,
  .leave = nda_py_gil_leave,
  .quicken_thread = nda_python_quicken_thread,
  .check = nda_py_gil_check,

  .close = nda_py_plugin_close,
  .start = nda_py_plugin_start,
  .stop = nda_py_plugin_stop,
  .set_parameter = nda_py_plugin_set_parameter,
  .get_parameter = nda_py_plugin_get_parameter,
  .get_facts = nda_py_plugin_get_facts,
  .describe = nda_py_plugin_describe,
  .reset = nda_py_plugin_reset,
  .call = nda_py_plugin_call,
  .take_error = nda_py_plugin_take_error,
  .collect_garbage = nda_py_plugin_collect_garbage,

  .interrupt = nda_py_inprocess_interrupt,
  .forget_interrupt = nda_py_inprocess_forget_interrupt,
};
