/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LOCKS. Each job has its own lock, which is never held together with the
 * GIL. */

#include "config.h"

#include "ndapyjob.h"

#include "ndapygil.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

/* How long a job waits for the GIL if none of our threads gets it either */
#define GIL_TIMEOUT (2 * G_TIME_SPAN_SECOND)

enum
{
  JOB_WAITING,                  /* for the GIL */
  JOB_RUNNING,
  JOB_DONE,
  JOB_GIVEN_UP,                 /* the caller does not wait any more */
};

typedef struct
{
  NdaPyJob job;
  gpointer data;
  gchar *path;                  /* [const] owned; the plugin, or NULL */
  GstClockTime limit;           /* [const] */
  const gint *is_closing;       /* [const] of the caller, or NULL */

  gint state;                   /* [atomic] */
  const gchar *method;          /* [atomic] interned; it runs this, or NULL */
  gulong thread;                /* [GIL] Python's number; 0: not running */
  gint ref_count;               /* [atomic] the caller's and its thread's */
  GMutex lock;
  GCond cond;                   /* the job is done */
} Job;

/* The job of this thread, or NULL */
static __thread Job *current;

/* Copies @patience, since its owner may end while the job runs. */
static Job *
job_new (NdaPyJob job, gpointer data, const NdaPyPatience * patience)
{
  Job *self = g_new0 (Job, 1);

  self->job = job;
  self->data = data;
  self->path = g_strdup (patience->path);
  self->limit = patience->limit;
  self->is_closing = patience->is_closing;
  self->ref_count = 1;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  return self;
}

static void
job_unref (Job * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self->path);
  g_free (self);
}

/* Notes that the job of this thread calls @method of its plugin. GIL held. */
void
nda_py_job_note_method (const gchar * method)
{
  if (current)
    g_atomic_pointer_set (&current->method, g_intern_string (method));
}

static void
run_job (Job * self)
{
  self->thread = nda_py_gil_get_thread ();
  current = self;
  self->job (self->data);
  current = NULL;
  self->thread = 0;
}

static gpointer
nda_py_job_thread (gpointer data)
{
  Job *self = data;
  gboolean entered = nda_py_gil_enter ();

  if (entered) {
    if (g_atomic_int_compare_and_exchange (&self->state, JOB_WAITING,
            JOB_RUNNING))
      run_job (self);
    nda_py_gil_leave_for_good ();
  }
  g_mutex_lock (&self->lock);
  if (entered)
    g_atomic_int_compare_and_exchange (&self->state, JOB_RUNNING, JOB_DONE);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  job_unref (self);
  return NULL;
}

/* Begins the job on a new thread (transfer full), which owns a reference. */
static GThread *
job_begin (Job * self, GError ** error)
{
  return g_thread_try_new ("nda-python-job", nda_py_job_thread, self, error);
}

/* Ends a loop in Python in a job that was given up. Otherwise the loop would
 * use a processor and its share of the GIL for ever. */
static void
nda_py_job_end_loop (gpointer data)
{
  Job *given_up = data;

  if (given_up->thread)
    nda_py_gil_interrupt (given_up->thread);
  job_unref (given_up);
}

static void
end_loop (Job * self)
{
  const NdaPyPatience nobody_waits = { NULL, 0, NULL };
  Job *ender = job_new (nda_py_job_end_loop, self, &nobody_waits);
  GThread *thread;

  g_atomic_int_inc (&self->ref_count);
  thread = job_begin (ender, NULL);
  if (thread) {
    g_thread_unref (thread);
    return;
  }
  job_unref (ender);
  job_unref (self);
}

/* The caller stops waiting, unless the job is done or has just begun. */
static gboolean
job_give_up (Job * self, gint state)
{
  if (!g_atomic_int_compare_and_exchange (&self->state, state, JOB_GIVEN_UP))
    return FALSE;
  if (state == JOB_RUNNING && !nda_py_gil_is_gone ())
    end_loop (self);
  return TRUE;
}

static gboolean
is_closing (const Job * self)
{
  return self->is_closing && g_atomic_int_get (self->is_closing);
}

/* Waits until @self is done. FALSE: the job is given up, because Python is
 * gone, the GIL cannot be had, the job's limit is over, or its plugin is about
 * to be closed. */
static gboolean
job_wait (Job * self)
{
  gint64 deadline = g_get_monotonic_time () + GIL_TIMEOUT, now;
  gint before = JOB_WAITING, state;
  guint n_entries = nda_py_gil_count_entries (), n;
  gboolean given_up = FALSE;

  g_mutex_lock (&self->lock);
  while ((state = g_atomic_int_get (&self->state)) != JOB_DONE && !given_up) {
    now = g_get_monotonic_time ();
    if (state != before)
      deadline = now + GST_TIME_AS_USECONDS (self->limit);
    else if (state == JOB_WAITING
        && (n = nda_py_gil_count_entries ()) != n_entries) {
      deadline = now + GIL_TIMEOUT;
      n_entries = n;
    }
    before = state;
    if (now >= deadline || nda_py_gil_is_gone () || is_closing (self))
      given_up = job_give_up (self, state);
    else
      g_cond_wait_until (&self->cond, &self->lock,
          MIN (deadline, now + 100 * G_TIME_SPAN_MILLISECOND));
  }
  g_mutex_unlock (&self->lock);
  return !given_up;
}

static void
set_error (Job * self, GError ** error)
{
  const gchar *method = g_atomic_pointer_get (&self->method);

  if (!nda_py_gil_check (error))
    return;
  if (method && is_closing (self))
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
        _("The plugin “%s” is closed, but has not returned from its %s. It "
            "is left behind."), self->path, method);
  else if (method)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
        _("The plugin “%s” has not returned from its %s for %g s, and is "
            "not waited for any longer. See what it waits for, or give it "
            "longer with the property “timeout”."),
        self->path, method, (gdouble) self->limit / GST_SECOND);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("Something else in this process keeps Python's lock for itself, for "
            "more than %d seconds. Run the program with GST_DEBUG=2 to find "
            "a GStreamer plugin that started Python and failed."),
        (gint) (GIL_TIMEOUT / G_TIME_SPAN_SECOND));
}

/* Waits for the job of @thread (transfer full), and until that has ended. A
 * library, such as OpenSSL, may do work at the end of each thread that has used
 * it. If the program ended meanwhile, the memory for that would be gone. */
static gboolean
job_finish (Job * self, GThread * thread, GError ** error)
{
  if (job_wait (self)) {
    g_thread_join (thread);
    return TRUE;
  }
  g_thread_unref (thread);
  set_error (self, error);
  return FALSE;
}

/* Runs @job on a new thread with the GIL held and waits for it: for the GIL no
 * longer than GIL_TIMEOUT, and for the job as long as @patience says. If this
 * fails, @job was not run or is given up, and the job owns @data for good. The
 * caller must not hold the GIL. */
gboolean
nda_py_job_run (NdaPyJob job, gpointer data, const NdaPyPatience * patience,
    GError ** error)
{
  Job *self = job_new (job, data, patience);
  gboolean done = FALSE;
  GThread *thread;

  g_atomic_int_inc (&self->ref_count);
  thread = job_begin (self, error);
  if (thread)
    done = job_finish (self, thread, error);
  else
    job_unref (self);
  job_unref (self);
  return done;
}
