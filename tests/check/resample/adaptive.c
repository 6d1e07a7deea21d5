/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "resample.h"

#include "../tone.h"
#include "ndamakers.h"
#include "ndapolyphaseconverter.h"

#include <gst/check/gstharness.h>

#include <math.h>
#include <string.h>

#define PERIOD 512
#define TONE 1000.0
#define AMPLITUDE 0.5

/* A device whose clock is off, and what it gives or takes. */
typedef struct
{
  GstHarness *h;
  GstTestClock *clock;          /* the pipeline's */
  gdouble rate;                 /* frames/s that the device says it has */
  gdouble ppm;                  /* by which it errs */
  guint64 n_in;                 /* frames pushed */
  gdouble level;                /* of all frames; 0: a tone */
  GArray *out;                  /* of gfloat */
  GstClockTime end;             /* of the last block that came out */
} Rig;

static void
rig_init (Rig * rig, const gchar * caps, gdouble rate, gdouble ppm)
{
  memset (rig, 0, sizeof (*rig));
  rig->h = gst_harness_new ("ndaresample");
  rig->rate = rate;
  rig->ppm = ppm;
  rig->out = g_array_new (FALSE, FALSE, sizeof (gfloat));
  rig->end = GST_CLOCK_TIME_NONE;
  g_object_set (rig->h->element, "adaptive", TRUE, NULL);
  gst_harness_use_testclock (rig->h);
  rig->clock = gst_harness_get_testclock (rig->h);
  gst_harness_set_src_caps_str (rig->h, caps);
}

static void
rig_clear (Rig * rig)
{
  g_array_unref (rig->out);
  gst_object_unref (rig->clock);
  gst_harness_teardown (rig->h);
}

/* Takes what has come out: whole blocks that follow one another. */
static void
take_output (Rig * rig)
{
  GstBuffer *block;

  while ((block = gst_harness_try_pull (rig->h))) {
    GstMapInfo map;

    fail_unless_equals_uint64 (count_frames (block), BLOCK);
    if (GST_CLOCK_TIME_IS_VALID (rig->end)) {
      fail_unless (ABS (GST_CLOCK_DIFF (rig->end, GST_BUFFER_PTS (block))) <= 1,
          "%" GST_STIME_FORMAT " at frame %u",
          GST_STIME_ARGS (GST_CLOCK_DIFF (rig->end, GST_BUFFER_PTS (block))),
          rig->out->len);
      fail_if (GST_BUFFER_IS_DISCONT (block));
    }
    rig->end = GST_BUFFER_PTS (block) + GST_BUFFER_DURATION (block);
    gst_buffer_map (block, &map, GST_MAP_READ);
    g_array_append_vals (rig->out, map.data, map.size / sizeof (gfloat));
    gst_buffer_unmap (block, &map);
    gst_buffer_unref (block);
  }
}

static GstBuffer *
make_tone (guint64 start, gdouble rate)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, PERIOD * sizeof (gfloat),
      NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < PERIOD; i++)
    ((gfloat *) map.data)[i] = AMPLITUDE
        * sin (2.0 * G_PI * fmod (TONE / rate * (start + i), 1.0));
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static GstBuffer *
make_level (gfloat level)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, PERIOD * sizeof (gfloat),
      NULL);

  for (guint i = 0; i < PERIOD; i++)
    gst_buffer_fill (buffer, i * sizeof (gfloat), &level, sizeof (gfloat));
  return buffer;
}

/* The source's next @seconds, seen by the pipeline's clock as they arrive. */
static void
capture (Rig * rig, gdouble seconds)
{
  gdouble true_rate = rig->rate * (1.0 + rig->ppm * 1e-6);
  guint64 n_end = rig->n_in + seconds * rig->rate;

  while (rig->n_in < n_end) {
    GstBuffer *buffer = rig->level > 0.0 ? make_level (rig->level) :
        make_tone (rig->n_in, true_rate);
    gdouble arrival;

    rig->n_in += PERIOD;
    arrival = (1.0 + rig->n_in / true_rate) * GST_SECOND;
    gst_test_clock_set_time (rig->clock, (GstClockTime) arrival);
    GST_BUFFER_PTS (buffer) = (GstClockTime) (arrival
        - PERIOD / rig->rate * GST_SECOND);
    fail_unless_equals_int (gst_harness_push (rig->h, buffer), GST_FLOW_OK);
    take_output (rig);
  }
}

