/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadevicelist.h"

/* Several providers offer the same device. PulseAudio and PipeWire both speak
 * PulseAudio's protocol, and the elements for it report how far the device has
 * played, so they come first. The server's own elements come next, then those
 * below the servers. */
static const gchar *const preferred_providers[] = {
  "pulsedeviceprovider", "pipewiredeviceprovider"
};

static guint
get_preference (gpointer factory)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (preferred_providers)
      && g_strcmp0 (GST_OBJECT_NAME (factory), preferred_providers[i]) != 0)
    i++;
  return i;
}

/* Orders providers of one preference by their rank and name. */
static gint
compare_factories (gconstpointer a, gconstpointer b)
{
  guint of_a = get_preference ((gpointer) a);
  guint of_b = get_preference ((gpointer) b);

  return of_a != of_b ? (gint) of_a - (gint) of_b :
      gst_plugin_feature_rank_compare_func (a, b);
}

GList *
nda_device_list_factories (const gchar * classes)
{
  GList *all = gst_device_provider_factory_list_get_device_providers (1);
  GList *next;

  for (GList * l = all; l; l = next) {
    next = l->next;
    if (!gst_device_provider_factory_has_classes (l->data, classes)) {
      gst_object_unref (l->data);
      all = g_list_delete_link (all, l);
    }
  }
  return g_list_sort (all, compare_factories);
}

/* Returns the devices of @provider (transfer full). A provider that can run is
 * asked while it runs: PipeWire's has an error in its reference count
 * otherwise. */
static GList *
ask (GstDeviceProvider * provider)
{
  GList *devices;

  if (!gst_device_provider_can_monitor (provider))
    return gst_device_provider_get_devices (provider);
  if (!gst_device_provider_start (provider))
    return NULL;
  devices = gst_device_provider_get_devices (provider);
  gst_device_provider_stop (provider);
  return devices;
}

GList *
nda_device_list_get (GstDeviceProviderFactory * factory, const gchar * classes)
{
  g_autoptr (GstDeviceProvider) provider =
      gst_device_provider_factory_get (factory);
  GList *devices = provider ? ask (provider) : NULL;
  GList *next;

  for (GList * l = devices; l; l = next) {
    next = l->next;
    if (!gst_device_has_classes (l->data, classes)) {
      gst_object_unref (l->data);
      devices = g_list_delete_link (devices, l);
    }
  }
  return devices;
}

gboolean
nda_device_list_is_pulse_of_pipewire (void)
{
  g_autoptr (GstPluginFeature) factory = gst_registry_find_feature
      (gst_registry_get (), "pulsedeviceprovider",
      GST_TYPE_DEVICE_PROVIDER_FACTORY);
  GList *devices = factory ?
      nda_device_list_get (GST_DEVICE_PROVIDER_FACTORY (factory),
      "Audio") : NULL;
  gboolean is_found = FALSE;

  for (GList * l = devices; l && !is_found; l = l->next) {
    g_autoptr (GstStructure) details = gst_device_get_properties (l->data);

    is_found = details && gst_structure_has_field (details, "object.serial");
  }
  g_list_free_full (devices, gst_object_unref);
  return is_found;
}
