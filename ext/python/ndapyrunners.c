/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The only file that may use all four rooms of ext/python. It maps each
 * isolation to its kind of runner. */

#include "config.h"

#include "ndapyrunners.h"

#include "ndapyfind.h"
#include "ndapygil.h"
#include "ndapyinprocess.h"
#include "ndapykeeper.h"

const NdaPyRunnerKind *
nda_py_runners_get_kind (NdaPyIsolation isolation)
{
  return isolation == NDA_PY_ISOLATION_PROCESS ? &nda_py_keeper_kind :
      &nda_py_inprocess_kind;
}

/* Returns the file of @plugin (transfer full). @entry (transfer full) is the
 * function or class in that file that @plugin picks, or NULL. */
gchar *
nda_py_runners_find_plugin (const gchar * plugin, const gchar * plugin_path,
    GstClockTime timeout, gchar ** entry, GError ** error)
{
  g_autofree gchar *file = nda_py_find_split (plugin, entry);

  return nda_py_find_plugin (file, plugin_path, timeout, error);
}

gpointer
nda_py_runners_pause_gil (void)
{
  return nda_py_gil_pause ();
}

void
nda_py_runners_resume_gil (gpointer paused)
{
  nda_py_gil_resume (paused);
}
