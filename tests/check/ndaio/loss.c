/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "frail.h"

#include "ndablock.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gsttestclock.h>

#define BLOCK NDA_BLOCK_FRAMES
/* How long (in ms) somebody who is about to wait for the clock may take; after
 * that the clock is looked at again */
#define PATIENCE 20

/* A pipeline on a test clock, and what comes out of its source. */
typedef struct
{
  GstElement *pipeline;         /* owned */
  GstClock *clock;              /* owned */
  GstBus *bus;                  /* owned */
  guint n_warnings;
  guint n_lost, n_back;         /* messages */
  gboolean has_ended;
  GError *error;                /* owned; or NULL */

  GMutex lock;
  /* [lock] */
  guint64 n_frames;
  guint n_sound, n_silence;     /* blocks */
  guint n_holes;                /* where a block does not follow the last */
  GstClockTime end;             /* of the last block */
} Rig;

static gboolean
is_silent (GstBuffer * buffer)
{
  GstMapInfo map;
  gboolean silent = TRUE;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size; i++)
    silent &= map.data[i] == 0;
  gst_buffer_unmap (buffer, &map);
  return silent;
}

static GstPadProbeReturn
on_block (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  Rig *rig = user_data;
  GstBuffer *block = GST_PAD_PROBE_INFO_BUFFER (info);
  gboolean is_gap = GST_BUFFER_FLAG_IS_SET (block, GST_BUFFER_FLAG_GAP);

  g_mutex_lock (&rig->lock);
  fail_unless_equals_int (is_silent (block), is_gap);
  if (is_gap)
    rig->n_silence++;
  else
    rig->n_sound++;
  if (GST_CLOCK_TIME_IS_VALID (rig->end)) {
    /* time never goes back */
    fail_unless (GST_BUFFER_PTS (block) + 1 >= rig->end);
    if (GST_BUFFER_PTS (block) > rig->end + 1)
      rig->n_holes++;
  }
  rig->end = GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block);
  rig->n_frames += GST_BUFFER_OFFSET_END (block) - GST_BUFFER_OFFSET (block);
  g_mutex_unlock (&rig->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch_source (Rig * rig)
{
  g_autoptr (GstElement) src = gst_bin_get_by_name (GST_BIN (rig->pipeline),
      "src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (src, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_block, rig, NULL);
}

static void
rig_init (Rig * rig, const gchar * description)
{
  g_autoptr (GError) error = NULL;

  frail_register ();
  *rig = (Rig) {
  .end = GST_CLOCK_TIME_NONE};
  g_mutex_init (&rig->lock);
  rig->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  rig->clock = gst_test_clock_new ();
  rig->bus = gst_element_get_bus (rig->pipeline);
  gst_pipeline_use_clock (GST_PIPELINE (rig->pipeline), rig->clock);
  watch_source (rig);
}

static void
rig_clear (Rig * rig)
{
  gst_element_set_state (rig->pipeline, GST_STATE_NULL);
  gst_object_unref (rig->pipeline);
  gst_object_unref (rig->clock);
  gst_object_unref (rig->bus);
  g_clear_error (&rig->error);
  g_mutex_clear (&rig->lock);
}

/* Those of underruns are none of ours: this clock jumps. */
static void
count_warning (Rig * rig, GstMessage * message)
{
  g_autoptr (GError) warning = NULL;

  gst_message_parse_warning (message, &warning, NULL);
  rig->n_warnings += warning->domain == GST_RESOURCE_ERROR;
}

static void
read_message (Rig * rig, GstMessage * message)
{
  const GstStructure *said = gst_message_get_structure (message);
  gboolean is_lost;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      if (!rig->error)
        gst_message_parse_error (message, &rig->error, NULL);
      break;
    case GST_MESSAGE_WARNING:
      count_warning (rig, message);
      break;
    case GST_MESSAGE_EOS:
      rig->has_ended = TRUE;
      break;
    case GST_MESSAGE_ELEMENT:
      if (!gst_structure_get_boolean (said, "device-lost", &is_lost))
        break;
      if (is_lost)
        rig->n_lost++;
      else
        rig->n_back++;
      break;
    default:
      break;
  }
}

static void
read_messages (Rig * rig)
{
  GstMessage *message;

  while ((message = gst_bus_pop (rig->bus))) {
    read_message (rig, message);
    gst_message_unref (message);
  }
}

/* Lets time pass until @is_enough. */
static void
turn_until (Rig * rig, gboolean (*is_enough) (Rig * rig, guint n), guint n)
{
  GstTestClock *clock = GST_TEST_CLOCK (rig->clock);

  for (read_messages (rig); !is_enough (rig, n); read_messages (rig))
    if (gst_test_clock_peek_id_count (clock) > 0
        || gst_test_clock_timed_wait_for_multiple_pending_ids (clock, 1,
            PATIENCE, NULL))
      gst_test_clock_crank (clock);
}

static guint
count_sound (Rig * rig)
{
  guint n;

  g_mutex_lock (&rig->lock);
  n = rig->n_sound;
  g_mutex_unlock (&rig->lock);
  return n;
}

static gboolean
has_sound (Rig * rig, guint n)
{
  return count_sound (rig) >= n;
}

static guint
count_silence (Rig * rig)
{
  guint n;

  g_mutex_lock (&rig->lock);
  n = rig->n_silence;
  g_mutex_unlock (&rig->lock);
  return n;
}

static gboolean
has_silence (Rig * rig, guint n)
{
  return count_silence (rig) >= n;
}

static gboolean
has_rendered (Rig * rig, guint n)
{
  return frail_count_rendered () >= n;
}

static gboolean
has_refused (Rig * rig, guint n)
{
  return frail_count_refusals () >= n;
}

static gboolean
has_lost (Rig * rig, guint n)
{
  return rig->n_lost >= n;
}

static gboolean
is_back (Rig * rig, guint n)
{
  return rig->n_back >= n;
}

static gboolean
has_ended (Rig * rig, guint n)
{
  return rig->has_ended;
}

static guint64
get_losses (Rig * rig, const gchar * name)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (rig->pipeline), name);
  g_autoptr (GstStructure) stats = NULL;
  guint64 n_losses;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "num-device-losses",
          &n_losses));
  return n_losses;
}

