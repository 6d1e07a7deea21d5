/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresampler.h"

#include "ndablock.h"
#include "ndamakers.h"
#include "ndapolyphaseconverter.h"
#include "ndasamples.h"

#include <gst/check/gstcheck.h>

#include <math.h>
#include <string.h>

/* That of the test which runs; each runs once with every maker */
static const NdaConverterMaker *maker;

static const guint rates[] = {
  8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 192000
};

static const guint lengths[] = { 1, 2, 31, 511, 513, 65537 };

static GstCaps *
make_caps (const gchar * format, guint rate, guint n_channels,
    gboolean is_planar)
{
  GstCaps *caps = gst_caps_new_simple ("audio/x-raw",
      "format", G_TYPE_STRING, format,
      "rate", G_TYPE_INT, (gint) rate,
      "channels", G_TYPE_INT, (gint) n_channels,
      "layout", G_TYPE_STRING, is_planar ? "non-interleaved" : "interleaved",
      NULL);

  if (n_channels > 1)
    gst_caps_set_simple (caps, "channel-mask", GST_TYPE_BITMASK,
        n_channels == 2 ? (guint64) 3 : (guint64) 0, NULL);
  return caps;
}

static NdaResampler *
make_resampler (GstCaps * in, GstCaps * out, NdaQuality quality)
{
  GstAudioInfo info;
  g_autoptr (GError) error = NULL;
  NdaResampler *resampler;

  fail_unless (gst_audio_info_from_caps (&info, in));
  resampler = nda_resampler_new (&info, out, maker, quality, &error);
  g_assert_no_error (error);
  gst_caps_unref (in);
  gst_caps_unref (out);
  return resampler;
}

static NdaResampler *
make_mono (guint in_rate, guint out_rate, NdaQuality quality)
{
  return make_resampler (make_caps (GST_AUDIO_NE (F32), in_rate, 1, FALSE),
      make_caps (GST_AUDIO_NE (F32), out_rate, 1, FALSE), quality);
}

static gboolean
can_bridge (guint in_rate, guint out_rate)
{
  return maker != &nda_polyphase_maker
      || nda_polyphase_converter_can (in_rate, out_rate);
}

/* Noise, the same in each run, or a gap. */
static GstBuffer *
make_buffer (GRand * noise, guint n_frames)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, n_frames * sizeof (gfloat),
      NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (guint i = 0; i < n_frames; i++)
    ((gfloat *) map.data)[i] =
        noise ? (gfloat) g_rand_double_range (noise, -0.5, 0.5) : 0;
  gst_buffer_unmap (buffer, &map);
  if (!noise)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  return buffer;
}

static guint64
count_and_drop (GstBuffer * block, gboolean is_last)
{
  gsize n_frames = gst_buffer_get_size (block) / sizeof (gfloat);

  fail_unless (is_last || n_frames == NDA_BLOCK_FRAMES);
  gst_buffer_unref (block);
  return n_frames;
}

/* Pushes @buffer, which is mono and of floats, and counts what comes. */
static guint64
push (NdaResampler * resampler, GstBuffer * buffer)
{
  guint n_frames = gst_buffer_get_size (buffer) / sizeof (gfloat);
  GstBuffer *block;
  guint64 n_out = 0;

  fail_unless (nda_resampler_push (resampler, buffer, n_frames));
  while ((block = nda_resampler_pop (resampler)))
    n_out += count_and_drop (block, FALSE);
  return n_out;
}

static guint64
drain (NdaResampler * resampler)
{
  GstBuffer *block;
  guint64 n_out = 0;

  while ((block = nda_resampler_drain (resampler)))
    n_out += count_and_drop (block, TRUE);
  return n_out;
}

