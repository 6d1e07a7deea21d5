/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. The interpreter starts on a separate thread, which becomes Python's
 * main thread and then sleeps for the life of the process. An application's
 * thread would not do, since it may end. Plugins never run on Python's main
 * thread, so no plugin can install a signal handler.
 *
 * LOCKS. start_lock guards the start of the interpreter. The thread that takes
 * it does not hold the GIL. */

#include <Python.h>

#include "config.h"

#include "ndapython.h"

#include "ndapyembed.h"
#include "ndapygil.h"
#include "ndapyjob.h"
#include "ndapylog.h"
#include "ndapypaths.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define TIMER_SLACK_NS 1

/* How long Python may take to start, which runs the code of site-packages */
#define START_LIMIT (30 * GST_SECOND)

static GMutex start_lock;
static gboolean started;        /* [start lock] */
static gboolean is_ours;        /* [start lock] until started, then [const] */
static gboolean is_stuck;       /* [start lock] a start did not return */

/* Makes libpython's symbols visible to extension modules, which on Debian are
 * not linked to libpython. They are invisible otherwise, since GStreamer opens
 * its plugins with local symbols. */
static void
promote_libpython (void)
{
  Dl_info info;

  if (dladdr ((gpointer) Py_GetVersion, &info) && info.dli_fname)
    dlopen (info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

static gboolean
check_version (GError ** error)
{
  g_autofree gchar *ours =
      g_strdup_printf ("%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);

  if (g_str_has_prefix (Py_GetVersion (), ours))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("This process runs Python %.8s, but nda was built for Python %s. Run "
          "it with %s, or build nda for that Python."),
      Py_GetVersion (), PY_VERSION, NDA_PYTHON_EXECUTABLE);
  return FALSE;
}

/* Where the standard library of libpython is (transfer full), if Python would
 * not look there itself: @executable is of a virtual environment that another
 * installation of the same version has made, such as uv or pyenv. Extension
 * modules of that installation's standard library need its own libpython.
 * Otherwise NULL. */
static gchar *
find_home (const gchar * executable)
{
  g_autofree gchar *ours = g_canonicalize_filename (NDA_PYTHON_EXECUTABLE, "/");
  g_autofree gchar *folder = g_path_get_dirname (ours);
  gchar *behind, *ours_behind;
  gboolean is_ours_too;

  if (g_getenv ("PYTHONHOME"))
    return NULL;
  behind = realpath (executable, NULL);
  ours_behind = realpath (ours, NULL);
  is_ours_too = g_strcmp0 (behind, ours_behind) == 0;
  free (behind);
  free (ours_behind);
  return is_ours_too ? NULL : g_path_get_dirname (folder);
}

static PyStatus
set_paths (PyConfig * config)
{
  g_autofree gchar *executable = nda_py_paths_find_python ();
  g_autofree gchar *home = find_home (executable);
  PyStatus status =
      PyConfig_SetBytesString (config, &config->executable, executable);

  if (!PyStatus_Exception (status) && home)
    status = PyConfig_SetBytesString (config, &config->home, home);
  return status;
}

static PyStatus
initialise_with (PyConfig * config)
{
  PyStatus status = set_paths (config);

  if (PyStatus_Exception (status))
    return status;
  config->parse_argv = 0;
  config->install_signal_handlers = 0;
  return Py_InitializeFromConfig (config);
}

static gboolean
initialise (GError ** error)
{
  PyPreConfig preconfig;
  PyConfig config;
  PyStatus status;

  PyPreConfig_InitPythonConfig (&preconfig);
  preconfig.utf8_mode = 1;
  preconfig.configure_locale = 0;       /* the application's affair */
  preconfig.coerce_c_locale = 0;
  preconfig.coerce_c_locale_warn = 0;
  status = Py_PreInitialize (&preconfig);
  if (!PyStatus_Exception (status)) {
    PyConfig_InitPythonConfig (&config);
    status = initialise_with (&config);
    PyConfig_Clear (&config);
  }
  if (!PyStatus_Exception (status))
    return TRUE;

  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("Python does not start: %s. Check the environment variables "
          "PYTHONHOME and PYTHONPATH."),
      status.err_msg ? status.err_msg : "no reason given");
  return FALSE;
}

/* Loads NumPy, which every plugin needs; one that does not find it says so.
 * NumPy loads OpenSSL, which frees what it has for a thread when that thread
 * ends. A streaming thread may end while the program does, when OpenSSL itself
 * has ended. It crashes then, so no streaming thread may be the first to load
 * NumPy. */
static void
load_numpy (void)
{
  PyObject *numpy = PyImport_ImportModule ("numpy");

  if (!numpy)
    PyErr_Clear ();
  Py_XDECREF (numpy);
}

static gboolean
prepare (GError ** error)
{
  g_autofree gchar *reason = NULL;

  if (nda_py_gil_watch_exit () && nda_py_embed_start (is_ours)) {
    load_numpy ();
    return TRUE;
  }
  reason = nda_py_embed_take_error ();
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("Python does not start: %s"), reason);
  return FALSE;
}

