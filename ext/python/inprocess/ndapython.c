/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* THREADS. The interpreter is started on a thread of its own, which Python
 * takes for its main thread and which then sleeps for the life of the process:
 * an application's thread may end, and plugins never run on this one, so none
 * of them can install a signal handler. Plugins' slow calls (loading, stop,
 * parameters) run on short-lived job threads; block calls on the streaming
 * threads of the elements. A streaming thread gets its Python thread state at
 * its first call and keeps it until it ends.
 *
 * LOCKS. start_lock: the way from no interpreter to a running one; taken by a
 * thread that does not hold the GIL. Each job has a lock of its own, which is
 * never held together with the GIL.
 *
 * STOP. Python may be finalised under us by the application it belongs to.
 * Its atexit hook sets `gone`, gives up the GIL and waits until nobody is
 * inside; from then on nda_python_enter () refuses. */

#include <Python.h>

#include "config.h"

#include "ndapython.h"

#include "ndapyembed.h"
#include "ndapylog.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <dlfcn.h>
#include <signal.h>
#include <sys/prctl.h>

/* How long the atexit hook waits for plugin calls to end */
#define GONE_TIMEOUT (1 * G_TIME_SPAN_SECOND)
#define TIMER_SLACK_NS 1

static GMutex start_lock;
static gboolean started;        /* [start lock] */
static gboolean is_ours;        /* [start lock] until started, then [const] */

static gint n_inside;           /* [atomic] threads in or before Python */
static gint gone;               /* [atomic] Python was finalised */

static void release_thread_state (gpointer thread_state);

/* The thread state of a thread of ours, kept for the thread's life */
static GPrivate kept_state = G_PRIVATE_INIT (release_thread_state);

static PyThreadState *
current_state (void)
{
#if PY_VERSION_HEX >= 0x030D0000
  return PyThreadState_GetUnchecked ();
#else
  return _PyThreadState_UncheckedGet ();
#endif
}

gboolean
nda_python_is_gone (void)
{
  return g_atomic_int_get (&gone);
}

/* What to tell the user then (transfer full). */
GError *
nda_python_gone_error (void)
{
  return g_error_new_literal (GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SHUTDOWN,
      _("Python has ended. Stop the pipeline before the program's Python "
          "does."));
}

/* Takes the GIL on a streaming or job thread. FALSE when there is no Python
 * any more; else nda_python_leave () must follow. */
gboolean
nda_python_enter (void)
{
  PyThreadState *state = g_private_get (&kept_state);

  g_atomic_int_inc (&n_inside);
  if (g_atomic_int_get (&gone)) {
    g_atomic_int_add (&n_inside, -1);
    return FALSE;
  }
  if (G_LIKELY (state != NULL)) {
    PyEval_RestoreThread (state);
    return TRUE;
  }
  /* a thread that Python made keeps its own state, and the count in it */
  if (PyGILState_GetThisThreadState () == NULL) {
    PyGILState_Ensure ();
    g_private_set (&kept_state, PyThreadState_Get ());
  } else {
    PyGILState_Ensure ();
  }
  return TRUE;
}

void
nda_python_leave (void)
{
  if (G_LIKELY (g_private_get (&kept_state) != NULL))
    PyEval_SaveThread ();
  else
    PyGILState_Release (PyGILState_UNLOCKED);
  g_atomic_int_add (&n_inside, -1);
}

/* The thread ends: so does its thread state, which must be the current one
 * for that. Not through PyGILState, whose own note of this thread may be gone
 * already. */
static void
release_thread_state (gpointer state)
{
  g_atomic_int_inc (&n_inside);
  if (!g_atomic_int_get (&gone)) {
    PyEval_RestoreThread (state);
    PyThreadState_Clear (state);
    PyThreadState_DeleteCurrent ();
  }
  g_atomic_int_add (&n_inside, -1);
}

/* Gives up the GIL where this thread holds it, as a Python application does
 * that calls us through ctypes or from a synchronous handler. Returns what
 * nda_python_resume () wants back. */
gpointer
nda_python_pause (void)
{
  PyThreadState *mine;

  if (!Py_IsInitialized () || nda_python_is_gone ())
    return NULL;
  mine = PyGILState_GetThisThreadState ();
  if (!mine || mine != current_state ())
    return NULL;
  return PyEval_SaveThread ();
}

void
nda_python_resume (gpointer paused)
{
  if (paused)
    PyEval_RestoreThread (paused);
}

