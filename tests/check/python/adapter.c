/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Any frames, any rate: what goes through a plugin that is none, called by a
 * real host. Every frame comes back where it belongs, as soon as it can. */

#include "config.h"

#include "ndaadapterrig.h"
#include "ndapydelay.h"
#include "ndapolyphase.h"
#include "tone.h"

#include <math.h>

static const guint all_frames[] = {
  1, 31, 80, 160, 240, 256, 320, 441, 480, 512, 513, 960, 1024, 1280, 4096,
  48000,
};

static const guint latencies[] = { 1, 72, 511, 512, 513, 4800, 48000 };

static const guint rates[] = {
  8000, 11025, 16000, 22050, 24000, 32000, 44100, 96000,
};

static const guint rate_frames[] = { 80, 160, 256, 320, 480, 512 };

static guint
greatest_common_divisor (guint a, guint b)
{
  return b ? greatest_common_divisor (b, a % b) : a;
}

/* --- 48 kHz --------------------------------------------------------------- */

GST_START_TEST (test_every_bit_comes_back_however_the_sound_is_cut)
{
  const guint n_frames = all_frames[__i__];
  const guint n_total = 3 * n_frames + 5000;
  GRand *rand = g_rand_new_with_seed (n_frames);

  for (guint n_channels = 1; n_channels <= 8; n_channels++) {
    Rig *rig = rig_new (n_channels, 48000, n_channels, n_frames);

    rig_make_noise (rig, n_total);
    while (rig->n_pushed < n_total)
      rig_push (rig, g_rand_int_range (rand, 1, 1500));
    rig_end (rig);
    rig_assert_same (rig, 0, n_total);
    fail_unless_equals_int (rig->n_calls, (n_total + n_frames - 1) / n_frames);
    rig_free (rig);
  }
  g_rand_free (rand);
}

GST_END_TEST;

/* After each block, all but the delay has left, on a grid shifted by it. */
static void
assert_delay (Rig * rig, guint delay, guint n_blocks)
{
  for (guint k = 1; k <= n_blocks; k++) {
    guint n = k * BLOCK;

    rig_push (rig, BLOCK);
    fail_unless_equals_int (rig->output->len / rig->n_channels,
        n > delay ? n - delay : 0);
  }
  rig_end (rig);
}

GST_START_TEST (test_each_block_leaves_after_the_delay_and_not_later)
{
  const guint n_frames = all_frames[__i__];
  const guint base = n_frames - greatest_common_divisor (n_frames, BLOCK);

  for (guint i = 0; i < 4; i++) {
    const guint latency = ((const guint[]) { 0, 1, 72, 512 })[i];
    const guint n_blocks = (2 * n_frames + latency) / BLOCK + 40;
    Rig *rig = rig_new (2, 48000, 2, n_frames);

    rig_set_latency (rig, latency);
    fail_unless_equals_int (nda_py_host_get_latency (rig->host),
        nda_block_frames_to_time (base + latency, 48000));
    rig_make_noise (rig, n_blocks * BLOCK);
    rig_begin (rig, 0);
    assert_delay (rig, base + latency, n_blocks);
    rig_assert_same (rig, 0, n_blocks * BLOCK);
    rig_free (rig);
  }
}

GST_END_TEST;

GST_START_TEST (test_declared_delay_cancels_to_the_bit)
{
  static const guint frames[] = { 480, 512, 1024 };
  const guint latency = latencies[__i__];
  GRand *rand = g_rand_new_with_seed (latency);

  for (guint f = 0; f < G_N_ELEMENTS (frames); f++) {
    const guint n_total = 2 * latency + 7777;
    Rig *rig = rig_new (2, 48000, 2, frames[f]);

    rig_set_latency (rig, latency);
    rig_make_noise (rig, 4 * n_total);
    /* once more after a cut, and after sound that was dropped */
    for (guint run = 0; run < 3; run++) {
      const guint begin = rig->n_pushed;

      rig_begin (rig, 0);
      while (rig->n_pushed < begin + n_total)
        rig_push (rig, g_rand_int_range (rand, 1, 1500));
      if (run != 1) {
        rig_end (rig);
        rig_assert_same (rig, begin, rig->n_pushed - begin);
      }
    }
    rig_free (rig);
  }
  g_rand_free (rand);
}