static void
check_lengths (guint in_rate, guint out_rate, NdaQuality quality)
{
  NdaResampler *resampler = make_mono (in_rate, out_rate, quality);
  g_autoptr (GRand) noise = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    guint64 n_out = push (resampler, make_buffer (noise, lengths[i]));
    guint64 expected = ((guint64) lengths[i] * out_rate * 2 + in_rate)
        / (2 * in_rate);

    n_out += drain (resampler);
    fail_unless (n_out == expected, "%u frames, %u to %u: %" G_GUINT64_FORMAT,
        lengths[i], in_rate, out_rate, n_out);
    nda_resampler_flush (resampler);
  }
  nda_resampler_free (resampler);
}

GST_START_TEST (test_length_is_exact_for_every_pair_of_rates)
{
  maker = nda_makers[__i__];
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    for (guint j = 0; j < G_N_ELEMENTS (rates); j++)
      if (i != j)
        check_lengths (rates[i], rates[j], NDA_QUALITY_HIGH);
}

GST_END_TEST;

GST_START_TEST (test_length_is_exact_in_every_quality_and_for_odd_rates)
{
  static const guint pairs[][2] = {
    {44100, 48000}, {48000, 44100}, {8000, 48000}, {96000, 8000},
    {44101, 48000}, {48000, 47999}, {1000, 48000}, {192000, 1000}
  };

  maker = nda_makers[__i__];
  for (NdaQuality quality = 0; quality <= NDA_QUALITY_VERY_HIGH; quality++)
    for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
      if (can_bridge (pairs[i][0], pairs[i][1]))
        check_lengths (pairs[i][0], pairs[i][1], quality);
}

GST_END_TEST;

/* All that 20000 frames, @step at a time, become. */
static GBytes *
resample_in_steps (guint step, guint in_rate, guint out_rate)
{
  NdaResampler *resampler = make_mono (in_rate, out_rate, NDA_QUALITY_HIGH);
  g_autoptr (GRand) noise = g_rand_new_with_seed (2);
  GByteArray *all = g_byte_array_new ();
  GstBuffer *block;

  for (guint n = 0; n < 20000; n += step) {
    guint n_frames = MIN (step, 20000 - n);

    nda_resampler_push (resampler, make_buffer (noise, n_frames), n_frames);
    while ((block = nda_resampler_pop (resampler))
        || (n + step >= 20000 && (block = nda_resampler_drain (resampler)))) {
      GstMapInfo map;

      gst_buffer_map (block, &map, GST_MAP_READ);
      g_byte_array_append (all, map.data, map.size);
      gst_buffer_unmap (block, &map);
      gst_buffer_unref (block);
    }
  }
  nda_resampler_free (resampler);
  return g_byte_array_free_to_bytes (all);
}

GST_START_TEST (test_split_of_the_input_changes_no_bit)
{
  static const guint steps[] = { 1, 7, 441, 512, 4096 };
  static const guint pairs[][2] = {
    {44100, 48000}, {48000, 16000}, {8000, 48000}
  };

  maker = nda_makers[__i__];
  for (guint p = 0; p < G_N_ELEMENTS (pairs); p++) {
    g_autoptr (GBytes) whole =
        resample_in_steps (20000, pairs[p][0], pairs[p][1]);

    for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
      g_autoptr (GBytes) parts =
          resample_in_steps (steps[i], pairs[p][0], pairs[p][1]);

      fail_unless (g_bytes_equal (whole, parts), "%u to %u by %u", pairs[p][0],
          pairs[p][1], steps[i]);
    }
  }
}

GST_END_TEST;

GST_START_TEST (test_random_gaps_change_no_length)
{
  NdaResampler *resampler;
  g_autoptr (GRand) noise = g_rand_new_with_seed (3);
  g_autoptr (GRand) choice = g_rand_new_with_seed (4);
  guint64 n_in = 0, n_out = 0;

  maker = nda_makers[__i__];
  resampler = make_mono (44100, 48000, NDA_QUALITY_HIGH);
  for (guint i = 0; i < 10000; i++) {
    guint n_sound = g_rand_int_range (choice, 1, 600);
    guint n_gap = g_rand_int_range (choice, 1, 600);

    n_out += push (resampler, make_buffer (noise, n_sound));
    n_out += push (resampler, make_buffer (NULL, n_gap));
    n_in += n_sound + n_gap;
  }
  n_out += drain (resampler);

  assert_equals_uint64 (n_out, gst_util_uint64_scale_round (n_in, 48000,
          44100));
  nda_resampler_free (resampler);
}

