/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* WAITING. Our threads wait for the GIL in a queue (ndapycrossing.h). A thread
 * holds the baton of that queue across Python. The baton excludes nobody: a
 * thread that waits behind a call that hangs goes ahead after a while. A thread
 * takes the baton before the GIL and without any lock of ours, and gives it
 * back when it gives up the GIL.
 *
 * THREADS. A streaming thread gets its Python thread state at its first call
 * and keeps it. When the thread ends, it frees that state itself, while the
 * rest of the thread still exists. A thread that Python made keeps its own
 * thread state.
 *
 * nda frees the state in a destructor like those of C++ thread_local objects. A
 * destructor of a pthread key, which GPrivate uses, runs too late: Python finds
 * the thread's state by a pthread key as well, which may be gone by then.
 * Python's allocators, or a destructor of the plugin that takes the GIL, would
 * find a thread without a state.
 *
 * STOP. The application that owns Python may finalise it while we run. Our
 * atexit hook sets `gone`, gives up the GIL and waits until no thread is
 * inside. From then on nda_py_gil_enter () refuses. */

/* gettid () */
#define _GNU_SOURCE

#include <Python.h>

#include "config.h"

#include "ndapygil.h"

#include "ndapycrossing.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

#include <unistd.h>

/* How long the atexit hook waits for plugin calls to end */
#define GONE_TIMEOUT (1 * G_TIME_SPAN_SECOND)

static gint n_inside;           /* [atomic] threads in or before Python */
static gint n_entries;          /* [atomic] how often one of ours got the GIL */
static gint gone;               /* [atomic] Python was finalised */

/* The Python thread state of one of our threads, kept for the thread's life */
static __thread PyThreadState *kept_state;

/* How our threads get the GIL */
static NdaPyCrossings crossings = NDA_PY_CROSSINGS_INIT;
static __thread NdaPyCrossing crossing;

/* A function of the C library, from the ABI of the C++ library: it has
 * @destructor called at the end of this thread, before the destructors of
 * pthread keys. */
extern int __cxa_thread_atexit_impl (void (*destructor) (void *), void *object,
    void *dso);
G_GNUC_INTERNAL extern void *__dso_handle;

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
nda_py_gil_is_gone (void)
{
  return g_atomic_int_get (&gone);
}

/* FALSE: Python was finalised. */
gboolean
nda_py_gil_check (GError ** error)
{
  if (!nda_py_gil_is_gone ())
    return TRUE;
  g_set_error_literal (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SHUTDOWN,
      _("Python has ended. Stop the pipeline before the program's Python "
          "does."));
  return FALSE;
}

/* Frees the thread state of this thread, which must be the current one, and
 * gives up the GIL. Freeing it may run code of the plugin, which may take the
 * GIL by PyGILState: its count still says that the thread is inside. */
static void
free_state (void)
{
  PyThreadState_Clear (kept_state);
  PyThreadState_DeleteCurrent ();
  kept_state = NULL;
}

/* Frees the thread state of a thread that ends, if it still has one. */
static void
nda_py_gil_end_thread (void *state)
{
  if (kept_state != state)
    return;
  nda_py_crossing_clear (&crossing, &crossings);
  g_atomic_int_inc (&n_inside);
  if (!g_atomic_int_get (&gone)) {
    PyEval_RestoreThread (state);
    free_state ();
  }
  g_atomic_int_add (&n_inside, -1);
}

/* The program's main thread ends with the program, which is after Python. */
static gboolean
is_main_thread (void)
{
  return gettid () == getpid ();
}

static void
make_state (void)
{
  PyGILState_Ensure ();
  kept_state = PyThreadState_Get ();
  if (!is_main_thread ())
    __cxa_thread_atexit_impl (nda_py_gil_end_thread, kept_state, &__dso_handle);
}

