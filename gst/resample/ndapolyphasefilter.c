/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapolyphasefilter.h"

#include "ndapolyphasekernels.h"

#include <math.h>

/* Kaiser's formulas give the quality of 160 taps: with BETA, 122 dB outside a
 * transition from 0.9 to 1.0 of the lower Nyquist frequency, around CUTOFF, and
 * less than 0.0001 dB of ripple below it. (J. F. Kaiser, “Nonrecursive digital
 * filter design using the I0-sinh window function”, 1974.) */
#define MIN_TAPS 160
#define CUTOFF 0.947
#define BETA 12.8

/* The error of cubic interpolation between rows 1/128 apart is at most (pi /
 * 128)^4 * 3 / 128: -161 dB at the Nyquist frequency, below the precision of
 * floats. */
#define N_PHASES 128
/* If a ratio has fewer positions than this, each gets its own row: from 11.025
 * to 48 kHz there are 640, from 44.1 to 48 kHz 160 */
#define MAX_EXACT_PHASES 1024

/* The Bessel function I0 of BETA times the root of @square. For a negative
 * @square it continues smoothly, as J0. */
static gdouble
bessel_i0 (gdouble square)
{
  gdouble term = 1.0, sum = 1.0;

  for (guint k = 1; fabs (term) > 1e-18 * fabs (sum); k++) {
    term *= square * BETA * BETA / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

/* The value of the filter @t frames of the lower rate from its middle; it
 * reaches @reach frames to each side. Not scaled. */
static gdouble
kernel_at (gdouble t, gdouble reach)
{
  gdouble x = t / reach, angle = G_PI * CUTOFF * t;
  gdouble sinc = fabs (angle) < 1e-9 ? 1.0 : sin (angle) / angle;

  return sinc * bessel_i0 (1.0 - x * x);
}

/* Fills a row: the taps for a frame @fraction after the middle of the past, of
 * a filter stretched by 1 / @scale. A constant input comes out unchanged. */
static void
fill_row (gfloat * row, guint n_taps, gdouble fraction, gdouble scale)
{
  g_autofree gdouble *taps = g_new (gdouble, n_taps);
  gdouble half = n_taps / 2, sum = 0.0;

  for (guint i = 0; i < n_taps; i++) {
    taps[i] = kernel_at ((half - 1.0 + fraction - i) * scale, half * scale);
    sum += taps[i];
  }
  for (guint i = 0; i < n_taps; i++)
    row[i] = taps[i] / sum;
}

static guint
greatest_common_divisor (guint a, guint b)
{
  return b ? greatest_common_divisor (b, a % b) : a;
}

/* How many taps a row has. */
guint
nda_polyphase_filter_count_taps (guint in_rate, guint out_rate)
{
  gdouble scale = MIN (1.0, (gdouble) out_rate / in_rate);
  guint n_taps = ceil (MIN_TAPS / scale);

  return (n_taps + NDA_POLYPHASE_LANES - 1)
      / NDA_POLYPHASE_LANES * NDA_POLYPHASE_LANES;
}

/* For a lower output rate the filter is stretched; it has more taps and needs
 * fewer phases. */
void
nda_polyphase_filter_init (NdaPolyphaseFilter * self, guint in_rate,
    guint out_rate, gboolean is_fixed)
{
  gdouble scale = MIN (1.0, (gdouble) out_rate / in_rate);
  guint n_exact = out_rate / greatest_common_divisor (in_rate, out_rate);
  guint n_rows;

  self->n_taps = nda_polyphase_filter_count_taps (in_rate, out_rate);
  self->is_exact = is_fixed && n_exact <= MAX_EXACT_PHASES;
  self->n_phases = N_PHASES;
  for (guint ratio = in_rate / out_rate; ratio > 1 && self->n_phases > 2;
      ratio /= 2)
    self->n_phases /= 2;
  if (self->is_exact)
    self->n_phases = n_exact;

  n_rows = self->is_exact ? n_exact : self->n_phases + 3;
  self->rows = g_aligned_alloc ((gsize) n_rows * self->n_taps, sizeof (gfloat),
      NDA_POLYPHASE_ALIGNMENT);
  for (guint r = 0; r < n_rows; r++)
    fill_row (self->rows + (gsize) r * self->n_taps, self->n_taps,
        ((gdouble) r - !self->is_exact) / self->n_phases, scale);
}

void
nda_polyphase_filter_clear (NdaPolyphaseFilter * self)
{
  g_clear_pointer (&self->rows, g_aligned_free);
}
