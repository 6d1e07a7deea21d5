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

/* Converts frames of @in to blocks of @out_caps, which have the same channels
 * and layout, by a converter of @maker; equal rates need no converter. NULL,
 * with the reason, if @maker cannot bridge the rates. */
NdaResampler *nda_resampler_new (const GstAudioInfo * in, GstCaps * out_caps,
    const NdaConverterMaker * maker, NdaQuality quality, GError ** error);

/* A ratio that glides: it changes from block to block, in small and even steps
 * from frame to frame. */
typedef struct
{
  /* Called before each block, with the positions of its first frame in the run
   * (in frames in and out), and with the time (in s) that the present sound is
   * held. Returns the new ratio, as a factor of the nominal one. */
  gdouble (*steer) (gpointer user_data, gdouble in_frame, gdouble out_frame,
      gdouble held);
  gpointer user_data;
  /* TRUE: each block has the time stamp of the frames that it was made of.
   * FALSE: as above, and all discontinuities are marked, since the input does
   * not keep its nominal rate. */
  gboolean stamps_by_input;
} NdaResamplerGlide;

/* Does the same with a ratio that glides, also between equal rates, by nda's
 * own converter: only if nda_polyphase_converter_can (). */
NdaResampler *nda_resampler_new_gliding (const GstAudioInfo * in,
    GstCaps * out_caps, const NdaResamplerGlide * glide);
void nda_resampler_free (NdaResampler * resampler);

/* At equal rates, before any other call: gives the frames that came before,
 * which do not come out. */
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

/* The maker of the converter; NULL if there is no converter. */
const NdaConverterMaker *nda_resampler_get_maker (NdaResampler * resampler);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaResampler, nda_resampler_free)

G_END_DECLS
