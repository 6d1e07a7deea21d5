/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A histogram of durations in fixed memory: 16 buckets to each power of two, so
 * that a percentile is exact to 1/16 at any size, from 1 ns to 73 minutes.
 * Recording is an index and an increment. Not thread-safe: its owner's lock
 * guards it. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define NDA_HISTOGRAM_SUB_BITS 4
#define NDA_HISTOGRAM_MAX_BITS 42
#define NDA_HISTOGRAM_N_BUCKETS \
    ((NDA_HISTOGRAM_MAX_BITS - NDA_HISTOGRAM_SUB_BITS + 1) \
        << NDA_HISTOGRAM_SUB_BITS)

typedef struct
{
  guint64 n_values;
  guint64 sum;                  /* ns */
  guint64 min;                  /* ns; 0 while empty */
  guint64 max;                  /* ns */
  guint64 n_in_bucket[NDA_HISTOGRAM_N_BUCKETS];
} NdaHistogram;

void nda_histogram_reset (NdaHistogram * histogram);
void nda_histogram_record (NdaHistogram * histogram, GstClockTime value);
GstClockTime nda_histogram_mean (const NdaHistogram * histogram);
GstClockTime nda_histogram_percentile (const NdaHistogram * histogram,
    guint per_mille);

G_END_DECLS
