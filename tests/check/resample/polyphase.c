/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapolyphase.h"
#include "ndapolyphasekernels.h"

#include "../tone.h"

#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#define N_FRAMES 48000
/* At either end a sine is not whole for the filter */
#define N_EDGE 400

typedef struct
{
  guint in, out;
} Pair;

static const Pair pairs[] = {
  {44100, 48000}, {48000, 44100}, {48000, 48000}, {8000, 48000},
  {11025, 48000}, {16000, 48000}, {22050, 48000}, {32000, 48000},
  {88200, 48000}, {96000, 48000}, {192000, 48000}, {48000, 8000},
  {48000, 11025}, {47999, 48000}, {48000, 47999}, {44100, 96000},
};

static NdaPolyphase *polyphase;
static GRand *dice;

static void
setup (void)
{
  dice = g_rand_new_with_seed (6);
}

static void
teardown (void)
{
  g_clear_pointer (&polyphase, nda_polyphase_free);
  g_rand_free (dice);
}

static void
make (guint n_channels, guint in_rate, guint out_rate, NdaPolyphaseMode mode)
{
  g_clear_pointer (&polyphase, nda_polyphase_free);
  polyphase = nda_polyphase_new (n_channels, in_rate, out_rate, mode);
}

static gsize
pull_mono (gfloat * out, gsize n_frames)
{
  return nda_polyphase_pull (polyphase, &out, 1, n_frames);
}

static void
push_mono (const gfloat * in, gsize n_frames)
{
  nda_polyphase_push (polyphase, &in, 1, n_frames);
}

/* All of @in at once. Returns how much came out, the end too. */
static gsize
convert (const gfloat * in, gsize n_in, gfloat * out, gsize n_room)
{
  push_mono (in, n_in);
  nda_polyphase_end (polyphase);
  return pull_mono (out, n_room);
}

/* A sine through a new converter, and what has become of it */
static Tone
convert_tone (guint in_rate, guint out_rate, NdaPolyphaseMode mode,
    gdouble frequency)
{
  gsize n_room = (gsize) N_FRAMES * out_rate / in_rate + 1, n_out;
  g_autofree gfloat *in = g_new (gfloat, N_FRAMES);
  g_autofree gfloat *out = g_new (gfloat, n_room);
  gsize n_edge = (gsize) N_EDGE * out_rate / MIN (in_rate, out_rate);
  Tone tone;

  tone_write (in, 1, N_FRAMES, frequency, in_rate);
  make (1, in_rate, out_rate, mode);
  n_out = convert (in, N_FRAMES, out, n_room);
  tone = tone_fit (out + n_edge, n_out - 2 * n_edge, frequency, out_rate);
  tone.phase -= 2.0 * G_PI * fmod (frequency / out_rate * n_edge, 1.0);
  return tone;
}

static void
fill_noise (gfloat * samples, gsize n_samples)
{
  for (gsize i = 0; i < n_samples; i++)
    samples[i] = g_rand_double_range (dice, -1.0, 1.0);
}

/* --- quality --- */

static void
judge_snr (NdaPolyphaseMode mode, gdouble frequency, gdouble least)
{
  Tone tone = convert_tone (44100, 48000, mode, frequency);

  fail_unless (tone.snr >= least, "%g Hz: %.1f dB", frequency, tone.snr);
}

GST_START_TEST (test_a_sine_stays_clean)
{
  for (NdaPolyphaseMode mode = NDA_POLYPHASE_FIXED;
      mode <= NDA_POLYPHASE_GLIDING; mode++) {
    judge_snr (mode, 997, 138);
    judge_snr (mode, 10000, 138);
    judge_snr (mode, 0.9 * 22050, 135);
  }
}

GST_END_TEST;

GST_START_TEST (test_the_passband_is_flat)
{
  for (guint i = 0; i <= 20; i++) {
    gdouble frequency = 50 + (0.9 * 22050 - 50) * i / 20;
    Tone up = convert_tone (44100, 48000, NDA_POLYPHASE_FIXED, frequency);
    Tone down = convert_tone (48000, 44100, NDA_POLYPHASE_GLIDING, frequency);

    fail_unless (fabs (20 * log10 (up.amplitude / 0.5)) <= 0.001,
        "up, %g Hz: %g", frequency, up.amplitude);
    fail_unless (fabs (20 * log10 (down.amplitude / 0.5)) <= 0.001,
        "down, %g Hz: %g", frequency, down.amplitude);
  }
}

GST_END_TEST;