/* --- start -------------------------------------------------------------- */

static gboolean
set_stuck (GError ** error)
{
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("Python has not started within %d seconds. See what its "
          "site-packages run at its start (sitecustomize.py, *.pth)."),
      (gint) (START_LIMIT / GST_SECOND));
  return FALSE;
}

typedef struct
{
  GError *error;
  gboolean done;                /* [lock] */
  GMutex lock;
  GCond cond;
} Start;

static void
start_free (Start * self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

/* Python's main thread. */
static gpointer
nda_python_thread (gpointer data)
{
  Start *start = data;
  struct sigaction interrupt;
  gboolean ok;

  sigaction (SIGINT, NULL, &interrupt);
  ok = initialise (&start->error) && prepare (&start->error);
  sigaction (SIGINT, &interrupt, NULL);
  if (Py_IsInitialized ())
    PyEval_SaveThread ();

  g_mutex_lock (&start->lock);
  start->done = TRUE;
  g_cond_signal (&start->cond);
  g_mutex_unlock (&start->lock);
  while (ok)
    g_usleep (G_MAXINT);        /* the thread Python began on never ends */
  return NULL;
}

static gboolean
wait_for_start (Start * self)
{
  gint64 deadline =
      g_get_monotonic_time () + GST_TIME_AS_USECONDS (START_LIMIT);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->done)
    if (!g_cond_wait_until (&self->cond, &self->lock, deadline))
      return FALSE;
  return TRUE;
}

/* Starts our interpreter. If the start does not return, its thread keeps the
 * memory that it uses, and the start is not tried again. */
static gboolean
start_ours (GError ** error)
{
  Start *start = g_new0 (Start, 1);
  GThread *thread;
  gboolean ok;

  is_ours = TRUE;
  promote_libpython ();
  g_mutex_init (&start->lock);
  g_cond_init (&start->cond);
  thread = g_thread_try_new ("nda-python", nda_python_thread, start, error);
  if (thread) {
    g_thread_unref (thread);
    is_stuck = !wait_for_start (start);
  }
  if (is_stuck)
    return set_stuck (error);
  ok = thread && !start->error;
  if (start->error)
    g_propagate_error (error, start->error);
  start_free (start);
  return ok;
}

static void
nda_python_adopt_job (gpointer data)
{
  prepare (data);
}

static gboolean
adopt (GError ** error)
{
  const NdaPyPatience patience = { NULL, START_LIMIT, NULL };
  GError **failure = g_new0 (GError *, 1);
  gboolean ok;

  is_ours = FALSE;
  promote_libpython ();
  GST_INFO ("The program's own Python hosts the plugins, and its threads hold "
      "them up; isolation=process keeps them apart");
  if (!nda_py_job_run (nda_python_adopt_job, failure, &patience, error))
    return FALSE;
  ok = !*failure;
  if (!ok)
    g_propagate_error (error, *failure);
  g_free (failure);
  return ok;
}

/* Starts Python, or uses the interpreter that already runs. Any thread may call
 * this, any number of times, without the GIL. */
gboolean
nda_python_start (GError ** error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&start_lock);

  nda_py_log_init ();
  if (started)
    return TRUE;
  if (is_stuck)
    return set_stuck (error);
  if (!check_version (error))
    return FALSE;
  started = Py_IsInitialized ()? adopt (error) : start_ours (error);
  return started;
}

/* Sets this thread's timer slack to 1 ns: the kernel rounds up the GIL's timed
 * wait by the timer slack, 50 us by default. Does so only if the interpreter is
 * ours. */
void
nda_python_quicken_thread (void)
{
  const gchar *choice = g_getenv ("NDA_PYTHON_TIMER_SLACK");

  if (is_ours && g_strcmp0 (choice, "default"))
    prctl (PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}