GST_END_TEST;

/* The latency goes from one to the other and back, with the sound running. */
static void
change_latency (guint n_frames, guint from, guint to)
{
  const guint n_total = 100 * BLOCK;
  guint n_changed, n_wrong = 0;
  Rig *rig = rig_new (1, 48000, 1, n_frames);
  const gfloat *out;

  rig_set_latency (rig, from);
  rig_make_ramp (rig, n_total);
  rig_begin (rig, 0);
  for (guint k = 0; k < 100; k++) {
    if (k == 40)
      rig_set_latency (rig, to);
    if (k == 70)
      rig_set_latency (rig, from);
    rig_push (rig, BLOCK);
  }
  rig_end (rig);

  fail_unless_equals_int (rig->output->len, n_total);
  out = (const gfloat *) rig->output->data;
  for (guint i = 0; i < n_total; i++) {
    /* silence where the plugin left frames out, and what it says elsewhere */
    n_wrong += out[i] != (gfloat) (i + 1);
    fail_unless (out[i] == 0.0f || out[i] == (gfloat) (i + 1));
  }
  n_changed = MAX (from, to) - MIN (from, to);
  fail_unless_equals_int (n_wrong, n_changed);
  rig_free (rig);
}

GST_START_TEST (test_latency_that_changes_keeps_each_frame_in_its_place)
{
  static const guint frames[] = { 480, 512, 1024 };

  for (guint f = 0; f < G_N_ELEMENTS (frames); f++) {
    change_latency (frames[f], 0, 72);
    change_latency (frames[f], 72, 0);
    change_latency (frames[f], 700, 100);
    change_latency (frames[f], 100, 2000);
  }
}

GST_END_TEST;

GST_START_TEST (test_chain_costs_the_sum_of_its_delays)
{
  static const guint frames[] = { 480, 512, 960 };
  static const guint latency[] = { 0, 72, 5 };
  Rig *rigs[3];
  guint delay = 448 + 72 + (960 - 64 + 5), n_in = 0, n_out = 0;

  for (guint i = 0; i < 3; i++) {
    rigs[i] = rig_new (2, 48000, 2, frames[i]);
    rig_set_latency (rigs[i], latency[i]);
    rig_begin (rigs[i], 0);
  }
  rig_make_noise (rigs[0], 100 * BLOCK);
  for (guint k = 0; k < 100; k++) {
    rig_push (rigs[0], BLOCK);
    n_in += BLOCK;
    rig_hand_on (rigs[0], rigs[1]);
    rig_hand_on (rigs[1], rigs[2]);
    n_out = rigs[2]->output->len / 2;
    fail_unless_equals_int (n_out, n_in > delay ? n_in - delay : 0);
  }
  for (guint i = 0; i < 3; i++) {
    rig_end (rigs[i]);
    if (i < 2)
      rig_hand_on (rigs[i], rigs[i + 1]);
  }
  fail_unless_equals_int (rigs[2]->output->len, 2 * n_in);
  fail_unless (!memcmp (rigs[2]->output->data, rigs[0]->input->data,
          2 * n_in * sizeof (gfloat)));
  for (guint i = 0; i < 3; i++)
    rig_free (rigs[i]);
}

GST_END_TEST;

GST_START_TEST (test_all_that_waits_is_one_crossing)
{
  Rig *rig = rig_new (2, 48000, 2, 80);

  rig_make_noise (rig, 64 * BLOCK);
  rig_begin (rig, 0);
  rig_push (rig, 64 * BLOCK);
  fail_unless_equals_int (rig->n_crossings, 1);
  fail_unless_equals_int (rig->n_calls, 64 * BLOCK / 80);
  rig_end (rig);
  rig_assert_same (rig, 0, 64 * BLOCK);
  rig_free (rig);
}