static void
play (Rig * rig)
{
  gst_element_set_state (rig->pipeline, GST_STATE_PLAYING);
}

static void
send_eos (GstElement * pipeline, gpointer user_data)
{
  gst_element_send_event (pipeline, gst_event_new_eos ());
}

/* Not on this thread, which turns the clock that a live source waits for */
static void
end (Rig * rig)
{
  gst_element_call_async (rig->pipeline, send_eos, NULL, NULL);
}

/* --- a source --- */

#define SOURCE "ndasrc name=src source=frailsrc ! " \
    "fakesink sync=false async=false"

GST_START_TEST (test_a_source_that_vanishes_is_silence_until_it_is_back)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  play (&rig);
  turn_until (&rig, has_sound, 20);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_silence, 100);
  frail_set_health (FRAIL_WELL);
  turn_until (&rig, is_back, 1);
  turn_until (&rig, has_sound, 60);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 1);
  fail_unless_equals_int (rig.n_back, 1);
  fail_unless_equals_int (rig.n_warnings, 1);
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 1);
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
  play (&rig);
  turn_until (&rig, has_sound, 5);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_refused, 3);
  at_third = count_silence (&rig);
  turn_until (&rig, has_refused, 6);
  at_sixth = count_silence (&rig);

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
  play (&rig);
  turn_until (&rig, has_sound, 5);
  frail_set_health (FRAIL_DYING);
  turn_until (&rig, has_silence, 300);
  frail_set_health (FRAIL_WELL);
  turn_until (&rig, is_back, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 1);
  fail_unless_equals_int (rig.n_lost, 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_two_losses_are_two)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  play (&rig);
  for (guint i = 1; i <= 2; i++) {
    turn_until (&rig, has_sound, count_sound (&rig) + 5);
    frail_set_health (FRAIL_GONE);
    turn_until (&rig, has_lost, i);
    frail_set_health (FRAIL_WELL);
    turn_until (&rig, is_back, i);
  }

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 2);
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
  read_messages (&rig);

  fail_unless (g_error_matches (rig.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_READ_WRITE));
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 0);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_the_stream_ends_while_the_source_is_away)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  play (&rig);
  turn_until (&rig, has_sound, 5);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_silence, 20);
  end (&rig);
  turn_until (&rig, has_ended, 1);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_pause_while_the_source_is_away)
{
  guint n_silence;
  Rig rig;

  rig_init (&rig, SOURCE);
  play (&rig);
  turn_until (&rig, has_sound, 5);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_silence, 20);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  n_silence = count_silence (&rig);
  play (&rig);
  turn_until (&rig, has_silence, n_silence + 20);
  frail_set_health (FRAIL_WELL);
  turn_until (&rig, is_back, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 1);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_a_source_that_was_away_starts_anew)
{
  Rig rig;

  rig_init (&rig, SOURCE);
  play (&rig);
  turn_until (&rig, has_sound, 5);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_lost, 1);
  gst_element_set_state (rig.pipeline, GST_STATE_READY);
  fail_unless_equals_int (gst_element_set_state (rig.pipeline,
          GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  read_messages (&rig);
  fail_unless (rig.error != NULL);
  gst_element_set_state (rig.pipeline, GST_STATE_NULL);

  frail_set_health (FRAIL_WELL);
  rig.end = GST_CLOCK_TIME_NONE;
  play (&rig);
  turn_until (&rig, has_sound, count_sound (&rig) + 5);
  fail_unless_equals_uint64 (get_losses (&rig, "src"), 0);
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
  play (&rig);
  turn_until (&rig, has_rendered, 20);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_refused, 3);
  n_before = frail_count_rendered ();
  frail_set_health (FRAIL_WELL);
  turn_until (&rig, is_back, 1);
  turn_until (&rig, has_rendered, n_before + 20);
  end (&rig);
  turn_until (&rig, has_ended, 1);

  g_assert_no_error (rig.error);
  fail_unless_equals_int (rig.n_lost, 1);
  fail_unless_equals_int (rig.n_back, 1);
  fail_unless_equals_int (rig.n_warnings, 1);
  fail_unless_equals_uint64 (get_losses (&rig, "sink"), 1);
  /* the first one, and the first one after */
  fail_unless_equals_int (frail_count_disconts (), 2);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_what_is_not_live_waits_for_the_sink)
{
  Rig rig;

  sink_rig_init (&rig, "num-buffers=60", "frailsink");
  play (&rig);
  turn_until (&rig, has_rendered, 20);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_refused, 3);
  frail_set_health (FRAIL_WELL);
  turn_until (&rig, has_ended, 1);

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
  play (&rig);
  turn_until (&rig, has_rendered, 5);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_refused, 1);
  end (&rig);
  turn_until (&rig, has_ended, 1);

  g_assert_no_error (rig.error);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_what_waits_for_the_sink_can_be_stopped)
{
  Rig rig;

  sink_rig_init (&rig, "num-buffers=60", "frailsink");
  play (&rig);
  turn_until (&rig, has_rendered, 20);
  frail_set_health (FRAIL_GONE);
  turn_until (&rig, has_refused, 1);

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
  read_messages (&rig);

  fail_unless (g_error_matches (rig.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_OPEN_READ_WRITE));
  fail_unless_equals_uint64 (get_losses (&rig, "sink"), 0);
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
  play (&rig);
  turn_until (&rig, has_rendered, 20);
  frail_set_health (FRAIL_DYING);
  turn_until (&rig, has_error, 1);

  fail_unless_equals_uint64 (get_losses (&rig, "sink"), 0);
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
  tcase_add_test (tcase,
      test_a_sink_that_vanishes_is_played_to_when_it_is_back);
  tcase_add_test (tcase, test_what_is_not_live_waits_for_the_sink);
  tcase_add_test (tcase, test_the_stream_ends_while_the_sink_is_away);
  tcase_add_test (tcase, test_what_waits_for_the_sink_can_be_stopped);
  tcase_add_test (tcase, test_a_sink_that_was_never_there_is_an_error);
  tcase_add_test (tcase, test_a_file_that_is_full_is_an_error);
  return suite;
}

GST_CHECK_MAIN (loss);
