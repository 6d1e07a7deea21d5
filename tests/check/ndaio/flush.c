/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Flushing seeks through an ndasink whose device is there, away, or tried. */

#include "config.h"

#include "lossrig.h"

#include <gst/check/gstcheck.h>

/* Sound that is not live, as from a file */
#define LINE "audiotestsrc name=src samplesperbuffer=512 %s ! " \
    "audio/x-raw, rate = 48000, channels = 2 ! ndasink name=sink sink=%s"
#define IN_A_BIN "\"identity ! frailsink\""

static void
flush_rig_init (Rig * rig, const gchar * how, const gchar * sink)
{
  g_autofree gchar *description = g_strdup_printf (LINE, how, sink);

  rig_init (rig, description);
}

/* Forward, since the rig lets no time go back. */
static void
seek (Rig * rig, guint n_seconds)
{
  fail_unless (gst_element_seek_simple (rig->pipeline, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, n_seconds * GST_SECOND));
}

static void
seek_part (Rig * rig, guint from, guint to)
{
  fail_unless (gst_element_seek (rig->pipeline, 1, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, from * GST_SECOND,
          GST_SEEK_TYPE_SET, to * GST_SECOND));
}

static void
play_on (Rig * rig, guint n)
{
  rig_turn_until (rig, rig_has_rendered, frail_count_rendered () + n);
}

GST_START_TEST (test_seeks_while_the_device_is_there)
{
  Rig rig;

  flush_rig_init (&rig, "", "frailsink");
  rig_play (&rig);
  for (guint i = 1; i <= 10; i++) {
    play_on (&rig, 5);
    seek (&rig, 10 * i);
  }
  play_on (&rig, 20);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 0);
  rig_clear (&rig);
}

GST_END_TEST;

static void
seek_while_away (const gchar * sink, guint n_seeks)
{
  Rig rig;

  flush_rig_init (&rig, "", sink);
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_lost, 1);
  for (guint i = 1; i <= n_seeks; i++) {
    rig_turn_until (&rig, rig_has_refused, i);
    seek (&rig, 10 * i);
  }
  fail_unless (gst_element_query_position (rig.pipeline, GST_FORMAT_TIME,
          NULL));
  rig_get_back (&rig, 1);
  play_on (&rig, 20);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 1);
  fail_unless_equals_int (rig.n_back, 1);
  rig_clear (&rig);
}

GST_START_TEST (test_a_seek_while_the_device_is_away)
{
  seek_while_away ("frailsink", 1);
  seek_while_away (IN_A_BIN, 1);
}

GST_END_TEST;

GST_START_TEST (test_many_seeks_while_the_device_is_away)
{
  seek_while_away ("frailsink", 4);
  seek_while_away (IN_A_BIN, 4);
}

GST_END_TEST;

/* Which begins while it is there, and ends while it is not */
GST_START_TEST (test_a_seek_before_a_loss_and_one_after)
{
  Rig rig;

  flush_rig_init (&rig, "", "frailsink");
  rig_play (&rig);
  for (guint i = 1; i <= 3; i++) {
    play_on (&rig, 5);
    seek (&rig, 20 * i);
    play_on (&rig, 5);
    frail_set_health (FRAIL_GONE);
    rig_turn_until (&rig, rig_has_lost, i);
    seek (&rig, 20 * i + 10);
    rig_get_back (&rig, i);
  }
  play_on (&rig, 20);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 3);
  rig_clear (&rig);
}

GST_END_TEST;

static gboolean
has_died (Rig * rig, guint n)
{
  return frail_count_deaths () >= n;
}

/* Each trial opens the device, and its first buffer fails. */
GST_START_TEST (test_seeks_while_the_device_is_tried)
{
  Rig rig;

  flush_rig_init (&rig, "", "frailsink");
  rig_play (&rig);
  play_on (&rig, 20);
  frail_set_health (FRAIL_DYING);
  for (guint i = 1; i <= 5; i++) {
    rig_turn_until (&rig, has_died, i);
    seek (&rig, 10 * i);
  }
  rig_get_back (&rig, 1);
  play_on (&rig, 20);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 1);
  rig_clear (&rig);
}

GST_END_TEST;

/* A live source goes on, and ends, while nobody hears it. */
GST_START_TEST (test_a_seek_behind_an_end_that_came_while_it_was_away)
{
  Rig rig;

  flush_rig_init (&rig, "is-live=true", "frailsink");
  rig_play (&rig);
  play_on (&rig, 5);
  seek_part (&rig, 10, 11);
  rig_play_and_lose (&rig, rig_has_rendered, frail_count_rendered () + 5);
  rig_turn_until (&rig, rig_has_ended, 1);
  seek_part (&rig, 20, 30);
  rig_get_back (&rig, 1);
  play_on (&rig, 20);
  rig_turn_until (&rig, rig_has_ended, 2);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

static Suite *
flush_suite (void)
{
  Suite *suite = suite_create ("ndaflush");
  TCase *tcase = tcase_create ("flush");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_seeks_while_the_device_is_there);
  tcase_add_test (tcase, test_a_seek_while_the_device_is_away);
  tcase_add_test (tcase, test_many_seeks_while_the_device_is_away);
  tcase_add_test (tcase, test_a_seek_before_a_loss_and_one_after);
  tcase_add_test (tcase, test_seeks_while_the_device_is_tried);
  tcase_add_test (tcase, test_a_seek_behind_an_end_that_came_while_it_was_away);
  return suite;
}

GST_CHECK_MAIN (flush);