static gdouble
get_double (Rig * rig, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble value;

  g_object_get (rig->h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_double (stats, name, &value));
  return value;
}

static gint64
get_int64 (Rig * rig, const gchar * name)
{
  g_autoptr (GstStructure) stats = NULL;
  gint64 value;

  g_object_get (rig->h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_int64 (stats, name, &value));
  return value;
}

static void
check_state (Rig * rig, const gchar * expected)
{
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (rig->h->element, "stats", &stats, NULL);
  fail_unless_equals_string (gst_structure_get_string (stats, "drift-state"),
      expected);
}

/* Of the last second that came out */
static void
check_tone (Rig * rig, gdouble least)
{
  const guint n = 32768;
  gfloat *last = (gfloat *) rig->out->data + rig->out->len - n;
  gdouble thd_n = tone_thd_n (last, n, TONE, 20.0, 48000.0);

  fail_unless (thd_n >= least, "%.1f dB", thd_n);
}

/* --- one clock --- */

GST_START_TEST (test_one_clock_keeps_every_bit)
{
  Rig rig;

  rig_init (&rig, MONO ("48000"), 48000.0, 0.0);
  capture (&rig, 60.0);

  check_state (&rig, "watching");
  fail_unless_equals_uint64 (rig.out->len, rig.n_in);
  for (guint64 start = 0; start < rig.n_in; start += PERIOD) {
    g_autoptr (GstBuffer) sent = make_tone (start, 48000.0);

    fail_unless (gst_buffer_memcmp (sent, 0, (gfloat *) rig.out->data + start,
            PERIOD * sizeof (gfloat)) == 0);
  }
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_to_begin_to_follow_cuts_no_block)
{
  Rig rig;

  rig_init (&rig, MONO ("48000"), 48000.0, 0.0);
  g_object_set (rig.h->element, "adaptive", FALSE, NULL);
  capture (&rig, 1.0);
  check_state (&rig, "off");
  g_object_set (rig.h->element, "adaptive", TRUE, NULL);
  capture (&rig, 1.0);

  check_state (&rig, "watching");
  fail_unless_equals_uint64 (rig.out->len, rig.n_in);
  rig_clear (&rig);
}

GST_END_TEST;

/* --- two clocks --- */

/* How fast the sine's phase runs away from that of the first half: 0 where the
 * tone of the world is heard at its own pitch. */
static void
check_pitch (Rig * rig)
{
  const guint n = 24000;
  gfloat *last = (gfloat *) rig->out->data + rig->out->len - 2 * n;
  Tone first = tone_fit (last, n, TONE, 48000.0);
  Tone second = tone_fit (last + n, n, TONE, 48000.0);

  /* n frames are a whole number of turns */
  fail_unless (fabs (remainder (second.phase - first.phase, 2.0 * G_PI))
      < 2.0 * G_PI * 500.0 * 2e-6);
}

GST_START_TEST (test_a_source_is_followed_without_a_gap)
{
  static const gdouble rates[] = { 200.0, -150.0, 1000.0 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    Rig rig;

    rig_init (&rig, MONO ("48000"), 48000.0, rates[i]);
    capture (&rig, 170.0);

    check_state (&rig, "locked");
    fail_unless (fabs (get_double (&rig, "drift-ppm") - rates[i]) < 1.0);
    fail_unless (ABS (get_int64 (&rig, "delay-error")) < GST_USECOND * 10);
    /* as much time came out as has passed, but for what is held */
    fail_unless (fabs (rig.out->len - (rig.n_in / (1.0 + rates[i] * 1e-6)))
        <= BLOCK + 80 + 0.022 * 48000 + 1);
    check_pitch (&rig);
    check_tone (&rig, 130.0);
    rig_clear (&rig);
  }
}

GST_END_TEST;