static void
judge_alias (guint in_rate, NdaPolyphaseMode mode, gdouble frequency,
    gdouble least)
{
  /* it would fold down to 44100 - frequency */
  Tone tone = convert_tone (in_rate, 44100, mode, frequency);
  gdouble rejection = -20 * log10 (tone.amplitude / 0.5);

  fail_unless (rejection >= least, "%g Hz at %u: %.1f dB", frequency, in_rate,
      rejection);
}

GST_START_TEST (test_aliases_are_rejected)
{
  for (NdaPolyphaseMode mode = NDA_POLYPHASE_FIXED;
      mode <= NDA_POLYPHASE_GLIDING; mode++) {
    for (gdouble x = 1.003; x < 1.085; x += 0.004)
      judge_alias (48000, mode, x * 22050, 120);
    for (gdouble x = 1.003; x < 1.1; x += 0.004)
      judge_alias (96000, mode, x * 22050, 120);
    for (gdouble x = 1.1; x < 1.99; x += 0.01)
      judge_alias (96000, mode, x * 22050, 130);
  }
}

GST_END_TEST;

/* --- time --- */

GST_START_TEST (test_the_length_is_exact)
{
  static const guint lengths[] = { 0, 1, 2, 79, 147, 512, 1000, 48000, 44101 };
  g_autofree gfloat *in = g_new0 (gfloat, N_FRAMES);
  g_autofree gfloat *out = g_new (gfloat, 7 * N_FRAMES);

  for (guint p = 0; p < G_N_ELEMENTS (pairs); p++)
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      for (NdaPolyphaseMode mode = NDA_POLYPHASE_FIXED;
          mode <= NDA_POLYPHASE_GLIDING; mode++) {
        guint64 n = lengths[i], in_rate = pairs[p].in, out_rate = pairs[p].out;

        make (1, in_rate, out_rate, mode);
        fail_unless_equals_uint64 (convert (in, n, out, 7 * N_FRAMES),
            (2 * n * out_rate + in_rate) / (2 * in_rate));
        fail_unless_equals_uint64 (pull_mono (out, 1), 0);
      }
}

GST_END_TEST;

GST_START_TEST (test_sound_stays_where_it_is)
{
  for (guint p = 0; p < G_N_ELEMENTS (pairs); p++)
    for (NdaPolyphaseMode mode = NDA_POLYPHASE_FIXED;
        mode <= NDA_POLYPHASE_GLIDING; mode++) {
      gdouble frequency = MIN (pairs[p].in, pairs[p].out) / 10.0;
      Tone tone = convert_tone (pairs[p].in, pairs[p].out, mode, frequency);
      gdouble turns = remainder (tone.phase / (2.0 * G_PI), 1.0);
      gdouble frames = turns / frequency * pairs[p].out;

      fail_unless (fabs (frames) < 0.0001, "%u to %u: %g frames", pairs[p].in,
          pairs[p].out, frames);
    }
}

GST_END_TEST;

GST_START_TEST (test_the_lag_is_short)
{
  g_autofree gfloat *in = g_new0 (gfloat, 512);
  g_autofree gfloat *out = g_new (gfloat, 1024);
  guint64 n_in = 0, n_out = 0;

  make (1, 44100, 48000, NDA_POLYPHASE_FIXED);

  fail_unless (nda_polyphase_get_lag (polyphase) / 44100.0 <= 0.0019);
  for (guint i = 0; i < 100; i++) {
    push_mono (in, 512);
    n_in += 512;
    n_out += pull_mono (out, 1024);
    /* the next one lies within the lag */
    fail_unless (n_out / 48000.0 > n_in / 44100.0 - 0.0019);
    fail_unless (fabs (nda_polyphase_get_pending (polyphase)
            - (n_in - n_out * 44100.0 / 48000.0)) < 1e-6);
  }
}

GST_END_TEST;

/* --- any cut --- */

/* From @least on, up to @max, but no more than @n_left. */
static gsize
any_size (guint least, guint max, gsize n_left)
{
  gsize n = g_rand_int_range (dice, least, max + 1);

  return MIN (n, n_left);
}

/* Pushes and pulls @in in pieces of at most @max frames, while the ratio
 * glides at each 512th frame out. */
static gsize
convert_in_pieces (const gfloat * in, gsize n_in, gfloat * out, gsize n_room,
    guint max, NdaPolyphaseMode mode)
{
  gsize n_pushed = 0, n_out = 0, n;
  gboolean is_all;

  do {
    is_all = n_pushed == n_in;
    n = any_size (0, max, n_in - n_pushed);
    if (is_all)
      nda_polyphase_end (polyphase);
    else
      push_mono (in + n_pushed, n);
    n_pushed += n;
    do {
      gsize n_block = 512 - n_out % 512;

      if (mode == NDA_POLYPHASE_GLIDING && n_block == 512)
        nda_polyphase_glide (polyphase,
            1.0 + 1e-3 * sin (n_out / 512 * 0.1), 512);
      n = pull_mono (out + n_out, any_size (1, max, n_block));
      n_out += n;
      g_assert (n_out <= n_room);
    } while (n > 0);
  } while (!is_all);
  return n_out;
}

