/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "../tone.h"
#include "ndasoxr.h"

#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

#define N_IN 44100
#define N_ROOM 50000

static const GstAudioFormat native_formats[] = {
  GST_AUDIO_FORMAT_F32, GST_AUDIO_FORMAT_F64, GST_AUDIO_FORMAT_S32,
  GST_AUDIO_FORMAT_S16
};

static NdaConverter *
make_converter (GstAudioFormat format, guint in_rate, guint n_channels,
    guint out_rate, NdaQuality quality)
{
  GstAudioInfo info;
  g_autoptr (GError) error = NULL;
  NdaConverter *converter;

  gst_audio_info_set_format (&info, format, in_rate, n_channels, NULL);
  converter = nda_soxr_maker.make (&info, out_rate, quality, &error);
  g_assert_no_error (error);
  return converter;
}

/* Converts @n_in frames of @in (of @bpf bytes), at most @step at a time, into
 * @out, which has room for all. Returns how many frames came out. */
static gsize
convert (NdaConverter * converter, const guint8 * in, gsize n_in, gsize step,
    guint8 * out, guint bpf)
{
  gsize n_out = 0;

  for (gsize n = 0; n < n_in;) {
    const gpointer from[] = { (gpointer) (in + n * bpf) };
    const gpointer to[] = { out + n_out * bpf };
    gsize n_taken, n_given;

    nda_converter_process (converter, (gconstpointer const *) from,
        MIN (step, n_in - n), to, N_ROOM - n_out, &n_taken, &n_given);
    fail_unless (n_taken || n_given);
    n += n_taken;
    n_out += n_given;
  }
  return n_out;
}

static gfloat *
make_sine (gdouble frequency, guint rate, gsize n_frames)
{
  gfloat *sine = g_new (gfloat, n_frames);

  tone_write (sine, 1, n_frames, frequency, rate);
  return sine;
}

static void
check_quality (NdaQuality quality, gdouble frequency, gdouble min_snr)
{
  NdaConverter *converter = make_converter (GST_AUDIO_FORMAT_F32, 44100, 1,
      48000, quality);
  g_autofree gfloat *in = make_sine (frequency, 44100, N_IN);
  g_autofree gfloat *out = g_new (gfloat, N_ROOM);
  gsize n_out = convert (converter, (guint8 *) in, N_IN, 512, (guint8 *) out,
      sizeof (gfloat));
  const gsize start = 4800;
  Tone tone = tone_fit (out + start, n_out - 2 * start, frequency, 48000);
  gdouble turns = frequency * start / 48000 - tone.phase / (2 * G_PI);
  gdouble delay = (turns - rint (turns)) * 48000 / frequency;

  fail_unless (tone.snr >= min_snr, "%g Hz: %g dB", frequency, tone.snr);
  fail_unless (fabs (delay) < 0.001, "%g Hz: %g frames late", frequency, delay);
  nda_converter_free (converter);
}

GST_START_TEST (test_high_quality_is_transparent_and_aligned)
{
  check_quality (NDA_QUALITY_HIGH, 997, 130);
  check_quality (NDA_QUALITY_HIGH, 10000, 130);
}

GST_END_TEST;

GST_START_TEST (test_very_high_quality_is_as_good_as_floats_are)
{
  check_quality (NDA_QUALITY_VERY_HIGH, 997, 145);
  check_quality (NDA_QUALITY_VERY_HIGH, 10000, 145);
}

GST_END_TEST;

GST_START_TEST (test_lower_qualities_are_what_they_say)
{
  check_quality (NDA_QUALITY_MEDIUM, 997, 110);
  check_quality (NDA_QUALITY_LOW, 997, 100);
  check_quality (NDA_QUALITY_QUICK, 997, 50);
}

GST_END_TEST;

GST_START_TEST (test_high_quality_holds_frames_for_less_than_10_ms)
{
  NdaConverter *converter = make_converter (GST_AUDIO_FORMAT_F32, 44100, 2,
      48000, NDA_QUALITY_HIGH);

  fail_unless (converter->max_lag < 0.010 * 44100);
  fail_unless (converter->reach < converter->max_lag);
  nda_converter_free (converter);
}

GST_END_TEST;

/* Of ten seconds frame by frame, never more is held than was promised, and not
 * much less at worst. */
static void
check_lag (guint in_rate, guint out_rate, NdaQuality quality)
{
  NdaConverter *converter = make_converter (GST_AUDIO_FORMAT_F32, in_rate, 1,
      out_rate, quality);
  const gdouble in_per_out = (gdouble) in_rate / out_rate;
  gdouble worst = 0;
  gsize n_out = 0;

  for (gsize n = 0; n < 10 * in_rate;) {
    const gfloat silence = 0;
    const gconstpointer from[] = { &silence };
    gfloat out[1024];
    const gpointer to[] = { out };
    gsize n_taken, n_given;

    do {
      nda_converter_process (converter, from, 1, to, G_N_ELEMENTS (out),
          &n_taken, &n_given);
      n_out += n_given;
    } while (!n_taken);
    n++;
    worst = MAX (worst, n - n_out * in_per_out);
  }
  fail_unless (worst <= converter->max_lag, "%u to %u: %g of %g", in_rate,
      out_rate, worst, converter->max_lag);
  fail_unless (worst > converter->max_lag * 0.95 - 2 - in_per_out,
      "%u to %u: %g of %g", in_rate, out_rate, worst, converter->max_lag);
  nda_converter_free (converter);
}

