/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* pipe2 () and F_SETPIPE_SZ */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyoutput.h"

#include "ndapydescriptor.h"
#include "ndapylog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_LINE 4096
#define PIPE_BYTES (1 << 20)

void
nda_py_output_init (NdaPyOutput * self)
{
  for (guint i = 0; i < 2; i++) {
    self->fds[i] = -1;
    self->lines[i] = g_string_new (NULL);
  }
}

void
nda_py_output_clear (NdaPyOutput * self)
{
  for (guint i = 0; i < 2; i++) {
    nda_py_descriptor_close (&self->fds[i]);
    g_string_free (self->lines[i], TRUE);
  }
}

/* A pipe whose writing end, @theirs, never makes the process wait. */
static gboolean
make_pipe (gint * ours, gint * theirs)
{
  gint fds[2];

  if (pipe2 (fds, O_CLOEXEC | O_NONBLOCK) < 0)
    return FALSE;
  *ours = nda_py_descriptor_move_up (fds[0]);
  *theirs = nda_py_descriptor_move_up (fds[1]);
  fcntl (*ours, F_SETPIPE_SZ, PIPE_BYTES);
  return TRUE;
}

/* In @out and @err (transfer full) what the process prints to. */
gboolean
nda_py_output_open (NdaPyOutput * self, gint * out, gint * err)
{
  if (g_strcmp0 (g_getenv ("NDA_PYTHON_STDIO"), "inherit") == 0) {
    *out = nda_py_descriptor_copy (1);
    *err = nda_py_descriptor_copy (2);
    return TRUE;
  }
  return make_pipe (&self->fds[0], out) && make_pipe (&self->fds[1], err);
}

static void
log_lines (GString * text, gboolean is_error)
{
  gchar *end;

  while ((end = strchr (text->str, '\n')) || text->len >= LONGEST_LINE) {
    gsize n_bytes = end ? (gsize) (end - text->str) : text->len;
    g_autofree gchar *line = g_utf8_make_valid (text->str, n_bytes);

    if (is_error)
      GST_WARNING ("%s", line);
    else
      GST_INFO ("%s", line);
    g_string_erase (text, 0, end ? n_bytes + 1 : n_bytes);
  }
}

static void
read_lines (NdaPyOutput * self, guint i)
{
  gchar data[4096];
  gssize n_bytes = read (self->fds[i], data, sizeof (data));

  if (n_bytes > 0) {
    for (gssize k = 0; k < n_bytes; k++)
      g_string_append_c (self->lines[i], data[k] ? data[k] : ' ');
    log_lines (self->lines[i], i == 1);
  } else if (n_bytes == 0 || (errno != EAGAIN && errno != EINTR)) {
    nda_py_descriptor_close (&self->fds[i]);
  }
}

/* Logs what the process prints, until @end_fd says that it has ended, @wake_fd
 * can be read or @timeout milliseconds are over (-1: never). */
void
nda_py_output_log (NdaPyOutput * self, gint end_fd, gint wake_fd, gint timeout)
{
  gboolean is_over = FALSE;

  while (!is_over) {
    struct pollfd fds[] = {
      {self->fds[0], POLLIN, 0},
      {self->fds[1], POLLIN, 0},
      {end_fd, POLLIN, 0},
      {wake_fd, POLLIN, 0},
    };
    gboolean has_said = FALSE;

    if (poll (fds, G_N_ELEMENTS (fds), timeout) <= 0)
      return;
    for (guint i = 0; i < 2; i++)
      if (fds[i].revents) {
        read_lines (self, i);
        has_said = TRUE;
      }
    is_over = (!has_said && fds[2].revents) || fds[3].revents;
  }
}
