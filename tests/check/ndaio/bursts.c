/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a sound server's period is told from. */

#include "config.h"

#include "ndabursts.h"

#include <gst/check/gstcheck.h>

#define MINUTE_FRAMES (60 * 48000)

/* Frames of a server with such a quantum, in buffers of @n_frames, which are
 * seen late by up to @jitter, and by @stall each third second. */
typedef struct
{
  guint quantum, n_frames;
  GstClockTime jitter, stall;
} Server;

static GstClockTime
to_time (guint64 n_frames)
{
  return gst_util_uint64_scale (n_frames, GST_SECOND, 48000);
}

/* What all who said something said; NONE where they differ. */
static GstClockTime
listen_to (const Server * server)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (1);
  GstClockTime seen = 0, found = 0;
  guint64 n_given = 0;
  NdaBursts bursts;

  nda_bursts_restart (&bursts);
  for (guint64 n = 0; n < MINUTE_FRAMES; n += server->quantum) {
    GstClockTime now = to_time (n) + g_rand_double (dice) * server->jitter;

    if (n % (3 * 48000) < server->quantum)
      now += server->stall;
    for (; n_given + server->n_frames <= n; n_given += server->n_frames) {
      GstClockTime length;

      seen = MAX (seen + 20 * GST_USECOND, now);
      length = nda_bursts_note (&bursts, seen, to_time (server->n_frames));
      if (length && found && length != found)
        return GST_CLOCK_TIME_NONE;
      found = length ? length : found;
    }
  }
  return found;
}

GST_START_TEST (test_period_is_what_comes_at_once)
{
  static const Server servers[] = {
    {512, 512, 0, 0},
    {512, 512, 3 * GST_MSECOND, 34 * GST_MSECOND},
    {1024, 512, 0, 0},
    {1024, 1024, 2 * GST_MSECOND, 100 * GST_MSECOND},
    {2048, 512, 3 * GST_MSECOND, 34 * GST_MSECOND},
    {8192, 512, 3 * GST_MSECOND, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (servers); i++) {
    GstClockTime found = listen_to (&servers[i]);

    fail_unless (ABS (GST_CLOCK_DIFF (found, to_time (servers[i].quantum)))
        < GST_MSECOND, "%u frames: %" GST_TIME_FORMAT, servers[i].quantum,
        GST_TIME_ARGS (found));
  }
}

GST_END_TEST;

/* Cycles of 480 frames in buffers of 512, and of 1000 in such of 512 */
GST_START_TEST (test_cycles_that_slide_are_not_longer_than_they_are)
{
  GstClockTime found = listen_to (&(Server) {
        480, 512, 0, 0
      }
  );

  fail_unless (found <= to_time (512));
  found = listen_to (&(Server) {
      1000, 512, 0, 0}
  );
  fail_unless (found <= to_time (1024));
}

GST_END_TEST;

/* As fast as it is read */
GST_START_TEST (test_a_file_has_no_period)
{
  NdaBursts bursts;

  nda_bursts_restart (&bursts);
  for (guint i = 0; i < 10000; i++)
    fail_unless_equals_uint64 (nda_bursts_note (&bursts, i * GST_USECOND,
            to_time (1152)), 0);
}

GST_END_TEST;

static Suite *
bursts_suite (void)
{
  Suite *suite = suite_create ("bursts");
  TCase *tcase = tcase_create ("all");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_period_is_what_comes_at_once);
  tcase_add_test (tcase, test_cycles_that_slide_are_not_longer_than_they_are);
  tcase_add_test (tcase, test_a_file_has_no_period);
  return suite;
}

GST_CHECK_MAIN (bursts);