/* Notes behind how many frames each event passes. */
static GstPadProbeReturn
note_event (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GArray *places = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  guint64 n_frames = g_array_index (places, guint64, 0);

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_array_index (places, guint64, 0) = n_frames
        + count_frames (GST_PAD_PROBE_INFO_BUFFER (info));
  else if (GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM)
    g_array_append_val (places, n_frames);
  return GST_PAD_PROBE_OK;
}

/* Each event leaves behind the block that has the last frame before it. The
 * sound goes up a step behind each event, so that its place can be heard. */
GST_START_TEST (test_events_stay_in_their_place_while_a_clock_is_followed)
{
  const guint n_events = 90;
  g_autoptr (GArray) places = g_array_new (FALSE, TRUE, sizeof (guint64));
  g_autoptr (GstPad) pad = NULL;
  guint n = 0;
  Rig rig;

  rig_init (&rig, MONO ("48000"), 48000.0, 500.0);
  g_array_set_size (places, 1);
  pad = gst_element_get_static_pad (rig.h->element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_event, places, NULL);
  for (guint i = 0; i <= n_events; i++) {
    rig.level = 0.01 * (i + 1);
    capture (&rig, 1.0);
    if (i < n_events)
      gst_harness_push_event (rig.h,
          gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
              gst_structure_new_empty ("mark")));
  }
  check_state (&rig, "locked");

  fail_unless_equals_int (places->len, 1 + n_events);
  for (guint i = 0; i < n_events; i++) {
    gint64 place = g_array_index (places, guint64, 1 + i);

    while (g_array_index (rig.out, gfloat, n) < 0.01 * (i + 1.5))
      n++;
    fail_unless (place >= n - 1 && place <= n + BLOCK,
        "event %u leaves %d frames behind its place", i, (gint) (place - n));
  }
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_the_filter_takes_over_between_two_frames)
{
  Rig rig;
  gdouble worst = 0.0;

  rig_init (&rig, MONO ("48000"), 48000.0, 400.0);
  capture (&rig, 90.0);

  check_state (&rig, "locked");
  /* the third difference of a slow sine is small, that of a click is not */
  for (guint i = 3; i < rig.out->len; i++) {
    gfloat *y = (gfloat *) rig.out->data + i;

    worst = MAX (worst, fabs (y[0] - 3.0 * y[-1] + 3.0 * y[-2] - y[-3]));
  }
  fail_unless (worst < AMPLITUDE * pow (2.0 * G_PI * TONE / 48000.0, 3) * 1.01,
      "%g", worst);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_another_rate_is_followed_from_the_start)
{
  Rig rig;

  rig_init (&rig, MONO ("44100"), 44100.0, -300.0);
  capture (&rig, 60.0);

  check_state (&rig, "locked");
  fail_unless (fabs (get_double (&rig, "drift-ppm") + 300.0) < 1.0);
  check_pitch (&rig);
  check_tone (&rig, 130.0);
  rig_clear (&rig);
}

GST_END_TEST;

GST_START_TEST (test_lock_is_told_on_the_bus)
{
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  const GstStructure *said;
  gboolean locked = FALSE;
  Rig rig;

  rig_init (&rig, MONO ("44100"), 44100.0, 50.0);
  gst_element_set_bus (rig.h->element, bus);
  capture (&rig, 20.0);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message != NULL);
  said = gst_message_get_structure (message);
  fail_unless_equals_string (gst_structure_get_name (said), "ndaresample");
  fail_unless (gst_structure_get_boolean (said, "locked", &locked) && locked);
  fail_unless (gst_structure_has_field_typed (said, "drift-ppm",
          G_TYPE_DOUBLE));
  gst_message_unref (message);
  gst_element_set_bus (rig.h->element, NULL);
  gst_object_unref (bus);
  rig_clear (&rig);
}

GST_END_TEST;

/* --- a device that plays --- */

#define DEVICE_RATE 44100.0
#define DEVICE_PPM -120.0

/* How many frames the device has played at @time (in s). */
static gdouble
played_at (gdouble time)
{
  return time * DEVICE_RATE * (1.0 + DEVICE_PPM * 1e-6);
}

/* The stream's next block, and what the device makes of it: @lead is how far
 * its frame is from where the device is at the block's time. */
