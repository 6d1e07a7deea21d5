/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* pipe2 () and F_SETPIPE_SZ */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyoutput.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"
#include "ndapylog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_LINE 4096
#define PIPE_BYTES (1 << 20)
#define READ_BYTES 4096
#define LAST_LINES 3
#define LONGEST_LAST 160        /* bytes of one of them */
/* Before a line that the host's own program has for the log: ndapyworker.py */
#define OF_THE_HOST '\x1e'

void
nda_py_output_init (NdaPyOutput * self)
{
  g_mutex_init (&self->lock);
  g_queue_init (&self->last);
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
  g_queue_clear_full (&self->last, g_free);
  g_mutex_clear (&self->lock);
}

/* Makes a pipe. A write to its end @theirs never makes the process wait. */
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

/* Opens the pipes for the process's output and errors, in @out and @err
 * (transfer full). */
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
log_line_of_the_host (guint i, const gchar * line)
{
  if (i == 0)
    GST_INFO ("%s", line);
  else
    GST_WARNING ("%s", line);
}

/* nda.check knows what a plugin has printed by the name of this function. */
static void
log_printed_line (guint i, const gchar * line)
{
  if (i == 0)
    GST_INFO ("%s", line);
  else
    GST_WARNING ("%s", line);
}

static void
keep_last_locked (NdaPyOutput * self, const gchar * line)
{
  gsize n_bytes = strnlen (line, LONGEST_LAST);
  gchar *text = g_strstrip (g_utf8_make_valid (line, n_bytes));

  if (!*text) {
    g_free (text);
    return;
  }
  g_queue_push_tail (&self->last, text);
  if (self->last.length > LAST_LINES)
    g_free (g_queue_pop_head (&self->last));
}

static void
log_line_locked (NdaPyOutput * self, guint i, const gchar * text, gsize n_bytes)
{
  g_autofree gchar *line = g_utf8_make_valid (text, n_bytes);

  if (*line == OF_THE_HOST) {
    log_line_of_the_host (i, line + 1);
    return;
  }
  log_printed_line (i, line);
  keep_last_locked (self, line);
}

static void
log_lines_locked (NdaPyOutput * self, guint i)
{
  GString *text = self->lines[i];
  const gchar *begin = text->str;
  const gchar *end;

  while ((end = strchr (begin, '\n'))) {
    log_line_locked (self, i, begin, end - begin);
    begin = end + 1;
  }
  g_string_erase (text, 0, begin - text->str);
  if (text->len < LONGEST_LINE)
    return;
  log_line_locked (self, i, text->str, text->len);
  g_string_truncate (text, 0);
}

/* FALSE: there is no more, and never will be. */
static gboolean
read_lines_locked (NdaPyOutput * self, guint i)
{
  gchar data[READ_BYTES];
  gssize n_bytes = read (self->fds[i], data, sizeof (data));

  if (n_bytes <= 0)
    return n_bytes < 0 && (errno == EAGAIN || errno == EINTR);
  for (gssize k = 0; k < n_bytes; k++)
    g_string_append_c (self->lines[i], data[k] ? data[k] : ' ');
  log_lines_locked (self, i);
  return TRUE;
}

static void
read_lines (NdaPyOutput * self, guint i)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!read_lines_locked (self, i))
    nda_py_descriptor_close (&self->fds[i]);
}

/* What lies in the pipes, and no more than fits, whoever goes on printing. */
static void
read_rest_locked (NdaPyOutput * self)
{
  for (guint i = 0; i < 2; i++) {
    for (guint n = 0; n < PIPE_BYTES / READ_BYTES && self->fds[i] >= 0
        && nda_py_await_is_readable (self->fds[i]); n++)
      if (!read_lines_locked (self, i))
        break;
    if (self->lines[i]->len)
      log_line_locked (self, i, self->lines[i]->str, self->lines[i]->len);
    g_string_truncate (self->lines[i], 0);
  }
}

/* Logs the output of the process until @end_fd shows that it has ended,
 * @wake_fd can be read or the time @end is over. A process that prints without
 * end does not delay that. */
void
nda_py_output_log (NdaPyOutput * self, gint end_fd, gint wake_fd, gint64 end)
{
  gboolean is_over = FALSE;

  while (!is_over) {
    struct pollfd fds[] = {
      {self->fds[0], POLLIN, 0},
      {self->fds[1], POLLIN, 0},
      {end_fd, POLLIN, 0},
      {wake_fd, POLLIN, 0},
    };

    if (nda_py_await_any (fds, G_N_ELEMENTS (fds), end) <= 0)
      return;
    for (guint i = 0; i < 2; i++)
      if (fds[i].revents)
        read_lines (self, i);
    is_over = fds[2].revents || fds[3].revents
        || g_get_monotonic_time () >= end;
  }
}

/* Logs the rest of the output in the pipes: all that the process has printed
 * before it ended, and no more than a pipe holds, even if another process goes
 * on printing. */
void
nda_py_output_log_rest (NdaPyOutput * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  read_rest_locked (self);
}

/* The last lines that a process printed before it ended, as one (transfer
 * full); NULL: there are none. Any thread. */
gchar *
nda_py_output_read_last (NdaPyOutput * self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GString) text = g_string_new (NULL);

  read_rest_locked (self);
  for (GList * line = self->last.head; line; line = line->next)
    g_string_append_printf (text, "%s%s", text->len ? " / " : "",
        (const gchar *) line->data);
  return text->len ? g_strdup (text->str) : NULL;
}
