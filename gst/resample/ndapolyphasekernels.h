/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The two inner loops of a polyphase filter, for each kind of processor. The
 * tests compare all of them with the reference in C, which adds in double
 * precision. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Taps come in multiples of this many, and rows of taps begin at multiples of
 * as many floats */
#define NDA_POLYPHASE_LANES 16
#define NDA_POLYPHASE_ALIGNMENT (NDA_POLYPHASE_LANES * sizeof (gfloat))

typedef struct
{
  const gchar *name;
  /* The sum (in @taps) of four rows of @n_taps, each with its weight. */
  void (*blend) (gfloat * taps, const gfloat * rows, const gfloat * weights,
      guint n_taps);
  /* Computes one frame: for each of @n_channels, whose pasts lie @plane floats
   * apart, the sum of @n_taps samples, each times its tap. A past may begin at
   * any address. */
  void (*filter) (gfloat * frame, const gfloat * taps, const gfloat * past,
      gsize plane, guint n_channels, guint n_taps);
} NdaPolyphaseKernels;

const NdaPolyphaseKernels *nda_polyphase_kernels_list (guint * n_kernels);
const NdaPolyphaseKernels *nda_polyphase_kernels_choose (void);

G_END_DECLS
