/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Decides whether a device has its own clock, or the pipeline's clock under
 * another name, by how far the two have drifted apart.
 *
 * Two readings of one hardware clock differ by milliseconds and converge again:
 * they wander. If a thread was held up for too long, they step. Two pieces of
 * hardware drift apart without end and at an even pace. So the proof needs
 * both: a distance that no wander reaches, and a straight line up to it. The
 * distance is kept at a few points, evenly spaced in time; when there is no
 * more room, every other point is dropped. If frames come in chunks that slide
 * (ndatiming.h), the distance has an error of up to one chunk, so the distance
 * has to be larger than that.
 *
 * A device that skips a period now and then makes a staircase, which looks like
 * a straight line on the whole. Between the steps of a staircase the pace is
 * zero, which drift never is. So each second of single observations gives a
 * pace, and the median of all paces, which no step changes, has to agree with
 * the pace of the whole. Chunks that slide have a pace of their own; for them
 * the median only has to be different from zero. A clock that wanders is fast
 * and slow by turns, so the averages of single observations must be equally far
 * apart in each part of the time. A clock that wanders slowly looks like drift
 * for a while. If it is faster than any two pieces of hardware, it has to move
 * further than such a wander does.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_PROOF_N_POINTS 32
/* Paces are counted in classes of NDA_PROOF_CLASS_PPM, up to NDA_PROOF_MAX_PPM
 * in both directions */
#define NDA_PROOF_CLASS_PPM 4
#define NDA_PROOF_MAX_PPM 2000
#define NDA_PROOF_N_CLASSES (2 * NDA_PROOF_MAX_PPM / NDA_PROOF_CLASS_PPM)

typedef struct
{
  gdouble distances[NDA_PROOF_N_POINTS];        /* s, one every spacing */
  gdouble offsets[NDA_PROOF_N_POINTS];  /* s, averages between these points */
  guint n_points;               /* in distances and offsets */
  gdouble spacing;              /* s */
  gdouble chunk;                /* [const] s, length of a chunk, or 0.0 */

  gdouble sum_offsets, last_offset;     /* s; since the last point */
  guint n_offsets;

  /* Of the current second: */
  guint n_observed;
  gdouble begin, first;         /* s */
  gdouble sum_x, sum_y, sum_xx, sum_xy;
  guint n_paces;
  gdouble last_middle, last_more;       /* s, of the second before */
  gboolean was_step;            /* that second had a step */
  guint n_steps;                /* seconds with a step */
  gdouble steps;                /* s, the sum; 0.0 with chunks */
  guint32 paces[NDA_PROOF_N_CLASSES];   /* how many of each class */
} NdaProof;

void nda_proof_init (NdaProof * proof, gdouble chunk);

/* One observation: at @time s the device was @offset s ahead. */
void nda_proof_observe (NdaProof * proof, gdouble time, gdouble offset);

/* The pace between steps: the median of all seconds, in s a second. Steps are
 * not drift; their sum is in the field steps. */
gdouble nda_proof_get_pace (const NdaProof * proof);

/* @since s after the start, the clocks are @distance s apart. At the start they
 * were @first s apart, as far as is known now. TRUE: this proves two clocks. */
gboolean nda_proof_add (NdaProof * proof, gdouble since, gdouble distance,
    gdouble first);

G_END_DECLS
