/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The resampler: buffers of one rate and format in, blocks of another out.
 *
 *     nda_resampler_push (resampler, buffer, n_frames);
 *     while ((block = nda_resampler_pop (resampler))) ...
 *
 * and where the run of frames ends
 *
 *     while ((block = nda_resampler_drain (resampler))) ...
 *
 * A block is filled in place, in a buffer of a pool. n frames in are
 * round (n * out_rate / in_rate) out. They are counted through all runs since
 * the last nda_resampler_flush (), so that no number of cuts loses or adds a
 * frame. Where all that can be heard in a block was GAP, it is GAP.
 *
 * Only the first block of a run has a time stamp, that of the run's first
 * buffer. At equal rates the end of a buffer comes out at once, as a short
 * block, for whoever regroups to put together.
 *
 * Belongs to one streaming thread: no locks. */

#pragma once

#include "ndaconverter.h"

G_BEGIN_DECLS

typedef struct _NdaResampler NdaResampler;

/* From frames of @in to blocks of @out_caps, which have its channels and
 * layout, by a converter of @maker; between equal rates without one. NULL, with
 * the reason, where @maker cannot bridge the rates. */
NdaResampler *nda_resampler_new (const GstAudioInfo * in, GstCaps * out_caps,
    const NdaConverterMaker * maker, NdaQuality quality, GError ** error);

/* A ratio that glides: it becomes another from block to block, in small and
 * even steps from frame to frame. */
typedef struct
{
  /* Called before each block, with the positions in the run (in frames in and
   * out) of its first frame, and for how long (in s) the sound of now is held:
   * what the ratio is to become within the block, as a factor of that of the
   * two rates. */
  gdouble (*steer) (gpointer user_data, gdouble in_frame, gdouble out_frame,
      gdouble held);
  gpointer user_data;
  /* Each block has a time stamp, that of the frames in it was made of; else as
   * above, and all discontinuities are marked: what comes in does not keep the
   * time that its rate says. */
  gboolean stamps_by_input;
} NdaResamplerGlide;

/* The same with a ratio that glides, also between equal rates, by nda's own
 * converter: only where nda_polyphase_converter_can (). */
NdaResampler *nda_resampler_new_gliding (const GstAudioInfo * in,
    GstCaps * out_caps, const NdaResamplerGlide * glide);
void nda_resampler_free (NdaResampler * resampler);

/* At equal rates, as the very first: what came in before, and needs not come
 * out. */
gboolean nda_resampler_prime (NdaResampler * resampler, GstBuffer * buffer,
    guint n_frames);

gboolean nda_resampler_follows (NdaResampler * resampler, GstBuffer * buffer,
    guint n_frames);
gboolean nda_resampler_push (NdaResampler * resampler, GstBuffer * buffer,
    guint n_frames);
GstBuffer *nda_resampler_pop (NdaResampler * resampler);
GstBuffer *nda_resampler_drain (NdaResampler * resampler);
void nda_resampler_flush (NdaResampler * resampler);

GstClockTime nda_resampler_get_latency (NdaResampler * resampler);

/* How many frames are still to come out of those that came in */
guint64 nda_resampler_get_n_held (NdaResampler * resampler);

/* What made the converter; NULL where there is none. */
const NdaConverterMaker *nda_resampler_get_maker (NdaResampler * resampler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaResampler, nda_resampler_free)

G_END_DECLS
