/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* converters: how exactly and how fast 44.1 kHz become 48 kHz, by nda's
 * converters and by those of others, each called as a library: no elements, no
 * buffers. Stereo floats in runs of 512 frames. Exactness is that of a sine,
 * against the one that fits best. Speed is CPU time, per frame out; rounds of
 * all take turns, and the median counts. */

#include "config.h"

#include "ndapolyphase.h"
#include "ndasoxr.h"
#include "peers.h"

#include "../check/tone.h"

#include <gst/audio/audio.h>

#include <stdlib.h>
#include <time.h>

#define IN_RATE 44100
#define OUT_RATE 48000
#define N_CHANNELS 2
#define RUN 512
#define N_ROUNDS 9
#define N_RUNS 1000
#define N_SECONDS 3
/* More than any converter holds */
#define MAX_OUT (2 * RUN + 4096)

static const gdouble tones[] = { 997.0, 10000.0, 0.9 * IN_RATE / 2 };

#define N_TONES G_N_ELEMENTS (tones)

/* --- ours --- */

static void *
open_polyphase (unsigned in_rate, unsigned out_rate)
{
  return nda_polyphase_new (N_CHANNELS, in_rate, out_rate, NDA_POLYPHASE_FIXED);
}

static void *
open_gliding (unsigned in_rate, unsigned out_rate)
{
  return nda_polyphase_new (N_CHANNELS, in_rate, out_rate,
      NDA_POLYPHASE_GLIDING);
}

static void
process_polyphase (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  const gfloat *from[N_CHANNELS] = { in, in + 1 };
  gfloat *to[N_CHANNELS] = { out, out + 1 };

  nda_polyphase_push (converter, from, N_CHANNELS, n_in);
  *n_taken = n_in;
  *n_given = nda_polyphase_pull (converter, to, N_CHANNELS, n_out);
}

static void
process_gliding (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  nda_polyphase_glide (converter, 1.0, RUN);
  process_polyphase (converter, in, n_in, out, n_out, n_taken, n_given);
}

static void
close_polyphase (void *converter)
{
  nda_polyphase_free (converter);
}

/* --- libsoxr, as ndaresample uses it --- */

static void *
open_soxr (NdaQuality quality, unsigned in_rate, unsigned out_rate)
{
  GstAudioInfo info;

  gst_audio_info_set_format (&info, GST_AUDIO_FORMAT_F32, in_rate, N_CHANNELS,
      NULL);
  return nda_soxr_maker.make (&info, out_rate, quality, NULL);
}

static void *
open_high (unsigned in_rate, unsigned out_rate)
{
  return open_soxr (NDA_QUALITY_HIGH, in_rate, out_rate);
}

static void *
open_very_high (unsigned in_rate, unsigned out_rate)
{
  return open_soxr (NDA_QUALITY_VERY_HIGH, in_rate, out_rate);
}

static void
process_soxr (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  gconstpointer from[] = { in };
  gpointer to[] = { out };

  nda_converter_process (converter, from, n_in, to, n_out, n_taken, n_given);
}

static void
close_soxr (void *converter)
{
  nda_converter_free (converter);
}

/* --- audioresample --- */

static void *
open_gst (guint quality, unsigned in_rate, unsigned out_rate)
{
  GstStructure *options = gst_structure_new_empty ("options");
  GstAudioResampler *self;

  gst_audio_resampler_options_set_quality (GST_AUDIO_RESAMPLER_METHOD_KAISER,
      quality, in_rate, out_rate, options);
  self = gst_audio_resampler_new (GST_AUDIO_RESAMPLER_METHOD_KAISER,
      GST_AUDIO_RESAMPLER_FLAG_NONE, GST_AUDIO_FORMAT_F32, N_CHANNELS, in_rate,
      out_rate, options);
  gst_structure_free (options);
  return self;
}

static void *
open_gst_4 (unsigned in_rate, unsigned out_rate)
{
  return open_gst (4, in_rate, out_rate);
}

static void *
open_gst_10 (unsigned in_rate, unsigned out_rate)
{
  return open_gst (10, in_rate, out_rate);
}

static void
process_gst (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  gpointer from[] = { (gpointer) in };
  gpointer to[] = { out };

  *n_given = MIN (n_out, gst_audio_resampler_get_out_frames (converter, n_in));
  gst_audio_resampler_resample (converter, from, n_in, to, *n_given);
  *n_taken = n_in;
}

static void
close_gst (void *converter)
{
  gst_audio_resampler_free (converter);
}

