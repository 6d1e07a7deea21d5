/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "lossrig.h"

#include <gst/check/gstcheck.h>

/* --- a source --- */

#define SOURCE "ndasrc name=src source=frailsrc ! " \
    "fakesink sync=false async=false"

GST_START_TEST (test_a_source_that_vanishes_is_silence_until_it_is_back)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play_and_lose (&rig, rig_has_sound, 20);
  rig_turn_until (&rig, rig_has_silence, 100);
  rig_get_back (&rig, 1);
  rig_turn_until (&rig, rig_has_sound, 60);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 1);
  fail_unless_equals_int (rig.n_back, 1);
  fail_unless_equals_int (rig.n_warnings, 1);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 1);
  fail_unless (frail_count_refusals () >= 2);
  /* silence fills the time up to where the source goes on */
  fail_unless (rig.n_holes <= 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_pauses_between_trials_grow)
{
  guint at_third, at_sixth;
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  rig_turn_until (&rig, rig_has_refused, 3);
  at_third = rig_count_silence (&rig);
  rig_turn_until (&rig, rig_has_refused, 6);
  at_sixth = rig_count_silence (&rig);

  /* 8 + 16 + 32 blocks, and 64 + 128 + 256 more */
  fail_unless (at_third >= 54 && at_third <= 60, "%u", at_third);
  fail_unless (at_sixth >= 500 && at_sixth <= 508, "%u", at_sixth);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_what_vanishes_again_at_once_is_lost_but_once)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play (&rig);
  rig_turn_until (&rig, rig_has_sound, 5);
  frail_set_health (FRAIL_DYING);
  rig_turn_until (&rig, rig_has_silence, 300);
  rig_get_back (&rig, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 1);
  fail_unless_equals_int (rig.n_lost, 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_two_losses_are_two)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play (&rig);
  for (guint i = 1; i <= 2; i++) {
    rig_turn_until (&rig, rig_has_sound, rig_count_sound (&rig) + 5);
    frail_set_health (FRAIL_GONE);
    rig_turn_until (&rig, rig_has_lost, i);
    rig_get_back (&rig, i);
  }

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 2);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_source_that_was_never_there_is_an_error)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  frail_set_health (FRAIL_GONE);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  rig_read_messages (&rig);

  fail_unless (g_error_matches (rig.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_READ_WRITE));
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 0);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_the_stream_ends_while_the_source_is_away)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  rig_turn_until (&rig, rig_has_silence, 20);
  rig_end (&rig);
  rig_turn_until (&rig, rig_has_ended, 1);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_pause_while_the_source_is_away)
{
  guint n_silence;
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  rig_turn_until (&rig, rig_has_silence, 20);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  n_silence = rig_count_silence (&rig);
  rig_play (&rig);
  rig_turn_until (&rig, rig_has_silence, n_silence + 20);
  rig_get_back (&rig, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_source_that_was_away_starts_anew)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  rig_turn_until (&rig, rig_has_lost, 1);
  gst_element_set_state (rig.pipeline, GST_STATE_READY);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  rig_read_messages (&rig);
  fail_unless (rig.error != NULL);
  gst_element_set_state (rig.pipeline, GST_STATE_NULL);

  frail_set_health (FRAIL_WELL);
  rig.end = GST_CLOCK_TIME_NONE;
  rig_play (&rig);
  rig_turn_until (&rig, rig_has_sound, rig_count_sound (&rig) + 5);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 0);
  rig_clear (&rig);
}

GST_END_TEST;

/* --- what autoaudiosrc has chosen --- */

/* A microphone that is always there, and the frail one that goes before */
static void
auto_rig_init (Rig * rig)
{
  rig_init (rig, "ndasrc name=src source=autoaudiosrc ! "
      "fakesink sync=false async=false");
  frail_set_rank ("shysrc", 1001);
  frail_set_rank ("firmsrc", 1000);
}

static gboolean
plays (Rig * rig, const gchar * factory)
{
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (rig->pipeline),
      "src");
  GstIterator *inside = gst_bin_iterate_all_by_element_factory_name
      (GST_BIN (src), factory);
  GValue item = G_VALUE_INIT;
  gboolean is_there = gst_iterator_next (inside, &item) == GST_ITERATOR_OK;

  g_value_unset (&item);
  gst_iterator_free (inside);
  return is_there;
}

GST_START_TEST (test_what_was_chosen_before_is_what_comes_back)
{
  Rig rig;

  auto_rig_init (&rig);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  fail_unless (plays (&rig, "shysrc"));
  rig_turn_until (&rig, rig_has_refused, 4);
  rig_get_back (&rig, 1);

  fail_unless (plays (&rig, "shysrc"));
  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 1);
  rig_clear (&rig);
}

GST_END_TEST;

static gboolean
is_back_again (Rig * rig, guint n)
{
  return rig->n_back >= n;
}

GST_START_TEST (test_what_does_not_come_back_is_replaced)
{
  Rig rig;

  auto_rig_init (&rig);
  rig_play_and_lose (&rig, rig_has_sound, 5);
  rig_turn_until (&rig, is_back_again, 1);

  fail_unless (plays (&rig, "firmsrc"));
  fail_unless (frail_count_refusals () >= 6);
  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

/* --- a sink --- */

#define SINK "audiotestsrc name=src samplesperbuffer=512 %s ! " \
    "audio/x-raw, rate = 48000, channels = 2 ! ndasink name=sink sink=%s"

static void
sink_rig_init (Rig * rig, const gchar * how, const gchar * sink)
{
  g_autofree gchar *description = g_strdup_printf (SINK, how, sink);

  rig_init (rig, description);
}

GST_START_TEST (test_a_sink_that_vanishes_is_played_to_when_it_is_back)
{
  guint n_before;
  Rig rig;

  sink_rig_init (&rig, "is-live=true", "frailsink");
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_refused, 3);
  n_before = frail_count_rendered ();
  rig_get_back (&rig, 1);
  rig_turn_until (&rig, rig_has_rendered, n_before + 20);
  rig_end (&rig);
  rig_turn_until (&rig, rig_has_ended, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 1);
  fail_unless_equals_int (rig.n_back, 1);
  fail_unless_equals_int (rig.n_warnings, 1);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 1);
  /* the first one, and the first one after */
  fail_unless_equals_int (frail_count_disconts (), 2);
  rig_clear (&rig);
}

