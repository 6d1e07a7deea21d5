/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndahistogram.h"

#include <gst/check/gstcheck.h>

static NdaHistogram histogram;

static void
reset (void)
{
  nda_histogram_reset (&histogram);
}

GST_START_TEST (test_empty_histogram_says_zero)
{
  fail_unless_equals_uint64 (nda_histogram_mean (&histogram), 0);
  fail_unless_equals_uint64 (nda_histogram_percentile (&histogram, 999), 0);
}

GST_END_TEST;

GST_START_TEST (test_percentiles_are_right_to_a_sixteenth)
{
  for (guint i = 1; i <= 100000; i++)
    nda_histogram_record (&histogram, i);

  for (guint per_mille = 1; per_mille <= 1000; per_mille++) {
    guint64 truth = 100 * per_mille;
    guint64 value = nda_histogram_percentile (&histogram, per_mille);

    fail_unless (value >= truth && value <= truth + truth / 16,
        "%u per mille: %" G_GUINT64_FORMAT, per_mille, value);
  }
  fail_unless_equals_uint64 (nda_histogram_mean (&histogram), 50000);
  fail_unless_equals_uint64 (histogram.min, 1);
  fail_unless_equals_uint64 (histogram.max, 100000);
}

GST_END_TEST;

GST_START_TEST (test_any_duration_has_a_bucket)
{
  nda_histogram_record (&histogram, 0);
  nda_histogram_record (&histogram, G_MAXUINT64);
  for (guint bit = 0; bit < 64; bit++)
    nda_histogram_record (&histogram, G_GUINT64_CONSTANT (1) << bit);

  fail_unless_equals_uint64 (histogram.n_values, 66);
  fail_unless_equals_uint64 (histogram.max, G_MAXUINT64);
}

GST_END_TEST;

static Suite *
histogram_suite (void)
{
  Suite *s = suite_create ("histogram");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, reset, NULL);
  tcase_add_test (tc, test_empty_histogram_says_zero);
  tcase_add_test (tc, test_percentiles_are_right_to_a_sixteenth);
  tcase_add_test (tc, test_any_duration_has_a_bucket);
  return s;
}

GST_CHECK_MAIN (histogram);