/* *INDENT-OFF* */
static const Peer own[] = {
  { "nda polyphase", "", open_polyphase, process_polyphase, close_polyphase },
  { "nda polyphase, gliding", "", open_gliding, process_gliding,
    close_polyphase },
  { "soxr HQ", "", open_high, process_soxr, close_soxr },
  { "soxr VHQ", "", open_very_high, process_soxr, close_soxr },
  { "audioresample 4", "", open_gst_4, process_gst, close_gst },
  { "audioresample 10", "", open_gst_10, process_gst, close_gst },
  { NULL, NULL, NULL, NULL, NULL }
};
/* *INDENT-ON* */

/* --- what is measured --- */

/* Converts @n_in frames to @out, run by run; returns how many came out. */
static gsize
convert (const Peer * peer, gpointer converter, const gfloat * in, gsize n_in,
    gfloat * out, gsize n_room)
{
  gsize n_out = 0, taken, given;

  for (gsize start = 0; start < n_in; start += taken) {
    peer->process (converter, in + start * N_CHANNELS, MIN (RUN, n_in - start),
        out + n_out * N_CHANNELS, n_room - n_out, &taken, &given);
    n_out += given;
  }
  return n_out;
}

static gdouble
measure_tone (const Peer * peer, gdouble frequency)
{
  const gsize n_in = N_SECONDS * IN_RATE, n_room = N_SECONDS * OUT_RATE + RUN;
  const gsize n = OUT_RATE;
  g_autofree gfloat *in = g_new (gfloat, n_in * N_CHANNELS);
  g_autofree gfloat *out = g_new (gfloat, n_room * N_CHANNELS);
  g_autofree gfloat *left = g_new (gfloat, n);
  gpointer converter = peer->open (IN_RATE, OUT_RATE);

  for (guint c = 0; c < N_CHANNELS; c++)
    tone_write (in + c, N_CHANNELS, n_in, frequency, IN_RATE);
  convert (peer, converter, in, n_in, out, n_room);
  peer->close (converter);
  for (gsize i = 0; i < n; i++)
    left[i] = out[(OUT_RATE + i) * N_CHANNELS];
  return tone_fit (left, n, frequency, OUT_RATE).snr;
}

static gdouble
cpu_ns (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* ns a frame out */
static gdouble
measure_speed (const Peer * peer)
{
  static gfloat in[RUN * N_CHANNELS], out[MAX_OUT * N_CHANNELS];
  gpointer converter = peer->open (IN_RATE, OUT_RATE);
  gsize n_out = 0;
  gdouble begin;

  tone_write (in, 1, RUN * N_CHANNELS, 997.0, IN_RATE);
  convert (peer, converter, in, RUN, out, MAX_OUT);
  begin = cpu_ns ();
  for (guint i = 0; i < N_RUNS; i++)
    n_out += convert (peer, converter, in, RUN, out, MAX_OUT);
  begin = cpu_ns () - begin;
  peer->close (converter);
  return begin / n_out;
}

/* --- the table --- */

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static void
print_row (const Peer * peer, gdouble * rounds)
{
  gdouble snr[N_TONES];

  qsort (rounds, N_ROUNDS, sizeof (*rounds), compare);
  for (guint i = 0; i < N_TONES; i++)
    snr[i] = measure_tone (peer, tones[i]);
  g_print ("%-28s %8.1f %8.1f %8.1f %10.1f\n", peer->name, snr[0], snr[1],
      snr[2], rounds[N_ROUNDS / 2]);
  g_print ("{\"bench\": \"converters\", \"way\": \"%s\", \"snr_997\": %.1f, "
      "\"snr_10k\": %.1f, \"snr_nyquist\": %.1f, \"ns_frame\": %.1f}\n",
      peer->name, snr[0], snr[1], snr[2], rounds[N_ROUNDS / 2]);
}

static void
add_peers (GArray * all, const Peer * peers)
{
  for (; peers->name; peers++)
    if (peers->open)
      g_array_append_vals (all, peers, 1);
    else
      g_print ("%s: SKIPPED, it was not there when this was built (Debian: "
          "%s)\n", peers->name, peers->package);
}

gint
main (gint argc, gchar ** argv)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Peer));
  g_autofree gdouble *ns = NULL;

  gst_init (&argc, &argv);
  add_peers (all, own);
  add_peers (all, c_peers);
  add_peers (all, zita_peers);
  ns = g_new (gdouble, all->len * N_ROUNDS);
  for (guint round = 0; round < N_ROUNDS; round++)
    for (guint i = 0; i < all->len; i++)
      ns[i * N_ROUNDS + round] = measure_speed (&g_array_index (all, Peer, i));

  g_print ("44.1 to 48 kHz, stereo floats\n%-28s %8s %8s %8s %10s\n", "",
      "997 Hz", "10 kHz", "0.9 Nyq.", "ns/frame");
  for (guint i = 0; i < all->len; i++)
    print_row (&g_array_index (all, Peer, i), ns + i * N_ROUNDS);
  return EXIT_SUCCESS;
}