GST_END_TEST;

/* As autoaudiosink is one */
GST_START_TEST (test_a_sink_in_a_bin_is_played_to_when_it_is_back)
{
  guint n_before;
  Rig rig;

  sink_rig_init (&rig, "is-live=true", "\"identity ! frailsink\"");
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_refused, 2);
  n_before = frail_count_rendered ();
  rig_get_back (&rig, 1);
  rig_turn_until (&rig, rig_has_rendered, n_before + 20);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

/* As when a sound server is gone */
GST_START_TEST (test_both_ends_vanish_and_come_back)
{
  guint n_before;
  Rig rig;

  rig_init (&rig, "ndasrc name=src source=frailsrc ! "
      "ndasink name=sink sink=\"identity ! frailsink\"");
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_lost, 2);
  rig_turn_until (&rig, rig_has_refused, 4);
  n_before = frail_count_rendered ();
  rig_get_back (&rig, 2);
  rig_turn_until (&rig, rig_has_rendered, n_before + 20);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "src"), 1);
  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_what_is_not_live_waits_for_the_sink)
{
  Rig rig;

  sink_rig_init (&rig, "num-buffers=60", "frailsink");
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_refused, 3);
  frail_set_health (FRAIL_WELL);
  rig_turn_until (&rig, rig_has_ended, 1);

  g_assert_no_error (rig.error);
  /* all but the one that the device died of */
  fail_unless_equals_int (frail_count_rendered (), 59);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_the_stream_ends_while_the_sink_is_away)
{
  Rig rig;

  sink_rig_init (&rig, "is-live=true", "frailsink");
  rig_play_and_lose (&rig, rig_has_rendered, 5);
  rig_turn_until (&rig, rig_has_refused, 1);
  rig_end (&rig);
  rig_turn_until (&rig, rig_has_ended, 1);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_what_waits_for_the_sink_can_be_stopped)
{
  Rig rig;

  sink_rig_init (&rig, "num-buffers=60", "frailsink");
  rig_play_and_lose (&rig, rig_has_rendered, 20);
  rig_turn_until (&rig, rig_has_refused, 1);

  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_sink_that_was_never_there_is_an_error)
{
  Rig rig;

  sink_rig_init (&rig, "is-live=true", "frailsink");
  frail_set_health (FRAIL_GONE);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  rig_read_messages (&rig);

  fail_unless (g_error_matches (rig.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_READ_WRITE));
  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 0);
  rig_clear (&rig);
}

GST_END_TEST;

static gboolean
has_error (Rig * rig, guint n)
{
  return rig->error != NULL;
}

GST_START_TEST (test_a_file_that_is_full_is_an_error)
{
  Rig rig;

  sink_rig_init (&rig, "is-live=true", "frailfile");
  rig_play (&rig);
  rig_turn_until (&rig, rig_has_rendered, 20);
  frail_set_health (FRAIL_DYING);
  rig_turn_until (&rig, has_error, 1);

  fail_unless_equals_uint64 (rig_get_losses (&rig, "sink"), 0);
  fail_unless_equals_int (rig.n_lost, 0);
  rig_clear (&rig);
}

GST_END_TEST;

static Suite *
loss_suite (void)
{
  Suite *suite = suite_create ("ndaloss");
  TCase *tcase = tcase_create ("loss");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase,
      test_a_source_that_vanishes_is_silence_until_it_is_back);
  tcase_add_test (tcase, test_pauses_between_trials_grow);
  tcase_add_test (tcase, test_what_vanishes_again_at_once_is_lost_but_once);
  tcase_add_test (tcase, test_two_losses_are_two);
  tcase_add_test (tcase, test_a_source_that_was_never_there_is_an_error);
  tcase_add_test (tcase, test_the_stream_ends_while_the_source_is_away);
  tcase_add_test (tcase, test_a_pause_while_the_source_is_away);
  tcase_add_test (tcase, test_a_source_that_was_away_starts_anew);
  tcase_add_test (tcase, test_what_was_chosen_before_is_what_comes_back);
  tcase_add_test (tcase, test_what_does_not_come_back_is_replaced);
  tcase_add_test (tcase,
      test_a_sink_that_vanishes_is_played_to_when_it_is_back);
  tcase_add_test (tcase, test_a_sink_in_a_bin_is_played_to_when_it_is_back);
  tcase_add_test (tcase, test_both_ends_vanish_and_come_back);
  tcase_add_test (tcase, test_what_is_not_live_waits_for_the_sink);
  tcase_add_test (tcase, test_the_stream_ends_while_the_sink_is_away);
  tcase_add_test (tcase, test_what_waits_for_the_sink_can_be_stopped);
  tcase_add_test (tcase, test_a_sink_that_was_never_there_is_an_error);
  tcase_add_test (tcase, test_a_file_that_is_full_is_an_error);
  return suite;
}

GST_CHECK_MAIN (loss);