GST_END_TEST;

/* --- channels ------------------------------------------------------------- */

GST_START_TEST (test_many_channels_become_their_mean_and_one_becomes_all)
{
  Rig *rig = rig_new (4, 48000, 1, 480);
  const gfloat *in, *out;

  rig_make_tone (rig, 9999, 997.0);
  rig_begin (rig, 0);
  while (rig->n_pushed < 9999)
    rig_push (rig, BLOCK);
  rig_end (rig);

  in = (const gfloat *) rig->input->data;
  out = (const gfloat *) rig->output->data;
  fail_unless_equals_int (rig->output->len, 4 * 9999);
  for (guint i = 0; i < 9999; i++) {
    gfloat mean = (in[4 * i] + in[4 * i + 1] + in[4 * i + 2] + in[4 * i + 3])
        / 4;

    for (guint c = 0; c < 4; c++)
      fail_unless (out[4 * i + c] == mean);
  }
  rig_free (rig);
}

GST_END_TEST;

/* --- failures ------------------------------------------------------------- */

/* Calls 3, 4 and 9 fail; the rest comes back as it went. */
static void
fail_calls (guint n_frames, guint latency, NdaPyAdapterPolicy policy)
{
  const guint n_total = 15 * n_frames;
  Rig *rig = rig_new (1, 48000, 1, n_frames);
  const gfloat *out;

  rig_set_latency (rig, latency);
  rig_make_ramp (rig, n_total);
  rig_begin (rig, 0);
  rig->policy = policy;
  rig->failing = "\3\4\11";
  while (rig->n_pushed < n_total)
    rig_push (rig, BLOCK);
  rig_end (rig);

  fail_unless_equals_int (rig->output->len, n_total);
  out = (const gfloat *) rig->output->data;
  for (guint i = 0; i < n_total; i++) {
    guint call = (i + latency) / n_frames;
    gboolean is_silent = policy == NDA_PY_ADAPTER_SILENCE
        && (call == 3 || call == 4 || call == 9);

    fail_unless (out[i] == (is_silent ? 0.0f : (gfloat) (i + 1)),
        "frame %u is %g", i, out[i]);
  }
  rig_free (rig);
}

GST_START_TEST (test_failed_calls_are_replaced_to_the_frame)
{
  static const guint frames[] = { 80, 480, 512, 1024 };

  for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
    for (guint l = 0; l < 2; l++) {
      fail_calls (frames[f], 72 * l, NDA_PY_ADAPTER_SILENCE);
      fail_calls (frames[f], 72 * l, NDA_PY_ADAPTER_UNTOUCHED);
    }
}

GST_END_TEST;

GST_START_TEST (test_sound_before_the_failure_that_stops_leaves)
{
  Rig *rig = rig_new (2, 48000, 2, 80);
  guint n_calls;
  NdaPyBlock *const *calls;

  rig_make_noise (rig, 4 * BLOCK);
  rig_begin (rig, 0);
  rig->failing = "\16";
  rig_push (rig, 4 * BLOCK);
  calls = nda_py_adapter_get_calls (rig->adapter, &n_calls);
  fail_unless_equals_int (n_calls, 15);
  fail_if (calls[14]->ok);
  fail_unless_equals_string (calls[14]->failure, "failed");
  /* 14 calls came back; the grid of blocks is 64 earlier */
  rig_assert_same (rig, 0, 512 - 64 + 512);
  rig_free (rig);
}

GST_END_TEST;

GST_START_TEST (test_what_fails_elsewhere_is_the_sound_that_came)
{
  const guint n_total = 40 * BLOCK;
  Rig *rig = rig_new (2, 16000, 1, 160);

  rig_make_noise (rig, n_total);
  rig_begin (rig, 0);
  rig->policy = NDA_PY_ADAPTER_UNTOUCHED;
  rig->fails_always = TRUE;
  while (rig->n_pushed < n_total)
    rig_push (rig, BLOCK);
  rig_end (rig);
  rig_assert_same (rig, 0, n_total);
  rig_free (rig);
}

