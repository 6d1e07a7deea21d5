/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GStreamer's interfaces to the element's child “plugin”: GstChildProxy gives
 * the child, GstPreset its properties. */

#include "config.h"

#include "ndapychildproxy.h"

#include "ndapyelement.h"
#include "ndapyparent.h"

static gboolean (*load_preset_by_default) (GstPreset *, const gchar *);

static NdaPyChild *
get_child (gpointer element)
{
  return nda_py_parent_get_child (nda_py_element_get_shared (NDA_PY_ELEMENT
          (element)));
}

/* --- GstChildProxy -------------------------------------------------------- */

static GObject *
nda_py_child_proxy_get_child_by_index (GstChildProxy * proxy, guint index)
{
  return index ? NULL : (GObject *) get_child (proxy);
}

static GObject *
nda_py_child_proxy_get_child_by_name (GstChildProxy * proxy, const gchar * name)
{
  return g_strcmp0 (name, NDA_PY_CHILD_NAME) ? NULL :
      (GObject *) get_child (proxy);
}

static guint
nda_py_child_proxy_get_children_count (GstChildProxy * proxy)
{
  g_autoptr (NdaPyChild) child = get_child (proxy);

  return child ? 1 : 0;
}

void
nda_py_child_proxy_init (gpointer g_iface, gpointer unused)
{
  GstChildProxyInterface *iface = g_iface;

  iface->get_child_by_index = nda_py_child_proxy_get_child_by_index;
  iface->get_child_by_name = nda_py_child_proxy_get_child_by_name;
  iface->get_children_count = nda_py_child_proxy_get_children_count;
}

/* --- GstPreset ------------------------------------------------------------ */

/* Whether a property belongs into a preset. A secret is write-only, and the
 * text of “parameters” may contain one. */
static gboolean
is_for_presets (const GParamSpec * param)
{
  return (param->flags & G_PARAM_READWRITE) == G_PARAM_READWRITE
      && !(param->flags & G_PARAM_CONSTRUCT_ONLY)
      && param->owner_type != GST_TYPE_OBJECT
      && !g_str_equal (param->name, "parameters");
}

static void
add_names (GPtrArray * names, GObject * object, const gchar * prefix)
{
  guint n_params;
  g_autofree GParamSpec **params =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n_params);

  for (guint i = 0; i < n_params; i++)
    if (is_for_presets (params[i]))
      g_ptr_array_add (names, g_strconcat (prefix, params[i]->name, NULL));
}

static gchar **
nda_py_child_proxy_get_property_names (GstPreset * preset)
{
  GPtrArray *names = g_ptr_array_new ();
  g_autoptr (NdaPyChild) child = NULL;

  add_names (names, G_OBJECT (preset), "");
  /* an installed element has the parameters as its own properties */
  if (!nda_py_element_get_shared (NDA_PY_ELEMENT (preset))->installed)
    child = get_child (preset);
  if (child)
    add_names (names, G_OBJECT (child), NDA_PY_CHILD_NAME "::");
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

/* Loads the preset twice: the first time sets the plugin, and only then its
 * parameters are known. */
static gboolean
nda_py_child_proxy_load_preset (GstPreset * preset, const gchar * name)
{
  return load_preset_by_default (preset, name)
      && load_preset_by_default (preset, name);
}

void
nda_py_child_proxy_preset_init (gpointer g_iface, gpointer unused)
{
  GstPresetInterface *iface = g_iface;

  load_preset_by_default = iface->load_preset;
  iface->get_property_names = nda_py_child_proxy_get_property_names;
  iface->load_preset = nda_py_child_proxy_load_preset;
}
