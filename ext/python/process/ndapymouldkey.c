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

/* What a plugin says to it in lines of its own */
#define OPT_OUT "^nda_fork *= *False\\b"
#define PRELOAD "^nda_preload *= *[\"']([\\w., ]*)[\"']"

/* What a thread hands on to a process that it starts: rights and the like, as
 * lines of its status; and what it sees of the system, as links */
static const gchar *const status_lines[] = {
  "Umask:", "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:",
  "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:", "Seccomp_filters:",
  "Cpus_allowed:", NULL
};

static const gchar *const links[] = {
  "root", "ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid_for_children",
  "ns/user", "ns/uts", NULL
};

/* The path of @python (transfer full) if that is an interpreter itself, and not
 * a script which may do anything before; or NULL. */
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

/* In @modules (transfer full) what the plugin at @path wants to be there before
 * it is loaded. FALSE: it wants an interpreter that was started for it. */
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

/* What tells workers of @interpreter with @modules apart that this thread would
 * start now (transfer full): a checksum of all that a process inherits but the
 * folder it is in, which each worker is told. */
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
