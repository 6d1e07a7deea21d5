/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames that wait, the channels of each side by side: first in, first out, and
 * always one stretch of memory. Belongs to one thread. Allocates when more wait
 * than ever before. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gfloat *data;                 /* owned */
  guint n_channels;             /* [const] */
  gsize n_room;                 /* frames */
  gsize first;                  /* the oldest that waits */
  gsize n_frames;               /* that wait */
} NdaPyFifo;

void nda_py_fifo_init (NdaPyFifo * fifo, guint n_channels, gsize n_room);
void nda_py_fifo_clear (NdaPyFifo * fifo);

/* Where the next @n_frames belong, which wait from now on */
gfloat *nda_py_fifo_add (NdaPyFifo * fifo, gsize n_frames);
/* The first @n_frames go; all of them with G_MAXSIZE */
void nda_py_fifo_drop (NdaPyFifo * fifo, gsize n_frames);

/* The frame @n behind the oldest */
static inline gfloat *
nda_py_fifo_at (const NdaPyFifo * fifo, gsize n)
{
  return fifo->data + (fifo->first + n) * fifo->n_channels;
}

G_END_DECLS
