/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* WAITING. Threads of ours stand in a row before the GIL (ndapycrossing.h).
 * The baton of that row is held across Python, and excludes nobody: who waits
 * behind a call that hangs passes it by. It is taken before the GIL and without
 * any lock of ours, and given back where this thread gives up the GIL.
 *
 * THREADS. A streaming thread gets its Python thread state at its first call
 * and keeps it until it ends; then it gives it back itself, as the last thing
 * it does while everything of the thread is still there. A thread that Python
 * made keeps its own.
 *
 * The end of a thread is heard of as the destructor of a C++ thread_local is.
 * That of a pthread key, which GPrivate uses, comes too late: Python's note of
 * the thread's state is a pthread key as well and may be gone by then, so that
 * Python's allocators, or a destructor of the plugin's that takes the GIL, find
 * a thread without a state.
 *
 * STOP. Python may be finalised under us by the application it belongs to. Its
 * atexit hook sets `gone`, gives up the GIL and waits until nobody is inside;
 * from then on nda_py_gil_enter () refuses. */

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

/* The thread state of a thread of ours, kept for the thread's life */
static __thread PyThreadState *kept_state;

/* The ways of our threads to the GIL */
static NdaPyCrossings crossings = NDA_PY_CROSSINGS_INIT;
static __thread NdaPyCrossing crossing;

/* Of the C library and the C++ one's ABI: calls @destructor at the end of this
 * thread, before the destructors of pthread keys. */
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

/* FALSE: there is no Python any more. */
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

/* The thread ends: so does its thread state, which must be the current one for
 * that. What it runs of the plugin's may take the GIL by PyGILState, whose
 * count is still that of a thread that is inside. */
static void
nda_py_gil_end_thread (void *state)
{
  nda_py_crossing_clear (&crossing, &crossings);
  g_atomic_int_inc (&n_inside);
  if (!g_atomic_int_get (&gone)) {
    PyEval_RestoreThread (state);
    PyThreadState_Clear (state);
    PyThreadState_DeleteCurrent ();
  }
  g_atomic_int_add (&n_inside, -1);
}

/* The program's main thread ends with the program, and not before Python. */
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

/* On a thread that Python did not make. */
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

/* Takes the GIL on a streaming or job thread. FALSE when there is no Python
 * any more; else nda_py_gil_leave () must follow. */
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

/* How often a thread of ours got the GIL so far: as long as this changes, it
 * is not kept from us. */
guint
nda_py_gil_count_entries (void)
{
  return g_atomic_int_get (&n_entries);
}

/* Gives up the GIL where this thread holds it, as a Python application does
 * that calls us through ctypes or from a synchronous handler. Returns what
 * nda_py_gil_resume () wants back. */
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

/* This thread, as Python names it. GIL held. */
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

/* Has Python say when it is finalised. GIL held; on failure a Python error is
 * set. */
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
