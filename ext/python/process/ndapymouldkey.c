/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE

#include "config.h"

#include "ndapymouldkey.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a plugin asks for by lines in its file */
#define OPT_OUT "^nda_fork *= *False\\b"
#define PRELOAD "^nda_preload *= *[\"']([\\w., ]*)[\"']"

/* What a process inherits from the thread that starts it: rights and limits, as
 * lines of its status; and its view of the system, as links */
static const gchar *const status_lines[] = {
  "Umask:", "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:",
  "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:",
  "Cpus_allowed:", NULL
};

static const gchar *const links[] = {
  "root", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid_for_children",
  "ns/user", "ns/uts", NULL
};

/* The path of @python (transfer full) if it is an interpreter itself; NULL if
 * it is a script, which may do anything before. */
gchar *
nda_py_mould_key_find_interpreter (const gchar * python)
{
  static const gchar magic[] = { 0x7f, 'E', 'L', 'F' };
  g_autofree gchar *path = g_find_program_in_path (python);
  gint fd = path ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  gchar begin[sizeof (magic)];
  gboolean is_program;

  if (fd < 0)
    return NULL;
  is_program = read (fd, begin, sizeof (begin)) == sizeof (begin)
      && memcmp (begin, magic, sizeof (magic)) == 0;
  close (fd);
  return is_program ? g_steal_pointer (&path) : NULL;
}

/* Reads the modules that the plugin at @path wants loaded before it, into
 * @modules (transfer full). FALSE: the plugin wants an interpreter that is
 * started directly. */
gboolean
nda_py_mould_key_read_plugin (const gchar * path, GStrv * modules)
{
  g_autofree gchar *text = NULL;
  g_autoptr (GRegex) preload = g_regex_new (PRELOAD, G_REGEX_MULTILINE, 0,
      NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree gchar *names = NULL;

  *modules = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL)
      || !g_utf8_validate (text, -1, NULL))
    return TRUE;
  if (g_regex_match_simple (OPT_OUT, text, G_REGEX_MULTILINE, 0))
    return FALSE;
  if (g_regex_match (preload, text, 0, &match))
    names = g_match_info_fetch (match, 1);
  *modules = g_strsplit_set (names ? names : "", ", ", -1);
  return TRUE;
}

static void
add_status (GString * key)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/thread-self/status", &text, NULL, NULL))
    return;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    for (guint k = 0; status_lines[k]; k++)
      if (g_str_has_prefix (lines[i], status_lines[k]))
        g_string_append_printf (key, "%s\n", lines[i]);
}

static void
add_links (GString * key)
{
  for (guint i = 0; links[i]; i++) {
    g_autofree gchar *path = g_strconcat ("/proc/thread-self/", links[i],
        NULL);
    g_autofree gchar *target = g_file_read_link (path, NULL);

    g_string_append_printf (key, "%s\n", target ? target : "");
  }
}

static void
add_limits (GString * key)
{
  for (gint i = 0; i < RLIMIT_NLIMITS; i++) {
    struct rlimit limit = { 0, 0 };

    getrlimit (i, &limit);
    g_string_append_printf (key, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
        "\n", (guint64) limit.rlim_cur, (guint64) limit.rlim_max);
  }
}

static void
add_environment (GString * key)
{
  for (guint i = 0; environ[i]; i++)
    g_string_append_printf (key, "%s\n", environ[i]);
}

/* Returns a checksum (transfer full) that differs for workers that must not
 * share a mould. It covers @interpreter, @modules and all that a process would
 * inherit from this thread, except the current folder, which each worker is
 * told. */
gchar *
nda_py_mould_key_make (const gchar * interpreter, GStrv modules)
{
  g_autofree gchar *names = modules ? g_strjoinv (" ", modules) : NULL;
  GString *text = g_string_new (NULL);
  gchar *key;

  g_string_append_printf (text, "%s\n%s\n%d %d\n", interpreter,
      names ? names : "", sched_getscheduler (0), getpriority (PRIO_PROCESS,
          0));
  add_status (text);
  add_links (text);
  add_limits (text);
  add_environment (text);
  key = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, text->len);
  explicit_bzero (text->str, text->len);        /* there may be a key in it */
  g_string_free (text, TRUE);
  return key;
}
