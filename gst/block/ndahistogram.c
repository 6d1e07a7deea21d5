/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndahistogram.h"

#include <string.h>

#define N_SUB (1u << NDA_HISTOGRAM_SUB_BITS)

/* Values below N_SUB have a bucket each; above, the highest set bit picks the
 * row and the next four bits the bucket in it. */
static guint
bucket_of (guint64 value)
{
  guint shift;

  if (value >> NDA_HISTOGRAM_MAX_BITS)
    return NDA_HISTOGRAM_N_BUCKETS - 1;
  if (value < N_SUB)
    return value;
  shift = g_bit_storage (value) - 1 - NDA_HISTOGRAM_SUB_BITS;
  return ((shift + 1) << NDA_HISTOGRAM_SUB_BITS) + (value >> shift) - N_SUB;
}

/* The greatest value that falls into @bucket. */
static guint64
bucket_end (guint bucket)
{
  guint shift;

  if (bucket < N_SUB)
    return bucket;
  shift = (bucket >> NDA_HISTOGRAM_SUB_BITS) - 1;
  return (((guint64) (bucket % N_SUB) + N_SUB + 1) << shift) - 1;
}

void
nda_histogram_reset (NdaHistogram * histogram)
{
  memset (histogram, 0, sizeof *histogram);
}

/* Counts @value (in nanoseconds). */
void
nda_histogram_record (NdaHistogram * histogram, GstClockTime value)
{
  histogram->n_in_bucket[bucket_of (value)]++;
  histogram->sum += value;
  histogram->max = MAX (histogram->max, value);
  histogram->min = histogram->n_values ? MIN (histogram->min, value) : value;
  histogram->n_values++;
}

/* The mean (in nanoseconds), 0 when nothing was counted. */
GstClockTime
nda_histogram_mean (const NdaHistogram * histogram)
{
  return histogram->n_values ? histogram->sum / histogram->n_values : 0;
}

/* The value (in nanoseconds) that @per_mille of 1000 values do not exceed;
 * never below the true one, never above it by more than 1/16. 0 when empty. */
GstClockTime
nda_histogram_percentile (const NdaHistogram * histogram, guint per_mille)
{
  guint64 rank, n_seen = 0;

  if (!histogram->n_values)
    return 0;

  rank = gst_util_uint64_scale_ceil (histogram->n_values, per_mille, 1000);
  rank = MAX (rank, 1);
  for (guint i = 0; i < NDA_HISTOGRAM_N_BUCKETS; i++) {
    n_seen += histogram->n_in_bucket[i];
    if (n_seen >= rank)
      return MIN (bucket_end (i), histogram->max);
  }
  return histogram->max;
}
