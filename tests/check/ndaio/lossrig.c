/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lossrig.h"

#include "ndablock.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gsttestclock.h>

/* How long (in ms) somebody who is about to wait for the clock may take; after
 * that the clock is looked at again */
#define PATIENCE 20

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

void
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

void
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
      rig->n_ends++;
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

void
rig_read_messages (Rig * rig)
{
  GstMessage *message;

  while ((message = gst_bus_pop (rig->bus))) {
    read_message (rig, message);
    gst_message_unref (message);
  }
}

/* Lets time pass until @is_enough. */
void
rig_turn_until (Rig * rig, RigReached is_enough, guint n)
{
  GstTestClock *clock = GST_TEST_CLOCK (rig->clock);

  for (rig_read_messages (rig); !is_enough (rig, n); rig_read_messages (rig))
    if (gst_test_clock_peek_id_count (clock) > 0
        || gst_test_clock_timed_wait_for_multiple_pending_ids (clock, 1,
            PATIENCE, NULL))
      gst_test_clock_crank (clock);
}

guint
rig_count_sound (Rig * rig)
{
  guint n;

  g_mutex_lock (&rig->lock);
  n = rig->n_sound;
  g_mutex_unlock (&rig->lock);
  return n;
}

gboolean
rig_has_sound (Rig * rig, guint n)
{
  return rig_count_sound (rig) >= n;
}

guint
rig_count_silence (Rig * rig)
{
  guint n;

  g_mutex_lock (&rig->lock);
  n = rig->n_silence;
  g_mutex_unlock (&rig->lock);
  return n;
}

gboolean
rig_has_silence (Rig * rig, guint n)
{
  return rig_count_silence (rig) >= n;
}

gboolean
rig_has_rendered (Rig * rig, guint n)
{
  return frail_count_rendered () >= n;
}

gboolean
rig_has_refused (Rig * rig, guint n)
{
  return frail_count_refusals () >= n;
}

gboolean
rig_has_lost (Rig * rig, guint n)
{
  return rig->n_lost >= n;
}

gboolean
rig_has_ended (Rig * rig, guint n)
{
  return rig->n_ends >= n;
}

guint64
rig_get_losses (Rig * rig, const gchar * name)
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

void
rig_play (Rig * rig)
{
  gst_element_set_state (rig->pipeline, GST_STATE_PLAYING);
}

/* Plays until @has_begun by @n, and takes the device away. */
void
rig_play_and_lose (Rig * rig, RigReached has_begun, guint n)
{
  rig_play (rig);
  rig_turn_until (rig, has_begun, n);
  frail_set_health (FRAIL_GONE);
}

static gboolean
is_back (Rig * rig, guint n)
{
  return rig->n_back >= n;
}

/* Gives the device back, for the @n-th time. */
void
rig_get_back (Rig * rig, guint n)
{
  frail_set_health (FRAIL_WELL);
  rig_turn_until (rig, is_back, n);
}

static void
send_eos (GstElement * pipeline, gpointer user_data)
{
  gst_element_send_event (pipeline, gst_event_new_eos ());
}

/* Not on this thread, which turns the clock that a live source waits for */
void
rig_end (Rig * rig)
{
  gst_element_call_async (rig->pipeline, send_eos, NULL, NULL);
}
