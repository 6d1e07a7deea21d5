/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The registry's scanner reads only the text files of installed plugins: no
 * Python runs, and no plugin's file is opened. If a text is broken, only its
 * own element is missing.
 *
 * An element's type derives from ndapybridge's, ndapysrc's or ndapysink's. Its
 * properties pass values to the child “plugin”, which keeps them. */

#include "config.h"

#include "ndapyinstalled.h"

#include "ndapybridge.h"
#include "ndapydescription.h"
#include "ndapyelement.h"
#include "ndapylog.h"
#include "ndapyparam.h"
#include "ndapyparent.h"
#include "ndapysink.h"
#include "ndapysrc.h"

#include <glib/gi18n-lib.h>

#include <string.h>

#define SUFFIX ".ini"

/* The description that a type was made from; it is never freed, as types are */
typedef struct
{
  NdaPyDescription *description;        /* [const] owned */
  GParamSpec **params;          /* [const] owned; one for each declaration */
} Installed;

enum
{
  PROP_PLUGIN = 1,
  PROP_PLUGIN_PATH,
  N_PROPS
};

static GQuark
get_quark (void)
{
  return g_quark_from_static_string ("nda-py-installed");
}

static Installed *
get_installed (gpointer element)
{
  return g_type_get_qdata (G_OBJECT_TYPE (element), get_quark ());
}

static NdaPyShared *
get_shared (gpointer element)
{
  return nda_py_element_get_shared (NDA_PY_ELEMENT (element));
}

/* --- properties ----------------------------------------------------------- */

/* Returns the child (transfer full); @i is the number of its parameter @key.
 * NULL: the plugin was edited, and has no such parameter any more. */
static NdaPyChild *
find_in_child (GObject * object, const gchar * key, guint * i)
{
  NdaPyChild *child = nda_py_parent_get_child (get_shared (object));
  const NdaPyDescription *d = child ? nda_py_child_get_description (child) :
      NULL;
  gint found = d ? nda_py_description_find (d, key) : -1;

  if (found < 0)
    g_clear_object (&child);
  *i = found;
  return child;
}

static void
nda_py_installed_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  const NdaPyDeclaration *declaration =
      nda_py_description_get (get_installed (object)->description,
      id - N_PROPS);
  guint i;
  g_autoptr (NdaPyChild) child = find_in_child (object, declaration->key, &i);
  g_auto (GValue) plain = G_VALUE_INIT;
  g_autofree gchar *text = NULL;

  if (!child) {
    GST_WARNING_OBJECT (object, "the edited plugin has no parameter “%s”",
        declaration->key);
    return;
  }
  g_value_init (&plain, nda_py_declaration_get_value_type (declaration));
  nda_py_param_to_plain (value, &plain);
  text = nda_py_declaration_print (declaration, &plain);
  nda_py_parent_set_parameter (get_shared (object), declaration->key, text);
}

static void
get_parameter (GObject * object, const NdaPyDeclaration * declaration,
    GValue * value)
{
  guint i;
  g_autoptr (NdaPyChild) child = find_in_child (object, declaration->key, &i);
  g_auto (GValue) plain = G_VALUE_INIT;

  if (!child)
    return;
  g_value_init (&plain, nda_py_declaration_get_value_type (declaration));
  if (nda_py_child_get (child, i, &plain))
    nda_py_param_from_plain (&plain, value);
}

static void
nda_py_installed_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  const NdaPyDescription *d = get_installed (object)->description;

  if (id == PROP_PLUGIN)
    g_value_set_string (value, d->plugin);
  else if (id >= N_PROPS)
    get_parameter (object, nda_py_description_get (d, id - N_PROPS), value);
}

static void
nda_py_installed_notify (NdaPyShared * shared, const gchar * property)
{
  Installed *installed = get_installed (shared->element);
  gint i = nda_py_description_find (installed->description, property);

  if (i >= 0)
    g_object_notify_by_pspec (G_OBJECT (shared->element), installed->params[i]);
}

/* --- the type ------------------------------------------------------------- */

static void
install_parameter (GObjectClass * class, Installed * installed, guint i)
{
  const NdaPyDeclaration *declaration =
      nda_py_description_get (installed->description, i);
  const gchar *property = declaration->property;
  g_autofree gchar *name = g_object_class_find_property (class, property) ?
      g_strconcat ("parameter-", property, NULL) : g_strdup (property);

  installed->params[i] =
      nda_py_param_new (declaration, name, G_OBJECT_CLASS_NAME (class));
  g_object_class_install_property (class, N_PROPS + i, installed->params[i]);
}

/* Replaces the property “plugin” by one that cannot be changed. */
static void
install_plugin (GObjectClass * class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (class, PROP_PLUGIN,
      g_param_spec_string ("plugin", "Plugin",
          "The plugin that is installed under this name", NULL, flags));
  g_object_class_install_property (class, PROP_PLUGIN_PATH,
      g_param_spec_string ("plugin-path", "Plugin path",
          "Not used: the plugin is found where it was installed from", NULL,
          flags));
}

