/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The block thread's side of the process: one copy in, a ring, a wait, one copy
 * out. What comes back is taken only from a process that has answered: of one
 * that died or hung, nothing is. */

/* memfd_create (), ppoll () and such */
#define _GNU_SOURCE

#include "config.h"

#include "ndapyworkerpriv.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* For start (), which may wait for a device */
#define START_TIMEOUT (30 * GST_SECOND)
/* How long an answer is looked for before it is slept for, in microseconds: 1 %
 * of a block at most */
#define SPIN_TIME 100

enum
{
  OP_START = 1,
  OP_CALL,
};

static gboolean
ring (gint doorbell)
{
  const guint64 one = 1;

  return write (doorbell, &one, sizeof (one)) == sizeof (one);
}

/* Takes the answer, if it is there. */
static gboolean
take_reply (NdaPyWorker * self)
{
  guint64 n_rings;

  return read (self->reply, &n_rings, sizeof (n_rings)) == sizeof (n_rings);
}

/* Looks for the answer again and again: to be woken would take longer than most
 * plugins do. A plugin that lately took twice as long as this may is slept for,
 * and so is any where there is no second processor to run it meanwhile. */
static gboolean
spin_for_reply (NdaPyWorker * self, gint64 now)
{
  gint64 end = now + SPIN_TIME;

  if (!self->is_quick || !self->can_spin)
    return FALSE;
  do {
    if (take_reply (self))
      return TRUE;
  } while (g_get_monotonic_time () < end);
  return FALSE;
}

/* Sleeps until the answer has come. FALSE: the process died, or was killed for
 * taking longer than @timeout, unless that is 0. */
static gboolean
sleep_for_reply (NdaPyWorker * self, gint64 begin, GstClockTime timeout)
{
  struct pollfd fds[] = {
    {self->reply, POLLIN, 0},
    {self->pid_fd, POLLIN, 0},
  };
  gint64 end = begin + GST_TIME_AS_USECONDS (timeout);
  struct timespec left = { 0 };

  while (!take_reply (self)) {
    gint64 us = MAX (end - g_get_monotonic_time (), 0);
    gint n_ready;

    left.tv_sec = us / G_USEC_PER_SEC;
    left.tv_nsec = us % G_USEC_PER_SEC * 1000;
    n_ready = ppoll (fds, G_N_ELEMENTS (fds), timeout ? &left : NULL, NULL);
    if (n_ready < 0 && errno == EINTR)
      continue;
    if (n_ready == 0) {
      g_autofree gchar *reason = nda_py_worker_describe_timeout (timeout);

      nda_py_worker_kill (self, reason);
    }
    if (n_ready <= 0 || !(fds[0].revents & POLLIN))
      return FALSE;
  }
  return TRUE;
}

static gboolean
wait_for_reply (NdaPyWorker * self, GstClockTime timeout)
{
  gint64 begin = g_get_monotonic_time ();
  gboolean ok = spin_for_reply (self, begin)
      || sleep_for_reply (self, begin, timeout);

  self->is_quick = g_get_monotonic_time () - begin < 2 * SPIN_TIME;
  return ok;
}

static gboolean
request (NdaPyWorker * self, guint32 op, GstClockTime timeout)
{
  self->memory->op = op;
  self->memory->n_text = 0;
  return ring (self->request) && wait_for_reply (self, timeout);
}

/* The text that came with the last answer (transfer full). */
gchar *
nda_py_worker_take_text (NdaPyWorker * self)
{
  guint n_text = MIN (self->memory->n_text,
      NDA_PY_WORKER_AUDIO_AT - NDA_PY_WORKER_TEXT_AT);

  return g_utf8_make_valid ((gchar *) self->memory + NDA_PY_WORKER_TEXT_AT,
      n_text);
}

static void
set_start_error (NdaPyWorker * self, GError ** error)
{
  g_autofree gchar *death = NULL;
  guint n_text = MIN (self->memory->n_text,
      NDA_PY_WORKER_AUDIO_AT - NDA_PY_WORKER_TEXT_AT);
  g_autofree gchar *kind =
      g_memdup2 ((gchar *) self->memory + NDA_PY_WORKER_TEXT_AT, n_text + 3);
  const gchar *name, *reason;

  if (nda_py_worker_is_dead (self)) {
    death = nda_py_worker_describe_death (self);
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        _("The process of the plugin “%s” ended in its start (): %s"),
        self->config.path, death);
    return;
  }
  memset (kind + n_text, 0, 3); /* three texts, whatever came */
  name = kind + strlen (kind) + 1;
  reason = name + strlen (name) + 1;
  nda_py_worker_set_problem (self, kind, name, reason, error);
}

static gboolean
check_format (const NdaPyWorkerHead * head, NdaPyFormat * format)
{
  *format = (NdaPyFormat) {
  head->rate, head->n_channels, head->n_call_frames};
  return format->rate && format->n_channels && format->n_channels <= 64
      && format->n_frames && format->n_frames <= 512;
}

/* Configures and starts the plugin, on the process's block thread. */
gboolean
nda_py_worker_start (NdaPyWorker * self, NdaPyFormat * format, GError ** error)
{
  NdaPyWorkerHead *head = self->memory;

  head->n_channels = format->n_channels;
  if (!request (self, OP_START, START_TIMEOUT)
      || head->result != NDA_PY_CALL_OK || !check_format (head, format)) {
    set_start_error (self, error);
    return FALSE;
  }
  self->format = *format;
  return TRUE;
}

/* Makes one block call, as nda_py_plugin_call () does; DEAD where there is
 * nobody to make it. */
NdaPyCallResult
nda_py_worker_call (NdaPyWorker * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, gboolean is_gated)
{
  NdaPyWorkerHead *head = self->memory;
  NdaPyArray array = {
    (gfloat *) ((gchar *) head + NDA_PY_WORKER_AUDIO_AT),
    self->format.n_channels, self->format.n_frames
  };

  /* a sink is shown a short last block as it is (6.1.7) */
  if (self->config.role == NDA_PY_ROLE_SINK)
    array.n_frames = n_frames;
  if (in) {
    nda_py_planes_load (&array, in, n_frames);
    if (n_frames < array.n_frames)
      nda_py_planes_clear (&array, n_frames);
  }
  head->n_frames = n_frames;
  head->is_gated = is_gated;
  if (!request (self, OP_CALL, self->config.deadline))
    return NDA_PY_CALL_DEAD;
  if (head->result == NDA_PY_CALL_OK && out)
    nda_py_planes_store (&array, out, n_frames);
  return MIN (head->result, NDA_PY_CALL_NO_SPACE);
}