GST_END_TEST;

/* --- rates ---------------------------------------------------------------- */

/* The longest that anything is missing, by the filters themselves. */
static guint
measure_delay (guint rate, guint n_frames, guint n_blocks)
{
  g_autoptr (NdaPolyphase) there =
      nda_polyphase_new (1, 48000, rate, NDA_POLYPHASE_FIXED);
  g_autoptr (NdaPolyphase) back =
      nda_polyphase_new (1, rate, 48000, NDA_POLYPHASE_FIXED);
  g_autofree gfloat *sound = g_new0 (gfloat, 200000);
  guint n_got = 0, n_back = 0, n_made = 0, delay = 0;

  for (guint k = 1; k <= n_blocks; k++) {
    nda_polyphase_push (there, (const gfloat * const *) &sound, 1, BLOCK);
    n_got += nda_polyphase_pull (there, &sound, 1, 200000);
    while (n_got - n_back >= n_frames) {
      nda_polyphase_push (back, (const gfloat * const *) &sound, 1, n_frames);
      n_back += n_frames;
    }
    n_made += nda_polyphase_pull (back, &sound, 1, 200000);
    if (n_made)
      delay = MAX (delay, k * BLOCK - n_made);
  }
  return delay;
}

GST_START_TEST (test_delay_of_rates_is_the_smallest_there_is)
{
  const guint rate = rates[__i__];

  for (guint f = 0; f < G_N_ELEMENTS (rate_frames); f++) {
    const NdaPyFormat format = { rate, 1, rate_frames[f] };

    fail_unless_equals_int (nda_py_delay_get (&format, 0),
        measure_delay (rate, rate_frames[f], 3000));
  }
}

GST_END_TEST;

GST_START_TEST (test_delay_of_rates_is_kept_with_each_block)
{
  const guint rate = rates[__i__];

  for (guint f = 0; f < G_N_ELEMENTS (rate_frames); f++) {
    const NdaPyFormat format = { rate, 2, rate_frames[f] };
    Rig *rig = rig_new (2, rate, 2, rate_frames[f]);
    const guint latency = f % 2 ? 37 : 0;

    rig_set_latency (rig, latency);
    rig_make_tone (rig, 200 * BLOCK, 997.0);
    rig_begin (rig, 0);
    assert_delay (rig, nda_py_delay_get (&format, latency), 200);
    fail_unless_equals_int (rig->output->len, 2 * 200 * BLOCK);
    rig_free (rig);
  }
}

GST_END_TEST;

/* A tone through the plugin and back: where it is, and how clean. */
static void
assert_tone (guint rate, guint n_frames, guint latency, gdouble frequency,
    gdouble clean)
{
  const guint n_total = 60000, n_edge = 20000;
  GRand *rand = g_rand_new_with_seed (rate + n_frames);
  Rig *rig = rig_new (1, rate, 1, n_frames);
  Tone tone;
  gdouble turn, level, off;

  rig_set_latency (rig, latency);
  rig_make_tone (rig, n_total, frequency);
  rig_begin (rig, 0);
  while (rig->n_pushed < n_total)
    rig_push (rig, g_rand_int_range (rand, 1, 1500));
  rig_end (rig);

  fail_unless_equals_int (rig->output->len, n_total);
  tone = tone_fit ((const gfloat *) rig->output->data + n_edge,
      n_total - 2 * n_edge, frequency, 48000);
  turn = 2.0 * G_PI * frequency / 48000;
  off = remainder (tone.phase - turn * n_edge, 2.0 * G_PI) / turn;
  level = 20.0 * log10 (tone.amplitude / RIG_AMPLITUDE);
  fail_unless (fabs (off) < 0.001, "%u Hz is off by %g frames", rate, off);
  fail_unless (fabs (level) < 0.01, "%u Hz is off by %g dB", rate, level);
  fail_unless (tone.snr > clean, "%u Hz, %g Hz: %g dB", rate, frequency,
      tone.snr);
  rig_free (rig);
  g_rand_free (rand);
}

