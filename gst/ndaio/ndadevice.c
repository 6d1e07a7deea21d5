/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadevice.h"

#include "ndadevicekind.h"
#include "ndadevicelist.h"

#include <glib/gi18n-lib.h>

/* The properties that may hold a device's name, besides the name shown to
 * people */
static const gchar *const name_fields[] = {
  "device.name", "node.name", "alsa.card_name", "device.string", NULL
};

/* The name that the device's own element uses, or NULL. */
static gchar *
internal_name (GstDevice * device)
{
  gchar *name = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (device),
          "internal-name"))
    g_object_get (device, "internal-name", &name, NULL);
  return name;
}

/* Whether @name is a name of @device: the one shown to people, or the one that
 * the audio server lists. */
static gboolean
is_called (GstDevice * device, const gchar * name)
{
  g_autofree gchar *shown = gst_device_get_display_name (device);
  g_autoptr (GstStructure) details = gst_device_get_properties (device);

  if (g_strcmp0 (shown, name) == 0)
    return TRUE;
  for (guint i = 0; details && name_fields[i]; i++)
    if (g_strcmp0 (gst_structure_get_string (details, name_fields[i]),
            name) == 0)
      return TRUE;
  return FALSE;
}

/* Returns the first of @devices (not owned) whose own element uses @name, or
 * NULL. No two devices have the same such name. */
static GstDevice *
find_internal (GList * devices, const gchar * name)
{
  for (GList * l = devices; l; l = l->next) {
    g_autofree gchar *internal = internal_name (l->data);

    if (g_strcmp0 (internal, name) == 0)
      return l->data;
  }
  return NULL;
}

/* Returns those of @devices (transfer container) that have @name. More than one
 * server may list a card; the list of the first server counts. */
static GList *
find_called (GList * devices, const gchar * name)
{
  GList *found = NULL;

  for (GList * l = devices; l; l = l->next)
    if (is_called (l->data, name)
        && (!found || G_OBJECT_TYPE (found->data) == G_OBJECT_TYPE (l->data)))
      found = g_list_append (found, l->data);
  return found;
}

/* Returns the name shown to people, with the name that the device's element
 * takes before it. */
static gchar *
describe (GstDevice * device)
{
  g_autofree gchar *shown = gst_device_get_display_name (device);
  g_autofree gchar *internal = internal_name (device);

  return internal ? g_strdup_printf ("“%s” (%s)", internal, shown) :
      g_strdup_printf ("“%s”", shown);
}

static gchar *
join (GPtrArray * names)
{
  if (!names->len)
    return g_strdup (_("none"));
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (gchar **) names->pdata);
}

/* --- one device --- */

static GstElement *
make_element (GstDevice * device)
{
  GstElement *element = gst_device_create_element (device, NULL);
  g_autoptr (GstStructure) details = gst_device_get_properties (device);
  const NdaDeviceKind *kind = element ? nda_device_kind_get (element) : NULL;

  if (kind && kind->set_name && details
      && gst_structure_has_field_typed (details, "node.name", G_TYPE_STRING))
    kind->set_name (element, gst_structure_get_string (details, "node.name"));
  return element;
}

/* Adds the names of @devices to @names, each once. */
static void
note_names (GPtrArray * names, GList * devices)
{
  for (GList * l = devices; l; l = l->next) {
    gchar *name = describe (l->data);

    if (g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
      g_free (name);
    else
      g_ptr_array_add (names, name);
  }
}

/* The names of @devices as one text */
static gchar *
list_names (GList * devices)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  note_names (names, devices);
  return join (names);
}

/* Returns the one of @devices (not owned) that @name means. NULL without an
 * error: none has that name. */
static GstDevice *
find (GList * devices, const gchar * name, GError ** error)
{
  GstDevice *device = find_internal (devices, name);
  g_autoptr (GList) called = device ? NULL : find_called (devices, name);
  g_autofree gchar *names = NULL;

  if (device || !called)
    return device;
  if (!called->next)
    return called->data;
  names = list_names (called);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
      _("More than one audio device is called “%s”. Use the first name of "
          "one of these: %s."), name, names);
  return NULL;
}

/* An element (floating) for what @factory offers under @name. NULL with an
 * error where that is not one device, or without where there is none; then
 * @names learns what else it offers. */
static GstElement *
make_from (GstDeviceProviderFactory * factory, const gchar * classes,
    const gchar * name, GPtrArray * names, GError ** error)
{
  GList *devices = nda_device_list_get (factory, classes);
  GstDevice *device = find (devices, name, error);
  GstElement *element = device ? make_element (device) : NULL;

  if (device && !element)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        _("There is no element for the audio device “%s”. Install "
            "GStreamer's base and good plugins."), name);
  note_names (names, devices);
  g_list_free_full (devices, gst_object_unref);
  return element;
}

/* An element (floating) for the device of @classes, “Audio/Source” or
 * “Audio/Sink”, that is called @name. */
GstElement *
nda_device_make (const gchar * classes, const gchar * name, GError ** error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GList *factories = nda_device_list_factories (classes);
  g_autofree gchar *there = NULL;
  GstElement *element = NULL;
  GError *problem = NULL;

  for (GList * l = factories; l && !element && !problem; l = l->next)
    element = make_from (l->data, classes, name, names, &problem);
  g_list_free_full (factories, gst_object_unref);
  if (problem)
    g_propagate_error (error, problem);
  if (element || problem)
    return element;
  there = join (names);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _("There is no audio device “%s”. These are there: %s."), name,
      there);
  return NULL;
}

/* Whether @element is an autoaudiosrc or autoaudiosink. */
gboolean
nda_device_is_auto (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory && g_str_has_prefix (GST_OBJECT_NAME (factory), "autoaudio");
}

/* Without a device @auto_element puts in a stand-in, and a warning on the
 * bus. */
GstElement *
nda_device_get_chosen (GstElement * auto_element)
{
  GstIterator *children;
  GValue item = G_VALUE_INIT;
  GstElement *chosen = NULL;

  children = gst_bin_iterate_elements (GST_BIN (auto_element));
  while (gst_iterator_next (children, &item) == GST_ITERATOR_OK) {
    GstElement *child = g_value_get_object (&item);

    if (!g_str_has_prefix (GST_OBJECT_NAME (child), "fake-"))
      gst_object_replace ((GstObject **) & chosen, GST_OBJECT (child));
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (children);
  return chosen;
}
