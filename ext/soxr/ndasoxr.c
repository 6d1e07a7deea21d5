/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasoxr.h"

#include <glib/gi18n-lib.h>

#include <soxr.h>

/* base 2 logarithm of the shortest transforms that libsoxr allows */
#define MIN_DFT_SIZE 8

/* The trial goes on for this many times the longest lag so far, so that bursts
 * of several stages coincide. */
#define TRIAL_LAGS 20
#define MIN_TRIAL_FRAMES 4096
/* frames in one step of the trial, at twice the block's rate or less */
#define TRIAL_STEP_RATE 96000

typedef struct
{
  NdaConverter parent;

  soxr_t soxr;                  /* owned */
} NdaSoxr;

static const gulong recipes[] = {
  [NDA_QUALITY_QUICK] = SOXR_QQ,
  [NDA_QUALITY_LOW] = SOXR_LQ,
  [NDA_QUALITY_MEDIUM] = SOXR_MQ,
  [NDA_QUALITY_HIGH] = SOXR_HQ,
  [NDA_QUALITY_VERY_HIGH] = SOXR_VHQ,
};

static gboolean
get_datatype (GstAudioFormat format, soxr_datatype_t * datatype)
{
  switch (format) {
    case GST_AUDIO_FORMAT_F32:
      *datatype = SOXR_FLOAT32_I;
      return TRUE;
    case GST_AUDIO_FORMAT_F64:
      *datatype = SOXR_FLOAT64_I;
      return TRUE;
    case GST_AUDIO_FORMAT_S32:
      *datatype = SOXR_INT32_I;
      return TRUE;
    case GST_AUDIO_FORMAT_S16:
      *datatype = SOXR_INT16_I;
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
nda_soxr_maker_takes_format (GstAudioFormat format)
{
  soxr_datatype_t datatype;

  return get_datatype (format, &datatype);
}

static soxr_t
make_soxr (const GstAudioInfo * format, guint out_rate, NdaQuality quality,
    soxr_error_t * error)
{
  soxr_datatype_t datatype = SOXR_FLOAT32_I;
  soxr_io_spec_t io;
  soxr_quality_spec_t recipe = soxr_quality_spec (recipes[quality], 0);
  soxr_runtime_spec_t runtime = soxr_runtime_spec (1);

  get_datatype (format->finfo->format, &datatype);
  if (format->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    datatype |= SOXR_SPLIT;
  io = soxr_io_spec (datatype, datatype);
  /* silence stays silence, and the output does not depend on how the input is
   * split */
  io.flags = SOXR_NO_DITHER;
  runtime.log2_min_dft_size = MIN_DFT_SIZE;
  runtime.log2_large_dft_size = MIN_DFT_SIZE;
  return soxr_create (format->rate, out_rate, format->channels, error, &io,
      &recipe, &runtime);
}

static void
nda_soxr_process (NdaConverter * converter, gconstpointer const *in, gsize n_in,
    gpointer const *out, gsize n_out, gsize * n_taken, gsize * n_given)
{
  NdaSoxr *self = (NdaSoxr *) converter;
  soxr_error_t error = soxr_process (self->soxr, in, n_in, n_taken,
      (soxr_out_t) out, n_out, n_given);

  g_assert (!error);
}

static void
nda_soxr_process_interleaved (NdaConverter * converter, gconstpointer const *in,
    gsize n_in, gpointer const *out, gsize n_out, gsize * n_taken,
    gsize * n_given)
{
  nda_soxr_process (converter, in[0], n_in, out[0], n_out, n_taken, n_given);
}

static void
nda_soxr_restart (NdaConverter * converter)
{
  soxr_error_t error = soxr_clear (((NdaSoxr *) converter)->soxr);

  g_assert (!error);
}

static void
nda_soxr_free (NdaConverter * converter)
{
  soxr_delete (((NdaSoxr *) converter)->soxr);
  g_free (converter);
}

static const NdaConverterKind interleaved = {
  .process = nda_soxr_process_interleaved,
  .restart = nda_soxr_restart,
  .free = nda_soxr_free,
};

static const NdaConverterKind planar = {
  .process = nda_soxr_process,
  .restart = nda_soxr_restart,
  .free = nda_soxr_free,
};

/* Sends silence through a converter of one channel and measures after each step
 * how far the output is behind. */
static void
measure_lag (NdaConverter * self, soxr_t trial, guint in_rate, guint out_rate)
{
  const gdouble in_per_out = (gdouble) in_rate / out_rate;
  const gsize step = 1 + in_rate / TRIAL_STEP_RATE;
  const gsize n_room = 4096 + 1024 * (gsize) (1 + step / in_per_out);
  g_autofree gfloat *in = g_new0 (gfloat, step);
  g_autofree gfloat *out = g_new (gfloat, n_room);
  gdouble max = 0, min = G_MAXDOUBLE;
  gsize n_in = 0, n_out = 0;

  while (n_in < MIN_TRIAL_FRAMES + TRIAL_LAGS * max) {
    gsize n_taken, n_given;

    soxr_process (trial, in, step, &n_taken, out, n_room, &n_given);
    n_in += n_taken;
    n_out += n_given;
    if (n_given)
      min = MIN (min, n_in - (n_out - 1.0) * in_per_out);
    /* the last frame before the next step has waited the longest */
    max = MAX (max, n_in + step - 1.0 - n_out * in_per_out);
  }
  self->max_lag = max + MAX (1.0, in_per_out);
  self->reach = min;
}

static soxr_t
try_soxr (const GstAudioInfo * format, guint out_rate, NdaQuality quality,
    GError ** error)
{
  soxr_error_t failure = NULL;
  soxr_t soxr = make_soxr (format, out_rate, quality, &failure);

  if (soxr && !failure)
    return soxr;
  if (soxr)
    soxr_delete (soxr);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      _("Sound of %d Hz cannot be resampled to %u Hz: %s. Choose a rate that "
          "is closer."), format->rate, out_rate, soxr_strerror (failure));
  return NULL;
}

static NdaConverter *
nda_soxr_maker_make (const GstAudioInfo * format, guint out_rate,
    NdaQuality quality, GError ** error)
{
  GstAudioInfo mono;
  soxr_t trial, soxr;
  NdaSoxr *self;

  gst_audio_info_set_format (&mono, GST_AUDIO_FORMAT_F32, format->rate, 1,
      NULL);
  trial = try_soxr (&mono, out_rate, quality, error);
  if (!trial)
    return NULL;
  soxr = try_soxr (format, out_rate, quality, error);
  if (soxr) {
    self = g_new0 (NdaSoxr, 1);
    self->soxr = soxr;
    self->parent.kind = format->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED ?
        &planar : &interleaved;
    measure_lag (&self->parent, trial, format->rate, out_rate);
  }
  soxr_delete (trial);
  return soxr ? &self->parent : NULL;
}

const NdaConverterMaker nda_soxr_maker = {
  .name = "soxr",
  .takes_format = nda_soxr_maker_takes_format,
  .make = nda_soxr_maker_make,
};
