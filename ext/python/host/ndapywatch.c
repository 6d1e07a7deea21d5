/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Folders are watched, not files: an editor may write another file and rename
 * it, a symbolic link may replace another, and a whole folder may be exchanged.
 * So each folder on the way to a file is watched, for the name that is looked
 * up in it.
 *
 * An event only starts a check. The plugin was edited if its stamp has changed,
 * and the edit is over when the stamp stays the same. */

#include "config.h"

#include "ndapywatch.h"

#include "ndapylog.h"
#include "ndapywatched.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVE)

/* in milliseconds: how long the stamp must stay the same, and how often it is
 * checked if the system cannot watch */
#define STILL_TIME 200
#define LOOK_INTERVAL 1000

struct _NdaPyWatch
{
  gchar *path;                  /* [const] owned; of the plugin */
  NdaPyWatchFunc func;          /* [const] */
  gpointer user_data;           /* [const] not owned */
  gint wake_fd;                 /* [const] ends the thread */
  GThread *thread;              /* [const] owned */

  /* [thread], and before the thread begins */
  gchar *stamp;                 /* owned; of the plugin that is loaded */
  gint inotify;                 /* -1: not available */
  GHashTable *names;            /* owned; of “descriptor/name” */
  gboolean is_blind;            /* a folder cannot be watched */
};

/* --- watching ----------------------------------------------------------- */

static gchar *
make_name (gint descriptor, const gchar * name)
{
  return g_strdup_printf ("%d/%s", descriptor, name);
}

static void
nda_py_watch_add_name (const gchar * folder, const gchar * name,
    gpointer user_data)
{
  NdaPyWatch *self = user_data;
  gint descriptor = inotify_add_watch (self->inotify, folder, EVENTS);

  if (descriptor >= 0)
    g_hash_table_add (self->names, make_name (descriptor, name));
  else if (errno == ENOSPC || errno == EMFILE || errno == EBADF)
    self->is_blind = TRUE;
}

/* Watches all folders that are now on the way to the files. */
static void
watch_again (NdaPyWatch * self)
{
  g_autoptr (GPtrArray) files = nda_py_watched_list_files (self->path);
  gboolean was_blind = self->is_blind;

  if (self->inotify >= 0)
    close (self->inotify);
  self->inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  self->is_blind = self->inotify < 0;
  g_hash_table_remove_all (self->names);
  for (guint i = 0; self->inotify >= 0 && i < files->len; i++)
    nda_py_watched_follow (g_ptr_array_index (files, i),
        nda_py_watch_add_name, self);
  if (self->is_blind && !was_blind)
    GST_WARNING ("The system watches no more files for this user (inotify); "
        "“%s” is looked at each second. See fs.inotify in sysctl.",
        self->path);
}

/* Takes the events. Returns whether one was on the way to a file. */
static gboolean
take_events (NdaPyWatch * self)
{
  union
  {
    struct inotify_event event; /* for its alignment */
    gchar bytes[4096];
  } data;
  gssize n_bytes = read (self->inotify, &data, sizeof (data)), at = 0;
  gboolean is_ours = FALSE;

  while (at < n_bytes) {
    const struct inotify_event *event =
        (const struct inotify_event *) (data.bytes + at);
    g_autofree gchar *name =
        make_name (event->wd, event->len ? event->name : "");

    is_ours |= event->mask & IN_Q_OVERFLOW
        || g_hash_table_contains (self->names, name);
    at += sizeof (*event) + event->len;
  }
  return is_ours;
}

/* --- the thread --------------------------------------------------------- */

/* Waits until there is something to check. FALSE: the watch ends. */
static gboolean
wait_for_event (NdaPyWatch * self)
{
  struct pollfd fds[] = {
    {self->wake_fd, POLLIN, 0},
    {self->inotify, POLLIN, 0},
  };
  gint n_ready;

  do {
    n_ready = poll (fds, self->inotify < 0 ? 1 : 2,
        self->is_blind ? LOOK_INTERVAL : -1);
    if (n_ready < 0)            /* by a signal */
      continue;
    if (fds[0].revents)
      return FALSE;
  } while (n_ready && !take_events (self));
  return TRUE;
}

/* Waits for the end of the watch. */
static gboolean
is_ended (NdaPyWatch * self, gint timeout)
{
  struct pollfd fd = { self->wake_fd, POLLIN, 0 };

  return poll (&fd, 1, timeout) > 0;
}

/* Returns the stamp (transfer full) once it stays the same. NULL: there is no
 * plugin now, or the watch ends. */
static gchar *
wait_until_still (NdaPyWatch * self)
{
  g_autofree gchar *before = nda_py_watched_make_stamp (self->path);

  while (!is_ended (self, STILL_TIME)) {
    gchar *stamp = nda_py_watched_make_stamp (self->path);

    if (!g_strcmp0 (stamp, before))
      return stamp;
    g_free (before);
    before = stamp;
  }
  return NULL;
}

static gpointer
nda_py_watch_thread (gpointer data)
{
  NdaPyWatch *self = data;

  while (wait_for_event (self)) {
    g_autofree gchar *stamp = NULL;

    /* watch first, then check: a later write is then another event */
    watch_again (self);
    stamp = wait_until_still (self);
    if (!stamp || !g_strcmp0 (stamp, self->stamp))
      continue;
    g_free (self->stamp);
    self->stamp = g_steal_pointer (&stamp);
    watch_again (self);         /* the imports may have changed */
    self->func (self->user_data);
  }
  return NULL;
}

/* --- outside ------------------------------------------------------------ */

static void
free_all (NdaPyWatch * self)
{
  if (self->inotify >= 0)
    close (self->inotify);
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  g_hash_table_unref (self->names);
  g_free (self->stamp);
  g_free (self->path);
  g_free (self);
}

/* Calls @func each time that the plugin @path, or a module beside it that it
 * imports, was written, until the watch is freed. NULL: the system gives no
 * thread. */
NdaPyWatch *
nda_py_watch_new (const gchar * path, NdaPyWatchFunc func, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  NdaPyWatch *self = g_new0 (NdaPyWatch, 1);

  self->path = g_canonicalize_filename (path, NULL);
  self->func = func;
  self->user_data = user_data;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->inotify = -1;
  self->wake_fd = eventfd (0, EFD_CLOEXEC);
  watch_again (self);
  self->stamp = nda_py_watched_make_stamp (self->path);
  if (self->wake_fd >= 0)
    self->thread = g_thread_try_new ("nda-py-watch", nda_py_watch_thread, self,
        &error);
  if (self->thread)
    return self;
  GST_WARNING ("“%s” is not watched: %s", path,
      error ? error->message : g_strerror (errno));
  free_all (self);
  return NULL;
}

void
nda_py_watch_free (NdaPyWatch * self)
{
  const guint64 one = 1;

  if (write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("A watch on a plugin cannot be ended");
  g_thread_join (self->thread);
  free_all (self);
}
