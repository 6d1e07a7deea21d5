/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* crypto: what encryption costs a block, beside what else there is.
 *
 * Sealing, in the codec, beside the same work in bare EVP calls with a kept
 * context; and ndaencrypt ! ndadecrypt beside aesenc ! aesdec (aes-256-cbc,
 * which authenticates nothing), each as what it adds to the same pipeline. What
 * is measured is CPU time, user and system, of the whole process. Many short
 * rounds of all take turns. Each one's least counts, as neighbours on the same
 * core and in the same caches only ever make code slower, and not all code
 * alike; the median of the rounds' ratios stands beside. Exits with 1 when more
 * than asked for was found. */

#include "config.h"

#include "ndakeyring.h"
#include "ndasealer.h"

#include <gst/gst.h>

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define N_ROUNDS 51
#define N_SEALS 5000
#define N_BUFFERS 6000
#define MAX_SEAL_RATIO 1.15
#define MAX_ADDED_RATIO 0.80

static const guint sizes[] = { 1024, 2048, 4096 };

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static gdouble
least (gdouble * values)
{
  qsort (values, N_ROUNDS, sizeof (*values), compare);
  return values[0];
}

static gdouble
median (gdouble * values)
{
  qsort (values, N_ROUNDS, sizeof (*values), compare);
  return values[N_ROUNDS / 2];
}

static gdouble
cpu_ns (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* --- the codec --- */

typedef struct
{
  NdaKeyring *ring;
  NdaSealer *sealer;
  EVP_CIPHER_CTX *evp;
  guint8 payload[4096];
  guint8 record[8192];
} Sealing;

static void
sealing_init (Sealing * s)
{
  const NdaRecordFormat format = { NDA_SAMPLES_S16LE, 1, 48000 };
  NdaKeyUse use = {.suite = nda_suite_find (5) };
  guint8 key[32] = { 1 };

  s->ring = nda_keyring_new (NULL);
  nda_keyring_add_master (s->ring, NDA_KEY_FROM_ACTION, key, sizeof (key),
      NULL);
  s->sealer = nda_sealer_new (s->ring, NULL);
  if (!nda_sealer_start (s->sealer, &use, &format, NULL))
    g_error ("no session");
  s->evp = EVP_CIPHER_CTX_new ();
  EVP_EncryptInit_ex2 (s->evp, use.suite->cipher, key, NULL, NULL);
  memset (s->payload, 7, sizeof (s->payload));
}

static void
sealing_clear (Sealing * s)
{
  EVP_CIPHER_CTX_free (s->evp);
  nda_sealer_free (s->sealer);
  nda_keyring_free (s->ring);
}

static gdouble
time_codec (Sealing * s, guint n_bytes)
{
  gdouble start = cpu_ns ();

  for (guint i = 0; i < N_SEALS; i++)
    if (!nda_sealer_seal_audio (s->sealer, s->payload, n_bytes, s->record))
      g_error ("not sealed");
  return (cpu_ns () - start) / N_SEALS;
}

/* The calls that no record can do without: nonce, header, block, tag. */
static gdouble
time_evp (Sealing * s, guint n_bytes)
{
  gdouble start = cpu_ns ();

  for (guint i = 0; i < N_SEALS; i++) {
    guint8 nonce[12] = { i, i >> 8 };
    guint8 aad[29] = { 0xff };
    gint n;

    if (!EVP_EncryptInit_ex2 (s->evp, NULL, NULL, nonce, NULL)
        || !EVP_EncryptUpdate (s->evp, NULL, &n, aad, sizeof (aad))
        || !EVP_EncryptUpdate (s->evp, s->record, &n, s->payload, n_bytes)
        || !EVP_EncryptFinal_ex (s->evp, s->record + n_bytes, &n)
        || !EVP_CIPHER_CTX_ctrl (s->evp, EVP_CTRL_AEAD_GET_TAG, 16,
            s->record + n_bytes))
      g_error ("not sealed");
  }
  return (cpu_ns () - start) / N_SEALS;
}

/* --- pipelines --- */

static const gchar *const elements[] = {
  "",
  "! aesenc cipher=aes-256-cbc key=" "000102030405060708090a0b0c0d0e0f"
      "101112131415161718191a1b1c1d1e1f iv=000102030405060708090a0b0c0d0e0f "
      "! aesdec cipher=aes-256-cbc key=" "000102030405060708090a0b0c0d0e0f"
      "101112131415161718191a1b1c1d1e1f iv=000102030405060708090a0b0c0d0e0f ",
  "! ndaencrypt name=enc ! ndadecrypt name=dec ",
};

static const gchar *
get_format (guint n_bytes)
{
  return n_bytes == 1024 ? "S16LE,channels=1" :
      n_bytes == 2048 ? "S16LE,channels=2" : "F32LE,channels=2";
}

static void
give_key (GstElement * pipeline, const gchar * name)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), name);
  const guint8 key[32] = { 1 };
  g_autoptr (GBytes) bytes = g_bytes_new (key, sizeof (key));
  gboolean ok = TRUE;

  if (element)
    g_signal_emit_by_name (element, "set-master-key", bytes, &ok);
  g_assert (ok);
}

