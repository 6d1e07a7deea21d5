/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The filter of the polyphase resampler: a sinc with a Kaiser window, cut into
 * rows of taps. There is one row for each position between two frames. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint n_taps;                 /* of a row, a multiple of the lanes */
  guint n_phases;               /* rows from one frame in to the next */
  gboolean is_exact;            /* each needed position has a row */
  gfloat *rows;                 /* owned; see nda_polyphase_filter_row () */
} NdaPolyphaseFilter;

guint nda_polyphase_filter_count_taps (guint in_rate, guint out_rate);
void nda_polyphase_filter_init (NdaPolyphaseFilter * filter, guint in_rate,
    guint out_rate, gboolean is_fixed);
void nda_polyphase_filter_clear (NdaPolyphaseFilter * filter);

/* The row for @phase of n_phases. Unless the filter is exact, there is one row
 * before the first and there are two after the last, for cubic
 * interpolation. */
static inline const gfloat *
nda_polyphase_filter_row (const NdaPolyphaseFilter * filter, gint phase)
{
  return filter->rows + (gsize) (phase + !filter->is_exact) * filter->n_taps;
}

G_END_DECLS
