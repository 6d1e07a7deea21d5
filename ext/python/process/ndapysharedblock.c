/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* memfd_create () */
#define _GNU_SOURCE

#include "config.h"

#include "ndapysharedblock.h"

#include "ndablock.h"
#include "ndapyawait.h"
#include "ndapybell.h"
#include "ndapydescriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* bytes */
#define SETTING_AT 16
#define REPLY_AT 32
#define TEXT_AT 64
#define AUDIO_AT 32768
#define TEXT_BYTES (AUDIO_AT - TEXT_AT)
/* Room for any plugin. Pages that the plugin does not touch take no memory */
#define MEMORY_BYTES (AUDIO_AT \
    + NDA_BLOCK_MAX_CHANNELS * NDA_PY_MAX_FRAMES * sizeof (gfloat))

/* How long this polls for an answer before it sleeps, in microseconds: 1 % of a
 * block at most */
#define SPIN_TIME 100

enum
{
  OP_START = 1,
  OP_CALL,
  OP_RESET,
};

void
nda_py_shared_block_init (NdaPySharedBlock * self)
{
  self->bell = self->reply_bell = -1;
  self->can_spin = g_get_num_processors () > 1;
}

void
nda_py_shared_block_clear (NdaPySharedBlock * self)
{
  if (self->memory)
    munmap (self->memory, MEMORY_BYTES);
  nda_py_descriptor_close (&self->bell);
  nda_py_descriptor_close (&self->reply_bell);
  g_free (self->text);
}

/* Returns the descriptor (transfer full) of the memory, or -1. */
static gint
make_memory (NdaPySharedBlock * self)
{
  gint fd = nda_py_descriptor_move_up (memfd_create ("nda-py-blocks",
          MFD_CLOEXEC | MFD_ALLOW_SEALING));
  gpointer memory = MAP_FAILED;

  /* neither process can take the memory from the other */
  if (fd >= 0 && ftruncate (fd, MEMORY_BYTES) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
      == 0)
    memory = mmap (NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
        fd, 0);
  if (memory == MAP_FAILED) {
    nda_py_descriptor_close (&fd);
    return -1;
  }
  self->memory = memory;
  return fd;
}

/* Opens the memory and the bells; @memory, @bell and @reply_bell (transfer
 * full) are the process's. FALSE, with errno: there are no more descriptors or
 * no memory. */
gboolean
nda_py_shared_block_open (NdaPySharedBlock * self, gint * memory, gint * bell,
    gint * reply_bell)
{
  *memory = make_memory (self);
  if (*memory < 0)
    return FALSE;
  self->bell = nda_py_bell_new (TRUE);
  self->reply_bell = nda_py_bell_new (FALSE);
  if (self->bell < 0 || self->reply_bell < 0)
    return FALSE;
  *bell = nda_py_descriptor_copy (self->bell);
  *reply_bell = nda_py_descriptor_copy (self->reply_bell);
  return *bell >= 0 && *reply_bell >= 0;
}

/* --- a request and its answer -------------------------------------------- */

static gboolean
ring (NdaPySharedBlock * self, guint32 op, guint32 n, gboolean is_gated)
{
  NdaPySharedRequest request = { ++self->number, op, n, is_gated };

  memcpy (self->memory, &request, sizeof (request));
  return nda_py_bell_take (self->bell);
}

/* Copies the answer, and reads each number of it only once. */
static void
copy_reply (NdaPySharedBlock * self, NdaPySharedReply * reply)
{
  const volatile guint32 *theirs =
      (const volatile guint32 *) (self->memory + REPLY_AT);
  guint32 *ours = (guint32 *) reply;

  for (guint i = 0; i < sizeof (*reply) / sizeof (*ours); i++)
    ours[i] = theirs[i];
}

/* Polls for the answer, since waking this thread takes longer than most plugins
 * do. Does not poll if the plugin lately took more than twice this time, or if
 * there is no second processor to run it meanwhile. */
static gboolean
spin_for_reply (NdaPySharedBlock * self, gint64 now)
{
  gint64 end = now + SPIN_TIME;

  if (!self->is_quick || !self->can_spin)
    return FALSE;
  do {
    if (nda_py_bell_take (self->reply_bell))
      return TRUE;
  } while (g_get_monotonic_time () < end);
  return FALSE;
}

/* Sleeps until the answer has come, for @timeout, and again for @timeout if it
 * is excused then. */
static NdaPyAwait
sleep_for_reply (NdaPySharedBlock * self, gint end_fd, GstClockTime timeout)
{
  NdaPyAwait outcome;
  gboolean is_excused;

  do {
    outcome = nda_py_await (self->reply_bell, POLLIN, end_fd,
        nda_py_await_end_of (timeout));
    is_excused = self->excuse && g_atomic_int_get (self->excuse);
  } while (outcome == NDA_PY_AWAIT_LATE && is_excused);
  if (outcome == NDA_PY_AWAIT_READY && !nda_py_bell_take (self->reply_bell))
    return NDA_PY_AWAIT_ENDED;
  return outcome;
}

static NdaPyAwait
wait_for_reply (NdaPySharedBlock * self, gint end_fd, GstClockTime timeout)
{
  gint64 begin = g_get_monotonic_time ();
  NdaPyAwait outcome = spin_for_reply (self, begin) ? NDA_PY_AWAIT_READY :
      sleep_for_reply (self, end_fd, timeout);

  self->is_quick = g_get_monotonic_time () - begin < 2 * SPIN_TIME;
  return outcome;
}

/* Copies the text that came with an answer, since the process may change the
 * shared memory. */