GST_END_TEST;

GST_START_TEST (test_random_cuts_change_no_length)
{
  NdaResampler *resampler;
  g_autoptr (GRand) noise = g_rand_new_with_seed (5);
  guint64 n_in = 0, n_out = 0;

  maker = nda_makers[__i__];
  resampler = make_mono (44100, 48000, NDA_QUALITY_HIGH);
  for (guint i = 0; i < 10000; i++) {
    guint n_frames = g_rand_int_range (noise, 1, 200);

    n_in += n_frames;
    n_out += push (resampler, make_buffer (noise, n_frames))
        + drain (resampler);
    assert_equals_uint64 (n_out, gst_util_uint64_scale_round (n_in, 48000,
            44100));
  }
  nda_resampler_free (resampler);
}

GST_END_TEST;

/* Pushes @n_buffers of 441 frames, and counts the blocks out that are GAP;
 * those are silent and the others are not. */
static guint
count_gap_blocks (NdaResampler * resampler, GRand * noise, guint n_buffers)
{
  GstBuffer *block;
  guint n_gaps = 0;

  for (guint i = 0; i < n_buffers; i++) {
    nda_resampler_push (resampler, make_buffer (noise, 441), 441);
    while ((block = nda_resampler_pop (resampler))) {
      gboolean is_gap = GST_BUFFER_FLAG_IS_SET (block, GST_BUFFER_FLAG_GAP);
      GstMapInfo map;
      gsize n_silent = 0;

      gst_buffer_map (block, &map, GST_MAP_READ);
      for (gsize n = 0; n < map.size / sizeof (gfloat); n++)
        n_silent += ((gfloat *) map.data)[n] == 0;
      fail_unless (!is_gap || n_silent == NDA_BLOCK_FRAMES);
      gst_buffer_unmap (block, &map);
      n_gaps += is_gap;
      gst_buffer_unref (block);
    }
  }
  return n_gaps;
}

GST_START_TEST (test_gap_in_is_gap_out)
{
  NdaResampler *resampler;
  g_autoptr (GRand) noise = g_rand_new_with_seed (6);
  guint n_gaps;

  maker = nda_makers[__i__];
  resampler = make_mono (44100, 48000, NDA_QUALITY_HIGH);
  /* silence has been before all sound, and goes out as such */
  fail_unless_equals_int (count_gap_blocks (resampler, NULL, 20), 18);
  n_gaps = count_gap_blocks (resampler, noise, 20);
  fail_unless (n_gaps <= 1);
  /* 200 ms are 18 blocks or 19; what the edges reach into is none */
  n_gaps += count_gap_blocks (resampler, NULL, 20)
      + count_gap_blocks (resampler, noise, 20);
  fail_unless (n_gaps >= 16 && n_gaps <= 19, "%u", n_gaps);
  fail_unless_equals_int (count_gap_blocks (resampler, noise, 20), 0);
  nda_resampler_free (resampler);
}

GST_END_TEST;

/* Frame @n of a ramp, in @channel. */
static gdouble
get_ramp (gdouble n, guint channel)
{
  return (n / 4800 - 0.5) * (channel % 2 ? -0.5 : 1);
}

/* A ramp of 4800 frames, in the format of @info. */
static GstBuffer *
make_ramp (const GstAudioInfo * info)
{
  gboolean is_planar = info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  guint n_samples = 4800 * info->channels;
  g_autofree gdouble *ramp = g_new (gdouble, n_samples);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4800 * info->bpf, NULL);
  GstMapInfo map;

  for (guint n = 0; n < 4800; n++)
    for (gint c = 0; c < info->channels; c++)
      ramp[is_planar ? c * 4800 + n : n * info->channels + c] = get_ramp (n, c);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  nda_samples_convert (gst_audio_format_get_info (GST_AUDIO_FORMAT_F64), ramp,
      info->finfo, map.data, n_samples);
  gst_buffer_unmap (buffer, &map);
  if (is_planar)
    gst_buffer_add_audio_meta (buffer, info, 4800, NULL);
  return buffer;
}

