/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A first-in, first-out queue of frames, with the channels of each frame side
 * by side. The waiting frames are always in one piece of memory. Belongs to one
 * thread. Allocates only when more frames wait than ever before. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gfloat *data;                 /* owned */
  guint n_channels;             /* [const] */
  gsize n_room;                 /* frames */
  gsize first;                  /* the oldest waiting frame */
  gsize n_frames;               /* waiting frames */
} NdaPyFifo;

void nda_py_fifo_init (NdaPyFifo * fifo, guint n_channels, gsize n_room);
void nda_py_fifo_clear (NdaPyFifo * fifo);

/* Makes room for @n_frames more and returns their place; they count as
 * waiting */
gfloat *nda_py_fifo_add (NdaPyFifo * fifo, gsize n_frames);
/* Removes the first @n_frames; all of them with G_MAXSIZE */
void nda_py_fifo_drop (NdaPyFifo * fifo, gsize n_frames);

/* The frame that is @n frames after the oldest */
static inline gfloat *
nda_py_fifo_at (const NdaPyFifo * fifo, gsize n)
{
  return fifo->data + (fifo->first + n) * fifo->n_channels;
}

G_END_DECLS