static void
nda_py_installed_class_init (gpointer g_class, gpointer data)
{
  GObjectClass *class = g_class;
  GstElementClass *element_class = g_class;
  Installed *installed = data;
  const NdaPyDescription *d = installed->description;
  g_autofree gchar *class_words = g_strdup (gst_element_class_get_metadata
      (element_class, GST_ELEMENT_METADATA_KLASS));
  g_autofree gchar *what = g_strdup_printf ("%s (a plugin in Python, %s)",
      d->summary && *d->summary ? d->summary : d->name, d->plugin);

  class->set_property = nda_py_installed_set_property;
  class->get_property = nda_py_installed_get_property;
  install_plugin (class);
  installed->params = g_new0 (GParamSpec *, d->declarations->len);
  for (guint i = 0; i < d->declarations->len; i++)
    install_parameter (class, installed, i);
  gst_element_class_set_metadata (element_class, d->name, class_words, what,
      "nda install");
}

static void
nda_py_installed_init (GTypeInstance * instance, gpointer g_class)
{
  NdaPyShared *shared = get_shared (instance);
  const NdaPyDescription *d =
      ((Installed *) g_type_get_qdata (G_TYPE_FROM_CLASS (g_class),
          get_quark ()))->description;

  shared->installed = d;
  shared->notify = nda_py_installed_notify;
  shared->settings.plugin = g_strdup (d->plugin);
  if (d->python) {
    shared->settings.isolation = NDA_PY_ISOLATION_PROCESS;
    shared->settings.python = g_strdup (d->python);
  }
  nda_py_parent_adopt (shared, d->is_api_1 ? NULL : d->text, NULL);
}

static GType
get_parent_type (const NdaPyDescription * d)
{
  switch (d->role) {
    case NDA_PY_ROLE_SOURCE:
      return nda_py_src_get_type ();
    case NDA_PY_ROLE_SINK:
      return nda_py_sink_get_type ();
    default:
      return nda_py_bridge_get_type ();
  }
}

/* Registers a type for @d (transfer full). */
static GType
register_type (const gchar * name, NdaPyDescription * d)
{
  g_autofree gchar *type_name = g_strconcat ("NdaPlugin-", name, NULL);
  Installed *installed = g_new0 (Installed, 1);
  GTypeInfo info = { 0 };
  GTypeQuery query;
  GType type;

  installed->description = d;
  g_type_query (get_parent_type (d), &query);
  info.class_size = query.class_size;
  info.instance_size = query.instance_size;
  info.class_init = nda_py_installed_class_init;
  info.class_data = installed;
  info.instance_init = nda_py_installed_init;
  type = g_type_register_static (query.type, type_name, &info, 0);
  g_type_set_qdata (type, get_quark (), installed);
  return type;
}

/* --- what is kept --------------------------------------------------------- */

/* The folder of the text files (transfer full). */
static gchar *
find_folder (void)
{
  const gchar *folder = g_getenv ("NDA_INSTALLED_DIR");

  return folder && *folder ? g_strdup (folder) :
      g_build_filename (g_get_user_data_dir (), "nda", "plugins", NULL);
}

/* Makes the registry look again whenever a text file is written or removed. */
static void
watch_folder (GstPlugin * plugin)
{
  /* a variable, and the path below its value, as GStreamer wants them */
  static const gchar *const places[] = {
    "NDA_INSTALLED_DIR",
    "XDG_DATA_HOME/nda/plugins",
    "HOME/.local/share/nda/plugins",
  };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    const gchar *variables[] = { places[i], NULL };
    const gchar *names[] = { SUFFIX, NULL };

    gst_plugin_add_dependency (plugin, variables, NULL, names,
        GST_PLUGIN_DEPENDENCY_FLAG_FILE_NAME_IS_SUFFIX);
  }
}

static gboolean
is_name (const gchar * name)
{
  return g_ascii_isalnum (*name)
      && strspn (name, G_CSET_a_2_z G_CSET_DIGITS "-") == strlen (name);
}

static NdaPyDescription *
read_description (const gchar * path, GError ** error)
{
  g_autofree gchar *text = NULL;
  g_autoptr (NdaPyDescription) d = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  d = nda_py_description_parse (text, error);
  if (!d || (d->path && d->plugin && d->checksum))
    return g_steal_pointer (&d);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "%s",
      _("[plugin]: path, plugin or checksum is missing"));
  return NULL;
}

static void
register_one (GstPlugin * plugin, const gchar * folder, const gchar * file)
{
  g_autofree gchar *path = g_build_filename (folder, file, NULL);
  g_autofree gchar *name = g_strndup (file, strlen (file) - strlen (SUFFIX));
  g_autofree gchar *element = g_strconcat ("nda-", name, NULL);
  g_autoptr (GError) error = NULL;
  NdaPyDescription *d = is_name (name) ? read_description (path, &error) : NULL;

  if (!d)
    GST_WARNING
        ("“%s” is no installed plugin, so there is no element “%s”: "
        "%s. Run “nda install” or “nda uninstall” for it again.", path,
        element,
        error ? error->message : "its name has other than a-z, 0-9 and -");
  else if (!gst_element_register (plugin, element, GST_RANK_NONE,
          register_type (name, d)))
    GST_WARNING ("“%s” cannot be registered as “%s”", path, element);
}

/* Registers the elements of all installed plugins. */
void
nda_py_installed_register (GstPlugin * plugin)
{
  g_autofree gchar *folder = find_folder ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *file;

  watch_folder (plugin);
  while (dir && (file = g_dir_read_name (dir)))
    if (g_str_has_suffix (file, SUFFIX) && *file != '.')
      register_one (plugin, folder, file);
}
