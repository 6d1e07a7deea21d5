/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndawavheader.h"

#include <gst/check/gstcheck.h>

#include <string.h>

#define N_BEYOND G_GUINT64_CONSTANT (600000000)

static const NdaWavFormat stereo = {.rate = 48000,.n_channels = 2 };

static const NdaWavFormat surround = {
  .rate = 96000,.n_channels = 6,.channel_mask = 0x3F
};

/* A header has numbers at any address, which GST_READ_UINT32_LE () reads as if
 * they were aligned. */
static guint32
read_32 (const guint8 * bytes)
{
  guint32 number;

  memcpy (&number, bytes, sizeof (number));
  return GUINT32_FROM_LE (number);
}

static guint64
read_64 (const guint8 * bytes)
{
  guint64 number;

  memcpy (&number, bytes, sizeof (number));
  return GUINT64_FROM_LE (number);
}

GST_START_TEST (test_lengths_are_those_of_the_file)
{
  guint8 header[NDA_WAV_MAX_HEADER];
  gsize n_bytes = nda_wav_make_header (&stereo, 1000, 0, header);

  fail_unless (memcmp (header, "RIFF", 4) == 0);
  fail_unless_equals_int (read_32 (header + 4), n_bytes - 8 + 8000);
  fail_unless (memcmp (header + 12, "JUNK", 4) == 0);
  fail_unless (memcmp (header + n_bytes - 8, "data", 4) == 0);
  fail_unless_equals_int (read_32 (header + n_bytes - 4), 8000);
}

GST_END_TEST;

GST_START_TEST (test_its_length_is_always_the_same)
{
  guint8 header[NDA_WAV_MAX_HEADER];

  for (guint i = 0; i < 2; i++) {
    const NdaWavFormat *format = i ? &surround : &stereo;
    gsize n_bytes = nda_wav_make_header (format, 0, 0, header);

    fail_unless (n_bytes <= NDA_WAV_MAX_HEADER);
    fail_unless_equals_int (nda_wav_make_header (format, 1, 0, header),
        n_bytes);
    fail_unless_equals_int (nda_wav_make_header (format, N_BEYOND, 0, header),
        n_bytes);
  }
}

GST_END_TEST;

GST_START_TEST (test_past_4_gib_lengths_have_64_bits)
{
  guint8 header[NDA_WAV_MAX_HEADER];
  guint64 n_data = N_BEYOND * 8;
  gsize n_bytes = nda_wav_make_header (&stereo, N_BEYOND, 0, header);

  fail_unless (memcmp (header, "RF64", 4) == 0);
  fail_unless_equals_uint64 (read_32 (header + 4), G_MAXUINT32);
  fail_unless (memcmp (header + 12, "ds64", 4) == 0);
  fail_unless_equals_int (read_32 (header + 16), 28);
  fail_unless_equals_uint64 (read_64 (header + 20), n_bytes - 8 + n_data);
  fail_unless_equals_uint64 (read_64 (header + 28), n_data);
  fail_unless_equals_uint64 (read_64 (header + 36), N_BEYOND);
  fail_unless_equals_uint64 (read_32 (header + n_bytes - 4), G_MAXUINT32);
}

GST_END_TEST;

/* What follows the frames is in the file's length, not in theirs. */
GST_START_TEST (test_more_behind_the_frames)
{
  guint8 header[NDA_WAV_MAX_HEADER];
  gsize n_bytes = nda_wav_make_header (&stereo, 1000, 26, header);
  guint64 n_last = (G_MAXUINT32 - (n_bytes - 8)) / 8;

  fail_unless_equals_int (read_32 (header + 4), n_bytes - 8 + 8000 + 26);
  fail_unless_equals_int (read_32 (header + n_bytes - 4), 8000);
  nda_wav_make_header (&stereo, n_last, 26, header);
  fail_unless (memcmp (header, "RF64", 4) == 0);
  fail_unless_equals_uint64 (read_64 (header + 28), n_last * 8);
}

GST_END_TEST;

/* No length that fits is called long, and none that does not is cut. */
GST_START_TEST (test_the_last_short_file_and_the_first_long_one)
{
  guint8 header[NDA_WAV_MAX_HEADER];
  gsize n_bytes = nda_wav_make_header (&stereo, 0, 0, header);
  guint64 n_frames = (G_MAXUINT32 - (n_bytes - 8)) / 8;

  nda_wav_make_header (&stereo, n_frames, 0, header);
  fail_unless (memcmp (header, "RIFF", 4) == 0);
  nda_wav_make_header (&stereo, n_frames + 1, 0, header);
  fail_unless (memcmp (header, "RF64", 4) == 0);
}

GST_END_TEST;

static Suite *
wavheader_suite (void)
{
  Suite *suite = suite_create ("ndawavheader");
  TCase *tcase = tcase_create ("header");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_lengths_are_those_of_the_file);
  tcase_add_test (tcase, test_its_length_is_always_the_same);
  tcase_add_test (tcase, test_past_4_gib_lengths_have_64_bits);
  tcase_add_test (tcase, test_more_behind_the_frames);
  tcase_add_test (tcase, test_the_last_short_file_and_the_first_long_one);
  return suite;
}

GST_CHECK_MAIN (wavheader);