GST_START_TEST (test_tone_at_other_rates_is_clean_and_in_its_place)
{
  const guint rate = rates[__i__];
  const gdouble nyquist = MIN (rate, 48000) / 2.0;

  for (guint f = 0; f < G_N_ELEMENTS (rate_frames); f++) {
    assert_tone (rate, rate_frames[f], 0, 997.0, 130.0);
    assert_tone (rate, rate_frames[f], 53, 997.0, 130.0);
    assert_tone (rate, rate_frames[f], 0, 0.9 * nyquist, 125.0);
  }
}

GST_END_TEST;

/* The level of each tone of the band is right to 0.01 dB, and each as clean. */
GST_START_TEST (test_band_is_flat_at_other_rates)
{
  const guint rate = rates[__i__];
  const gdouble nyquist = MIN (rate, 48000) / 2.0;

  for (guint i = 1; i <= 18; i++)
    assert_tone (rate, rate_frames[i % G_N_ELEMENTS (rate_frames)], 0,
        0.05 * i * nyquist, 125.0);
}

GST_END_TEST;

/* --- analysers ------------------------------------------------------------ */

GST_START_TEST (test_analyser_sees_all_and_gives_nothing)
{
  Rig *rig = rig_new_analyser (2, 16000, 1, 512);

  rig_make_tone (rig, 10 * BLOCK, 997.0);
  rig_begin (rig, 0);
  rig_push (rig, 10 * BLOCK);
  rig_end (rig);
  fail_unless_equals_int (rig->output->len, 0);
  /* 1707 frames at 16 kHz: the last call has zeros behind them */
  fail_unless_equals_int (rig->n_calls, 4);
  assert_equals_uint64 (nda_py_host_get_latency (rig->host), 0);
  rig_free (rig);
}

GST_END_TEST;

static Suite *
adapter_suite (void)
{
  Suite *suite = suite_create ("adapter");
  TCase *tc = tcase_create ("general");
  const gint n_frames = G_N_ELEMENTS (all_frames);
  const gint n_rates = G_N_ELEMENTS (rates);

  suite_add_tcase (suite, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_loop_test (tc, test_every_bit_comes_back_however_the_sound_is_cut,
      0, n_frames);
  tcase_add_loop_test (tc,
      test_each_block_leaves_after_the_delay_and_not_later, 0, n_frames);
  tcase_add_loop_test (tc, test_declared_delay_cancels_to_the_bit, 0,
      G_N_ELEMENTS (latencies));
  tcase_add_test (tc, test_latency_that_changes_keeps_each_frame_in_its_place);
  tcase_add_test (tc, test_chain_costs_the_sum_of_its_delays);
  tcase_add_test (tc, test_all_that_waits_is_one_crossing);
  tcase_add_test (tc, test_many_channels_become_their_mean_and_one_becomes_all);
  tcase_add_test (tc, test_failed_calls_are_replaced_to_the_frame);
  tcase_add_test (tc, test_sound_before_the_failure_that_stops_leaves);
  tcase_add_test (tc, test_what_fails_elsewhere_is_the_sound_that_came);
  tcase_add_loop_test (tc, test_delay_of_rates_is_the_smallest_there_is, 0,
      n_rates);
  tcase_add_loop_test (tc, test_delay_of_rates_is_kept_with_each_block, 0,
      n_rates);
  tcase_add_loop_test (tc, test_tone_at_other_rates_is_clean_and_in_its_place,
      0, n_rates);
  tcase_add_loop_test (tc, test_band_is_flat_at_other_rates, 0, n_rates);
  tcase_add_test (tc, test_analyser_sees_all_and_gives_nothing);
  return suite;
}

GST_CHECK_MAIN (adapter);