/* CPU time of a buffer in a pipeline with elements[which]. */
static gdouble
time_pipeline (guint which, guint n_bytes)
{
  g_autofree gchar *text = g_strdup_printf ("audiotestsrc wave=silence "
      "samplesperbuffer=512 num-buffers=%d ! audio/x-raw,rate=48000,format=%s "
      "%s! fakesink sync=false", N_BUFFERS, get_format (n_bytes),
      elements[which]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gdouble start;

  if (!pipeline || error)
    g_error ("%s", error->message);
  give_key (pipeline, "enc");
  give_key (pipeline, "dec");
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  start = cpu_ns ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS)
    g_error ("the pipeline failed: %s", text);
  start = cpu_ns () - start;
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return start / N_BUFFERS;
}

/* --- the table --- */

static gboolean
print_row (const gchar * what, guint n_bytes, gdouble ours, gdouble theirs,
    gdouble ratio, gdouble limit)
{
  gboolean ok = ours <= limit * theirs;

  g_print ("%-30s %4u B %7.0f ns %7.0f ns %6.2f %8.2f  (at most %.2f) %s\n",
      what, n_bytes, ours, theirs, ours / theirs, ratio, limit,
      ok ? "" : "TOO MUCH");
  g_print
      ("{\"bench\":\"crypto\",\"what\":\"%s\",\"bytes\":%u,\"ours_ns\":%.0f,"
      "\"theirs_ns\":%.0f,\"ratio\":%.3f,\"median_ratio\":%.3f,"
      "\"limit\":%.2f}\n", what, n_bytes, ours, theirs, ours / theirs, ratio,
      limit);
  return ok;
}

static gboolean
compare_sealing (guint n_bytes)
{
  g_autofree Sealing *s = g_new0 (Sealing, 1);
  gdouble ours[N_ROUNDS], theirs[N_ROUNDS], ratios[N_ROUNDS];

  sealing_init (s);
  time_codec (s, n_bytes);
  time_evp (s, n_bytes);
  for (guint i = 0; i < N_ROUNDS; i++) {
    ours[i] = time_codec (s, n_bytes);
    theirs[i] = time_evp (s, n_bytes);
    ratios[i] = ours[i] / theirs[i];
  }
  sealing_clear (s);
  return print_row ("seal / bare EVP", n_bytes, least (ours), least (theirs),
      median (ratios), MAX_SEAL_RATIO);
}

static gboolean
compare_pipelines (guint n_bytes)
{
  gdouble empty[N_ROUNDS], ours[N_ROUNDS], theirs[N_ROUNDS], ratios[N_ROUNDS];
  gdouble without;

  for (guint which = 0; which < G_N_ELEMENTS (elements); which++)
    time_pipeline (which, n_bytes);
  for (guint i = 0; i < N_ROUNDS; i++) {
    empty[i] = time_pipeline (0, n_bytes);
    theirs[i] = time_pipeline (1, n_bytes);
    ours[i] = time_pipeline (2, n_bytes);
    ratios[i] = (ours[i] - empty[i]) / (theirs[i] - empty[i]);
  }
  without = least (empty);
  return print_row ("added, nda / aesenc ! aesdec", n_bytes,
      least (ours) - without, least (theirs) - without, median (ratios),
      MAX_ADDED_RATIO);
}

int
main (int argc, char **argv)
{
  gboolean ok = TRUE;

  gst_init (&argc, &argv);
  g_print ("%-30s %6s %10s %10s %6s %8s\n", "CPU time a block, least of rounds",
      "block", "ours", "theirs", "ratio", "median");
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    ok &= compare_sealing (sizes[i]);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    ok &= compare_pipelines (sizes[i]);
  return ok ? 0 : 1;
}
