/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyquestions.h"

#include "ndapyawait.h"
#include "ndapydescriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ANSWER (1 << 20)
/* How often a wait checks whether the plugin is being closed */
#define LOOK_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

/* The head of a question and of its answer; the texts follow it */
typedef struct
{
  guint32 n_bytes;              /* of the texts */
  guint32 number;               /* of the question */
} Head;

/* How long to wait for the answer, and for which end of the wait */
typedef struct
{
  gint control;
  gint end_fd;                  /* readable when the process has ended */
  gint64 end;                   /* of the time */
  const gint *is_closing;       /* as the questions' */
} NdaPyQuestion;

void
nda_py_questions_init (NdaPyQuestions * self, const gint * is_closing)
{
  self->is_closing = is_closing;
  g_mutex_init (&self->lock);
  self->control = -1;
}

/* Makes the socket; @theirs (transfer full) is the process's end. */
gboolean
nda_py_questions_open (NdaPyQuestions * self, gint * theirs)
{
  return nda_py_descriptor_make_pair (SOCK_STREAM, &self->control, theirs);
}

/* Lets the process know that there are no more questions. */
void
nda_py_questions_close (NdaPyQuestions * self)
{
  nda_py_descriptor_close (&self->control);
}

/* Ends the question that waits for its answer, and all later ones. */
void
nda_py_questions_abort (NdaPyQuestions * self)
{
  shutdown (self->control, SHUT_RDWR);
}

void
nda_py_questions_clear (NdaPyQuestions * self)
{
  nda_py_questions_close (self);
  g_mutex_clear (&self->lock);
}

/* Whether a call that returned @n bytes, or -1 and errno, must be made again
 * when the socket is ready. */
static gboolean
would_block (gssize n)
{
  return n < 0 && (errno == EINTR || errno == EAGAIN);
}

/* Waits until the socket has one of @events. */
static gboolean
wait_for (const NdaPyQuestion * q, gshort events)
{
  NdaPyAwait outcome;
  gint64 next;

  do {
    next = g_get_monotonic_time () + LOOK_INTERVAL;
    outcome = nda_py_await (q->control, events, q->end_fd, MIN (next, q->end));
  } while (outcome == NDA_PY_AWAIT_LATE && next < q->end
      && !g_atomic_int_get (q->is_closing));
  return outcome == NDA_PY_AWAIT_READY;
}

/* Sends all bytes. If they do not fit into the socket, because the process does
 * not read it, this waits until @end at most. */
static gboolean
send_all (const NdaPyQuestion * q, gconstpointer data, gsize n_bytes)
{
  const gchar *rest = data;

  while (n_bytes) {
    gssize n = send (q->control, rest, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (would_block (n) && wait_for (q, POLLOUT))
      continue;
    if (n <= 0)
      return FALSE;
    rest += n;
    n_bytes -= n;
  }
  return TRUE;
}

static gboolean
receive_all (const NdaPyQuestion * q, gpointer data, gsize n_bytes)
{
  gchar *rest = data;

  while (n_bytes) {
    gssize n = recv (q->control, rest, n_bytes, MSG_DONTWAIT);

    if (would_block (n) && wait_for (q, POLLIN))
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
  return n_bytes - 1;           /* the last text has no NUL */
}

/* Makes the bytes to send: a head, and the texts. The memory is allocated at
 * once: if it grew, a part of a key could stay behind in freed memory. */
static gchar *
pack (guint32 number, va_list texts, gsize * size)
{
  Head head = { 0, number };
  const gchar *text;
  va_list counted;
  gchar *data, *end;

  va_copy (counted, texts);
  head.n_bytes = count_bytes (counted);
  va_end (counted);

  *size = sizeof (head) + head.n_bytes;
  data = g_malloc (*size + 1);
  memcpy (data, &head, sizeof (head));
  end = data + sizeof (head);
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

/* Receives the answer. NULL: none came in time, or it answers another
 * question. */
static GStrv
receive (const NdaPyQuestion * q, guint32 number)
{
  Head head;
  g_autofree gchar *data = NULL;

  if (!receive_all (q, &head, sizeof (head)) || head.number != number
      || head.n_bytes > MAX_ANSWER)
    return NULL;
  data = g_malloc0 (head.n_bytes + 1);
  if (!receive_all (q, data, head.n_bytes))
    return NULL;
  return unpack (data, head.n_bytes);
}

/* Sends @texts, up to NULL, and waits for the answer (transfer full) until
 * @end_fd can be read, the @timeout is over or the plugin is closed. NULL:
 * there is no answer; @is_late tells whether the time was over. */
GStrv
nda_py_questions_ask (NdaPyQuestions * self, gint end_fd, GstClockTime timeout,
    gboolean * is_late, va_list texts)
{
  NdaPyQuestion q = { self->control, end_fd, 0, self->is_closing };
  GStrv answer = NULL;
  gchar *question;
  gsize size;

  g_mutex_lock (&self->lock);
  question = pack (++self->number, texts, &size);
  q.end = nda_py_await_end_of (timeout);
  if (send_all (&q, question, size))
    answer = receive (&q, self->number);
  *is_late = !answer && g_get_monotonic_time () >= q.end;
  g_mutex_unlock (&self->lock);
  explicit_bzero (question, size);      /* there may be a key in it */
  g_free (question);
  return answer;
}
