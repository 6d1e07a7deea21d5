/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The folder is watched, not the file: an editor may write another file and
 * give it the name. */

#include "config.h"

#include "ndapywatch.h"

#include "ndapylog.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct _NdaPyWatch
{
  gchar *name;                  /* [const] owned; of the file */
  NdaPyWatchFunc func;          /* [const] */
  gpointer user_data;           /* [const] not owned */
  gint inotify;                 /* [const] */
  gint wake_fd;                 /* [const] ends the thread */
  GThread *thread;              /* [const] owned */
};

/* Takes what has happened in the folder; whether it was to the file. */
static gboolean
take_events (NdaPyWatch * self)
{
  union
  {
    struct inotify_event event; /* for its alignment */
    gchar bytes[4096];
  } data;
  gssize n_bytes = read (self->inotify, &data, sizeof (data)), at = 0;
  gboolean is_written = FALSE;

  while (at < n_bytes) {
    const struct inotify_event *event =
        (const struct inotify_event *) (data.bytes + at);

    is_written |= event->len && g_str_equal (event->name, self->name);
    at += sizeof (*event) + event->len;
  }
  return is_written;
}

static gpointer
nda_py_watch_thread (gpointer data)
{
  NdaPyWatch *self = data;
  struct pollfd fds[] = {
    {self->inotify, POLLIN, 0},
    {self->wake_fd, POLLIN, 0},
  };

  while (!fds[1].revents) {
    if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
      fds[0].revents = fds[1].revents = 0;      /* by a signal */
    if (!fds[1].revents && fds[0].revents && take_events (self))
      self->func (self->user_data);
  }
  return NULL;
}

/* Calls @func each time that @path is written, until it is freed. */
NdaPyWatch *
nda_py_watch_new (const gchar * path, NdaPyWatchFunc func, gpointer user_data)
{
  NdaPyWatch *self = g_new0 (NdaPyWatch, 1);
  g_autofree gchar *folder = g_path_get_dirname (path);

  self->name = g_path_get_basename (path);
  self->func = func;
  self->user_data = user_data;
  self->inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  self->wake_fd = eventfd (0, EFD_CLOEXEC);
  if (inotify_add_watch (self->inotify, folder, IN_CLOSE_WRITE | IN_MOVED_TO)
      < 0)
    GST_WARNING ("“%s” cannot be watched", folder);
  self->thread = g_thread_new ("nda-py-watch", nda_py_watch_thread, self);
  return self;
}

void
nda_py_watch_free (NdaPyWatch * self)
{
  const guint64 one = 1;

  if (write (self->wake_fd, &one, sizeof (one)) < 0)
    GST_WARNING ("A watch on a plugin cannot be ended");
  g_thread_join (self->thread);
  close (self->inotify);
  close (self->wake_fd);
  g_free (self->name);
  g_free (self);
}
