/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An ndaresample that is adaptive, on its sink thread. Where rates and formats
 * are equal, frames pass untouched while the follower watches whether there are
 * two clocks at all; once that is proven, a filter whose ratio glides takes over
 * between two blocks, without a gap. Else it is there from the start. */

#include "config.h"

#include "ndaresample.h"

#include "ndablock.h"
#include "ndapolyphaseconverter.h"

#include <string.h>

#define GST_CAT_DEFAULT nda_resample_debug

/* The same, but for what is only being watched */
static const gchar *
get_state (NdaResample * self)
{
  return self->resampler ?
      nda_drift_state_get_nick (self->follower.drift.state) : "watching";
}

static void
update_counters (NdaResample * self)
{
  const NdaDrift *drift = &self->follower.drift;
  gdouble held = self->resampler ? nda_resampler_get_held (self->resampler) : 0;

  GST_OBJECT_LOCK (self);
  self->counters.state = get_state (self);
  self->counters.drift_ppm = nda_drift_get_ppm (drift);
  self->counters.delay = (guint64) (held * GST_SECOND);
  self->counters.delay_error = nda_drift_get_error (drift);
  self->counters.n_clock_steps = drift->n_steps;
  GST_OBJECT_UNLOCK (self);
}

/* Says on the bus that the lock was gained or lost. */
static void
tell_state (NdaResample * self)
{
  const NdaDrift *drift = &self->follower.drift;
  gboolean was_locked = self->told_state == NDA_DRIFT_LOCKED;
  gboolean is_locked = drift->state == NDA_DRIFT_LOCKED;

  self->told_state = drift->state;
  if (is_locked == was_locked)
    return;
  GST_INFO_OBJECT (self, "%s, %.2f ppm", get_state (self),
      nda_drift_get_ppm (drift));
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_structure_new ("ndaresample",
              "locked", G_TYPE_BOOLEAN, is_locked,
              "drift-ppm", G_TYPE_DOUBLE, nda_drift_get_ppm (drift),
              "delay-error", G_TYPE_INT64,
              (gint64) nda_drift_get_error (drift), NULL)));
}

/* Before each block; see NdaResamplerGlide. */
static gdouble
steer (gpointer user_data, gdouble in_frame, gdouble out_frame)
{
  NdaResample *self = NDA_RESAMPLE (user_data);
  gdouble factor = nda_follower_steer (&self->follower, in_frame, out_frame);

  update_counters (self);
  GST_OBJECT_LOCK (self);
  self->counters.ratio = factor * self->out.rate / self->in.rate;
  GST_OBJECT_UNLOCK (self);
  tell_state (self);
  return factor;
}

static void
open_filter (NdaResample * self, GstCaps * out_caps)
{
  const NdaResamplerGlide glide = {
    .steer = steer,
    .user_data = self,
    .stamps_by_input = self->follower.device != NULL,
  };

  self->resampler = nda_resampler_new_gliding (&self->in, out_caps, &glide);
}

static GstBuffer *
make_last_block (const GstAudioInfo * info)
{
  GstBuffer *block = gst_buffer_new_allocate (NULL,
      (gsize) NDA_BLOCK_FRAMES * info->bpf, NULL);

  gst_buffer_memset (block, 0, 0, -1);
  if (info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta (block, info, NDA_BLOCK_FRAMES, NULL);
  return block;
}

/* Begins to follow, with what was set. FALSE where that cannot be. */
gboolean
nda_resample_follow (NdaResample * self, GstCaps * out_caps)
{
  g_autoptr (GstClock) device = nda_resample_get_device_clock (self);

  if (!nda_polyphase_converter_can (self->in.rate, self->out.rate))
    return FALSE;
  nda_follower_init (&self->follower, device, self->in.rate, self->out.rate);
  self->told_state = NDA_DRIFT_LEARNING;
  self->is_following = TRUE;
  self->is_proven = FALSE;
  if (self->in.rate == self->out.rate && self->in.finfo == self->out.finfo)
    self->last_block = make_last_block (&self->out);
  else
    open_filter (self, out_caps);
  update_counters (self);
  return TRUE;
}

void
nda_resample_unfollow (NdaResample * self)
{
  self->is_following = FALSE;
  nda_follower_clear (&self->follower);
  gst_clear_buffer (&self->last_block);
  GST_OBJECT_LOCK (self);
  self->counters.state = "off";
  self->counters.drift_ppm = 0.0;
  self->counters.delay = 0;
  self->counters.delay_error = 0;
  GST_OBJECT_UNLOCK (self);
}

/* The run of frames has ended. */
void
nda_resample_restart_following (NdaResample * self)
{
  if (!self->is_following)
    return;
  nda_follower_restart (&self->follower);
  tell_state (self);
}

/* @n_frames have come. */
void
nda_resample_observe (NdaResample * self, guint n_frames)
{
  g_autoptr (GstClock) clock = self->is_following ?
      gst_element_get_clock (GST_ELEMENT (self)) : NULL;

  if (g_atomic_int_compare_and_exchange (&self->must_restart, TRUE, FALSE))
    nda_resample_restart_following (self);
  if (clock)
    nda_follower_observe (&self->follower, clock, n_frames);
}

/* Lets a filter take over, which begins with what passed last. */
static void
take_over (NdaResample * self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (self->srcpad);

  GST_INFO_OBJECT (self, "there are two clocks, %.1f ppm apart",
      nda_drift_get_ppm (&self->follower.drift));
  open_filter (self, caps);
  nda_resampler_prime (self->resampler, g_steal_pointer (&self->last_block),
      NDA_BLOCK_FRAMES);
  nda_resample_tell_converter (self);
  nda_resample_set_latency (self, nda_resampler_get_latency (self->resampler));
}

/* Before a buffer passes: whether it shall not, because there are two clocks.
 * All that came before has gone out then. */
gboolean
nda_resample_watch (NdaResample * self)
{
  if (!self->is_following)
    return FALSE;
  self->is_proven |= nda_follower_watch (&self->follower);
  update_counters (self);
  if (!self->is_proven || nda_regroup_get_n_waiting (self->blocks.regroup) > 0)
    return FALSE;
  take_over (self);
  return TRUE;
}

/* Copies what passes, for the filter to begin with if need be. */
void
nda_resample_keep_last (NdaResample * self, GstBuffer * block)
{
  GstAudioBuffer from, to;

  if (!gst_audio_buffer_map (&from, &self->out, block, GST_MAP_READ))
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
