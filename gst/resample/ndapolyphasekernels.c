/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapolyphasekernels.h"

/* --- the reference --- */

static void
blend_c (gfloat * taps, const gfloat * rows, const gfloat * weights,
    guint n_taps)
{
  for (guint i = 0; i < n_taps; i++)
    taps[i] = (gdouble) weights[0] * rows[i]
        + (gdouble) weights[1] * rows[n_taps + i]
        + (gdouble) weights[2] * rows[2 * n_taps + i]
        + (gdouble) weights[3] * rows[3 * n_taps + i];
}

static void
filter_c (gfloat * frame, const gfloat * taps, const gfloat * past, gsize plane,
    guint n_channels, guint n_taps)
{
  for (guint c = 0; c < n_channels; c++) {
    gdouble sum = 0.0;

    for (guint i = 0; i < n_taps; i++)
      sum += (gdouble) taps[i] * past[c * plane + i];
    frame[c] = sum;
  }
}

/* --- vectors --- */

typedef gfloat Quad __attribute__((vector_size (16)));

static inline void
put_total (gfloat * sample, Quad quad)
{
  quad += __builtin_shufflevector (quad, quad, 2, 3, 0, 1);
  quad += __builtin_shufflevector (quad, quad, 1, 0, 3, 2);
  *sample = quad[0];
}

/* The same source for each size of vector; the compiler makes the
 * instructions. Sixteen or more partial sums of few terms each lose less to
 * rounding than one long sum would. Two channels share each load of taps. */
#define DEFINE_KERNELS(suffix, attribute, n_lanes) \
typedef gfloat Vector_##suffix __attribute__ ((vector_size (4 * n_lanes))); \
/* as it lies in memory, at any sample */ \
typedef gfloat Loose_##suffix \
    __attribute__ ((vector_size (4 * n_lanes), aligned (4), may_alias)); \
\
attribute static void \
blend_##suffix (gfloat * taps, const gfloat * rows, const gfloat * weights, \
    guint n_taps) \
{ \
  for (guint i = 0; i < n_taps; i += n_lanes) { \
    const gfloat *row = rows + i; \
    Vector_##suffix sum = weights[0] * *(const Loose_##suffix *) row; \
\
    sum += weights[1] * *(const Loose_##suffix *) (row + n_taps); \
    sum += weights[2] * *(const Loose_##suffix *) (row + 2 * n_taps); \
    sum += weights[3] * *(const Loose_##suffix *) (row + 3 * n_taps); \
    *(Loose_##suffix *) (taps + i) = sum; \
  } \
} \
\
attribute static inline Quad \
total_##suffix (const Vector_##suffix * sums, guint n_sums) \
{ \
  union { Vector_##suffix sum; Quad quads[n_lanes / 4]; } all = { sums[0] }; \
\
  for (guint s = 1; s < n_sums; s++) \
    all.sum += sums[s]; \
  for (guint n = n_lanes / 8; n > 0; n /= 2) \
    for (guint i = 0; i < n; i++) \
      all.quads[i] += all.quads[i + n]; \
  return all.quads[0]; \
} \
\
attribute static void \
filter_##suffix (gfloat * frame, const gfloat * taps, const gfloat * past, \
    gsize plane, guint n_channels, guint n_taps) \
{ \
  enum { N_SUMS = NDA_POLYPHASE_LANES / n_lanes }; \
  guint c = 0; \
\
  for (; c + 1 < n_channels; c += 2, past += 2 * plane) { \
    Vector_##suffix left[N_SUMS] = { { 0, }, }, right[N_SUMS] = { { 0, }, }; \
\
    for (guint i = 0; i < n_taps; i += NDA_POLYPHASE_LANES) \
      for (guint s = 0; s < N_SUMS; s++) { \
        guint at = i + s * n_lanes; \
        Vector_##suffix tap = *(const Loose_##suffix *) (taps + at); \
\
        left[s] += tap * *(const Loose_##suffix *) (past + at); \
        right[s] += tap * *(const Loose_##suffix *) (past + plane + at); \
      } \
    put_total (frame + c, total_##suffix (left, N_SUMS)); \
    put_total (frame + c + 1, total_##suffix (right, N_SUMS)); \
  } \
  if (c < n_channels) { \
    Vector_##suffix sums[N_SUMS] = { { 0, }, }; \
\
    for (guint i = 0; i < n_taps; i += NDA_POLYPHASE_LANES) \
      for (guint s = 0; s < N_SUMS; s++) { \
        guint at = i + s * n_lanes; \
\
        sums[s] += *(const Loose_##suffix *) (taps + at) \
            * *(const Loose_##suffix *) (past + at); \
      } \
    put_total (frame + c, total_##suffix (sums, N_SUMS)); \
  } \
}

/* *INDENT-OFF* */
/* SSE2, NEON, or whatever every processor of this build's kind has */
DEFINE_KERNELS (any,, 4)
#if defined (__x86_64__) || defined (__i386__)
#define HAVE_X86 1
DEFINE_KERNELS (avx2, __attribute__ ((target ("avx2,fma"))), 8)
DEFINE_KERNELS (avx512, __attribute__ ((target ("avx512f"))), 16)
#endif
/* *INDENT-ON* */

/* The best last */
static const NdaPolyphaseKernels kernels[] = {
  {"c", blend_c, filter_c},
  {"vector", blend_any, filter_any},
#ifdef HAVE_X86
  {"avx2", blend_avx2, filter_avx2},
  {"avx512", blend_avx512, filter_avx512},
#endif
};

/* Those that this processor can run, the reference first and the best last. */
const NdaPolyphaseKernels *
nda_polyphase_kernels_list (guint * n_kernels)
{
  *n_kernels = 2;
#ifdef HAVE_X86
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    *n_kernels = __builtin_cpu_supports ("avx512f") ? 4 : 3;
#endif
  return kernels;
}

/* The best of them. NDA_POLYPHASE_KERNELS in the environment names another,
 * for tests and benchmarks. */
const NdaPolyphaseKernels *
nda_polyphase_kernels_choose (void)
{
  const gchar *name = g_getenv ("NDA_POLYPHASE_KERNELS");
  guint n_kernels;
  const NdaPolyphaseKernels *list = nda_polyphase_kernels_list (&n_kernels);

  for (guint i = 0; name && i < n_kernels; i++)
    if (g_str_equal (list[i].name, name))
      return &list[i];
  return &list[n_kernels - 1];
}
