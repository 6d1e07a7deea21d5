/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whether two clocks are two, from how far sound has gone off between them.
 *
 * What one piece of hardware is said to be at, by two who ask it, is off by some
 * milliseconds and comes back: it wanders; and where a thread was held up for too
 * long, it steps. Two pieces of hardware go apart without end and at an even
 * pace. So both are asked for: an error that no wandering reaches, and a way
 * there that was a straight line. The way is kept at a few points, evenly
 * spaced; when there is no more room, every other one is left out. Chunks that
 * slide (ndatiming.h) are off by no more than one, so it has to be more than that.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_PROOF_N_POINTS 32

typedef struct
{
  gdouble distances[NDA_PROOF_N_POINTS];        /* s, one every spacing */
  guint n_points;
  gdouble spacing;              /* s */
  gdouble chunk;                /* [const] s, that comes at once, or 0.0 */
} NdaProof;

void nda_proof_init (NdaProof * proof, gdouble chunk);

/* It is @since s after the start, and @distance s lie between the clocks now. At
 * the start there were @first, as far as is known now. TRUE when that proves two
 * clocks. */
gboolean nda_proof_add (NdaProof * proof, gdouble since, gdouble distance,
    gdouble first);

G_END_DECLS
