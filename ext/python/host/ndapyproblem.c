/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyproblem.h"

#include "ndapymix.h"

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
    [NDA_PY_PROBLEM_NOTHING] = "nothing",
    [NDA_PY_PROBLEM_INFO] = "info",
    [NDA_PY_PROBLEM_ROLE] = "role",
    [NDA_PY_PROBLEM_CONFIGURE] = "configure",
  };

  for (guint i = 0; i < G_N_ELEMENTS (nicks); i++)
    if (g_str_equal (nick, nicks[i]))
      return i;
  return NDA_PY_PROBLEM_LOAD;
}

/* What follows the complaint about a plugin (transfer full): @printed, what
 * ndapytexts.py knows of its output, or nothing. */
static gchar *
join_printed (const gchar * printed)
{
  return printed && *printed ? g_strconcat ("; ", printed, NULL) :
      g_strdup ("");
}

/* The element that runs plugins of the role called @name. */
static const gchar *
get_element (const gchar * name)
{
  if (g_str_equal (name, nda_py_role_name (NDA_PY_ROLE_SOURCE)))
    return "ndapysrc";
  if (g_str_equal (name, nda_py_role_name (NDA_PY_ROLE_SINK)))
    return "ndapysink";
  return "ndapybridge";
}

/* Says of the plugin @path what is wrong with it. */
void
nda_py_problem_set_error (GError ** error, NdaPyProblem problem,
    const gchar * path, const gchar * name, const gchar * reason)
{
  g_autofree gchar *printed = join_printed (reason);

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
          _("The plugin “%s” refused: its %s () did not return True%s"),
          path, name, printed);
      break;
    case NDA_PY_PROBLEM_NOTHING:
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
          _("The plugin “%s” refused: its %s () returned None; end it with "
              "“return True”%s"), path, name, printed);
      break;
    case NDA_PY_PROBLEM_INFO:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          _("The plugin “%s” does not say what it is: %s"), path, reason);
      break;
    case NDA_PY_PROBLEM_ROLE:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          _("The plugin “%s” is of the type “%s”, but this element "
              "runs plugins of the type “%s”. Use %s instead."), path,
          reason, name, get_element (reason));
      break;
    case NDA_PY_PROBLEM_CONFIGURE:
      g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
          _("The plugin “%s” cannot be configured: %s"), path, reason);
      break;
  }
}

/* The same for a problem that a process has told. Its texts may be anything. */
void
nda_py_problem_set_told (GError ** error, const gchar * path,
    const gchar * nick, const gchar * name, const gchar * reason)
{
  g_autofree gchar *valid_name = g_utf8_make_valid (name, -1);
  g_autofree gchar *valid_reason = g_utf8_make_valid (reason, -1);

  nda_py_problem_set_error (error, nda_py_problem_from_nick (nick), path,
      valid_name, valid_reason);
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
          "number of channels: %u Hz, %u, %u instead of %u Hz, %u, %u. Set the "
          "element to NULL and to PLAYING again to run it so"), path,
      format->rate, format->n_frames, format->n_channels, before->rate,
      before->n_frames, before->n_channels);
  return FALSE;
}

/* Whether sound of @n_channels can be brought to what a processor takes, and
 * back. */
gboolean
nda_py_problem_check_fit (guint n_channels, const NdaPyFormat * format,
    GError ** error)
{
  if (format->rate < NDA_PY_MIN_RATE || format->rate > NDA_PY_MAX_RATE)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("The plugin wants %u Hz. Let its rate be from %u to %u Hz."),
        format->rate, NDA_PY_MIN_RATE, NDA_PY_MAX_RATE);
  else if (!nda_py_mix_fits (n_channels, format->n_channels))
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("The plugin takes %u channels, and the stream has %u. Put "
            "“audioconvert ! audio/x-raw,channels=%u” before this "
            "element."), format->n_channels, n_channels, format->n_channels);
  else
    return TRUE;
  return FALSE;
}

/* Whether the @result of a block call is one to be told: a source may have
 * nothing, and a sink be full. None is False, but nobody means it. */
gboolean
nda_py_problem_is_failure (NdaPyRole role, NdaPyCallResult result)
{
  return result == NDA_PY_CALL_FAILED || result == NDA_PY_CALL_DEAD
      || result == NDA_PY_CALL_NOTHING
      || (result == NDA_PY_CALL_REFUSED && role == NDA_PY_ROLE_PROCESSOR);
}

/* Describes why a block call failed with @result (transfer full). @text is the
 * exception, or the lines that the plugin printed before it refused. */
gchar *
nda_py_problem_describe_failure (const gchar * path, NdaPyRole role,
    NdaPyCallResult result, const gchar * text)
{
  const gchar *name = nda_py_role_call_name (role);
  g_autofree gchar *printed = join_printed (text);

  if (result == NDA_PY_CALL_REFUSED)
    return g_strdup_printf (_("The plugin “%s” failed: its %s () returned "
            "False%s"), path, name, printed);
  if (result == NDA_PY_CALL_NOTHING)
    return g_strdup_printf (_("The plugin “%s” failed: its %s () returned "
            "None; end it with “return True”%s"), path, name, printed);
  return g_strdup_printf (_("The plugin “%s” failed: %s"), path, text);
}
