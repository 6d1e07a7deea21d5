/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A sample rate filter of low lag whose ratio may change while it runs: a
 * polyphase filter in plain C.
 * It knows neither GStreamer nor a clock.
 *
 *     nda_polyphase_push (polyphase, in, stride, n_frames);
 *     n = nda_polyphase_pull (polyphase, out, stride, n_room);
 *
 * and at the end nda_polyphase_end (), which makes exactly round (n * r)
 * frames of n that were pushed come out. What comes out is the same to the bit
 * however the input is cut into pushes and the output into pulls.
 *
 * Frame 0 out lies at the same moment as frame 0 in. The filter looks half its
 * length ahead, which is all the lag there is: 80 frames of the lower rate,
 * 1.8 ms at 44.1 kHz.
 *
 * Sound is 32-bit float: for each channel the address of its first sample, and
 * for all of them the distance (in samples) from one frame to the next: 1 where
 * channels lie in planes of their own, their number where they are interleaved.
 *
 * Belongs to one thread at a time: no locks. Only a push that is longer than
 * any before allocates. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NdaPolyphase NdaPolyphase;

typedef enum
{
  NDA_POLYPHASE_FIXED,          /* the ratio of the two rates and no other */
  NDA_POLYPHASE_GLIDING,        /* nda_polyphase_glide () may be called */
} NdaPolyphaseMode;

NdaPolyphase *nda_polyphase_new (guint n_channels, guint in_rate,
    guint out_rate, NdaPolyphaseMode mode);
void nda_polyphase_free (NdaPolyphase * polyphase);
void nda_polyphase_reset (NdaPolyphase * polyphase);

/* Changes the ratio smoothly, from the next frame out, within @n_frames, to
 * @factor times as many frames out as the two rates give. The factor is 1.0 at
 * first, and must stay within 1 % of that. */
void nda_polyphase_glide (NdaPolyphase * polyphase, gdouble factor,
    guint n_frames);

void nda_polyphase_push (NdaPolyphase * polyphase, const gfloat * const *in,
    gsize stride, gsize n_frames);
gsize nda_polyphase_pull (NdaPolyphase * polyphase, gfloat * const *out,
    gsize stride, gsize n_frames);
void nda_polyphase_end (NdaPolyphase * polyphase);

guint nda_polyphase_lag_of (guint in_rate, guint out_rate);
gsize nda_polyphase_get_needed (const NdaPolyphase * polyphase,
    gsize n_frames);
guint nda_polyphase_get_lag (const NdaPolyphase * polyphase);
gdouble nda_polyphase_get_pending (const NdaPolyphase * polyphase);
const gchar *nda_polyphase_get_kernels (const NdaPolyphase * polyphase);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaPolyphase, nda_polyphase_free)

G_END_DECLS
