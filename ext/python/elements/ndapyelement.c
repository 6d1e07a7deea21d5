/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyelement.h"

#include "ndapylog.h"
#include "ndapyparent.h"
#include "ndapyproperties.h"

G_DEFINE_INTERFACE (NdaPyElement, nda_py_element, GST_TYPE_ELEMENT);

static void
nda_py_element_default_init (NdaPyElementInterface * iface)
{
}

NdaPyShared *
nda_py_element_get_shared (NdaPyElement * self)
{
  return NDA_PY_ELEMENT_GET_IFACE (self)->get_shared (self);
}

/* Ends the waits of the block thread, for a queue or a time. */
void
nda_py_element_unblock (NdaPyElement * self)
{
  NDA_PY_ELEMENT_GET_IFACE (self)->unblock (self);
}

/* --- the actions --- */

static gboolean
nda_py_element_set_parameter (NdaPyElement * self, const gchar * key,
    const gchar * value)
{
  NdaPyShared *shared = nda_py_element_get_shared (self);

  return key && value && nda_py_parent_is_open (shared)
      && nda_py_parent_set_parameter (shared, key, value);
}

static gchar *
nda_py_element_get_parameter (NdaPyElement * self, const gchar * key)
{
  return key ? nda_py_shared_get_parameter (nda_py_element_get_shared (self),
      key) : g_strdup ("");
}

static gchar *
nda_py_element_describe (NdaPyElement * self)
{
  NdaPyShared *shared = nda_py_element_get_shared (self);
  g_autoptr (GError) error = NULL;
  gchar *text = nda_py_parent_describe (shared, &error);

  if (error)
    nda_py_shared_post_error (shared, error);
  return text;
}

static gboolean
nda_py_element_reload (NdaPyElement * self)
{
  return nda_py_shared_reload (nda_py_element_get_shared (self));
}

#define FLAGS (G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION)

static void
install_plugin_actions (GType type)
{
  /**
   * NdaPyElement::reload:
   *
   * Loads the plugin's file again, with the parameters that it has. The edited
   * plugin takes the place of the old one between two blocks, and no block is
   * lost. If it does not load or start, the old plugin goes on, and a warning
   * says why.
   *
   * Returns: whether there is an edited plugin, which loads
   */
  g_signal_new_class_handler ("reload", type, FLAGS,
      G_CALLBACK (nda_py_element_reload), NULL, NULL, NULL, G_TYPE_BOOLEAN, 0);

  /**
   * NdaPyElement::describe:
   *
   * Asks the plugin for its declarations: its role, rate and frame, and its
   * parameters. In NULL a separate process asks the plugin that is named.
   *
   * Returns: (transfer full): the text of a key file, with a group “plugin” and
   * a group “parameter NAME” for each parameter. NULL if the plugin is of API
   * 1, which declares nothing, or cannot be asked; an error then says why
   */
  g_signal_new_class_handler ("describe", type, FLAGS,
      G_CALLBACK (nda_py_element_describe), NULL, NULL, NULL, G_TYPE_STRING, 0);
}

static void
install_parameter_actions (GType type)
{
  /**
   * NdaPyElement::set-parameter:
   * @key: the parameter
   * @value: its value, as text
   *
   * Sets a parameter of the plugin, between two of its blocks. A parameter that
   * the plugin declares is a property of the child “plugin” too. If the value
   * does not fit, it is refused with a warning.
   *
   * Returns: FALSE if there is no plugin yet (before READY), if the value does
   * not fit the plugin's declaration, or if the plugin refused it. TRUE if the
   * plugin accepted it. Also TRUE if the plugin is in a block, since the value
   * is set at the end of the block; a refusal is a warning then, as always
   */
  g_signal_new_class_handler ("set-parameter", type, FLAGS,
      G_CALLBACK (nda_py_element_set_parameter), NULL, NULL, NULL,
      G_TYPE_BOOLEAN, 2, G_TYPE_STRING, G_TYPE_STRING);

  /**
   * NdaPyElement::get-parameter:
   * @key: the parameter
   *
   * Asks the plugin for a parameter, after all values that were set before.
   *
   * Returns: (transfer full): the value as text, "" if there is none
   */
  g_signal_new_class_handler ("get-parameter", type, FLAGS,
      G_CALLBACK (nda_py_element_get_parameter), NULL, NULL, NULL,
      G_TYPE_STRING, 1, G_TYPE_STRING);
}

/* Gives @class, whose instances are NdaPyElements, the shared properties and
 * actions. The class's own properties begin with NDA_PY_N_PROPS. */
void
nda_py_element_install (GstElementClass * class)
{
  nda_py_log_init ();
  nda_py_properties_install (G_OBJECT_CLASS (class));
  install_plugin_actions (G_TYPE_FROM_CLASS (class));
  install_parameter_actions (G_TYPE_FROM_CLASS (class));
  gst_type_mark_as_plugin_api (NDA_TYPE_PY_ELEMENT, 0);
}
