/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Questions to the process: texts over a socket, each behind its length; what
 * comes back begins with "ok" or "problem". One that does not answer in time is
 * killed. */

#include "config.h"

#include "ndapyworkerpriv.h"

#include "ndapylog.h"
#include "ndapyparameters.h"
#include "ndapyproblem.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* in milliseconds: for initialize (), which may open devices, and the rest */
#define LOAD_TIMEOUT 30000
#define ASK_TIMEOUT 5000
#define EXIT_TIMEOUT 100
#define MAX_ANSWER (1 << 20)

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

/* Texts as they are sent: their length, and they. In one piece from the start, so
 * that none of a key is left behind where it had to grow. */
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
receive (NdaPyWorker * self, gint timeout)
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
send_in_time (NdaPyWorker * self, const gchar * data, gsize size, gint timeout)
{
  const struct timeval limit = { timeout / 1000, timeout % 1000 * 1000 };

  setsockopt (self->control, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof (limit));
  return send_all (self->control, data, size);
}

/* Sends texts, up to NULL, and waits @timeout milliseconds for the answer
 * (transfer full); NULL: there is none, and the process is dead. */
static GStrv G_GNUC_NULL_TERMINATED
ask (NdaPyWorker * self, gint timeout, ...)
{
  g_autofree gchar *question = NULL;
  GStrv answer = NULL;
  va_list texts;
  gsize size;

  va_start (texts, timeout);
  question = pack (texts, &size);
  va_end (texts);

  g_mutex_lock (&self->ask_lock);
  if (send_in_time (self, question, size, timeout))
    answer = receive (self, timeout);
  g_mutex_unlock (&self->ask_lock);
  explicit_bzero (question, size);      /* there may be a key in it */
  if (!answer) {
    struct pollfd pfd = { self->pid_fd, POLLIN, 0 };

    poll (&pfd, 1, EXIT_TIMEOUT);       /* it may be about to end by itself */
    nda_py_worker_kill (self, _("it does not answer"));
  }
  return answer;
}

/* Says what the process has told, or that it died. */
void
nda_py_worker_set_problem (NdaPyWorker * self, const gchar * nick,
    const gchar * name, const gchar * reason, GError ** error)
{
  nda_py_problem_set_error (error, nda_py_problem_from_nick (nick),
      self->config.path, name, reason);
}

/* Loads and initialises the plugin in the process. */
gboolean
nda_py_worker_load (NdaPyWorker * self, GError ** error)
{
  const gchar *base = g_getenv ("NDA_PYTHON_DIR");
  g_autofree gchar *api = g_build_filename (base && *base ? base :
      NDA_PYTHON_DIR, "nda", "api", NULL);
  g_autofree gchar *parent = g_strdup_printf ("%d", (gint) getpid ());
  g_autofree gchar *deadline =
      g_strdup_printf ("%" G_GUINT64_FORMAT, self->config.deadline);
  g_auto (GStrv) answer = ask (self, LOAD_TIMEOUT, "load",
      self->config.path, nda_py_role_name (self->config.role), api,
      NDA_PY_SECRET_WORDS, parent, deadline, NULL);
  g_autofree gchar *death = NULL;

  if (answer && g_str_equal (answer[0], "ok"))
    return TRUE;
  if (answer && g_strv_length (answer) == 4) {
    nda_py_worker_set_problem (self, answer[1], answer[2], answer[3], error);
    return FALSE;
  }
  death = nda_py_worker_describe_death (self);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
      _
      ("The process of the plugin “%s” under “%s” did not begin: %s. See "
          "GST_DEBUG=ndapython:4, and whether that Python has NumPy."),
      self->config.path, self->config.python, death);
  return FALSE;
}

/* Sets a parameter. Returns what went wrong (transfer full), or NULL. */
gchar *
nda_py_worker_set_parameter (NdaPyWorker * self, const gchar * key,
    const gchar * value)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "set", key, value, NULL);

  if (!answer)
    return nda_py_worker_describe_death (self);
  return answer[1] && *answer[1] ? g_strdup (answer[1]) : NULL;
}

/* A parameter as text (transfer full), "" when it is not known. */
gchar *
nda_py_worker_get_parameter (NdaPyWorker * self, const gchar * key)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "get", key, NULL);

  return g_strdup (answer && answer[1] ? answer[1] : "");
}

/* What the plugin says of itself now. */
void
nda_py_worker_get_facts (NdaPyWorker * self, NdaPyFacts * facts)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "facts", NULL);

  *facts = (NdaPyFacts) {
  0};
  if (!answer || g_strv_length (answer) < 3)
    return;
  facts->latency = g_ascii_strtoull (answer[1], NULL, 10);
  facts->n_channels = g_ascii_strtoull (answer[2], NULL, 10);
}

/* stop (), beside a block call perhaps. */
void
nda_py_worker_stop (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "stop", NULL);

  (void) answer;
}

/* Sends a SystemExit to the block call. */
void
nda_py_worker_interrupt (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "interrupt", NULL);

  (void) answer;
}

/* shutdown (), after which the process ends by itself. */
void
nda_py_worker_shut_down (NdaPyWorker * self)
{
  g_auto (GStrv) answer = ask (self, ASK_TIMEOUT, "shut-down", NULL);

  (void) answer;
}
