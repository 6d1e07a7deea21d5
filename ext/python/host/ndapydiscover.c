/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LOCKS. known_lock guards `known`; no other function is called under it. */

#include "config.h"

#include "ndapydiscover.h"

#include "ndapydiscover-source.h"
#include "ndapylog.h"
#include "ndapypaths.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The display name of a file; it is valid until the file is written */
typedef struct
{
  gchar *stamp;                 /* owned; of the file */
  gchar *name;                  /* owned; NULL: it has none */
} Known;

/* A process that asks files for their names, one after the other */
typedef struct
{
  GPid pid;
  gint fd;                      /* its answers, each with a 0 at its end */
  GByteArray *rest;             /* owned; answers not taken yet */
} Asker;

static GMutex known_lock;
static GHashTable *known;       /* [known lock] of Known, by path */

/* --- what is known ------------------------------------------------------ */

static void
nda_py_discover_free_known (gpointer data)
{
  Known *self = data;

  g_free (self->stamp);
  g_free (self->name);
  g_free (self);
}

/* Returns a text (transfer full) that changes when the file is written. */
static gchar *
make_stamp (const gchar * path)
{
  struct stat status = { 0 };

  if (stat (path, &status) < 0)
    return g_strdup ("");
  return g_strdup_printf ("%lld.%ld %lld %lld",
      (long long) status.st_mtim.tv_sec, (long) status.st_mtim.tv_nsec,
      (long long) status.st_size, (long long) status.st_ino);
}

/* Whether @path has been asked since it was last written. @name is its name
 * (transfer full), or NULL. */
static gboolean
look_up (const gchar * path, gchar ** name)
{
  g_autofree gchar *stamp = make_stamp (path);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&known_lock);
  Known *found = known ? g_hash_table_lookup (known, path) : NULL;

  if (!found || !g_str_equal (found->stamp, stamp))
    return FALSE;
  *name = g_strdup (found->name);
  return TRUE;
}

static void
note (const gchar * path, const gchar * stamp, const gchar * name)
{
  Known *self = g_new0 (Known, 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&known_lock);

  self->stamp = g_strdup (stamp);
  self->name = g_strdup (name);
  if (!known)
    known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
        nda_py_discover_free_known);
  g_hash_table_replace (known, g_strdup (path), self);
}

/* --- asking ------------------------------------------------------------- */

/* Begins to ask @files, from number @first on. */
static gboolean
asker_begin (Asker * self, const GPtrArray * files, guint first,
    GError ** error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autofree gchar *python = nda_py_paths_find_python ();
  g_autofree gchar *api = nda_py_paths_find_folder ("api");
  g_autofree gchar *parent = g_strdup_printf ("%d", (gint) getpid ());
  const gchar *before[] = { python, "-X", "utf8", "-c",
    nda_py_discover_source, api, parent
  };
  /* Python 3.13 imports a module before it runs -c */
  g_auto (GStrv) env =
      g_environ_setenv (g_get_environ (), "PYTHONSAFEPATH", "nda", FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (before); i++)
    g_ptr_array_add (argv, (gpointer) before[i]);
  for (guint i = first; i < files->len; i++)
    g_ptr_array_add (argv, g_ptr_array_index (files, i));
  g_ptr_array_add (argv, NULL);
  if (!g_spawn_async_with_pipes (NULL, (gchar **) argv->pdata, env,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH
          | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &self->pid, NULL,
          &self->fd, NULL, error))
    return FALSE;
  self->rest = g_byte_array_new ();
  return TRUE;
}

/* Ends the process, and all processes that it has started. */
static void
asker_end (Asker * self)
{
  kill (-self->pid, SIGKILL);
  kill (self->pid, SIGKILL);
  while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR);
  g_spawn_close_pid (self->pid);
  close (self->fd);
  g_byte_array_unref (self->rest);
}

/* Waits until the process has written. FALSE: it has ended, or has written
 * nothing by @deadline. */