/* Called at Python's exit, GIL held. */
static PyObject *
on_python_exit (PyObject * self, PyObject * unused)
{
  gint64 deadline = g_get_monotonic_time () + GONE_TIMEOUT;

  g_atomic_int_set (&gone, TRUE);
  Py_BEGIN_ALLOW_THREADS;
  while (g_atomic_int_get (&n_inside) && g_get_monotonic_time () < deadline)
    g_usleep (1000);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

static gboolean
watch_python_exit (void)
{
  static PyMethodDef hook =
      { "nda_python_exit", on_python_exit, METH_NOARGS, NULL };
  PyObject *atexit = PyImport_ImportModule ("atexit");
  PyObject *function = PyCFunction_New (&hook, NULL);
  PyObject *result = NULL;

  if (atexit && function)
    result = PyObject_CallMethod (atexit, "register", "O", function);
  Py_XDECREF (atexit);
  Py_XDECREF (function);
  Py_XDECREF (result);
  return result != NULL;
}

/* Makes libpython's symbols visible to extension modules, which are not linked
 * to it on Debian. GStreamer opens its plugins locally. */
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

/* The virtual environment that VIRTUAL_ENV selects, if it is one of this
 * Python; another's packages cannot be used in this process. */
static gchar *
find_virtual_environment (void)
{
  const gchar *root = g_getenv ("VIRTUAL_ENV");
  g_autofree gchar *version =
      g_strdup_printf ("python%d.%d", PY_MAJOR_VERSION, PY_MINOR_VERSION);
  g_autofree gchar *packages = NULL;
  g_autofree gchar *python = NULL;

  if (!root || !*root)
    return NULL;
  packages = g_build_filename (root, "lib", version, "site-packages", NULL);
  python = g_build_filename (root, "bin", "python3", NULL);
  if (g_file_test (packages, G_FILE_TEST_IS_DIR)
      && g_file_test (python, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&python);
  GST_WARNING
      ("The virtual environment “%s” is not one of %s and is not used",
      root, version);
  return NULL;
}

/* The interpreter (transfer full): the virtual environment's or the system's,
 * never what Python's own search along PATH finds, which may be anybody's. */
gchar *
nda_python_find_executable (void)
{
  gchar *environment = find_virtual_environment ();

  return environment ? environment : g_strdup (NDA_PYTHON_EXECUTABLE);
}

static PyStatus
initialise_with (PyConfig * config)
{
  g_autofree gchar *executable = nda_python_find_executable ();
  PyStatus status;

  status = PyConfig_SetBytesString (config, &config->executable, executable);
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

static gboolean
prepare (GError ** error)
{
  g_autofree gchar *reason = NULL;

  if (watch_python_exit () && nda_py_embed_start (is_ours))
    return TRUE;
  reason = nda_py_embed_take_error ();
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("Python does not start: %s"), reason);
  return FALSE;
}

/* --- jobs --------------------------------------------------------------- */

enum
{
  JOB_WAITING,                  /* for the GIL */
  JOB_RUNNING,
  JOB_DONE,
  JOB_ABANDONED,                /* whoever asked has gone */
};

typedef struct
{
  NdaPythonJob job;
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
job_thread (gpointer data)
{
  Job *self = data;
  gboolean entered = nda_python_enter ();

  if (entered) {
    if (g_atomic_int_compare_and_exchange (&self->state, JOB_WAITING,
            JOB_RUNNING))
      self->job (self->data);
    nda_python_leave ();
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
  gint64 deadline = g_get_monotonic_time () + NDA_PYTHON_TIMEOUT;
  gboolean given_up = FALSE;

  g_mutex_lock (&self->lock);
  while (g_atomic_int_get (&self->state) != JOB_DONE && !given_up) {
    gint64 now = g_get_monotonic_time ();

    if (now >= deadline || nda_python_is_gone ())
      given_up = nda_python_is_gone ()
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
 * the GIL no longer than NDA_PYTHON_TIMEOUT. When this fails, @job was not
 * run, or Python was finalised under it. The caller must not hold the GIL. */
gboolean
nda_python_run (NdaPythonJob job, gpointer data, GError ** error)
{
  Job *self = g_new0 (Job, 1);
  gboolean done;

  self->job = job;
  self->data = data;
  self->state = JOB_WAITING;
  self->ref_count = 2;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_thread_unref (g_thread_new ("nda-python-job", job_thread, self));

  done = job_wait (self);
  job_unref (self);
  if (done)
    return TRUE;

  if (nda_python_is_gone ())
    g_propagate_error (error, nda_python_gone_error ());
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("Something else in this process keeps Python's lock for itself, for "
            "more than %d seconds. Run the program with GST_DEBUG=2 to find "
            "a GStreamer plugin that started Python and failed."),
        (gint) (NDA_PYTHON_TIMEOUT / G_TIME_SPAN_SECOND));
  return FALSE;
}

/* --- start -------------------------------------------------------------- */

typedef struct
{
  GError *error;
  gboolean done;                /* [lock] */
  GMutex lock;
  GCond cond;
} Start;

/* Python's main thread. */
static gpointer
interpreter_thread (gpointer data)
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
start_ours (GError ** error)
{
  Start start = { NULL };

  is_ours = TRUE;
  promote_libpython ();
  g_mutex_init (&start.lock);
  g_cond_init (&start.cond);
  g_thread_unref (g_thread_new ("nda-python", interpreter_thread, &start));
  g_mutex_lock (&start.lock);
  while (!start.done)
    g_cond_wait (&start.cond, &start.lock);
  g_mutex_unlock (&start.lock);
  g_mutex_clear (&start.lock);
  g_cond_clear (&start.cond);
  if (!start.error)
    return TRUE;
  g_propagate_error (error, start.error);
  return FALSE;
}

static void
adopt_job (gpointer data)
{
  prepare (data);
}

static gboolean
adopt (GError ** error)
{
  GError *failure = NULL;

  is_ours = FALSE;
  promote_libpython ();
  GST_INFO ("The program's own Python hosts the plugins, and its threads hold "
      "them up; isolation=process keeps them apart");
  if (!nda_python_run (adopt_job, &failure, error))
    return FALSE;
  if (!failure)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

/* Starts Python, or adopts the one that runs. Any thread, any number of times;
 * the caller does not hold the GIL. */
gboolean
nda_python_start (GError ** error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&start_lock);

  nda_py_log_init ();
  if (started)
    return TRUE;
  if (!check_version (error))
    return FALSE;
  started = Py_IsInitialized ()? adopt (error) : start_ours (error);
  return started;
}

/* The GIL's timed wait is rounded up by the kernel's timer slack, 50 us. Only
 * where the interpreter is ours. */
void
nda_python_quicken_thread (void)
{
  const gchar *choice = g_getenv ("NDA_PYTHON_TIMER_SLACK");

  if (is_ours && g_strcmp0 (choice, "default"))
    prctl (PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}
