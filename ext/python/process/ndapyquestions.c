/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyquestions.h"

#include "ndapydescriptor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MAX_ANSWER (1 << 20)

void
nda_py_questions_init (NdaPyQuestions * self)
{
  g_mutex_init (&self->lock);
  self->control = -1;
}

/* In @theirs (transfer full) the process's end of the socket. */
gboolean
nda_py_questions_open (NdaPyQuestions * self, gint * theirs)
{
  gint sockets[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
    return FALSE;
  self->control = nda_py_descriptor_move_up (sockets[0]);
  *theirs = nda_py_descriptor_move_up (sockets[1]);
  return TRUE;
}

/* Lets the process know that there are no more questions. */
void
nda_py_questions_close (NdaPyQuestions * self)
{
  nda_py_descriptor_close (&self->control);
}

void
nda_py_questions_clear (NdaPyQuestions * self)
{
  nda_py_questions_close (self);
  g_mutex_clear (&self->lock);
}

static gboolean
send_all (gint fd, gconstpointer data, gsize n_bytes)
{
  const gchar *rest = data;

  while (n_bytes) {
    gssize n = send (fd, rest, n_bytes, MSG_NOSIGNAL);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    rest += n;
    n_bytes -= n;
  }
  return TRUE;
}

static gboolean
receive_all (gint fd, gpointer data, gsize n_bytes, gint64 deadline)
{
  gchar *rest = data;

  while (n_bytes) {
    struct pollfd pfd = { fd, POLLIN, 0 };
    gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
    gint n_ready = poll (&pfd, 1, MAX (left, 0));
    gssize n;

    if (n_ready == 0)
      return FALSE;
    n = recv (fd, rest, n_bytes, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    rest += n;
    n_bytes -= n;
  }
  return TRUE;
}

static gsize
count_bytes (va_list texts)
{
  const gchar *text;
  gsize n_bytes = 0;

  while ((text = va_arg (texts, const gchar *)))
      n_bytes += strlen (text) + 1;
  return n_bytes - 1;           /* the last has no end */
}

/* Texts as they are sent: their length, and they. In one piece from the start,
 * so that none of a key is left behind where it had to grow. */
static gchar *
pack (va_list texts, gsize * size)
{
  const gchar *text;
  guint32 n_bytes;
  va_list counted;
  gchar *data, *end;

  va_copy (counted, texts);
  n_bytes = count_bytes (counted);
  va_end (counted);

  *size = sizeof (n_bytes) + n_bytes;
  data = g_malloc (*size + 1);
  memcpy (data, &n_bytes, sizeof (n_bytes));
  end = data + sizeof (n_bytes);
  while ((text = va_arg (texts, const gchar *)))
      end = g_stpcpy (end, text) + 1;
  return data;
}

static GStrv
unpack (const gchar * data, gsize n_bytes)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  const gchar *text = data;

  while (text <= data + n_bytes) {
    g_ptr_array_add (texts, g_strdup (text));
    text += strlen (text) + 1;
  }
  g_ptr_array_add (texts, NULL);
  return (GStrv) g_ptr_array_steal (texts, NULL);
}

static GStrv
receive (NdaPyQuestions * self, gint timeout)
{
  gint64 deadline = g_get_monotonic_time ()
      + timeout * G_TIME_SPAN_MILLISECOND;
  guint32 n_bytes;
  g_autofree gchar *data = NULL;

  if (!receive_all (self->control, &n_bytes, sizeof (n_bytes), deadline)
      || n_bytes > MAX_ANSWER)
    return NULL;
  data = g_malloc0 (n_bytes + 1);
  if (!receive_all (self->control, data, n_bytes, deadline))
    return NULL;
  return unpack (data, n_bytes);
}

/* What does not fit into the socket, because nobody reads it, is not waited for
 * without an end. */
static gboolean
send_in_time (NdaPyQuestions * self, const gchar * data, gsize size,
    gint timeout)
{
  const struct timeval limit = { timeout / 1000, timeout % 1000 * 1000 };

  setsockopt (self->control, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof (limit));
  return send_all (self->control, data, size);
}

/* Sends @texts, up to NULL, and waits @timeout milliseconds for the answer
 * (transfer full). NULL: there is none. */
GStrv
nda_py_questions_ask (NdaPyQuestions * self, gint timeout, va_list texts)
{
  GStrv answer = NULL;
  gsize size;
  g_autofree gchar *question = pack (texts, &size);

  g_mutex_lock (&self->lock);
  if (send_in_time (self, question, size, timeout))
    answer = receive (self, timeout);
  g_mutex_unlock (&self->lock);
  explicit_bzero (question, size);      /* there may be a key in it */
  return answer;
}
