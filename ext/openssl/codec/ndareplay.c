/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndareplay.h"

#include <string.h>

#define BITS 64

/* Prepares a window of @window counters. */
void
nda_replay_init (NdaReplay * self, guint window)
{
  guint n_words = 2;

  /* one word more than the window needs: the word of top is partly for counters
   * above top, and was cleared when top entered it */
  while (n_words * BITS < window + BITS)
    n_words *= 2;
  self->words = g_new0 (guint64, n_words);
  self->n_words = n_words;
  self->window = window;
  self->top = 0;
}

void
nda_replay_clear (NdaReplay * self)
{
  g_clear_pointer (&self->words, g_free);
}

static guint64 *
word_of (const NdaReplay * self, guint32 n)
{
  return &self->words[n / BITS & (self->n_words - 1)];
}

/* Begins a session of which only @n is known. */
void
nda_replay_restart (NdaReplay * self, guint32 n)
{
  memset (self->words, 0, self->n_words * sizeof (*self->words));
  self->top = n;
  *word_of (self, n) |= G_GUINT64_CONSTANT (1) << n % BITS;
}

NdaReplayResult
nda_replay_check (const NdaReplay * self, guint32 n)
{
  if (n > self->top)
    return NDA_REPLAY_NEW;
  if (self->top - n >= self->window)
    return NDA_REPLAY_TOO_OLD;
  return *word_of (self, n) >> n % BITS & 1 ? NDA_REPLAY_SEEN : NDA_REPLAY_NEW;
}

/* Marks @n, which is authentic and not too old. */
void
nda_replay_mark (NdaReplay * self, guint32 n)
{
  if (n > self->top) {
    guint32 n_new = n / BITS - self->top / BITS;

    n_new = MIN (n_new, self->n_words);
    for (guint32 i = 0; i < n_new; i++)
      *word_of (self, n - i * BITS) = 0;
    self->top = n;
  }
  *word_of (self, n) |= G_GUINT64_CONSTANT (1) << n % BITS;
}
