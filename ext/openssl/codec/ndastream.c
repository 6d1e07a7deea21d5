/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndastream.h"

#include "ndarecord.h"

#include <string.h>

#define VERSION_1 1
#define N_WHOLE (NDA_STREAM_LENGTH + G_MAXUINT16)
/* how many bytes of the next record prove a record while searching */
#define N_NEXT (NDA_STREAM_LENGTH + NDA_RECORD_MAX_HEADER)
/* the half of a config byte that means a counter of eight bytes */
#define COUNTER_OF_EIGHT 0x0f
/* a place to check, and the bytes after it that prove it */
#define N_HELD_MAX (N_WHOLE + N_NEXT)

void
nda_stream_init (NdaStream * self)
{
  *self = (NdaStream) {
  .held = g_malloc (N_HELD_MAX)};
}

void
nda_stream_clear (NdaStream * self)
{
  g_clear_pointer (&self->held, g_free);
}

/* Starts from the beginning. */
void
nda_stream_reset (NdaStream * self)
{
  *self = (NdaStream) {
  .held = self->held};
}

/* Writes NDA_STREAM_PREAMBLE bytes. */
void
nda_stream_write_preamble (guint8 * out, guint suite)
{
  memset (out, 0, NDA_STREAM_PREAMBLE);
  memcpy (out, NDA_STREAM_MARK, NDA_STREAM_N_MARK);
  out[8] = VERSION_1;
  out[10] = suite >> 8;
  out[11] = suite;
}

/* Takes a copy of @bytes, which come before all fed bytes. */
void
nda_stream_hold (NdaStream * self, const guint8 * bytes, gsize n_bytes)
{
  g_assert (self->n_bytes == 0 && self->n_held + n_bytes <= N_HELD_MAX);

  memcpy (self->held + self->n_held, bytes, n_bytes);
  self->n_held += n_bytes;
}

/* Feeds @bytes, which must stay valid until all of them were handed out. */
void
nda_stream_feed (NdaStream * self, const guint8 * bytes, gsize n_bytes)
{
  g_assert (self->n_bytes == 0);

  self->bytes = bytes;
  self->n_bytes = n_bytes;
}

/* Holds the next @n_wanted bytes, or as many as there are. Returns whether all
 * are there. */
static gboolean
hold (NdaStream * self, gsize n_wanted)
{
  gsize n = n_wanted > self->n_held ? n_wanted - self->n_held : 0;

  n = MIN (n, self->n_bytes);
  if (n) {
    memcpy (self->held + self->n_held, self->bytes, n);
    self->n_held += n;
    self->bytes += n;
    self->n_bytes -= n;
  }
  return self->n_held >= n_wanted;
}

/* Returns the next @n_wanted bytes in one piece. NULL: there are not so many
 * yet; the present ones are held. */
static const guint8 *
gather (NdaStream * self, gsize n_wanted)
{
  if (self->n_held == 0 && self->n_bytes >= n_wanted)
    return self->bytes;
  return hold (self, n_wanted) ? self->held : NULL;
}

/* The last result of gather () is used up when the next is asked for. */
static void
consume (NdaStream * self, gsize n)
{
  if (self->n_held) {
    self->n_release = n;
    return;
  }
  self->bytes += n;
  self->n_bytes -= n;
}

static void
drop_held (NdaStream * self, gsize n)
{
  memmove (self->held, self->held + n, self->n_held - n);
  self->n_held -= n;
}

static void
release (NdaStream * self)
{
  if (self->n_release)
    drop_held (self, self->n_release);
  self->n_release = 0;
}

static NdaStreamFound
read_preamble (NdaStream * self)
{
  guint8 expected[NDA_STREAM_PREAMBLE];
  const guint8 *preamble = gather (self, NDA_STREAM_PREAMBLE);
  gsize n_known = preamble ? NDA_STREAM_PREAMBLE : self->n_held;
  const guint8 *known = preamble ? preamble : self->held;

  nda_stream_write_preamble (expected, 0);
  if (n_known >= 12)
    memcpy (expected + 10, known + 10, 2);
  if (memcmp (known, expected, MIN (n_known, 10)) != 0
      || (n_known > 12 && memcmp (known, expected, n_known) != 0)) {
    self->is_bad = TRUE;
    return NDA_STREAM_BAD_PREAMBLE;
  }
  if (!preamble)
    return NDA_STREAM_MORE;
  self->suite = preamble[10] << 8 | preamble[11];
  if (self->suite == 0)
    self->is_bad = TRUE;
  consume (self, NDA_STREAM_PREAMBLE);
  release (self);
  return self->is_bad ? NDA_STREAM_BAD_PREAMBLE : NDA_STREAM_RECORD;
}

