/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blocks fitted to a device of another rate: how many frames come out, when,
 * and how clean. */

#include "config.h"

#include "ndablock.h"
#include "ndapyfit.h"
#include "tone.h"

#include <gst/check/gstcheck.h>

#include <math.h>

#define N_FRAMES 20000
#define FREQUENCY 331.0
/* dB */
#define CLEAN 120.0

typedef struct
{
  guint from_rate;
  guint to_rate;
  guint n_frames;               /* of a push */
} Case;

static const Case cases[] = {
  {44100, 48000, 512}, {44100, 48000, 441}, {48000, 44100, 512},
  {8000, 48000, 512}, {48000, 8000, 512}, {96000, 48000, 512},
  {48000, 96000, 512}, {11025, 48000, 160}, {48000, 47999, 512},
  {47999, 48000, 7}, {1500, 48000, 512}, {48000, 1500, 512},
};

/* Takes what there is of the second channel, in blocks as an element does; all
 * of it at the @end. */
static void
take (NdaPyFit * fit, GArray * taken, gboolean end)
{
  const NdaPyArray *output = nda_py_fit_get_output (fit);
  guint n_frames, n_wrong = 0;

  while ((n_frames = MIN (nda_py_fit_get_n_frames (fit), NDA_BLOCK_FRAMES))
      && (end || n_frames == NDA_BLOCK_FRAMES)) {
    for (guint i = 0; i < n_frames; i++)
      n_wrong += output->data[i] != 0.0f;
    g_array_append_vals (taken, output->data + output->n_frames, n_frames);
    nda_py_fit_pop (fit, n_frames);
  }
  fail_unless_equals_int (n_wrong, 0);
}

/* What comes of N_FRAMES of a tone on the second of two channels. */
static GArray *
convert (NdaPyFit * fit, const Case * c)
{
  const NdaPyArray *input = nda_py_fit_get_input (fit);
  GArray *taken = g_array_new (FALSE, FALSE, sizeof (gfloat));
  g_autofree gfloat *tone = g_new (gfloat, N_FRAMES);

  tone_write (tone, 1, N_FRAMES, FREQUENCY, c->from_rate);
  for (guint at = 0; at < N_FRAMES; at += c->n_frames) {
    guint n_frames = MIN (c->n_frames, N_FRAMES - at);

    memcpy (input->data + input->n_frames, tone + at,
        n_frames * sizeof (gfloat));
    nda_py_fit_push (fit, n_frames);
    take (fit, taken, FALSE);
  }
  nda_py_fit_drain (fit);
  take (fit, taken, TRUE);
  return taken;
}

GST_START_TEST (test_as_many_frames_come_out_as_the_rates_say)
{
  const Case *c = &cases[__i__];
  g_autoptr (NdaPyFit) fit = nda_py_fit_new (2, c->from_rate, c->to_rate);

  for (guint run = 0; run < 2; run++) {
    g_autoptr (GArray) taken = convert (fit, c);

    fail_unless_equals_int (taken->len,
        gst_util_uint64_scale_round (N_FRAMES, c->to_rate, c->from_rate));
  }
}

GST_END_TEST;

GST_START_TEST (test_tone_stays_clean_and_where_it_was)
{
  const Case *c = &cases[__i__];
  g_autoptr (NdaPyFit) fit = nda_py_fit_new (2, c->from_rate, c->to_rate);
  g_autoptr (GArray) taken = convert (fit, c);
  /* not where the sound begins and ends within the filter's reach */
  guint n_edge = gst_util_uint64_scale_round (N_FRAMES, c->to_rate,
      4 * c->from_rate);
  const gfloat *middle = (const gfloat *) taken->data + n_edge;
  Tone tone = tone_fit (middle, taken->len - 2 * n_edge, FREQUENCY,
      c->to_rate);
  gdouble expected = 2.0 * G_PI * FREQUENCY * n_edge / c->to_rate;

  fail_unless (fabs (remainder (tone.phase - expected, 2.0 * G_PI)) < 1e-4);
  fail_unless (tone.snr > CLEAN, "%g dB", tone.snr);
}

GST_END_TEST;

GST_START_TEST (test_flush_leaves_nothing_behind)
{
  const Case *c = &cases[__i__];
  g_autoptr (NdaPyFit) fit = nda_py_fit_new (2, c->from_rate, c->to_rate);
  g_autoptr (GArray) before = convert (fit, c), after = NULL;

  nda_py_fit_push (fit, c->n_frames);
  nda_py_fit_flush (fit);
  fail_unless_equals_int (nda_py_fit_get_n_frames (fit), 0);
  after = convert (fit, c);
  fail_unless_equals_int (before->len, after->len);
  fail_unless (memcmp (before->data, after->data,
          before->len * sizeof (gfloat)) == 0);
}

GST_END_TEST;

GST_START_TEST (test_equal_rates_change_no_bit)
{
  static const Case same = { 48000, 48000, 100 };
  g_autoptr (NdaPyFit) fit = nda_py_fit_new (2, same.from_rate, same.to_rate);
  g_autoptr (GArray) taken = convert (fit, &same);
  g_autofree gfloat *tone = g_new (gfloat, N_FRAMES);

  tone_write (tone, 1, N_FRAMES, FREQUENCY, same.from_rate);
  fail_unless_equals_int (taken->len, N_FRAMES);
  fail_unless (memcmp (taken->data, tone, N_FRAMES * sizeof (gfloat)) == 0);
  assert_equals_uint64 (nda_py_fit_get_latency (fit), 0);
}

GST_END_TEST;

static Suite *
fit_suite (void)
{
  Suite *suite = suite_create ("fit");
  TCase *tc = tcase_create ("general");
  const gint n = G_N_ELEMENTS (cases);

  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_as_many_frames_come_out_as_the_rates_say, 0, n);
  tcase_add_loop_test (tc, test_tone_stays_clean_and_where_it_was, 0, n);
  tcase_add_loop_test (tc, test_flush_leaves_nothing_behind, 0, n);
  tcase_add_test (tc, test_equal_rates_change_no_bit);
  return suite;
}

GST_CHECK_MAIN (fit);