/* Takes the GIL in turn, on a thread that Python did not make. */
static void
enter_in_turn (void)
{
  nda_py_crossing_begin (&crossing, &crossings, g_get_monotonic_time ());
  if (G_LIKELY (kept_state != NULL))
    PyEval_RestoreThread (kept_state);
  else
    make_state ();
  g_atomic_int_inc (&n_entries);
  nda_py_crossing_enter (&crossing, g_get_monotonic_time ());
}

/* Takes the GIL on a streaming or job thread. FALSE: Python was finalised. If
 * TRUE, nda_py_gil_leave () must follow. */
gboolean
nda_py_gil_enter (void)
{
  g_atomic_int_inc (&n_inside);
  if (g_atomic_int_get (&gone)) {
    g_atomic_int_add (&n_inside, -1);
    return FALSE;
  }
  /* a thread that Python made keeps its own state, and the count in it */
  if (G_LIKELY (kept_state != NULL)
      || PyGILState_GetThisThreadState () == NULL)
    enter_in_turn ();
  else
    PyGILState_Ensure ();
  return TRUE;
}

void
nda_py_gil_leave (void)
{
  if (G_LIKELY (kept_state != NULL)) {
    PyEval_SaveThread ();
    nda_py_crossing_end (&crossing, &crossings, g_get_monotonic_time ());
  } else {
    PyGILState_Release (PyGILState_UNLOCKED);
  }
  g_atomic_int_add (&n_inside, -1);
}

/* The same on a thread that does not enter again. Its thread state is freed
 * now, so that the end of the thread needs no GIL. */
void
nda_py_gil_leave_for_good (void)
{
  if (!kept_state) {
    nda_py_gil_leave ();
    return;
  }
  free_state ();
  nda_py_crossing_end (&crossing, &crossings, g_get_monotonic_time ());
  nda_py_crossing_clear (&crossing, &crossings);
  g_atomic_int_add (&n_inside, -1);
}

/* How often one of our threads got the GIL so far. As long as this changes,
 * other code does not keep the GIL from us. */
guint
nda_py_gil_count_entries (void)
{
  return g_atomic_int_get (&n_entries);
}

/* Gives up the GIL if this thread holds it: a Python application may call us
 * with the GIL held, through ctypes or from a synchronous handler. Returns a
 * value for nda_py_gil_resume (). */
gpointer
nda_py_gil_pause (void)
{
  PyThreadState *mine;
  gpointer paused;

  if (!Py_IsInitialized () || nda_py_gil_is_gone ())
    return NULL;
  mine = PyGILState_GetThisThreadState ();
  if (!mine || mine != current_state ())
    return NULL;
  paused = PyEval_SaveThread ();
  nda_py_crossing_pause (&crossing);
  return paused;
}

void
nda_py_gil_resume (gpointer paused)
{
  if (paused)
    PyEval_RestoreThread (paused);
}

/* Python's number of this thread. GIL held. */
gulong
nda_py_gil_get_thread (void)
{
  return PyThread_get_thread_ident ();
}

/* Raises SystemExit in a thread, as soon as it runs Python. GIL held. */
void
nda_py_gil_interrupt (gulong thread)
{
  PyThreadState_SetAsyncExc (thread, PyExc_SystemExit);
}

/* Called at Python's exit, GIL held. */
static PyObject *
nda_py_gil_on_exit (PyObject * self, PyObject * unused)
{
  gint64 deadline = g_get_monotonic_time () + GONE_TIMEOUT;

  g_atomic_int_set (&gone, TRUE);
  Py_BEGIN_ALLOW_THREADS;
  while (g_atomic_int_get (&n_inside) && g_get_monotonic_time () < deadline)
    g_usleep (1000);
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

/* Registers the atexit hook, which Python calls when it is finalised. GIL held.
 * On failure a Python error is set. */
gboolean
nda_py_gil_watch_exit (void)
{
  static PyMethodDef hook =
      { "nda_python_exit", nda_py_gil_on_exit, METH_NOARGS, NULL };
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