/* --- finding a record --- */

/* Reads a header with a full counter: noise has many short ones. */
static gboolean
read_header (const guint8 * at, gsize n_bytes, gsize * n_record,
    NdaRecordHeader * header)
{
  *n_record = at[0] << 8 | at[1];
  return (at[NDA_STREAM_LENGTH] & COUNTER_OF_EIGHT) == COUNTER_OF_EIGHT
      && nda_record_header_read (at + NDA_STREAM_LENGTH,
      MIN (*n_record, n_bytes - NDA_STREAM_LENGTH), header)
      && header->counter >> 56;
}

/* Whether a record begins at @at, as far as can be seen without a key: the next
 * record of its session follows it. */
static gboolean
is_record (const guint8 * at, gsize n_bytes)
{
  NdaRecordHeader header, next;
  gsize n_record, n_next;

  if (!read_header (at, n_bytes, &n_record, &header)
      || n_bytes < NDA_STREAM_LENGTH + n_record + N_NEXT)
    return FALSE;
  return read_header (at + NDA_STREAM_LENGTH + n_record, N_NEXT, &n_next,
      &next) && next.kid == header.kid && next.counter == header.counter + 1;
}

/* Goes to the first place where a record begins. FALSE: there is none yet. */
static gboolean
search (NdaStream * self)
{
  while (hold (self, N_NEXT)) {
    hold (self, N_HELD_MAX);
    for (gsize at = 0; at + N_NEXT <= self->n_held; at++) {
      if (!is_record (self->held + at, self->n_held - at))
        continue;
      drop_held (self, at);
      self->is_searching = FALSE;
      return TRUE;
    }
    if (self->n_held < N_HELD_MAX)
      return FALSE;
    /* the rest may hold the start of one */
    drop_held (self, N_HELD_MAX / 2);
  }
  return FALSE;
}

/* Returns the next record, which stays in place until the next call. */
NdaStreamFound
nda_stream_next (NdaStream * self, const guint8 ** record, gsize * n_record)
{
  const guint8 *at;
  gsize n;

  release (self);
  if (self->is_bad)
    return NDA_STREAM_BAD_PREAMBLE;
  if (!self->suite) {
    NdaStreamFound found = read_preamble (self);

    if (found != NDA_STREAM_RECORD)
      return found;
  }
  if (G_UNLIKELY (self->is_searching) && !search (self))
    return NDA_STREAM_MORE;
  at = gather (self, NDA_STREAM_LENGTH);
  if (!at)
    return NDA_STREAM_MORE;
  n = at[0] << 8 | at[1];
  at = gather (self, NDA_STREAM_LENGTH + n);
  if (!at)
    return NDA_STREAM_MORE;
  *record = at + NDA_STREAM_LENGTH;
  *n_record = n;
  consume (self, NDA_STREAM_LENGTH + n);
  return NDA_STREAM_RECORD;
}

/* Whether @bytes, which were not fed, are exactly the next record and its
 * length: then they need not be fed. */
gboolean
nda_stream_is_one_record (const NdaStream * self, const guint8 * bytes,
    gsize n_bytes)
{
  return self->suite != 0 && !self->is_bad && !self->is_searching
      && nda_stream_is_between_records (self)
      && n_bytes >= NDA_STREAM_LENGTH
      && (gsize) (bytes[0] << 8 | bytes[1]) == n_bytes - NDA_STREAM_LENGTH;
}

/* The next bytes come from another place of the stream, perhaps not from the
 * start of a record. */
void
nda_stream_jump (NdaStream * self)
{
  nda_stream_skip (self);
  self->is_searching = TRUE;
}

/* Drops the rest of the piece, and of the record that it cuts. Returns how many
 * bytes that was. */
gsize
nda_stream_skip (NdaStream * self)
{
  gsize n;

  release (self);
  n = self->n_held + self->n_bytes;
  self->n_held = 0;
  self->n_bytes = 0;
  return n;
}

/* Whether the stream may end here. */
gboolean
nda_stream_is_between_records (const NdaStream * self)
{
  return self->suite != 0 && self->n_held == self->n_release
      && self->n_bytes == 0;
}
