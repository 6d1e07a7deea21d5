/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides whether a device has a clock of its own, or the pipeline's under
 * another name, from how far the two have gone apart.
 *
 * Two readings of one hardware clock differ by milliseconds and converge again:
 * they wander. Where a thread was held up for too long, they step. Two pieces
 * of hardware go apart without end and at an even pace. So the proof takes
 * both: a distance that no wandering reaches, and a straight line up to it. The
 * distance is kept at a few points, evenly spaced in time; when there is no
 * more room, every other point is dropped. Where frames come in chunks that
 * slide (ndatiming.h), the distance is off by up to one chunk, so it has to be
 * more than that.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_PROOF_N_POINTS 32

typedef struct
{
  gdouble distances[NDA_PROOF_N_POINTS];        /* s, one every spacing */
  guint n_points;               /* in distances */
  gdouble spacing;              /* s */
  gdouble chunk;                /* [const] s, that comes at once, or 0.0 */
} NdaProof;

void nda_proof_init (NdaProof * proof, gdouble chunk);

/* @since s after the start, the clocks are @distance s apart. At the start they
 * were @first s apart, as far as is known now. TRUE when that proves that they
 * are two. */
gboolean nda_proof_add (NdaProof * proof, gdouble since, gdouble distance,
    gdouble first);

G_END_DECLS