GST_START_TEST (test_the_bits_are_the_same_however_input_is_cut)
{
  static const guint sizes[] = { 1, 7, 513, 5000 };
  const gsize n_in = 20000, n_room = 30000;
  g_autofree gfloat *in = g_new (gfloat, n_in);
  g_autofree gfloat *whole = g_new (gfloat, n_room);
  g_autofree gfloat *cut = g_new (gfloat, n_room);

  fill_noise (in, n_in);
  for (NdaPolyphaseMode mode = NDA_POLYPHASE_FIXED;
      mode <= NDA_POLYPHASE_GLIDING; mode++) {
    gsize n_whole;

    make (1, 44100, 48000, mode);
    n_whole = convert_in_pieces (in, n_in, whole, n_room, 20000, mode);
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      nda_polyphase_reset (polyphase);
      fail_unless_equals_uint64 (convert_in_pieces (in, n_in, cut, n_room,
              sizes[i], mode), n_whole);
      fail_unless (memcmp (whole, cut, n_whole * sizeof (gfloat)) == 0);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_channels_are_alike_in_either_layout)
{
  enum
  { MAX_CHANNELS = 5, N = 2000, ROOM = 3000 };
  static gfloat planes[MAX_CHANNELS][N], mixed[MAX_CHANNELS * N];
  static gfloat alone[MAX_CHANNELS][ROOM], planar[MAX_CHANNELS][ROOM];
  static gfloat interleaved[MAX_CHANNELS * ROOM];

  fill_noise (planes[0], MAX_CHANNELS * N);
  for (guint n_channels = 1; n_channels <= MAX_CHANNELS; n_channels++) {
    const gfloat *in[MAX_CHANNELS], *in_mixed[MAX_CHANNELS];
    gfloat *out[MAX_CHANNELS], *out_mixed[MAX_CHANNELS];
    gsize n = 0;

    for (guint c = 0; c < n_channels; c++) {
      make (1, 44100, 48000, NDA_POLYPHASE_GLIDING);
      n = convert (planes[c], N, alone[c], ROOM);
      in[c] = planes[c];
      out[c] = planar[c];
      in_mixed[c] = mixed + c;
      out_mixed[c] = interleaved + c;
      for (guint i = 0; i < N; i++)
        mixed[i * n_channels + c] = planes[c][i];
    }

    make (n_channels, 44100, 48000, NDA_POLYPHASE_GLIDING);
    nda_polyphase_push (polyphase, in, 1, N);
    nda_polyphase_end (polyphase);
    fail_unless_equals_uint64 (nda_polyphase_pull (polyphase, out, 1, ROOM), n);
    nda_polyphase_reset (polyphase);
    nda_polyphase_push (polyphase, in_mixed, n_channels, N);
    nda_polyphase_end (polyphase);
    fail_unless_equals_uint64 (nda_polyphase_pull (polyphase, out_mixed,
            n_channels, ROOM), n);

    for (guint c = 0; c < n_channels; c++)
      for (gsize i = 0; i < n; i++) {
        fail_unless (planar[c][i] == alone[c][i]);
        fail_unless (interleaved[i * n_channels + c] == alone[c][i]);
      }
  }
}

GST_END_TEST;

/* --- gliding --- */

/* The position of each frame out, added up here as the header tells it */
GST_START_TEST (test_a_glide_is_a_sine_at_the_right_places)
{
  static const gdouble factors[] = { 1.001, 0.999, 1.0, 1.0, 1.0005, 0.9985 };
  const gdouble rates[][2] = { {48000, 48000}, {44100, 48000} };
  g_autofree gfloat *in = g_new (gfloat, 2 * N_FRAMES);
  g_autofree gfloat *out = g_new (gfloat, 2 * N_FRAMES);

  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    gdouble rate = rates[r][0], nominal = rates[r][0] / rates[r][1];
    gdouble position = 0.0, step = nominal, signal = 0.0, rest = 0.0;

    make (1, rates[r][0], rates[r][1], NDA_POLYPHASE_GLIDING);
    tone_write (in, 1, 2 * N_FRAMES, 10000, rate);
    push_mono (in, 2 * N_FRAMES);
    for (guint block = 0; block < 120; block++) {
      gdouble target = nominal / factors[block / 20];
      gdouble change = (target - step) / 512;

      nda_polyphase_glide (polyphase, factors[block / 20], 512);
      fail_unless_equals_uint64 (pull_mono (out, 512), 512);
      for (guint i = 0; i < 512; i++) {
        gdouble ideal = 0.5 * sin (2.0 * G_PI
            * fmod (10000 / rate * position, 1.0));

        if (position > N_EDGE) {
          signal += ideal * ideal;
          rest += (out[i] - ideal) * (out[i] - ideal);
        }
        position += step;
        step += change;
      }
      step = target;
      fail_unless (fabs (nda_polyphase_get_pending (polyphase)
              - (2 * N_FRAMES - position)) < 1e-6);
    }
    fail_unless (10 * log10 (signal / rest) >= 130, "at %g: %.1f dB", rate,
        10 * log10 (signal / rest));
  }
}

