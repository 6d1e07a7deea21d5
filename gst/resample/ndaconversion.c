/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaconversion.h"

#include "ndapolyphaseconverter.h"

/* The maker with the shortest delay, whatever other makers there are */
static const NdaConverterMaker *const low_latency_makers[] = {
  &nda_polyphase_maker, NULL
};

/* The rest of @self is zero. */
void
nda_conversion_init (NdaConversion * self,
    const NdaConverterMaker * const *makers)
{
  self->makers = makers;
  gst_audio_info_init (&self->in);
  gst_audio_info_init (&self->out);
}

void
nda_conversion_close (NdaConversion * self)
{
  g_clear_pointer (&self->resampler, nda_resampler_free);
  nda_adaptive_stop (&self->adaptive);
  gst_audio_info_init (&self->in);
  gst_audio_info_init (&self->out);
}

gboolean
nda_conversion_is_open (const NdaConversion * self)
{
  return GST_AUDIO_INFO_IS_VALID (&self->in);
}

/* --- the choice --- */

/* Whether the bursts of a library would cost more latency than its quality is
 * worth. */
static gboolean
wants_low_latency (const NdaConversion * self, gboolean is_live)
{
  if (!nda_polyphase_converter_can (self->in.rate, self->out.rate)
      || self->settings.latency == NDA_LATENCY_BEST)
    return FALSE;
  return self->settings.latency == NDA_LATENCY_LOW
      || (self->settings.quality != NDA_QUALITY_VERY_HIGH && is_live);
}

/* Makes a resampler by the first maker that can. NULL, with the first maker's
 * reason, if none can. */
static NdaResampler *
make_resampler (const NdaConversion * self, GstCaps * out_caps,
    gboolean is_live, GError ** error)
{
  const NdaConverterMaker *const *maker = wants_low_latency (self, is_live) ?
      low_latency_makers : self->makers;
  NdaResampler *resampler = NULL;
  g_autoptr (GError) reason = NULL;

  for (; *maker && !resampler; maker++)
    resampler = nda_resampler_new (&self->in, out_caps, *maker,
        self->settings.quality, reason ? NULL : &reason);
  if (!resampler)
    g_propagate_error (error, g_steal_pointer (&reason));
  return resampler;
}

static gboolean
is_same_format (const GstAudioInfo * in, const GstAudioInfo * out)
{
  return in->rate == out->rate && in->finfo == out->finfo;
}

/* Begins to follow a clock, if the settings say so and it is possible. */
static gboolean
start_following (NdaConversion * self, GstClock * device)
{
  return self->settings.adaptive
      && nda_adaptive_start (&self->adaptive, &self->in, &self->out, device);
}

gboolean
nda_conversion_open (NdaConversion * self, const GstAudioInfo * in,
    const GstAudioInfo * out, GstCaps * out_caps,
    const NdaResampleSettings * settings, GstClock * device, gboolean is_live,
    GError ** error)
{
  nda_conversion_close (self);
  self->in = *in;
  self->out = *out;
  self->settings = *settings;
  if (start_following (self, device)) {
    if (!nda_adaptive_is_watching (&self->adaptive))
      nda_conversion_take_over (self, out_caps);
  } else if (!is_same_format (in, out)) {
    self->resampler = make_resampler (self, out_caps, is_live, error);
    if (!self->resampler) {
      nda_conversion_close (self);
      return FALSE;
    }
  }
  return TRUE;
}

/* --- changes --- */

static gboolean
follows_another (const NdaConversion * self,
    const NdaResampleSettings * settings, GstClock * device)
{
  return settings->adaptive != self->settings.adaptive
      || (self->adaptive.is_on
      && device != nda_adaptive_get_device (&self->adaptive));
}

gboolean
nda_conversion_must_open (const NdaConversion * self, const GstAudioInfo * in,
    const GstAudioInfo * out, const NdaResampleSettings * settings,
    GstClock * device)
{
  return !gst_audio_info_is_equal (in, &self->in)
      || !gst_audio_info_is_equal (out, &self->out)
      || settings->quality != self->settings.quality
      || settings->latency != self->settings.latency
      || (self->resampler && follows_another (self, settings, device));
}

/* If frames pass before and after the change, no block is cut short. */
gboolean
nda_conversion_adjust (NdaConversion * self,
    const NdaResampleSettings * settings, GstClock * device)
{
  if (!follows_another (self, settings, device))
    return FALSE;
  nda_adaptive_stop (&self->adaptive);
  self->settings = *settings;
  start_following (self, device);
  return TRUE;
}

void
nda_conversion_take_over (NdaConversion * self, GstCaps * out_caps)
{
  g_assert (!self->resampler);
  self->resampler = nda_adaptive_take_over (&self->adaptive, out_caps);
}

void
nda_conversion_flush (NdaConversion * self)
{
  if (self->resampler)
    nda_resampler_flush (self->resampler);
}

/* --- what goes on --- */

/* Whether nda's own converter is used although the quality asked for is better
 * than its own. */
gboolean
nda_conversion_is_less_exact (const NdaConversion * self)
{
  return self->settings.quality == NDA_QUALITY_VERY_HIGH
      && self->settings.latency != NDA_LATENCY_LOW && !self->adaptive.is_on
      && self->resampler
      && nda_resampler_get_maker (self->resampler) == &nda_polyphase_maker;
}

gdouble
nda_conversion_get_ratio (const NdaConversion * self)
{
  if (!nda_conversion_is_open (self))
    return 0.0;
  return (gdouble) self->out.rate / self->in.rate
      * (self->adaptive.is_on ? self->adaptive.factor : 1.0);
}

const gchar *
nda_conversion_get_converter (const NdaConversion * self)
{
  const NdaConverterMaker *maker = self->resampler ?
      nda_resampler_get_maker (self->resampler) : NULL;

  return maker ? maker->name : "none";
}

GstClockTime
nda_conversion_get_latency (const NdaConversion * self)
{
  return self->resampler ? nda_resampler_get_latency (self->resampler) : 0;
}