static void
play (Rig * rig, GstTestClock * device, GArray * leads)
{
  GstBuffer *buffer = make_tone (rig->n_in, 48000.0), *block;
  gdouble now = rig->n_in / 48000.0;

  gst_test_clock_set_time (rig->clock, (GstClockTime) (now * GST_SECOND));
  gst_test_clock_set_time (device,
      (GstClockTime) (played_at (now) / DEVICE_RATE * GST_SECOND));
  GST_BUFFER_PTS (buffer) = (GstClockTime) (now * GST_SECOND);
  rig->n_in += PERIOD;
  fail_unless_equals_int (gst_harness_push (rig->h, buffer), GST_FLOW_OK);

  while ((block = gst_harness_try_pull (rig->h))) {
    gdouble lead = played_at (GST_BUFFER_PTS (block) / (gdouble) GST_SECOND)
        - GST_BUFFER_OFFSET (block);

    fail_unless_equals_uint64 (count_frames (block), BLOCK);
    g_array_append_val (leads, lead);
    gst_buffer_unref (block);
  }
}

GST_START_TEST (test_a_sink_s_device_is_followed)
{
  GstClock *device = gst_test_clock_new ();
  g_autoptr (GArray) leads = g_array_new (FALSE, FALSE, sizeof (gdouble));
  Rig rig;

  rig_init (&rig, MONO ("48000"), 48000.0, 0.0);
  g_object_set (rig.h->element, "device-clock", device, "rate", 0, NULL);
  gst_harness_set_sink_caps_str (rig.h, MONO ("44100"));
  while (rig.n_in < 60 * 48000)
    play (&rig, GST_TEST_CLOCK (device), leads);

  check_state (&rig, "locked");
  fail_unless (fabs (get_double (&rig, "drift-ppm") - DEVICE_PPM) < 1.0);
  /* unfollowed, the device would have run away by 300 frames */
  for (guint i = 0; i < leads->len; i++)
    fail_unless (fabs (g_array_index (leads, gdouble, i)
            - g_array_index (leads, gdouble, 0)) < 0.0002 * DEVICE_RATE);
  rig_clear (&rig);
  gst_object_unref (device);
}

GST_END_TEST;

/* A sink finds a time stamp's place in its device by its clock's calibration.
 * The place of each block must be just behind the last, whenever the filter
 * takes over and however the ratio glides. */
GST_START_TEST (test_a_sink_finds_each_block_behind_the_last)
{
  GstClock *device = gst_test_clock_new ();
  gdouble usual = G_MAXDOUBLE;
  Rig rig;

  rig_init (&rig, MONO ("48000"), 48000.0, 0.0);
  g_object_set (rig.h->element, "device-clock", device, "rate", 0, NULL);
  while (rig.n_in < 120 * 48000) {
    GstBuffer *block, *buffer = make_tone (rig.n_in, 48000.0);
    GstClockTime now = nda_block_frames_to_time (rig.n_in, 48000);

    gst_test_clock_set_time (rig.clock, now);
    gst_test_clock_set_time (GST_TEST_CLOCK (device), now + now / 5000);
    GST_BUFFER_PTS (buffer) = now;
    rig.n_in += PERIOD;
    fail_unless_equals_int (gst_harness_push (rig.h, buffer), GST_FLOW_OK);

    while ((block = gst_harness_try_pull (rig.h))) {
      GstClockTime place = gst_clock_unadjust_unlocked (device,
          GST_BUFFER_PTS (block));
      gdouble off = place / (gdouble) GST_SECOND * 48000.0
          - GST_BUFFER_OFFSET (block);

      usual = usual == G_MAXDOUBLE ? off : usual;
      /* by what a second of gliding does, at most */
      fail_unless (fabs (off - usual) < 0.002 * 48000, "%g frames at %"
          GST_TIME_FORMAT, off - usual, GST_TIME_ARGS (now));
      gst_buffer_unref (block);
    }
  }

  check_state (&rig, "locked");
  rig_clear (&rig);
  gst_object_unref (device);
}

GST_END_TEST;

/* --- latency --- */