/* Checks @block, which begins @start frames into the ramp; its ends ring.
 * Returns how many frames it holds. */
static guint
check_ramp (GstBuffer * block, const GstAudioInfo * info, guint start,
    gdouble in_per_out)
{
  gboolean is_planar = info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  guint bps = info->bpf / info->channels, n_frames;
  GstAudioBuffer mapped;

  fail_unless (gst_audio_buffer_map (&mapped, info, block, GST_MAP_READ));
  n_frames = mapped.n_samples;
  for (guint n = 0; n < n_frames; n++)
    for (gint c = 0; c < info->channels; c++) {
      guint8 *sample = is_planar ? (guint8 *) mapped.planes[c] + n * bps :
          (guint8 *) mapped.planes[0] + n * info->bpf + c * bps;
      gdouble position = (start + n) * in_per_out, value;

      nda_samples_convert (info->finfo, sample,
          gst_audio_format_get_info (GST_AUDIO_FORMAT_F64), &value, 1);
      if (position > 400 && position < 4400)
        fail_unless (ABS (value - get_ramp (position, c)) < 2.0 / 32768,
            "%s, frame %u: %g", info->finfo->name, start + n, value);
    }
  gst_audio_buffer_unmap (&mapped);
  return n_frames;
}

/* A ramp in one format becomes that ramp in another. */
static void
check_formats (const gchar * from, const gchar * to, guint in_rate,
    guint n_channels, gboolean is_planar)
{
  GstCaps *in_caps = make_caps (from, in_rate, n_channels, is_planar);
  GstCaps *out_caps = make_caps (to, 48000, n_channels, is_planar);
  GstAudioInfo in, out;
  NdaResampler *resampler;
  GstBuffer *block;
  guint n_out = 0;

  fail_unless (gst_audio_info_from_caps (&in, in_caps)
      && gst_audio_info_from_caps (&out, out_caps));
  resampler = make_resampler (in_caps, out_caps, NDA_QUALITY_HIGH);
  nda_resampler_push (resampler, make_ramp (&in), 4800);
  while ((block = nda_resampler_pop (resampler))
      || (block = nda_resampler_drain (resampler))) {
    n_out += check_ramp (block, &out, n_out, in_rate / 48000.0);
    gst_buffer_unref (block);
  }

  fail_unless_equals_int (n_out, 4800 * 48000 / in_rate);
  nda_resampler_free (resampler);
}

static const gchar *const formats[] = {
  GST_AUDIO_NE (S16), GST_AUDIO_NE (S24), GST_AUDIO_NE (S24_32),
  GST_AUDIO_NE (S32), GST_AUDIO_NE (F32), GST_AUDIO_NE (F64)
};

GST_START_TEST (test_samples_are_rounded_and_clipped)
{
  static const gfloat floats[] = { 0.5, -0.5, 1, -1, 2, -2, 1 / 65536.0f, NAN };
  static const gint16 expected[] = {
    16384, -16384, 32767, -32768, 32767, -32768, 1, -32768
  };
  gint16 out[G_N_ELEMENTS (floats)];
  gfloat back[G_N_ELEMENTS (floats)];
  const GstAudioFormatInfo *f32 = gst_audio_format_get_info
      (GST_AUDIO_FORMAT_F32);
  const GstAudioFormatInfo *s16 = gst_audio_format_get_info
      (GST_AUDIO_FORMAT_S16);

  nda_samples_convert (f32, floats, s16, out, G_N_ELEMENTS (floats));
  nda_samples_convert (s16, out, f32, back, G_N_ELEMENTS (floats));

  for (guint i = 0; i < G_N_ELEMENTS (floats); i++) {
    fail_unless_equals_int (out[i], expected[i]);
    fail_unless (back[i] == expected[i] / 32768.0f);
  }
}

