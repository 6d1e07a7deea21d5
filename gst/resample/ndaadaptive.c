/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaadaptive.h"

#include "ndablock.h"
#include "ndapolyphaseconverter.h"

#include <string.h>

/* --- on and off --- */

static GstBuffer *
make_silent_block (const GstAudioInfo * info)
{
  GstBuffer *block =
      nda_block_buffer_new ((gsize) NDA_BLOCK_FRAMES * info->bpf);

  gst_buffer_memset (block, 0, 0, -1);
  if (info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta (block, info, NDA_BLOCK_FRAMES, NULL);
  return block;
}

gboolean
nda_adaptive_start (NdaAdaptive * self, const GstAudioInfo * in,
    const GstAudioInfo * out, GstClock * device)
{
  g_assert (!self->is_on);

  if (!nda_polyphase_converter_can (in->rate, out->rate))
    return FALSE;
  self->is_on = TRUE;
  self->in = *in;
  self->out = *out;
  nda_follower_init (&self->follower, device, in->rate, out->rate);
  self->is_proven = self->was_locked = FALSE;
  self->factor = 1.0;
  self->held = 0.0;
  if (in->rate == out->rate && in->finfo == out->finfo)
    self->last_block = make_silent_block (out);
  return TRUE;
}

void
nda_adaptive_stop (NdaAdaptive * self)
{
  self->is_on = FALSE;
  nda_follower_clear (&self->follower);
  gst_clear_buffer (&self->last_block);
}

void
nda_adaptive_restart (NdaAdaptive * self)
{
  if (self->is_on)
    nda_follower_restart (&self->follower);
}

/* Pairs with the exchange in nda_adaptive_observe (). */
void
nda_adaptive_restart_later (NdaAdaptive * self)
{
  g_atomic_int_set (&self->must_restart, TRUE);
}

/* --- watching --- */

gboolean
nda_adaptive_is_watching (const NdaAdaptive * self)
{
  return self->last_block != NULL;
}

gboolean
nda_adaptive_watch (NdaAdaptive * self)
{
  self->is_proven |= nda_follower_watch (&self->follower);
  return self->is_proven;
}

void
nda_adaptive_keep (NdaAdaptive * self, GstBuffer * block)
{
  GstAudioBuffer from, to;

  if (!self->last_block
      || !gst_audio_buffer_map (&from, &self->out, block, GST_MAP_READ))
    return;
  if (gst_audio_buffer_map (&to, &self->out, self->last_block, GST_MAP_WRITE)) {
    if (from.n_samples == to.n_samples)
      for (gint i = 0; i < from.n_planes; i++)
        memcpy (to.planes[i], from.planes[i],
            GST_AUDIO_BUFFER_PLANE_SIZE (&from));
    gst_audio_buffer_unmap (&to);
  }
  gst_audio_buffer_unmap (&from);
}

/* --- following --- */

/* Called before each block; see NdaResamplerGlide. */
static gdouble
nda_adaptive_steer (gpointer user_data, gdouble in_frame, gdouble out_frame,
    gdouble held)
{
  NdaAdaptive *self = user_data;

  self->held = held;
  self->factor = nda_follower_steer (&self->follower, in_frame, out_frame);
  return self->factor;
}

NdaResampler *
nda_adaptive_take_over (NdaAdaptive * self, GstCaps * out_caps)
{
  const NdaResamplerGlide glide = {
    .steer = nda_adaptive_steer,
    .user_data = self,
    .stamps_by_input = self->follower.device != NULL,
  };
  NdaResampler *resampler = nda_resampler_new_gliding (&self->in, out_caps,
      &glide);

  if (self->last_block)
    nda_resampler_prime (resampler, g_steal_pointer (&self->last_block),
        NDA_BLOCK_FRAMES);
  return resampler;
}

void
nda_adaptive_observe (NdaAdaptive * self, GstClock * clock, guint n_frames)
{
  if (g_atomic_int_compare_and_exchange (&self->must_restart, TRUE, FALSE))
    nda_adaptive_restart (self);
  if (clock && self->is_on)
    nda_follower_observe (&self->follower, clock, n_frames);
}

void
nda_adaptive_calibrate (NdaAdaptive * self, GstClockTime duration,
    guint n_frames)
{
  nda_follower_calibrate (&self->follower, duration, n_frames);
}

/* --- what there is to tell --- */

GstClock *
nda_adaptive_get_device (const NdaAdaptive * self)
{
  return self->is_on ? self->follower.device : NULL;
}

NdaAdaptiveFacts
nda_adaptive_get_facts (const NdaAdaptive * self)
{
  const NdaDrift *drift = &self->follower.drift;
  NdaAdaptiveFacts facts;

  g_assert (self->is_on);
  facts.state = nda_adaptive_is_watching (self) ? "watching" :
      nda_drift_state_get_nick (drift->state);
  facts.drift_ppm = nda_drift_get_ppm (drift);
  facts.delay = (guint64) (self->held * GST_SECOND);
  facts.delay_error = nda_drift_get_error (drift);
  facts.n_clock_steps = drift->n_steps;
  return facts;
}

gboolean
nda_adaptive_is_locked (const NdaAdaptive * self)
{
  return self->is_on && self->follower.drift.state == NDA_DRIFT_LOCKED;
}

gboolean
nda_adaptive_take_news (NdaAdaptive * self)
{
  gboolean was_locked = self->was_locked;

  self->was_locked = nda_adaptive_is_locked (self);
  return self->was_locked != was_locked;
}