static GstClockTime
query_latency (GstHarness * h)
{
  return gst_harness_query_latency (h);
}

static void
judge_latency (const gchar * preference, gboolean is_live,
    GstClockTime at_least, GstClockTime at_most)
{
  GstHarness *h = gst_harness_new ("ndaresample");
  GstClockTime latency;

  gst_harness_set_live (h, is_live);
  gst_util_set_object_arg (G_OBJECT (h->element), "latency", preference);
  gst_harness_set_src_caps_str (h, MONO ("44100"));
  latency = query_latency (h);

  fail_unless (latency >= at_least && latency <= at_most,
      "%s, live %d: %" GST_TIME_FORMAT, preference, is_live,
      GST_TIME_ARGS (latency));
  gst_harness_teardown (h);
}

GST_START_TEST (test_latency_is_as_preferred)
{
  const GstClockTime low = NDA_BLOCK_DURATION + 1900 * GST_USECOND;
  /* where there is no library, the same filter serves all */
  const gboolean has_library = nda_makers[0] != &nda_polyphase_maker;
  const GstClockTime min_best = has_library ? low + 1 : NDA_BLOCK_DURATION;
  const GstClockTime max_best = has_library ? GST_SECOND : low;

  judge_latency ("low", FALSE, NDA_BLOCK_DURATION, low);
  judge_latency ("low", TRUE, NDA_BLOCK_DURATION, low);
  judge_latency ("auto", TRUE, NDA_BLOCK_DURATION, low);
  judge_latency ("auto", FALSE, min_best, max_best);
  judge_latency ("best", TRUE, min_best, max_best);
}

GST_END_TEST;

GST_START_TEST (test_low_latency_keeps_length_and_bits_in_any_cut)
{
  static const guint sizes[] = { 44100, 512, 1000, 7 };
  g_autoptr (GBytes) reference = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstHarness *h = gst_harness_new ("ndaresample");
    GByteArray *all = g_byte_array_new ();
    g_autoptr (GBytes) bytes = NULL;
    GstBuffer *block;

    gst_util_set_object_arg (G_OBJECT (h->element), "latency", "low");
    gst_harness_set_src_caps_str (h, MONO ("44100"));
    for (guint n = 0; n < 44100; n += sizes[i])
      gst_harness_push (h, make_buffer (n, MIN (sizes[i], 44100 - n), 44100));
    gst_harness_push_event (h, gst_event_new_eos ());
    while ((block = gst_harness_try_pull (h))) {
      GstMapInfo map;

      gst_buffer_map (block, &map, GST_MAP_READ);
      g_byte_array_append (all, map.data, map.size);
      gst_buffer_unmap (block, &map);
      gst_buffer_unref (block);
    }
    bytes = g_byte_array_free_to_bytes (all);
    fail_unless_equals_uint64 (g_bytes_get_size (bytes),
        48000 * sizeof (gfloat));
    if (reference)
      fail_unless (g_bytes_equal (reference, bytes));
    else
      reference = g_bytes_ref (bytes);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static Suite *
adaptive_suite (void)
{
  Suite *suite = suite_create ("ndaresample-adaptive");
  TCase *tcase = tcase_create ("adaptive");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_one_clock_keeps_every_bit);
  tcase_add_test (tcase, test_to_begin_to_follow_cuts_no_block);
  tcase_add_test (tcase, test_a_source_is_followed_without_a_gap);
  tcase_add_test (tcase,
      test_events_stay_in_their_place_while_a_clock_is_followed);
  tcase_add_test (tcase, test_the_filter_takes_over_between_two_frames);
  tcase_add_test (tcase, test_another_rate_is_followed_from_the_start);
  tcase_add_test (tcase, test_lock_is_told_on_the_bus);
  tcase_add_test (tcase, test_a_sink_s_device_is_followed);
  tcase_add_test (tcase, test_a_sink_finds_each_block_behind_the_last);
  tcase_add_test (tcase, test_latency_is_as_preferred);
  tcase_add_test (tcase, test_low_latency_keeps_length_and_bits_in_any_cut);
  return suite;
}

GST_CHECK_MAIN (adaptive);
