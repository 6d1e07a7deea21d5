/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When all sound counts as permanently late for its device. */

#include "config.h"

#include "ndabalance.h"
#include "ndablock.h"

#include <gst/check/gstcheck.h>

#define MS ((GstClockTimeDiff) GST_MSECOND)
#define FOREVER 10000

/* Blocks come, each of them @left before its time, which becomes @later with
 * each of them. Returns the number of blocks until all count as late. */
static guint
count_until_behind (NdaBalance * balance, GstClockTimeDiff left,
    GstClockTimeDiff later)
{
  for (guint n = 0; n < FOREVER; n++, left += later)
    if (nda_balance_is_behind (balance, left, n * NDA_BLOCK_DURATION))
      return n;
  return FOREVER;
}

static NdaBalance
make_balance (gboolean is_estimated)
{
  NdaBalance balance = { {0,}, };

  nda_balance_set_estimated (&balance, is_estimated);
  nda_balance_restart (&balance);
  return balance;
}

GST_START_TEST (test_late_sound_is_moved_soon)
{
  NdaBalance balance = make_balance (FALSE);

  fail_unless (count_until_behind (&balance, -30 * MS, 0) < 15);
}

GST_END_TEST
/* PipeWire's graph has lost ten cycles of 512 frames: by the estimate the
 * device went on, and it finds back by 50 ms each second. */
GST_START_TEST (test_an_estimate_that_finds_back_moves_no_sound)
{
  NdaBalance balance = make_balance (TRUE);

  fail_unless_equals_int (count_until_behind (&balance, -107 * MS, MS / 2),
      FOREVER);
}

GST_END_TEST
GST_START_TEST (test_late_sound_is_moved_by_an_estimate_too)
{
  NdaBalance balance = make_balance (TRUE);
  guint n = count_until_behind (&balance, -30 * MS, 0);

  fail_unless (n * NDA_BLOCK_DURATION >= 4 * GST_SECOND);
  fail_unless (n * NDA_BLOCK_DURATION < 5 * GST_SECOND);
}

GST_END_TEST static Suite *
balance_suite (void)
{
  Suite *suite = suite_create ("balance");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_late_sound_is_moved_soon);
  tcase_add_test (tc, test_an_estimate_that_finds_back_moves_no_sound);
  tcase_add_test (tc, test_late_sound_is_moved_by_an_estimate_too);
  return suite;
}

GST_CHECK_MAIN (balance);
