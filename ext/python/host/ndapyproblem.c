/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyproblem.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

gboolean
nda_py_format_is_equal (const NdaPyFormat * a, const NdaPyFormat * b)
{
  return a->rate == b->rate && a->n_channels == b->n_channels
      && a->n_frames == b->n_frames;
}

const gchar *
nda_py_role_name (NdaPyRole role)
{
  static const gchar *const names[] = {
    [NDA_PY_ROLE_PROCESSOR] = "Processor",
    [NDA_PY_ROLE_SOURCE] = "AudioSource",
    [NDA_PY_ROLE_SINK] = "AudioSink",
  };
  return names[role];
}

/* The name of the block method of a plugin of @role. */
const gchar *
nda_py_role_call_name (NdaPyRole role)
{
  static const gchar *const names[] = {
    [NDA_PY_ROLE_PROCESSOR] = "process_audio",
    [NDA_PY_ROLE_SOURCE] = "read_audio",
    [NDA_PY_ROLE_SINK] = "write_audio",
  };
  return names[role];
}

/* The problem with the name that ndapyworker.py uses. */
NdaPyProblem
nda_py_problem_from_nick (const gchar * nick)
{
  static const gchar *const nicks[] = {
    [NDA_PY_PROBLEM_LOAD] = "load",
    [NDA_PY_PROBLEM_FAILED] = "failed",
    [NDA_PY_PROBLEM_REFUSED] = "refused",
    [NDA_PY_PROBLEM_INFO] = "info",
    [NDA_PY_PROBLEM_ROLE] = "role",
    [NDA_PY_PROBLEM_CONFIGURE] = "configure",
  };

  for (guint i = 0; i < G_N_ELEMENTS (nicks); i++)
    if (g_str_equal (nick, nicks[i]))
      return i;
  return NDA_PY_PROBLEM_LOAD;
}

/* Sets @error to a sentence about the fault of the plugin @path. */
void
nda_py_problem_set_error (GError ** error, NdaPyProblem problem,
    const gchar * path, const gchar * name, const gchar * reason)
{
  switch (problem) {
    case NDA_PY_PROBLEM_LOAD:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          _("The plugin “%s” cannot be loaded: %s"), path, reason);
      break;
    case NDA_PY_PROBLEM_FAILED:
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          _("The plugin “%s” failed in its %s (): %s"), path, name, reason);
      break;
    case NDA_PY_PROBLEM_REFUSED:
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          _("The plugin “%s” refused: its %s () did not return True. It "
              "may have printed why; GST_DEBUG=ndapython:4 shows it."), path,
          name);
      break;
    case NDA_PY_PROBLEM_INFO:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          _("The plugin “%s” does not say what it is: %s"), path, reason);
      break;
    case NDA_PY_PROBLEM_ROLE:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          _("The plugin “%s” is of the type “%s”, but this element "
              "runs plugins of the type “%s”"), path, reason, name);
      break;
    case NDA_PY_PROBLEM_CONFIGURE:
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          _("The plugin “%s” cannot be configured: %s"), path, reason);
      break;
  }
}

/* Whether the plugin @path began with the same format as the one in whose place
 * it comes, which began with @before. */
gboolean
nda_py_problem_check_format (const gchar * path, const NdaPyFormat * before,
    const NdaPyFormat * format, GError ** error)
{
  if (nda_py_format_is_equal (format, before))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      _("The plugin “%s” began again with another rate, buffer size or "
          "number of channels"), path);
  return FALSE;
}

/* Returns why a block call failed (transfer full): for @reason, or because it
 * returned False. */
gchar *
nda_py_problem_describe_failure (const gchar * path, NdaPyRole role,
    const gchar * reason)
{
  if (reason)
    return g_strdup_printf (_("The plugin “%s” failed: %s"), path, reason);
  return g_strdup_printf (_("The plugin “%s” failed: its %s () returned "
          "False"), path, nda_py_role_call_name (role));
}
