/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndablock.h"
#include "ndaframeclock.h"

#include <gst/check/gstcheck.h>

/* Block 16 begins at 170666666.67 ns, and what is 388 frames later at
 * 178750000 ns: counted from the time stamp it would be one less. */
GST_START_TEST (test_times_are_counted_from_an_earlier_base)
{
  const GstClockTime begin = nda_block_frames_to_time (16 * NDA_BLOCK_FRAMES,
      NDA_BLOCK_RATE);
  NdaFrameClock clock;

  nda_frame_clock_init (&clock, NDA_BLOCK_RATE);
  nda_frame_clock_rebase (&clock, begin);
  nda_frame_clock_count_from (&clock, 0);
  fail_unless_equals_uint64 (nda_frame_clock_now (&clock), begin);
  fail_unless_equals_uint64 (clock.n_frames, 16 * NDA_BLOCK_FRAMES);
  clock.n_frames += 388;
  fail_unless_equals_uint64 (nda_frame_clock_now (&clock), 178750000);

  nda_frame_clock_rebase (&clock, begin + 5 * GST_USECOND);
  nda_frame_clock_count_from (&clock, 0);       /* which it is no time of */
  fail_unless_equals_uint64 (clock.base, begin + 5 * GST_USECOND);
}

GST_END_TEST;

static Suite *
frameclock_suite (void)
{
  Suite *suite = suite_create ("ndaframeclock");
  TCase *tc = tcase_create ("frameclock");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_times_are_counted_from_an_earlier_base);
  return suite;
}

GST_CHECK_MAIN (frameclock);
