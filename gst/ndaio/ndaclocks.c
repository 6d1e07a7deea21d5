/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaclocks.h"

#include "ndadevicekind.h"
#include "ndalog.h"

/* *INDENT-OFF* */
G_DEFINE_ENUM_TYPE (NdaDriftCompensation, nda_drift_compensation,
    {NDA_DRIFT_COMPENSATION_OFF,
      "Leave it to the device's element, which drops or repeats samples",
      "off"},
    {NDA_DRIFT_COMPENSATION_AUTO,
      "Follow the device once two clocks are proven, and keep every frame",
      "auto"})
/* *INDENT-ON* */

void
nda_clocks_init (NdaClocks * self, GstElement * bin)
{
  self->bin = bin;
  self->resample = NULL;
  self->compensation = NDA_DRIFT_COMPENSATION_AUTO;
  self->device = NULL;
  self->relation = NDA_CLOCKS_UNKNOWN;
}

GParamSpec *
nda_clocks_param (void)
{
  return g_param_spec_enum ("drift-compensation", "Drift compensation",
      "What to do if the device's clock is not the pipeline's clock: off (the "
      "device's element drops or repeats samples), auto (as soon as two clocks "
      "are proven, follow the device's clock and keep every frame)",
      NDA_TYPE_DRIFT_COMPENSATION, NDA_DRIFT_COMPENSATION_AUTO,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
}

void
nda_clocks_add (NdaClocks * self, GstElement * element)
{
  const NdaDeviceKind *kind = nda_device_kind_get (element);
  NdaDriftCompensation compensation;

  if (!kind->get_clock)
    return;
  GST_OBJECT_LOCK (self->bin);
  compensation = self->compensation;
  gst_object_replace ((GstObject **) & self->device, GST_OBJECT (element));
  GST_OBJECT_UNLOCK (self->bin);
  if (compensation == NDA_DRIFT_COMPENSATION_AUTO)
    kind->ask_to_keep_frames (element);
}

void
nda_clocks_remove (NdaClocks * self, GstElement * element)
{
  GST_OBJECT_LOCK (self->bin);
  if (self->device == element)
    gst_clear_object (&self->device);
  GST_OBJECT_UNLOCK (self->bin);
}

gboolean
nda_clocks_may_follow (NdaClocks * self)
{
  gboolean may;

  GST_OBJECT_LOCK (self->bin);
  may = self->device && self->compensation == NDA_DRIFT_COMPENSATION_AUTO;
  GST_OBJECT_UNLOCK (self->bin);
  return may;
}

static NdaClocksRelation
relate (GstClock * clock, GstClock * own, GstElement * device)
{
  if (!clock || !own)
    return NDA_CLOCKS_UNKNOWN;
  if (clock == own)
    return NDA_CLOCKS_ONE;
  return nda_device_kind_get (device)->keeps_frames (device) ?
      NDA_CLOCKS_TWO : NDA_CLOCKS_UNKNOWN;
}

void
nda_clocks_compare (NdaClocks * self)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (self->bin);
  g_autoptr (GstElement) device = NULL;
  g_autoptr (GstClock) own = NULL;
  NdaDriftCompensation compensation;
  NdaClocksRelation relation;
  const NdaDeviceKind *kind;
  gboolean follow;

  GST_OBJECT_LOCK (self->bin);
  compensation = self->compensation;
  device = self->device ? gst_object_ref (self->device) : NULL;
  GST_OBJECT_UNLOCK (self->bin);

  kind = device ? nda_device_kind_get (device) : NULL;
  own = device ? kind->get_clock (device) : NULL;
  relation = relate (clock, own, device);
  g_atomic_int_set (&self->relation, relation);
  follow = relation == NDA_CLOCKS_TWO
      && compensation == NDA_DRIFT_COMPENSATION_AUTO;
  NDA_LOG_INFO (self->bin, "the pipeline's clock is %" GST_PTR_FORMAT
      ", the device's %" GST_PTR_FORMAT ": it is %sfollowed", clock, own,
      follow ? "" : "not ");
  g_object_set (self->resample, "device-clock",
      follow && kind->is_followed_by_clock ? own : NULL,
      "adaptive", follow, NULL);
}

NdaClocksRelation
nda_clocks_get_relation (NdaClocks * self)
{
  return g_atomic_int_get (&self->relation);
}

gboolean
nda_clocks_is_following (NdaClocks * self)
{
  g_autoptr (GstStructure) inner = NULL;
  const gchar *state;

  if (!self->resample)
    return FALSE;
  g_object_get (self->resample, "stats", &inner, NULL);
  state = gst_structure_get_string (inner, "drift-state");
  return g_strcmp0 (state, "off") != 0 && g_strcmp0 (state, "watching") != 0
      && g_strcmp0 (state, "given-up") != 0;
}

static void
copy_field (const GstStructure * from, const gchar * name, GstStructure * to)
{
  const GValue *value = gst_structure_get_value (from, name);

  if (value)
    gst_structure_set_value (to, name, value);
}

void
nda_clocks_describe (NdaClocks * self, GstStructure * stats)
{
  g_autoptr (GstStructure) inner = NULL;

  if (!self->resample)
    return;
  g_object_get (self->resample, "stats", &inner, NULL);
  copy_field (inner, "drift-ppm", stats);
  copy_field (inner, "drift-state", stats);
  copy_field (inner, "delay-error", stats);
}