GST_START_TEST (test_lag_is_what_was_promised)
{
  for (NdaQuality quality = 0; quality <= NDA_QUALITY_VERY_HIGH; quality++) {
    check_lag (44100, 48000, quality);
    check_lag (48000, 44100, quality);
    check_lag (8000, 48000, quality);
    check_lag (192000, 48000, quality);
  }
}

GST_END_TEST;

GST_START_TEST (test_split_of_the_input_changes_no_bit)
{
  static const gsize steps[] = { 1, 31, 512, 513, 4096 };
  const gsize n_in = 8192, n_bytes = n_in * 2 * sizeof (gdouble);
  g_autofree guint8 *in = g_malloc (n_bytes);
  g_autofree guint8 *whole = g_malloc0 (N_ROOM * 16);
  g_autofree guint8 *parts = g_malloc0 (N_ROOM * 16);
  g_autofree gfloat *sine = make_sine (440, 44100, n_in * 2);

  for (guint f = 0; f < G_N_ELEMENTS (native_formats); f++) {
    const guint bpf = 2 * gst_audio_format_get_info (native_formats[f])->width
        / 8;
    NdaConverter *converter = make_converter (native_formats[f], 44100, 2,
        48000, NDA_QUALITY_HIGH);
    gsize n_out;

    for (gsize i = 0; i < n_in * 2; i++) {
      if (native_formats[f] == GST_AUDIO_FORMAT_F32)
        ((gfloat *) in)[i] = sine[i];
      else if (native_formats[f] == GST_AUDIO_FORMAT_F64)
        ((gdouble *) in)[i] = sine[i];
      else if (native_formats[f] == GST_AUDIO_FORMAT_S32)
        ((gint32 *) in)[i] = (gdouble) sine[i] * G_MAXINT32;
      else
        ((gint16 *) in)[i] = sine[i] * G_MAXINT16;
    }
    n_out = convert (converter, in, n_in, n_in, whole, bpf);
    for (guint s = 0; s < G_N_ELEMENTS (steps); s++) {
      nda_converter_restart (converter);
      assert_equals_uint64 (convert (converter, in, n_in, steps[s], parts,
              bpf), n_out);
      fail_if (memcmp (whole, parts, n_out * bpf));
    }
    nda_converter_free (converter);
  }
}

GST_END_TEST;

GST_START_TEST (test_planes_are_as_the_channels_of_frames)
{
  GstAudioInfo info;
  gfloat in[2][1024], mixed_in[1024 * 2];
  static gfloat out[2][2048], mixed_out[2048 * 2];
  const gconstpointer from[] = { in[0], in[1] }, mixed_from[] = { mixed_in };
  const gpointer to[] = { out[0], out[1] }, mixed_to[] = { mixed_out };
  NdaConverter *interleaved = make_converter (GST_AUDIO_FORMAT_F32, 32000, 2,
      48000, NDA_QUALITY_HIGH);
  NdaConverter *planar;
  gsize n_taken, n_given, n_mixed;

  for (guint i = 0; i < 1024; i++) {
    in[0][i] = mixed_in[2 * i] = i / 1024.0;
    in[1][i] = mixed_in[2 * i + 1] = -in[0][i] / 2;
  }
  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, 32000, 2, NULL);
  info.layout = GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  planar = nda_soxr_maker.make (&info, 48000, NDA_QUALITY_HIGH, NULL);
  nda_converter_process (planar, from, 1024, to, 2048, &n_taken, &n_given);
  fail_unless_equals_int (n_taken, 1024);
  nda_converter_process (interleaved, mixed_from, 1024, mixed_to, 2048,
      &n_taken, &n_mixed);

  fail_unless_equals_int (n_given, n_mixed);
  fail_unless (n_given > 100);
  for (guint i = 0; i < n_given; i++)
    fail_unless (out[0][i] == mixed_out[2 * i]
        && out[1][i] == mixed_out[2 * i + 1]);
  nda_converter_free (planar);
  nda_converter_free (interleaved);
}

GST_END_TEST;

GST_START_TEST (test_silence_stays_silence_in_every_format)
{
  for (guint f = 0; f < G_N_ELEMENTS (native_formats); f++) {
    NdaConverter *converter = make_converter (native_formats[f], 44100, 1,
        48000, NDA_QUALITY_HIGH);
    const guint bpf = gst_audio_format_get_info (native_formats[f])->width / 8;
    g_autofree guint8 *in = g_malloc0 (4096 * bpf);
    g_autofree guint8 *out = g_malloc0 (N_ROOM * bpf);
    gsize n_out = convert (converter, in, 4096, 4096, out, bpf);

    for (gsize i = 0; i < n_out * bpf; i++)
      fail_if (out[i]);
    nda_converter_free (converter);
  }
}

GST_END_TEST;

static Suite *
converter_suite (void)
{
  Suite *suite = suite_create ("converter");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_high_quality_is_transparent_and_aligned);
  tcase_add_test (tc, test_very_high_quality_is_as_good_as_floats_are);
  tcase_add_test (tc, test_lower_qualities_are_what_they_say);
  tcase_add_test (tc, test_high_quality_holds_frames_for_less_than_10_ms);
  tcase_add_test (tc, test_lag_is_what_was_promised);
  tcase_add_test (tc, test_split_of_the_input_changes_no_bit);
  tcase_add_test (tc, test_planes_are_as_the_channels_of_frames);
  tcase_add_test (tc, test_silence_stays_silence_in_every_format);
  return suite;
}

GST_CHECK_MAIN (converter);
