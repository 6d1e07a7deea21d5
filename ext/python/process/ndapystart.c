/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapystart.h"

#include "ndapydescendants.h"
#include "ndapydescriptor.h"
#include "ndapyprogram.h"

#include <glib/gi18n-lib.h>

#include <errno.h>

/* Sets @error: a resource of the system is used up, by @reason, an errno. */
void
nda_py_start_set_no_resources (GError ** error, gint reason)
{
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
      _("No process can be made for the plugin: %s. The program, or the "
          "system, has used up its files, memory or processes; “ulimit -a” "
          "shows the limits."), g_strerror (reason));
}

static void
set_no_interpreter (GError ** error, const gchar * python, gint reason)
{
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _("The Python “%s” does not start: %s. Set the property "
          "“python” to an interpreter."), python, g_strerror (reason));
}

/* Whether @reason, an errno, says that a resource is used up. Another
 * interpreter would not help then. */
static gboolean
is_exhausted (gint reason)
{
  return reason == EMFILE || reason == ENFILE || reason == ENOMEM
      || reason == EAGAIN;
}

/* Forks the process from a mould, which has the program already. FALSE: there
 * is no fit mould. A mould that dies meanwhile is replaced once. */
static gboolean
cast (NdaPyProcess * self, NdaPyMould ** mould,
    const NdaPyRunnerConfig * config, const gint * theirs)
{
  /* the plugins of a group are many */
  const gchar *plugin = nda_py_runner_config_has_group (config) ? NULL :
      config->path;

  pid_t pid = 0;

  for (guint i = 0; i < 2 && !pid; i++) {
    g_clear_pointer (mould, nda_py_mould_unref);
    *mould = nda_py_mould_get (config->python, plugin);
    if (*mould)
      pid = nda_py_mould_cast (*mould, theirs, self->mark);
  }
  if (!pid || nda_py_process_adopt (self, pid) == 0)
    return pid != 0;
  nda_py_descendants_kill (self->mark); /* another one takes its descriptors */
  self->pid = 0;
  return FALSE;
}

/* Starts an interpreter directly. Returns an errno, or 0. */
static gint
start_interpreter (NdaPyProcess * self, const gchar * python, gint * theirs)
{
  const NdaPyProgram program = { python, NULL, theirs,
    NDA_PY_N_FDS
  };

  nda_py_descriptor_close (&theirs[NDA_PY_FD_PROGRAM]);
  theirs[NDA_PY_FD_PROGRAM] = nda_py_program_make ();
  if (theirs[NDA_PY_FD_PROGRAM] < 0)
    return errno;
  return nda_py_process_spawn (self, &program);
}

/* Starts @self, with @theirs at their numbers. The descriptor of the program is
 * replaced if the process needs one. @mould (transfer full, or NULL) is the
 * mould that @self was forked from, or an unfit one; it is kept until @self is
 * reaped. */
gboolean
nda_py_start_process (NdaPyProcess * self, NdaPyMould ** mould,
    const NdaPyRunnerConfig * config, gint * theirs, GError ** error)
{
  gint result;

  if (cast (self, mould, config, theirs))
    return TRUE;
  result = start_interpreter (self, config->python, theirs);
  if (!result)
    return TRUE;
  if (is_exhausted (result))
    nda_py_start_set_no_resources (error, result);
  else
    set_no_interpreter (error, config->python, result);
  return FALSE;
}
