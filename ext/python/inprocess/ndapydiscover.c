/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <Python.h>

#include "config.h"

#include "ndapydiscover.h"

#include "ndapyembed.h"
#include "ndapyjob.h"
#include "ndapython.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

typedef struct
{
  const gchar *name;
  const GPtrArray *files;       /* of paths */

  GStrv found;
  gchar *names;
  GError *error;
} DiscoverJob;

static PyObject *
make_list (const GPtrArray * files)
{
  PyObject *list = PyList_New (files->len);

  for (guint i = 0; list && i < files->len; i++) {
    PyObject *path = PyUnicode_DecodeFSDefault (g_ptr_array_index (files, i));

    if (!path)
      Py_CLEAR (list);
    else
      PyList_SetItem (list, i, path);
  }
  return list;
}

/* The paths in a list of Python's. NULL with a Python error set. */
static GStrv
take_paths (PyObject * list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (Py_ssize_t i = 0; i < PyList_Size (list); i++) {
    PyObject *path = PyUnicode_EncodeFSDefault (PyList_GetItem (list, i));

    if (!path)
      return NULL;
    g_strv_builder_add (builder, PyBytes_AsString (path));
    Py_DECREF (path);
  }
  return g_strv_builder_end (builder);
}

static void
nda_py_discover_job (gpointer data)
{
  DiscoverJob *job = data;
  PyObject *result = nda_py_embed_call ("find_by_name", "(sN)", job->name,
      make_list (job->files));

  if (result) {
    job->found = take_paths (PyTuple_GetItem (result, 0));
    job->names = nda_py_embed_to_text (PyTuple_GetItem (result, 1));
  }
  if (!job->found) {
    g_autofree gchar *reason = nda_py_embed_take_error ();

    g_set_error (&job->error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        _("The plugins cannot be asked for their names: %s"), reason);
  }
  Py_XDECREF (result);
}

/* Those of @files (paths) that hold a plugin of the display name @name, and in
 * @names (transfer full) which names there are. Starts Python; the caller does
 * not hold the GIL. NULL at an error. */
GStrv
nda_py_discover (const gchar * name, const GPtrArray * files, gchar ** names,
    GError ** error)
{
  DiscoverJob job = { name, files, NULL, NULL, NULL };

  if (!nda_python_start (error)
      || !nda_py_job_run (nda_py_discover_job, &job, error))
    return NULL;
  *names = job.names;
  if (job.error)
    g_propagate_error (error, job.error);
  return job.found;
}
