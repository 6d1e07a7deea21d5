/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyfifo.h"

#include <string.h>

/* The waiting frames move to the front when as many frames have left, and at
 * least MIN_GONE. So each frame is moved at most once, and few pages of memory
 * are touched. */
#define MIN_GONE 1024

void
nda_py_fifo_init (NdaPyFifo * self, guint n_channels, gsize n_room)
{
  /* frames that have left, but were not yet moved over, need room too */
  *self = (NdaPyFifo) {
  .n_channels = n_channels,.n_room = 2 * n_room + MIN_GONE};
  self->data = g_new (gfloat, self->n_room * n_channels);
}

void
nda_py_fifo_clear (NdaPyFifo * self)
{
  g_clear_pointer (&self->data, g_free);
}

static void
move_to_front (NdaPyFifo * self)
{
  memmove (self->data, nda_py_fifo_at (self, 0),
      self->n_frames * self->n_channels * sizeof (gfloat));
  self->first = 0;
}

static void
make_room (NdaPyFifo * self, gsize n_frames)
{
  move_to_front (self);
  if (self->n_frames + n_frames <= self->n_room)
    return;
  self->n_room = 2 * (self->n_frames + n_frames);
  self->data = g_renew (gfloat, self->data, self->n_room * self->n_channels);
}

gfloat *
nda_py_fifo_add (NdaPyFifo * self, gsize n_frames)
{
  if (self->first + self->n_frames + n_frames > self->n_room)
    make_room (self, n_frames);
  self->n_frames += n_frames;
  return nda_py_fifo_at (self, self->n_frames - n_frames);
}

void
nda_py_fifo_drop (NdaPyFifo * self, gsize n_frames)
{
  n_frames = MIN (n_frames, self->n_frames);
  self->first += n_frames;
  self->n_frames -= n_frames;
  if (self->n_frames == 0)
    self->first = 0;
  else if (self->first >= MAX (self->n_frames, MIN_GONE))
    move_to_front (self);
}
