/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresampleshared.h"

/* The rest of @self is zero. */
void
nda_resample_shared_init (NdaResampleShared * self, GstElement * element)
{
  self->element = element;
  nda_resample_shared_reset_counters (self);
}

void
nda_resample_shared_clear (NdaResampleShared * self)
{
  gst_clear_object (&self->device_clock);
}

void
nda_resample_shared_reset_counters (NdaResampleShared * self)
{
  GST_OBJECT_LOCK (self->element);
  self->counters = (NdaResampleCounters) {
  .converter = "none",.adaptive.state = "off"};
  GST_OBJECT_UNLOCK (self->element);
}

NdaResampleSettings
nda_resample_shared_get_settings (NdaResampleShared * self)
{
  NdaResampleSettings settings;

  GST_OBJECT_LOCK (self->element);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self->element);
  return settings;
}

GstClock *
nda_resample_shared_get_device_clock (NdaResampleShared * self)
{
  GstClock *clock;

  GST_OBJECT_LOCK (self->element);
  clock = self->device_clock ? gst_object_ref (self->device_clock) : NULL;
  GST_OBJECT_UNLOCK (self->element);
  return clock;
}

void
nda_resample_shared_count_in (NdaResampleShared * self, guint n_frames)
{
  GST_OBJECT_LOCK (self->element);
  self->counters.n_frames_in += n_frames;
  GST_OBJECT_UNLOCK (self->element);
}

void
nda_resample_shared_count_out (NdaResampleShared * self, guint64 n_frames)
{
  GST_OBJECT_LOCK (self->element);
  self->counters.n_blocks++;
  self->counters.n_frames += n_frames;
  GST_OBJECT_UNLOCK (self->element);
}

void
nda_resample_shared_tell (NdaResampleShared * self, gdouble ratio,
    const gchar * converter, const NdaAdaptiveFacts * facts)
{
  NdaAdaptiveFacts off = {.state = "off" };

  GST_OBJECT_LOCK (self->element);
  off.n_clock_steps = self->counters.adaptive.n_clock_steps;
  self->counters.ratio = ratio;
  self->counters.converter = converter;
  self->counters.adaptive = facts ? *facts : off;
  GST_OBJECT_UNLOCK (self->element);
}

void
nda_resample_shared_set_latency (NdaResampleShared * self, GstClockTime latency)
{
  gboolean changes;

  GST_OBJECT_LOCK (self->element);
  changes = latency != self->latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self->element);
  if (changes)
    gst_element_post_message (self->element,
        gst_message_new_latency (GST_OBJECT (self->element)));
}

void
nda_resample_shared_forget_latency (NdaResampleShared * self)
{
  GST_OBJECT_LOCK (self->element);
  self->latency = 0;
  GST_OBJECT_UNLOCK (self->element);
}

GstClockTime
nda_resample_shared_get_latency (NdaResampleShared * self)
{
  GstClockTime latency;

  GST_OBJECT_LOCK (self->element);
  latency = self->latency;
  GST_OBJECT_UNLOCK (self->element);
  return latency;
}
