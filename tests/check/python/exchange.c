/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A plugin that is edited while it holds sound back, and takes other frames or
 * another rate from then on. */

#include "config.h"

#include "ndaadapterrig.h"

#include <math.h>

static const guint rates[] = {
  8000, 11025, 16000, 22050, 24000, 32000, 44100, 96000,
};

static guint
greatest_common_divisor (guint a, guint b)
{
  return b ? greatest_common_divisor (b, a % b) : a;
}

typedef struct
{
  guint n_frames;
  guint latency;
} Kind;

static guint
get_delay (Kind kind)
{
  return kind.n_frames - greatest_common_divisor (kind.n_frames, BLOCK)
      + kind.latency;
}

/* Every bit is heard, and each block as soon as the new delay allows it. */
static void
exchange (Kind from, Kind to, guint n_leading)
{
  const guint n_first = (n_leading ? BLOCK - n_leading : 0)
      + (get_delay (from) / BLOCK + 5) * BLOCK;
  const guint n_blocks = get_delay (to) / BLOCK + 12;
  const guint n_total = n_first + n_blocks * BLOCK;
  Rig *rig = rig_new (2, 48000, 2, from.n_frames);
  guint n_before;

  rig_set_latency (rig, from.latency);
  rig_make_noise (rig, n_total);
  rig_begin (rig, n_leading);
  rig_push (rig, n_first);
  n_before = rig->output->len / 2;
  fail_unless_equals_int (n_before, n_first - get_delay (from));
  rig_exchange (rig, 48000, 2, to.n_frames, to.latency);
  for (guint n = n_first + BLOCK; n <= n_total; n += BLOCK) {
    rig_push (rig, BLOCK);
    fail_unless_equals_int (rig->output->len / 2,
        MAX ((gint) n_before, (gint) (n - get_delay (to))));
  }
  rig_end (rig);
  rig_assert_same (rig, 0, n_total);
  rig_free (rig);
}

static const Kind exchanged[] = {
  {480, 0}, {480, 700}, {512, 72}, {256, 0}, {960, 0}, {1, 0}, {513, 4800},
  {48000, 1},
};

GST_START_TEST (test_edited_plugin_goes_on_with_each_bit)
{
  for (guint i = 0; i < G_N_ELEMENTS (exchanged); i++) {
    exchange (exchanged[__i__], exchanged[i], 0);
    exchange (exchanged[__i__], exchanged[i], 100);
  }
}

GST_END_TEST;

GST_START_TEST (test_plugin_edited_again_and_again_loses_nothing)
{
  GRand *rand = g_rand_new_with_seed (5);
  Rig *rig = rig_new (2, 48000, 2, 480);

  rig_make_noise (rig, 400 * BLOCK);
  for (guint k = 0; k < 400; k++) {
    const Kind to = exchanged[g_rand_int_range (rand, 0,
            G_N_ELEMENTS (exchanged))];

    if (g_rand_boolean (rand))
      rig_exchange (rig, 48000, 2, to.n_frames, to.latency);
    rig_push (rig, BLOCK);
  }
  rig_exchange (rig, 48000, 2, 441, 72);
  rig_end (rig);
  rig_assert_same (rig, 0, 400 * BLOCK);
  rig_free (rig);
  g_rand_free (rand);
}

GST_END_TEST;

/* Edited for another rate and other channels, and back: the tone goes on. */
GST_START_TEST (test_edited_plugin_of_another_rate_goes_on_with_the_tone)
{
  const guint n_total = 120 * BLOCK;
  Rig *rig = rig_new (2, 48000, 2, 480);
  gdouble wrong = 0.0;

  rig_make_tone (rig, n_total, 997.0);
  for (guint k = 0; k < 120; k++) {
    if (k == 40)
      rig_exchange (rig, rates[__i__], 1, 320, 100);
    if (k == 80)
      rig_exchange (rig, 48000, 2, 960, 0);
    rig_push (rig, BLOCK);
  }
  rig_end (rig);

  fail_unless_equals_int (rig->output->len, 2 * n_total);
  for (guint i = 0; i < 2 * n_total; i++)
    wrong = MAX (wrong, fabs (g_array_index (rig->output, gfloat, i)
            - g_array_index (rig->input, gfloat, i)));
  /* 120 dB below full scale */
  fail_unless (wrong < 1e-6, "off by %g", wrong);
  rig_free (rig);
}

GST_END_TEST;

GST_START_TEST (test_edited_analyser_sees_all)
{
  Rig *rig = rig_new_analyser (2, 48000, 2, 960);

  rig_make_noise (rig, 9 * BLOCK);
  rig_begin (rig, 0);
  rig_push (rig, 5 * BLOCK);
  fail_unless_equals_int (rig->n_calls, 2);
  rig_exchange (rig, 48000, 2, 480, 0);
  rig_push (rig, 4 * BLOCK);
  /* 640 frames that the one before did not see, and four blocks */
  fail_unless_equals_int (rig->n_calls, 2 + (640 + 4 * BLOCK) / 480);
  fail_unless (!memcmp (&g_array_index (rig->line, gfloat, 200000),
          &g_array_index (rig->input, gfloat, 2 * 2 * 960),
          2 * 480 * sizeof (gfloat)));
  rig_free (rig);
}

GST_END_TEST;

static Suite *
exchange_suite (void)
{
  Suite *suite = suite_create ("exchange");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_edited_plugin_goes_on_with_each_bit, 0,
      G_N_ELEMENTS (exchanged));
  tcase_add_test (tc, test_plugin_edited_again_and_again_loses_nothing);
  tcase_add_loop_test (tc,
      test_edited_plugin_of_another_rate_goes_on_with_the_tone, 0,
      G_N_ELEMENTS (rates));
  tcase_add_test (tc, test_edited_analyser_sees_all);
  return suite;
}

GST_CHECK_MAIN (exchange);
