/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasetting.h"

#include "ndachild.h"
#include "ndadescription.h"
#include "ndadevice.h"

#include <glib/gi18n-lib.h>

NdaSetting
nda_setting_copy (const NdaSetting * self)
{
  NdaSetting copy = {
    .element = self->element ? gst_object_ref (self->element) : NULL,
    .place = g_strdup (self->place),
    .device = g_strdup (self->device),
  };

  return copy;
}

void
nda_setting_clear (NdaSetting * self)
{
  gst_clear_object (&self->element);
  g_clear_pointer (&self->place, g_free);
  g_clear_pointer (&self->device, g_free);
}

static gboolean
check (const NdaSetting * self, const NdaSettingMaker * maker, GError ** error)
{
  const GError *failure = self->element ?
      nda_description_get_error (self->element) : NULL;

  if (failure) {
    g_propagate_error (error, g_error_copy (failure));
    return FALSE;
  }
  if ((self->element != NULL) + (self->place != NULL)
      + (self->device != NULL) > 1) {
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS, _(maker->several_text));
    return FALSE;
  }
  return TRUE;
}

/* The element (floating, or the setting's own). */
static GstElement *
choose (const NdaSetting * self, const NdaSettingMaker * maker,
    gpointer user_data, GError ** error)
{
  if (self->element)
    return self->element;
  if (self->place)
    return maker->make_from_place (user_data, self->place, error);
  if (self->device)
    return nda_device_make (maker->device_classes, self->device, error);
  return nda_child_make (maker->default_factory, maker->name, error);
}

GstElement *
nda_setting_make (const NdaSetting * self, const NdaSettingMaker * maker,
    gpointer user_data, GError ** error)
{
  GstElement *element;

  if (!check (self, maker, error))
    return NULL;
  element = choose (self, maker, user_data, error);
  return element ? gst_object_ref_sink (element) : NULL;
}
