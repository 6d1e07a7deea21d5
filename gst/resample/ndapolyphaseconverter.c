/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapolyphaseconverter.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

/* A larger step down needs more taps than is reasonable. */
#define MAX_STEP 48

typedef struct
{
  NdaConverter parent;

  NdaPolyphase *polyphase;      /* owned */
  guint n_channels;             /* [const] */
  gboolean is_planar;           /* [const] */
  gsize stride;                 /* [const] samples from frame to frame */
} NdaPolyphaseConverter;

/* Sets pointers to each channel, @offset frames after @planes. */
static void
point_at (const NdaPolyphaseConverter * self, gconstpointer const *planes,
    gsize offset, const gfloat ** channels)
{
  for (guint c = 0; c < self->n_channels; c++)
    channels[c] = (self->is_planar ? (const gfloat *) planes[c] :
        (const gfloat *) planes[0] + c) + offset * self->stride;
}

static gsize
push (NdaPolyphaseConverter * self, gconstpointer const *in, gsize offset,
    gsize n_frames)
{
  const gfloat *channels[NDA_BLOCK_MAX_CHANNELS];

  point_at (self, in, offset, channels);
  nda_polyphase_push (self->polyphase, channels, self->stride, n_frames);
  return n_frames;
}

static gsize
pull (NdaPolyphaseConverter * self, gpointer const *out, gsize offset,
    gsize n_frames)
{
  gfloat *channels[NDA_BLOCK_MAX_CHANNELS];

  point_at (self, (gconstpointer const *) out, offset,
      (const gfloat **) channels);
  return nda_polyphase_pull (self->polyphase, channels, self->stride, n_frames);
}

/* Takes only the frames that it needs, so that none are kept inside. */
static void
nda_polyphase_converter_process (NdaConverter * converter,
    gconstpointer const *in, gsize n_in, gpointer const *out, gsize n_out,
    gsize * n_taken, gsize * n_given)
{
  NdaPolyphaseConverter *self = (NdaPolyphaseConverter *) converter;

  *n_taken = 0;
  *n_given = pull (self, out, 0, n_out);
  while (*n_given < n_out && *n_taken < n_in) {
    gsize n_needed = nda_polyphase_get_needed (self->polyphase,
        n_out - *n_given);

    *n_taken += push (self, in, *n_taken, MIN (MAX (n_needed, 1),
            n_in - *n_taken));
    *n_given += pull (self, out, *n_given, n_out - *n_given);
  }
}

static void
nda_polyphase_converter_glide (NdaConverter * converter, gdouble factor,
    guint n_frames)
{
  nda_polyphase_glide (((NdaPolyphaseConverter *) converter)->polyphase, factor,
      n_frames);
}

static gdouble
nda_polyphase_converter_get_pending (NdaConverter * converter)
{
  return nda_polyphase_get_pending (((NdaPolyphaseConverter *)
          converter)->polyphase);
}

static void
nda_polyphase_converter_restart (NdaConverter * converter)
{
  nda_polyphase_reset (((NdaPolyphaseConverter *) converter)->polyphase);
}

static void
nda_polyphase_converter_free (NdaConverter * converter)
{
  nda_polyphase_free (((NdaPolyphaseConverter *) converter)->polyphase);
  g_free (converter);
}

static const NdaConverterKind fixed = {
  .process = nda_polyphase_converter_process,
  .restart = nda_polyphase_converter_restart,
  .free = nda_polyphase_converter_free,
};

static const NdaConverterKind gliding = {
  .process = nda_polyphase_converter_process,
  .glide = nda_polyphase_converter_glide,
  .get_pending = nda_polyphase_converter_get_pending,
  .restart = nda_polyphase_converter_restart,
  .free = nda_polyphase_converter_free,
};

gboolean
nda_polyphase_converter_can (guint in_rate, guint out_rate)
{
  return in_rate / out_rate < MAX_STEP && out_rate / in_rate < MAX_STEP;
}

NdaConverter *
nda_polyphase_converter_new (const GstAudioInfo * format, guint out_rate,
    NdaPolyphaseMode mode)
{
  NdaPolyphaseConverter *self = g_new0 (NdaPolyphaseConverter, 1);
  guint in_rate = format->rate;

  self->polyphase = nda_polyphase_new (format->channels, in_rate, out_rate,
      mode);
  self->n_channels = format->channels;
  self->is_planar = format->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  self->stride = self->is_planar ? 1 : self->n_channels;
  self->parent.kind = mode == NDA_POLYPHASE_FIXED ? &fixed : &gliding;
  self->parent.reach = nda_polyphase_get_lag (self->polyphase);
  /* plus the frames up to the next frame out */
  self->parent.max_lag = self->parent.reach + in_rate / out_rate + 1;
  return &self->parent;
}

static gboolean
nda_polyphase_maker_takes_format (GstAudioFormat format)
{
  return format == GST_AUDIO_FORMAT_F32;
}

static NdaConverter *
nda_polyphase_maker_make (const GstAudioInfo * format, guint out_rate,
    NdaQuality quality, GError ** error)
{
  if (nda_polyphase_converter_can (format->rate, out_rate))
    return nda_polyphase_converter_new (format, out_rate, NDA_POLYPHASE_FIXED);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      _("Sound of %d Hz cannot be resampled to %u Hz: one rate is %d times the "
          "other or more. Choose a rate that is closer."), format->rate,
      out_rate, MAX_STEP);
  return NULL;
}

const NdaConverterMaker nda_polyphase_maker = {
  .name = "polyphase",
  .takes_format = nda_polyphase_maker_takes_format,
  .make = nda_polyphase_maker_make,
};
