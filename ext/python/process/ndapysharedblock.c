/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* memfd_create (), ppoll () and such */
#define _GNU_SOURCE

#include "config.h"

#include "ndapysharedblock.h"

#include "ndablock.h"
#include "ndapydescriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_AT 64
#define AUDIO_AT 32768
#define TEXT_BYTES (AUDIO_AT - TEXT_AT)
#define MEMORY_BYTES (AUDIO_AT \
    + NDA_BLOCK_MAX_CHANNELS * NDA_BLOCK_FRAMES * sizeof (gfloat))

/* How long an answer is looked for before it is slept for, in microseconds: 1 %
 * of a block at most */
#define SPIN_TIME 100

enum
{
  OP_START = 1,
  OP_CALL,
};

void
nda_py_shared_block_init (NdaPySharedBlock * self)
{
  self->request = self->reply = -1;
  self->can_spin = g_get_num_processors () > 1;
}

void
nda_py_shared_block_clear (NdaPySharedBlock * self)
{
  if (self->head)
    munmap (self->head, MEMORY_BYTES);
  nda_py_descriptor_close (&self->request);
  nda_py_descriptor_close (&self->reply);
}

/* Returns the descriptor (transfer full) of the memory, or -1. */
static gint
make_memory (NdaPySharedBlock * self)
{
  gint fd = nda_py_descriptor_move_up (memfd_create ("nda-py-blocks",
          MFD_CLOEXEC | MFD_ALLOW_SEALING));
  gpointer memory = MAP_FAILED;

  /* nobody can take away what the other has mapped */
  if (fd >= 0 && ftruncate (fd, MEMORY_BYTES) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
      == 0)
    memory = mmap (NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
        fd, 0);
  if (memory == MAP_FAILED) {
    nda_py_descriptor_close (&fd);
    return -1;
  }
  self->head = memory;
  return fd;
}

