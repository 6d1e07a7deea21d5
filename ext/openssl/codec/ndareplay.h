/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Remembers which of the last W counters were seen: a ring of bits that moves
 * by whole words, as in RFC 6479. No call reads more than one bit or clears a
 * word more than once. No locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_REPLAY_MIN 64
#define NDA_REPLAY_MAX (1 << 20)
#define NDA_REPLAY_DEFAULT 1024

typedef enum
{
  NDA_REPLAY_NEW,
  NDA_REPLAY_SEEN,
  NDA_REPLAY_TOO_OLD,
} NdaReplayResult;

typedef struct
{
  guint64 *words;               /* owned; a power of two of them */
  guint n_words;
  guint window;                 /* W: counters up to top - W + 1 are known */
  guint32 top;                  /* the highest marked */
} NdaReplay;

void nda_replay_init (NdaReplay * replay, guint window);
void nda_replay_clear (NdaReplay * replay);
void nda_replay_restart (NdaReplay * replay, guint32 n);
NdaReplayResult nda_replay_check (const NdaReplay * replay, guint32 n);
void nda_replay_mark (NdaReplay * replay, guint32 n);

G_END_DECLS