static void
copy_text (NdaPySharedBlock * self, guint32 n_bytes)
{
  g_free (self->text);
  self->n_text = MIN (n_bytes, TEXT_BYTES);
  self->text = g_malloc0 (self->n_text + 1);
  memcpy (self->text, self->memory + TEXT_AT, self->n_text);
}

static NdaPySharedOutcome
request (NdaPySharedBlock * self, NdaPySharedReply * reply, gint end_fd,
    GstClockTime timeout)
{
  NdaPyAwait outcome = wait_for_reply (self, end_fd, timeout);

  if (outcome == NDA_PY_AWAIT_LATE)
    return NDA_PY_SHARED_LATE;
  if (outcome == NDA_PY_AWAIT_ENDED)
    return NDA_PY_SHARED_ENDED;
  copy_reply (self, reply);
  if (reply->number != self->number || reply->result >= NDA_PY_CALL_DEAD)
    return NDA_PY_SHARED_LIED;
  self->result = reply->result;
  if (G_UNLIKELY (reply->result == NDA_PY_CALL_FAILED
          || reply->result == NDA_PY_CALL_REFUSED
          || reply->result == NDA_PY_CALL_NOTHING))
    copy_text (self, reply->n_text);
  return NDA_PY_SHARED_ANSWERED;
}

/* FALSE: no plugin can have started with that format. */
static gboolean
is_possible (const NdaPyFormat * format, NdaPyRole role)
{
  return format->rate >= NDA_PY_MIN_RATE && format->rate <= NDA_PY_MAX_RATE
      && format->n_channels
      && format->n_channels <= NDA_BLOCK_MAX_CHANNELS
      && format->n_frames && format->n_frames <= (role == NDA_PY_ROLE_PROCESSOR
      ? NDA_PY_MAX_FRAMES : NDA_BLOCK_FRAMES);
}

/* Asks the process to configure and start the plugin. @format has the number of
 * channels of the stream; afterwards it has the format that the plugin
 * takes. */
NdaPySharedOutcome
nda_py_shared_block_start (NdaPySharedBlock * self, NdaPyRole role,
    NdaPyFormat * format, gint end_fd, GstClockTime timeout)
{
  NdaPySharedOutcome outcome = NDA_PY_SHARED_ENDED;
  NdaPySharedReply reply;

  if (ring (self, OP_START, format->n_channels, FALSE))
    outcome = request (self, &reply, end_fd, timeout);
  if (outcome != NDA_PY_SHARED_ANSWERED || self->result == NDA_PY_CALL_FAILED)
    return outcome;
  *format = (NdaPyFormat) {
  reply.rate, reply.n_channels, reply.n_frames};
  if (self->result != NDA_PY_CALL_OK || !is_possible (format, role))
    return NDA_PY_SHARED_LIED;
  self->format = *format;
  return outcome;
}

/* Asks the process for one block call. The plugin gets @n_shown frames. */
NdaPySharedOutcome
nda_py_shared_block_call (NdaPySharedBlock * self, const NdaPyAudio * in,
    const NdaPyAudio * out, guint n_frames, guint n_shown, gboolean is_gated,
    gint end_fd, GstClockTime timeout)
{
  NdaPyArray array = {
    (gfloat *) (self->memory + AUDIO_AT), self->format.n_channels, n_shown
  };
  NdaPySharedOutcome outcome = NDA_PY_SHARED_ENDED;
  NdaPySharedReply reply;

  g_assert (n_frames <= self->format.n_frames && n_shown >= n_frames);
  if (in) {
    nda_py_planes_load (&array, in, n_frames);
    if (n_frames < n_shown)
      nda_py_planes_clear (&array, n_frames);
  }
  if (ring (self, OP_CALL, n_frames, is_gated))
    outcome = request (self, &reply, end_fd, timeout);
  if (outcome != NDA_PY_SHARED_ANSWERED)
    return outcome;
  if ((self->result == NDA_PY_CALL_NO_SPACE && !is_gated)
      || (self->result == NDA_PY_CALL_ENDED && (in
              || reply.n_frames > n_frames)))
    return NDA_PY_SHARED_LIED;
  self->n_last = reply.n_frames;
  if (self->result == NDA_PY_CALL_OK && out)
    nda_py_planes_store (&array, out, n_frames);
  if (self->result == NDA_PY_CALL_ENDED)
    nda_py_planes_store (&array, out, self->n_last);
  return outcome;
}

/* Asks the process to tell the plugin that the next block does not follow the
 * last one. */
NdaPySharedOutcome
nda_py_shared_block_reset (NdaPySharedBlock * self, gint end_fd,
    GstClockTime timeout)
{
  NdaPySharedReply reply;

  if (!ring (self, OP_RESET, 0, FALSE))
    return NDA_PY_SHARED_ENDED;
  return request (self, &reply, end_fd, timeout);
}

gboolean
nda_py_shared_block_was_setting (NdaPySharedBlock * self)
{
  return *(const volatile gchar *) (self->memory + SETTING_AT) != 0;
}

/* --- text ---------------------------------------------------------------- */

/* The text that came with the last answer (transfer full). */
gchar *
nda_py_shared_block_take_text (NdaPySharedBlock * self)
{
  return g_utf8_make_valid (self->text ? self->text : "", self->n_text);
}

/* The three texts that came with the last answer (transfer full), each ended by
 * a NUL. Missing ones are empty. */
void
nda_py_shared_block_take_texts (NdaPySharedBlock * self, gchar * texts[3])
{
  const gchar *text = self->text ? self->text : "";
  const gchar *end = text + self->n_text;

  for (guint i = 0; i < 3; i++) {
    texts[i] = g_utf8_make_valid (text, -1);
    text = MIN (text + strlen (text) + 1, end);
  }
}