/* In @memory, @request and @reply (transfer full) what is the process's. */
gboolean
nda_py_shared_block_open (NdaPySharedBlock * self, gint * memory,
    gint * request, gint * reply)
{
  *memory = make_memory (self);
  self->request = nda_py_descriptor_move_up (eventfd (0, EFD_CLOEXEC));
  self->reply =
      nda_py_descriptor_move_up (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
  *request = nda_py_descriptor_copy (self->request);
  *reply = nda_py_descriptor_copy (self->reply);
  return *memory >= 0 && *request >= 0 && *reply >= 0;
}

static gboolean
ring (gint doorbell)
{
  const guint64 one = 1;

  return write (doorbell, &one, sizeof (one)) == sizeof (one);
}

/* Takes the answer, if it is there. */
static gboolean
take_reply (NdaPySharedBlock * self)
{
  guint64 n_rings;

  return read (self->reply, &n_rings, sizeof (n_rings)) == sizeof (n_rings);
}

/* Looks for the answer again and again: to be woken would take longer than most
 * plugins do. A plugin that lately took twice as long as this may is slept for,
 * and so is any where there is no second processor to run it meanwhile. */
static gboolean
spin_for_reply (NdaPySharedBlock * self, gint64 now)
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

/* Sleeps until the answer has come. */
static NdaPySharedOutcome
sleep_for_reply (NdaPySharedBlock * self, gint end_fd, gint64 begin,
    GstClockTime timeout)
{
  struct pollfd fds[] = {
    {self->reply, POLLIN, 0},
    {end_fd, POLLIN, 0},
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
    if (n_ready == 0)
      return NDA_PY_SHARED_LATE;
    if (n_ready < 0 || !(fds[0].revents & POLLIN))
      return NDA_PY_SHARED_ENDED;
  }
  return NDA_PY_SHARED_ANSWERED;
}

static NdaPySharedOutcome
wait_for_reply (NdaPySharedBlock * self, gint end_fd, GstClockTime timeout)
{
  gint64 begin = g_get_monotonic_time ();
  NdaPySharedOutcome outcome = spin_for_reply (self, begin) ?
      NDA_PY_SHARED_ANSWERED : sleep_for_reply (self, end_fd, begin, timeout);

  self->is_quick = g_get_monotonic_time () - begin < 2 * SPIN_TIME;
  return outcome;
}

static NdaPySharedOutcome
request (NdaPySharedBlock * self, guint32 op, gint end_fd, GstClockTime timeout)
{
  NdaPySharedOutcome outcome = NDA_PY_SHARED_ENDED;

  self->head->op = op;
  self->head->n_text = 0;
  if (ring (self->request))
    outcome = wait_for_reply (self, end_fd, timeout);
  if (outcome == NDA_PY_SHARED_ANSWERED)
    self->result = MIN (self->head->result, NDA_PY_CALL_NO_SPACE);
  return outcome;
}

/* FALSE: no plugin can have started so. */
static gboolean
read_format (const NdaPySharedHead * head, NdaPyFormat * format)
{
  *format = (NdaPyFormat) {
  head->rate, head->n_channels, head->n_call_frames};
  return format->rate && format->n_channels
      && format->n_channels <= NDA_BLOCK_MAX_CHANNELS
      && format->n_frames && format->n_frames <= NDA_BLOCK_FRAMES;
}

/* Has the plugin configured and started. @format says how many channels a
 * processor gets, and then what the process says that it takes. */
NdaPySharedOutcome
nda_py_shared_block_start (NdaPySharedBlock * self, NdaPyFormat * format,
    gint end_fd, GstClockTime timeout)
{
  NdaPySharedHead *head = self->head;
  NdaPySharedOutcome outcome;

  head->n_channels = format->n_channels;
  outcome = request (self, OP_START, end_fd, timeout);
  if (outcome != NDA_PY_SHARED_ANSWERED || self->result != NDA_PY_CALL_OK)
    return outcome;
  if (read_format (head, format))
    self->format = *format;
  else
    self->result = NDA_PY_CALL_FAILED;
  return outcome;
}

/* Has one block call made, of which the plugin is shown @n_shown frames. */
NdaPySharedOutcome
nda_py_shared_block_call (NdaPySharedBlock * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, guint n_shown, gboolean is_gated,
    gint end_fd, GstClockTime timeout)
{
  NdaPySharedHead *head = self->head;
  NdaPyArray array = {
    (gfloat *) ((gchar *) head + AUDIO_AT), self->format.n_channels, n_shown
  };
  NdaPySharedOutcome outcome;

  if (in) {
    nda_py_planes_load (&array, in, n_frames);
    if (n_frames < n_shown)
      nda_py_planes_clear (&array, n_frames);
  }
  head->n_frames = n_frames;
  head->is_gated = is_gated;
  outcome = request (self, OP_CALL, end_fd, timeout);
  if (outcome == NDA_PY_SHARED_ANSWERED && self->result == NDA_PY_CALL_OK
      && out)
    nda_py_planes_store (&array, out, n_frames);
  return outcome;
}

static const gchar *
find_text (NdaPySharedBlock * self, guint * n_bytes)
{
  *n_bytes = MIN (self->head->n_text, TEXT_BYTES);
  return (const gchar *) self->head + TEXT_AT;
}

/* The text that came with the last answer (transfer full). */
gchar *
nda_py_shared_block_take_text (NdaPySharedBlock * self)
{
  guint n_bytes;
  const gchar *text = find_text (self, &n_bytes);

  return g_utf8_make_valid (text, n_bytes);
}

/* The three texts that came with the last answer (transfer full), one behind
 * the end of the other; empty ones, if less came. */
gchar *
nda_py_shared_block_take_texts (NdaPySharedBlock * self)
{
  guint n_bytes;
  const gchar *text = find_text (self, &n_bytes);
  gchar *texts = g_malloc0 (n_bytes + 3);

  memcpy (texts, text, n_bytes);
  return texts;
}
