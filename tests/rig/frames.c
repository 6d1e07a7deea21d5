/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "frames.h"

#include <string.h>

/* A linear congruential step is a bijection of 24-bit numbers: a number can be
 * read back from it. */
#define CODE_MASK 0xffffff
#define CODE_FACTOR 0x5bd1e5
#define CODE_OFFSET 0x2545f5
#define PROOF_FACTOR 0x9e3779b1

/* So much silence after the last frame proves that nothing follows */
#define TAIL_FRAMES (RIG_RATE / 4)
/* So much of it anywhere, and nothing more will come */
#define GIVE_UP_FRAMES (5 * RIG_RATE)

static gfloat
code_to_sample (guint32 code)
{
  return ((gint32) (code & CODE_MASK) - 0x800000) / (gfloat) 0x800000;
}

static guint32
proof_of (guint32 number)
{
  guint32 mixed = number * PROOF_FACTOR;

  return (mixed ^ (mixed >> 15)) >> 8;
}

void
rig_frame_write (gfloat * frame, guint64 number)
{
  guint32 low = number & CODE_MASK;

  frame[0] = code_to_sample (low * CODE_FACTOR + CODE_OFFSET);
  frame[1] = code_to_sample (proof_of (low));
}

/* x with factor * x = 1 modulo 2^24, by Newton's iteration */
static guint32
inverse_of (guint32 factor)
{
  guint32 x = factor;
  gint i;

  for (i = 0; i < 4; i++)
    x *= 2 - factor * x;
  return x & CODE_MASK;
}

/* The low 24 bits of the number a frame carries, or -1 if it is none of ours */
static gint32
read_frame (const gfloat * frame)
{
  static const gfloat full_scale = 0x800000;
  gfloat scaled = frame[0] * full_scale;
  gfloat again[RIG_CHANNELS];
  guint32 code, number;

  /* written so that a NaN is refused as well */
  if (!(scaled >= -full_scale && scaled < full_scale))
    return -1;
  code = (guint32) ((gint32) scaled + 0x800000);
  number = ((code - CODE_OFFSET) * inverse_of (CODE_FACTOR)) & CODE_MASK;
  rig_frame_write (again, number);
  return memcmp (again, frame, sizeof (again)) == 0 ? (gint32) number : -1;
}

static gboolean
frame_is_silent (const gfloat * frame)
{
  static const gfloat silence[RIG_CHANNELS] = { 0, };

  return memcmp (frame, silence, sizeof (silence)) == 0;
}

static gboolean
account_for_number (RigListener * listener, guint32 number)
{
  guint32 ahead = (number - (guint32) listener->next) & CODE_MASK;

  /* Half of the numbers lie behind us. */
  if (ahead > CODE_MASK / 2) {
    listener->account.n_repeated++;
    return FALSE;
  }
  if (listener->next > 0)
    listener->account.n_silent += listener->n_pending;
  listener->account.n_lost += ahead;
  listener->account.n_heard++;
  listener->next += ahead + 1;
  return TRUE;
}

/* Whether the frame is one of the signal, heard in its place: @listener->next -
 * 1 is its number then. */
gboolean
rig_listener_take (RigListener * listener, const gfloat * frame)
{
  gboolean is_in_place = FALSE;
  gint32 number;

  if (frame_is_silent (frame)) {
    listener->n_pending++;
    return FALSE;
  }
  number = read_frame (frame);
  if (number >= 0)
    is_in_place = account_for_number (listener, number);
  else
    listener->account.n_altered++;
  listener->n_pending = 0;
  return is_in_place;
}

/* Whether nothing of @n_frames will come any more. */
gboolean
rig_listener_is_done (const RigListener * listener, guint64 n_frames)
{
  guint64 enough = listener->next >= n_frames ? TAIL_FRAMES : GIVE_UP_FRAMES;

  return listener->n_pending >= enough;
}

/* Whether all of n_frames arrived, and nothing else. */
gboolean
rig_account_print (const RigAccount * account, guint64 n_frames)
{
  g_print ("frames: %" G_GUINT64_FORMAT " played, %" G_GUINT64_FORMAT
      " heard, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " repeated, %"
      G_GUINT64_FORMAT " altered, %" G_GUINT64_FORMAT " silent in between\n",
      n_frames, account->n_heard, account->n_lost, account->n_repeated,
      account->n_altered, account->n_silent);
  if (account->n_missed > 0)
    g_print ("the ear itself lost sound %" G_GUINT64_FORMAT " times\n",
        account->n_missed);
  return account->n_heard == n_frames && account->n_lost == 0 &&
      account->n_repeated == 0 && account->n_altered == 0 &&
      account->n_silent == 0 && account->n_missed == 0;
}
