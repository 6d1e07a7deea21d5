/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A device that is no device tells itself by its speed. */

#include "config.h"

#include "ndapace.h"

#include <gst/check/gstcheck.h>

#define MS ((GstClockTimeDiff) GST_MSECOND)
#define PERIOD (10 * MS)

static void
setup (NdaPace * pace)
{
  nda_pace_restart (pace);
  fail_if (nda_pace_note (pace, 5000 * MS, 100 * MS));
}

GST_START_TEST (test_a_device_as_fast_as_the_computer_has_no_pace)
{
  NdaPace pace;

  setup (&pace);
  fail_unless (nda_pace_note (&pace, 7000 * MS, 100 * MS + PERIOD));
  /* whatever it does later */
  fail_unless (nda_pace_note (&pace, 7000 * MS, 60000 * MS));
}

GST_END_TEST
/* As a sound server's clock in its first seconds, and behind a stall */
GST_START_TEST (test_a_clock_that_jumps_has_one)
{
  NdaPace pace;

  setup (&pace);
  for (gint n = 1; n < 1000; n++) {
    GstClockTimeDiff time = 100 * MS + n * PERIOD;
    GstClockTimeDiff jump = n % 2 ? 800 * MS : -100 * MS;

    fail_if (nda_pace_note (&pace, 4900 * MS + time + jump, time));
  }
}

GST_END_TEST
GST_START_TEST (test_a_device_that_stands_still_has_one)
{
  NdaPace pace;

  setup (&pace);
  fail_if (nda_pace_note (&pace, 5000 * MS, 60000 * MS));
}

GST_END_TEST
GST_START_TEST (test_a_restart_forgets_it)
{
  NdaPace pace;

  setup (&pace);
  fail_unless (nda_pace_note (&pace, 7000 * MS, 100 * MS));
  setup (&pace);
}

GST_END_TEST static Suite *
pace_suite (void)
{
  Suite *suite = suite_create ("pace");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_a_device_as_fast_as_the_computer_has_no_pace);
  tcase_add_test (tc, test_a_clock_that_jumps_has_one);
  tcase_add_test (tc, test_a_device_that_stands_still_has_one);
  tcase_add_test (tc, test_a_restart_forgets_it);
  return suite;
}

GST_CHECK_MAIN (pace);