GST_END_TEST;

GST_START_TEST (test_any_format_becomes_any_other)
{
  maker = nda_makers[__i__];
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    for (guint j = 0; j < G_N_ELEMENTS (formats); j++) {
      check_formats (formats[i], formats[j], 32000, 2, FALSE);
      check_formats (formats[i], formats[j], 32000, 2, TRUE);
      if (i != j) {
        check_formats (formats[i], formats[j], 48000, 2, FALSE);
        check_formats (formats[i], formats[j], 48000, 2, TRUE);
      }
    }
}

GST_END_TEST;

GST_START_TEST (test_one_to_64_channels)
{
  static const guint n_channels[] = { 1, 3, 8, 64 };

  maker = nda_makers[__i__];
  for (guint i = 0; i < G_N_ELEMENTS (n_channels); i++)
    for (guint planar = 0; planar < 2; planar++) {
      check_formats (GST_AUDIO_NE (F32), GST_AUDIO_NE (F32), 32000,
          n_channels[i], planar);
      check_formats (GST_AUDIO_NE (S24), GST_AUDIO_NE (F32), 32000,
          n_channels[i], planar);
    }
}

GST_END_TEST;

GST_START_TEST (test_flush_forgets_all)
{
  NdaResampler *resampler;
  g_autoptr (GRand) noise = g_rand_new_with_seed (7);

  maker = nda_makers[__i__];
  resampler = make_mono (44100, 48000, NDA_QUALITY_HIGH);
  push (resampler, make_buffer (noise, 1000));
  nda_resampler_flush (resampler);

  assert_equals_uint64 (drain (resampler), 0);
  assert_equals_uint64 (count_gap_blocks (resampler, NULL, 4), 3);
  nda_resampler_free (resampler);
}

GST_END_TEST;

GST_START_TEST (test_rates_too_far_apart_are_refused_with_the_reason)
{
  g_autoptr (GstCaps) out = make_caps (GST_AUDIO_NE (F32), 48000, 1, FALSE);
  g_autoptr (GError) error = NULL;
  GstAudioInfo in;

  gst_audio_info_set_format (&in, GST_AUDIO_FORMAT_F32, 1000, 1, NULL);
  fail_if (nda_resampler_new (&in, out, &nda_polyphase_maker, NDA_QUALITY_HIGH,
          &error));

  fail_unless (g_error_matches (error, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "1000 Hz") != NULL);
  fail_unless (strstr (error->message, "48000 Hz") != NULL);
}

GST_END_TEST;

static Suite *
resampler_suite (void)
{
  Suite *suite = suite_create ("resampler");
  TCase *tc = tcase_create ("general");
  guint n = 0;

  while (nda_makers[n])
    n++;
  suite_add_tcase (suite, tc);
  tcase_add_loop_test (tc, test_length_is_exact_for_every_pair_of_rates, 0, n);
  tcase_add_loop_test (tc,
      test_length_is_exact_in_every_quality_and_for_odd_rates, 0, n);
  tcase_add_loop_test (tc, test_split_of_the_input_changes_no_bit, 0, n);
  tcase_add_loop_test (tc, test_random_gaps_change_no_length, 0, n);
  tcase_add_loop_test (tc, test_random_cuts_change_no_length, 0, n);
  tcase_add_loop_test (tc, test_gap_in_is_gap_out, 0, n);
  tcase_add_loop_test (tc, test_any_format_becomes_any_other, 0, n);
  tcase_add_loop_test (tc, test_one_to_64_channels, 0, n);
  tcase_add_loop_test (tc, test_flush_forgets_all, 0, n);
  tcase_add_test (tc, test_samples_are_rounded_and_clipped);
  tcase_add_test (tc, test_rates_too_far_apart_are_refused_with_the_reason);
  return suite;
}

GST_CHECK_MAIN (resampler);
