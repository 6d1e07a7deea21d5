/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an application asked an ndasrc or ndasink to have inside: an element, a
 * place (a URI or a file) or a device, or none of them, which is the default
 * device.
 *
 * Its fields belong to the bin's object lock; a copy belongs to its owner. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GstElement *element;          /* owned; or NULL */
  gchar *place;                 /* owned; or NULL */
  gchar *device;                /* owned; as the mixer names it, or NULL */
} NdaSetting;

/* How one of the two elements makes what is asked for */
typedef struct
{
  const gchar *device_classes;  /* “Audio/Source” or “Audio/Sink” */
  const gchar *default_factory; /* the element for the default device */
  const gchar *name;            /* of that element, as a child */
  /* The error when more than one is asked for; translated when it is used */
  const gchar *several_text;
  /* An element (floating) for @place */
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
