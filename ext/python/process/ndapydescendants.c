/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapydescendants.h"

#include "ndapyawait.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How often the remaining processes are searched again, and how soon: each
 * round kills all that there are, but they may have started more */
#define MAX_ROUNDS 100
#define ROUND_INTERVAL (1 * GST_MSECOND)
/* How long a child of this program may take to end after a kill */
#define END_TIMEOUT (1 * GST_SECOND)
/* How many processes are counted at most, for the memory */
#define MAX_PROCESSES 1000

/* Returns a text (transfer full) that no other process of this system has. All
 * marks have the same length, so that a forked process can write its own mark
 * over the mould's. */
gchar *
nda_py_descendants_make_mark (void)
{
  static gint n_made = 0;

  return g_strdup_printf ("%010d-%010d-%016" G_GINT64_MODIFIER "x",
      (gint) getpid (), g_atomic_int_add (&n_made, 1), g_get_monotonic_time ());
}

/* --- ending them --------------------------------------------------------- */

/* Reads a file of the process @pid (transfer full); "" if it has ended. */
static void
read_file (gint pid, const gchar * name, gchar ** content, gsize * n_bytes)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/%d/%s", pid, name);

  if (!g_file_get_contents (path, content, n_bytes, NULL))
    *content = g_strdup ("");
}

static gboolean
has_mark (gint pid, const gchar * mark)
{
  gsize n_bytes = 0;
  g_autofree gchar *environment = NULL;
  gsize length = strlen (NDA_PY_DESCENDANTS_MARK "=");

  read_file (pid, "environ", &environment, &n_bytes);
  for (const gchar * entry = environment; entry < environment + n_bytes;
      entry += strlen (entry) + 1)
    if (g_str_has_prefix (entry, NDA_PY_DESCENDANTS_MARK "=")
        && g_str_equal (entry + length, mark))
      return TRUE;
  return FALSE;
}

/* Kills all processes with @mark. Returns whether there was any. */
static gboolean
kill_all (const gchar * mark)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  gboolean is_any = FALSE;
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    gint pid = g_ascii_strtoll (name, NULL, 10);

    if (pid <= 1 || pid == getpid () || !has_mark (pid, mark)
        || kill (pid, SIGKILL) < 0)
      continue;
    nda_py_await_reap (pid, nda_py_await_end_of (END_TIMEOUT));
    is_any = TRUE;
  }
  return is_any;
}

/* Ends all processes with this @mark. A process that has ended has no
 * environment any more, so it is not counted again. */
void
nda_py_descendants_kill (const gchar * mark)
{
  for (guint i = 0; i < MAX_ROUNDS && kill_all (mark); i++)
    nda_py_await (-1, 0, -1, nda_py_await_end_of (ROUND_INTERVAL));
}

/* --- their memory -------------------------------------------------------- */

/* Adds the children of the thread @task of @pid. */
static void
add_children_of (GArray * pids, gint pid, const gchar * task)
{
  g_autofree gchar *name = g_strdup_printf ("task/%s/children", task);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) numbers = NULL;

  read_file (pid, name, &text, NULL);
  numbers = g_strsplit (text, " ", -1);
  for (guint i = 0; numbers[i]; i++) {
    gint child = g_ascii_strtoll (numbers[i], NULL, 10);

    if (child > 0 && pids->len < MAX_PROCESSES)
      g_array_append_val (pids, child);
  }
}

static void
add_children (GArray * pids, gint pid)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *task;

  while (dir && (task = g_dir_read_name (dir)))
    add_children_of (pids, pid, task);
}

/* The resident memory of @pid, in bytes */
static guint64
get_resident (gint pid)
{
  g_autofree gchar *text = NULL;
  const gchar *resident;

  read_file (pid, "statm", &text, NULL);
  resident = strchr (text, ' ');
  return resident ? g_ascii_strtoull (resident, NULL, 10)
      * sysconf (_SC_PAGESIZE) : 0;
}

/* The proportional share of the resident memory of @pid, in bytes: memory that
 * a fork shares with its parent counts once. */
static guint64
get_share (gint pid)
{
  g_autofree gchar *text = NULL;
  const gchar *share;

  read_file (pid, "smaps_rollup", &text, NULL);
  share = strstr (text, "\nPss:");
  return share ? g_ascii_strtoull (share + strlen ("\nPss:"), NULL, 10)
      * 1024 : get_resident (pid);
}

/* How many bytes of memory the process and all processes that it has started
 * take; 0 when it has ended. */
guint64
nda_py_descendants_get_memory (pid_t pid)
{
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (gint));
  guint64 n_bytes = 0;

  g_array_append_val (pids, pid);
  for (guint i = 0; i < pids->len; i++)
    add_children (pids, g_array_index (pids, gint, i));
  if (pids->len == 1)
    return get_resident (pid);
  for (guint i = 0; i < pids->len; i++)
    n_bytes += get_share (g_array_index (pids, gint, i));
  return n_bytes;
}
