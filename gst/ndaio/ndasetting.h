/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element that an application wants inside an ndasrc or ndasink: an
 * element, a place (a URI or a file) or a device. If none is set, the default
 * device.
 *
 * The bin's object lock guards its fields; a copy belongs to its owner. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstElement *element;          /* owned; or NULL */
  gchar *place;                 /* owned; or NULL */
  gchar *device;                /* owned; as the mixer names it, or NULL */
} NdaSetting;

/* How ndasrc or ndasink makes the element for a setting */
typedef struct
{
  const gchar *device_classes;  /* “Audio/Source” or “Audio/Sink” */
  const gchar *default_factory; /* the element for the default device */
  const gchar *name;            /* of that element, as a child */
  /* The error if more than one is set; translated when it is used */
  const gchar *several_text;
  /* Makes an element (floating) for @place */
  GstElement *(*make_from_place) (gpointer user_data, const gchar * place,
      GError ** error);
} NdaSettingMaker;

NdaSetting nda_setting_copy (const NdaSetting * setting);
void nda_setting_clear (NdaSetting * setting);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NdaSetting, nda_setting_clear)

/* The element (transfer full) that @setting asks for, or NULL. */
GstElement *nda_setting_make (const NdaSetting * setting,
    const NdaSettingMaker * maker, gpointer user_data, GError ** error);

G_END_DECLS
