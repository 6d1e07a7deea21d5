/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LOCKS. Each job has a lock of its own, which is never held together with the
 * GIL. */

#include "config.h"

#include "ndapyjob.h"

#include "ndapygil.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

/* How long a job waits for the GIL */
#define GIL_TIMEOUT (2 * G_TIME_SPAN_SECOND)

enum
{
  JOB_WAITING,                  /* for the GIL */
  JOB_RUNNING,
  JOB_DONE,
  JOB_ABANDONED,                /* whoever asked has gone */
};

typedef struct
{
  NdaPyJob job;
  gpointer data;

  gint state;                   /* [atomic] the way out of JOB_WAITING */
  gint ref_count;               /* [atomic] whoever asked, and its thread */
  GMutex lock;
  GCond cond;                   /* the job is done */
} Job;

static void
job_unref (Job * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

static gpointer
nda_py_job_thread (gpointer data)
{
  Job *self = data;
  gboolean entered = nda_py_gil_enter ();

  if (entered) {
    if (g_atomic_int_compare_and_exchange (&self->state, JOB_WAITING,
            JOB_RUNNING))
      self->job (self->data);
    nda_py_gil_leave ();
  }
  g_mutex_lock (&self->lock);
  if (entered)
    g_atomic_int_compare_and_exchange (&self->state, JOB_RUNNING, JOB_DONE);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  job_unref (self);
  return NULL;
}

/* Waits until @self is done, or Python gone, or the GIL not to be had. */
static gboolean
job_wait (Job * self)
{
  gint64 deadline = g_get_monotonic_time () + GIL_TIMEOUT;
  gboolean given_up = FALSE;

  g_mutex_lock (&self->lock);
  while (g_atomic_int_get (&self->state) != JOB_DONE && !given_up) {
    gint64 now = g_get_monotonic_time ();

    if (now >= deadline || nda_py_gil_is_gone ())
      given_up = nda_py_gil_is_gone ()
          || g_atomic_int_compare_and_exchange (&self->state, JOB_WAITING,
          JOB_ABANDONED);
    if (!given_up)
      g_cond_wait_until (&self->cond, &self->lock,
          now + 100 * G_TIME_SPAN_MILLISECOND);
  }
  g_mutex_unlock (&self->lock);
  return !given_up;
}

/* Runs @job on a thread of its own with the GIL held and waits for it; for
 * the GIL no longer than GIL_TIMEOUT. When this fails, @job was not
 * run, or Python was finalised under it. The caller must not hold the GIL. */
gboolean
nda_py_job_run (NdaPyJob job, gpointer data, GError ** error)
{
  Job *self = g_new0 (Job, 1);
  gboolean done;

  self->job = job;
  self->data = data;
  self->state = JOB_WAITING;
  self->ref_count = 2;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_thread_unref (g_thread_new ("nda-python-job", nda_py_job_thread, self));

  done = job_wait (self);
  job_unref (self);
  if (done)
    return TRUE;

  if (nda_py_gil_check (error))
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("Something else in this process keeps Python's lock for itself, for "
            "more than %d seconds. Run the program with GST_DEBUG=2 to find "
            "a GStreamer plugin that started Python and failed."),
        (gint) (GIL_TIMEOUT / G_TIME_SPAN_SECOND));
  return FALSE;
}
