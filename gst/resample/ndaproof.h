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
 * A device that skips a period now and then makes a staircase, which is a
 * straight line too, from far away. What tells it from drift is what happens
 * between the steps: nothing. So each second of single observations gives a
 * pace, and the median of all paces, which no step moves, has to agree with the
 * pace of the whole. Chunks that slide have a pace of their own; there the
 * median only has to be one that moves at all. A clock that wanders goes fast
 * and slow by turns: averages of single observations have to be as far apart in
 * each part of the way. One that wanders slowly does so too for a while; where
 * it is faster than any two pieces of hardware it has to go further than it
 * wanders.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_PROOF_N_POINTS 32
/* Paces are counted by classes of so many ppm, up to so far from none */
#define NDA_PROOF_CLASS_PPM 4
#define NDA_PROOF_MAX_PPM 2000
#define NDA_PROOF_N_CLASSES (2 * NDA_PROOF_MAX_PPM / NDA_PROOF_CLASS_PPM)

typedef struct
{
  gdouble distances[NDA_PROOF_N_POINTS];        /* s, one every spacing */
  gdouble offsets[NDA_PROOF_N_POINTS];  /* s, averages between those */
  guint n_points;               /* in distances and offsets */
  gdouble spacing;              /* s */
  gdouble chunk;                /* [const] s, that comes at once, or 0.0 */

  gdouble sum_offsets, last_offset;     /* s; since the last point */
  guint n_offsets;

  /* of the second that has begun */
  guint n_observed;
  gdouble begin, first;         /* s */
  gdouble sum_x, sum_y, sum_xx, sum_xy;
  guint n_paces;
  gdouble last_middle, last_more;       /* s, of the second before */
  gboolean was_step;            /* there was one in it */
  guint n_steps;                /* seconds with one */
  gdouble steps;                /* s, all of them; 0.0 where chunks come */
  guint32 paces[NDA_PROOF_N_CLASSES];   /* how many of each class */
} NdaProof;

void nda_proof_init (NdaProof * proof, gdouble chunk);

/* One observation: at @time s the device was @offset s ahead. */
void nda_proof_observe (NdaProof * proof, gdouble time, gdouble offset);

/* The pace between steps: the median of all seconds, in s a second. The steps
 * themselves, which are no drift, are in steps. */
gdouble nda_proof_get_pace (const NdaProof * proof);

/* @since s after the start, the clocks are @distance s apart. At the start they
 * were @first s apart, as far as is known now. TRUE when that proves that they
 * are two. */
gboolean nda_proof_add (NdaProof * proof, gdouble since, gdouble distance,
    gdouble first);

G_END_DECLS