static gboolean
asker_read (Asker * self, gint64 deadline)
{
  gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
  struct pollfd pfd = { self->fd, POLLIN, 0 };
  guint8 data[1024];
  gssize n_bytes;
  gint n_ready = poll (&pfd, 1, CLAMP (left, 0, G_MAXINT));

  if (n_ready < 0)
    return errno == EINTR;
  if (n_ready == 0)
    return FALSE;
  n_bytes = read (self->fd, data, sizeof (data));
  if (n_bytes > 0)
    g_byte_array_append (self->rest, data, n_bytes);
  return n_bytes > 0 || (n_bytes < 0 && errno == EINTR);
}

/* The next answer (transfer full), or NULL: there is none within @timeout. */
static gchar *
asker_take (Asker * self, GstClockTime timeout)
{
  gint64 deadline = g_get_monotonic_time () + GST_TIME_AS_USECONDS (timeout);
  const guint8 *end;
  gchar *answer;

  while (!self->rest->len
      || !(end = memchr (self->rest->data, 0, self->rest->len)))
    if (!asker_read (self, deadline))
      return NULL;
  answer = g_strdup ((const gchar *) self->rest->data);
  g_byte_array_remove_range (self->rest, 0, end + 1 - self->rest->data);
  return answer;
}

/* An answer is a plus and the name, or a minus and the reason why there is no
 * name. The reason may be a missing module, so a minus is not remembered. */
static void
take_answer (const gchar * path, const gchar * stamp, const gchar * answer)
{
  if (answer && *answer == '+') {
    note (path, stamp, answer + 1);
    return;
  }
  if (!answer)
    note (path, stamp, NULL);
  GST_INFO ("“%s” has no display name: %s", path, answer ? answer + 1 :
      "asked for it, it ended or did not return");
}

/* Asks all of @files, each no longer than @timeout. */
static gboolean
ask (const GPtrArray * files, GstClockTime timeout, GError ** error)
{
  gboolean goes_on = FALSE;
  Asker asker;

  for (guint i = 0; i < files->len; i++) {
    const gchar *path = g_ptr_array_index (files, i);
    g_autofree gchar *stamp = make_stamp (path);
    g_autofree gchar *answer = NULL;

    if (!goes_on && !asker_begin (&asker, files, i, error))
      return FALSE;
    answer = asker_take (&asker, timeout);
    take_answer (path, stamp, answer);
    goes_on = answer && i + 1 < files->len;
    if (!goes_on)
      asker_end (&asker);
  }
  return TRUE;
}

/* --- finding ------------------------------------------------------------ */

static gboolean
ask_unknown (const GPtrArray * files, GstClockTime timeout, GError ** error)
{
  g_autoptr (GPtrArray) unknown = g_ptr_array_new ();

  for (guint i = 0; i < files->len; i++) {
    g_autofree gchar *name = NULL;

    if (!look_up (g_ptr_array_index (files, i), &name))
      g_ptr_array_add (unknown, g_ptr_array_index (files, i));
  }
  return ask (unknown, timeout, error);
}

static void
add_name (GString * names, const gchar * path, const gchar * name)
{
  g_autofree gchar *stem = g_path_get_basename (path);

  stem[strlen (stem) - strlen (".py")] = '\0';
  g_string_append_printf (names, "%s%s (“%s”)", names->len ? ", " : "",
      stem, name);
}

/* Returns those of @files (paths) that have a plugin with the display name
 * @name. @names (transfer full) are all names that were found. Each file may
 * take @timeout to answer. NULL at an error. */
GStrv
nda_py_discover (const gchar * name, const GPtrArray * files,
    GstClockTime timeout, gchar ** names, GError ** error)
{
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  GString *all;

  if (!ask_unknown (files, timeout, error))
    return NULL;
  all = g_string_new (NULL);
  for (guint i = 0; i < files->len; i++) {
    const gchar *path = g_ptr_array_index (files, i);
    g_autofree gchar *its = NULL;

    if (!look_up (path, &its) || !its)
      continue;
    add_name (all, path, its);
    if (g_str_equal (its, name))
      g_strv_builder_add (found, path);
  }
  *names = g_string_free (all, FALSE);
  return g_strv_builder_end (found);
}