GST_END_TEST;

GST_START_TEST (test_a_glided_length_is_that_of_the_glide)
{
  const gsize n_in = N_FRAMES;
  g_autofree gfloat *in = g_new0 (gfloat, n_in);
  g_autofree gfloat *out = g_new (gfloat, 2 * n_in);

  make (1, 48000, 48000, NDA_POLYPHASE_GLIDING);
  nda_polyphase_glide (polyphase, 1.001, 0);

  fail_unless_equals_uint64 (convert (in, n_in, out, 2 * n_in), 48048);
}

GST_END_TEST;

/* --- kernels --- */

static void
judge_kernels (const NdaPolyphaseKernels * tried,
    const NdaPolyphaseKernels * reference, guint n_taps, guint n_channels)
{
  enum
  { MAX_TAPS = 640, MAX_CHANNELS = 3 };
  static gfloat rows[4 * MAX_TAPS] __attribute__((aligned (64)));
  static gfloat taps[2][MAX_TAPS] __attribute__((aligned (64)));
  static gfloat past[(MAX_TAPS + 16) * MAX_CHANNELS];
  const gfloat weights[] = { -0.0625f, 0.5625f, 0.5626f, -0.0624f };
  gfloat frame[2][MAX_CHANNELS];

  fill_noise (rows, 4 * n_taps);
  fill_noise (past, G_N_ELEMENTS (past));
  reference->blend (taps[0], rows, weights, n_taps);
  tried->blend (taps[1], rows, weights, n_taps);
  reference->filter (frame[0], taps[0], past + 1, n_taps + 16, n_channels,
      n_taps);
  tried->filter (frame[1], taps[0], past + 1, n_taps + 16, n_channels, n_taps);

  for (guint i = 0; i < n_taps; i++)
    fail_unless (fabsf (taps[0][i] - taps[1][i]) < 4e-7f, "%s: tap %u",
        tried->name, i);
  for (guint c = 0; c < n_channels; c++)
    fail_unless (fabsf (frame[0][c] - frame[1][c]) < 1e-5f, "%s: %u",
        tried->name, c);
}

GST_START_TEST (test_all_kernels_do_what_the_reference_does)
{
  guint n_kernels;
  const NdaPolyphaseKernels *list = nda_polyphase_kernels_list (&n_kernels);

  fail_unless (n_kernels >= 2);
  for (guint k = 1; k < n_kernels; k++)
    for (guint n_taps = NDA_POLYPHASE_LANES; n_taps <= 640;
        n_taps += NDA_POLYPHASE_LANES)
      for (guint n_channels = 1; n_channels <= 3; n_channels++)
        judge_kernels (&list[k], &list[0], n_taps, n_channels);
}

GST_END_TEST;

static Suite *
polyphase_suite (void)
{
  Suite *suite = suite_create ("ndapolyphase");
  TCase *tcase = tcase_create ("polyphase");

  suite_add_tcase (suite, tcase);
  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, test_a_sine_stays_clean);
  tcase_add_test (tcase, test_the_passband_is_flat);
  tcase_add_test (tcase, test_aliases_are_rejected);
  tcase_add_test (tcase, test_the_length_is_exact);
  tcase_add_test (tcase, test_sound_stays_where_it_is);
  tcase_add_test (tcase, test_the_lag_is_short);
  tcase_add_test (tcase, test_the_bits_are_the_same_however_input_is_cut);
  tcase_add_test (tcase, test_channels_are_alike_in_either_layout);
  tcase_add_test (tcase, test_a_glide_is_a_sine_at_the_right_places);
  tcase_add_test (tcase, test_a_glided_length_is_that_of_the_glide);
  tcase_add_test (tcase, test_all_kernels_do_what_the_reference_does);
  return suite;
}

GST_CHECK_MAIN (polyphase);
