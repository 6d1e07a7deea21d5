/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What every rate converter can do, whatever is inside: take frames at one rate
 * and give frames at another. Both come as pointers, one for all channels when
 * interleaved, else one a channel. The first frame out lies where the first
 * frame in does; there is no end: who needs the last frames, converts silence
 * behind them.
 *
 * Belongs to one streaming thread: no locks. What the struct says about its
 * lag is constant. */

#pragma once

#include <gst/audio/audio.h>

G_BEGIN_DECLS

typedef struct _NdaConverter NdaConverter;

typedef struct
{
  /* Takes up to @n_in frames and gives up to @n_out. At least one of either
   * moves, if both may. Does not allocate in steady state. */
  void (*process) (NdaConverter * self, gconstpointer const *in, gsize n_in,
      gpointer const *out, gsize n_out, gsize * n_taken, gsize * n_given);
  /* NULL where the ratio is fixed. From the next frame on, within @n_frames, to
   * @factor times as many frames out as the two rates give. */
  void (*glide) (NdaConverter * self, gdouble factor, guint n_frames);
  /* NULL where the ratio is fixed. How many of the frames that were taken lie
   * behind the one that is given next, with it. */
    gdouble (*get_pending) (NdaConverter * self);
  /* Forgets all frames: as new. */
  void (*restart) (NdaConverter * self);
  void (*free) (NdaConverter * self);
} NdaConverterKind;

struct _NdaConverter
{
  const NdaConverterKind *kind; /* [const] */

  /* [const] in frames of the input: of what was taken, all but this much at
   * most has come out again */
  gdouble max_lag;
  /* [const] in frames of the input: how far away, at most, a frame can be heard
   * in another */
  gdouble reach;
};

static inline void
nda_converter_process (NdaConverter * self, gconstpointer const *in,
    gsize n_in, gpointer const *out, gsize n_out, gsize * n_taken,
    gsize * n_given)
{
  self->kind->process (self, in, n_in, out, n_out, n_taken, n_given);
}

static inline void
nda_converter_restart (NdaConverter * self)
{
  self->kind->restart (self);
}

static inline void
nda_converter_free (NdaConverter * self)
{
  self->kind->free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaConverter, nda_converter_free)

G_END_DECLS
