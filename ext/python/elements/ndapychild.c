/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LOCKS. The child's object lock guards its values. The host's lock is taken
 * under it, to queue a value, so the plugin gets the values in the order in
 * which the child accepted them. No callback is called under it.
 *
 * TYPES. types_lock guards the types that were made. A GObject type is never
 * freed. Plugins with the same declarations have the same type. */

#include "config.h"

#include "ndapychild.h"

#include "ndapylog.h"
#include "ndapyparam.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  const NdaPyChildEvents *events;       /* [const] */
  gpointer owner;               /* [const] not owned; the parent's */
  GValue *values;               /* [object lock] owned; per declaration */
  gboolean *is_set;             /* [object lock] owned; not the default */
} NdaPyChildPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (NdaPyChild, nda_py_child, GST_TYPE_OBJECT);

static GMutex types_lock;
static GHashTable *types;       /* [types lock] of GType, by description */

static NdaPyChildPrivate *
get_private (NdaPyChild * self)
{
  return nda_py_child_get_instance_private (self);
}

/* Returns the plugin's declarations (not owned, valid for good); NULL: there
 * are none. */
const NdaPyDescription *
nda_py_child_get_description (NdaPyChild * self)
{
  return NDA_PY_CHILD_GET_CLASS (self)->description;
}

static guint
get_n_declarations (NdaPyChild * self)
{
  const NdaPyDescription *d = nda_py_child_get_description (self);

  return d ? d->declarations->len : 0;
}

static const NdaPyDeclaration *
get_declaration (NdaPyChild * self, guint i)
{
  return nda_py_description_get (nda_py_child_get_description (self), i);
}

/* Whether the child belongs to a plugin that describes itself with @text. */
gboolean
nda_py_child_is_of (NdaPyChild * self, const gchar * text)
{
  const NdaPyDescription *d = nda_py_child_get_description (self);

  return g_strcmp0 (d ? d->text : NULL, text) == 0;
}

/* --- the values ----------------------------------------------------------- */

/* Whether both values are equal; they have the same type. */
static gboolean
is_equal (const NdaPyDeclaration * declaration, const GValue * a,
    const GValue * b)
{
  switch (declaration->type) {
    case NDA_PY_TYPE_FLOAT:
      return g_value_get_double (a) == g_value_get_double (b);
    case NDA_PY_TYPE_BOOL:
      return g_value_get_boolean (a) == g_value_get_boolean (b);
    case NDA_PY_TYPE_INT:
    case NDA_PY_TYPE_CHOICE:
      return g_value_get_int (a) == g_value_get_int (b);
    default:
      return g_strcmp0 (g_value_get_string (a), g_value_get_string (b)) == 0;
  }
}

static void
queue_locked (NdaPyChild * self, guint i)
{
  NdaPyChildPrivate *priv = get_private (self);
  const NdaPyDeclaration *declaration = get_declaration (self, i);
  g_autofree gchar *text =
      nda_py_declaration_print (declaration, &priv->values[i]);

  priv->events->queue (priv->owner, declaration->key, text);
}

/* Keeps a value that is allowed, and queues it for the plugin. FALSE: the value
 * has not changed. @parent is set to the object that has to set it in the
 * plugin (transfer full), or NULL. */
static gboolean
take (NdaPyChild * self, guint i, const GValue * plain, GstObject ** parent)
{
  NdaPyChildPrivate *priv = get_private (self);
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));
  gboolean is_same = is_equal (get_declaration (self, i), &priv->values[i],
      plain);

  *parent = NULL;
  if (is_same && priv->is_set[i])
    return FALSE;
  priv->is_set[i] = TRUE;
  g_value_copy (plain, &priv->values[i]);
  if (GST_OBJECT_PARENT (self)) {
    *parent = gst_object_ref (GST_OBJECT_PARENT (self));
    queue_locked (self, i);
  }
  return !is_same;
}

/* Sets parameter @i. If @plain is not allowed, the old value stays, and @error
 * names the allowed values. */
gboolean
nda_py_child_set (NdaPyChild * self, guint i, const GValue * plain,
    GError ** error)
{
  g_autoptr (GstObject) parent = NULL;
  NdaPyChildPrivate *priv = get_private (self);
  GParamSpec *param = NDA_PY_CHILD_GET_CLASS (self)->params[i];
  gboolean is_changed;

  if (!nda_py_declaration_check (get_declaration (self, i), plain, error))
    return FALSE;
  is_changed = take (self, i, plain, &parent);
  if (parent)
    priv->events->set_queued (priv->owner);
  if (is_changed) {
    g_object_notify_by_pspec (G_OBJECT (self), param);
    if (parent)
      priv->events->notify (priv->owner, param->name);
  }
  return TRUE;
}

static gboolean
find (NdaPyChild * self, const gchar * key, guint * i, GError ** error)
{
  const NdaPyDescription *d = nda_py_child_get_description (self);
  gint found = d ? nda_py_description_find (d, key) : -1;
  g_autofree gchar *keys = NULL;

  *i = found;
  if (found >= 0)
    return TRUE;
  keys = d ? nda_py_description_list_keys (d) : NULL;
  if (!keys || !*keys)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("%s: the plugin has no parameters"), key);
  else
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("%s: the plugin has no such parameter, but these: %s"), key, keys);
  return FALSE;
}

/* Sets the parameter @key to the value of @text, in the same way. */
gboolean
nda_py_child_set_text (NdaPyChild * self, const gchar * key, const gchar * text,
    GError ** error)
{
  g_auto (GValue) plain = G_VALUE_INIT;
  guint i;

  return find (self, key, &i, error)
      && nda_py_declaration_parse (get_declaration (self, i), text, &plain,
      error)
      && nda_py_child_set (self, i, &plain, error);
}

/* Gets the value of parameter @i in @plain. FALSE: the parameter has another
 * type. */
gboolean
nda_py_child_get (NdaPyChild * self, guint i, GValue * plain)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  if (!G_VALUE_HOLDS (&get_private (self)->values[i], G_VALUE_TYPE (plain)))
    return FALSE;
  g_value_copy (&get_private (self)->values[i], plain);
  return TRUE;
}

/* Returns all values that were set, as text (transfer full). */
NdaPyParameters *
nda_py_child_list (NdaPyChild * self)
{
  NdaPyChildPrivate *priv = get_private (self);
  NdaPyParameters *list = nda_py_parameters_new ();
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  for (guint i = 0; i < get_n_declarations (self); i++) {
    const NdaPyDeclaration *declaration = get_declaration (self, i);
    g_autofree gchar *text = NULL;

    if (!priv->is_set[i])
      continue;
    text = nda_py_declaration_print (declaration, &priv->values[i]);
    g_ptr_array_add (list, nda_py_parameter_new (declaration->key, text));
  }
  return list;
}

/* Queues all values that were set, for a plugin that was just opened. */
void
nda_py_child_queue_all (NdaPyChild * self)
{
  NdaPyChildPrivate *priv = get_private (self);
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  for (guint i = 0; i < get_n_declarations (self); i++)
    if (priv->is_set[i] && GST_OBJECT_PARENT (self))
      queue_locked (self, i);
}

/* --- the object ----------------------------------------------------------- */

static void
nda_py_child_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaPyChild *self = NDA_PY_CHILD (object);
  NdaPyChildPrivate *priv = get_private (self);
  g_auto (GValue) plain = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstObject) parent = NULL;

  g_value_init (&plain,
      nda_py_declaration_get_value_type (get_declaration (self, id - 1)));
  nda_py_param_to_plain (value, &plain);
  if (nda_py_child_set (self, id - 1, &plain, &error))
    return;
  parent = gst_object_get_parent (GST_OBJECT (self));
  if (parent)
    priv->events->refuse (priv->owner, error);
  else
    GST_WARNING_OBJECT (self, "%s", error->message);
}

static void
nda_py_child_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaPyChild *self = NDA_PY_CHILD (object);
  g_auto (GValue) plain = G_VALUE_INIT;

  g_value_init (&plain,
      nda_py_declaration_get_value_type (get_declaration (self, id - 1)));
  nda_py_child_get (self, id - 1, &plain);
  nda_py_param_from_plain (&plain, value);
}

static void
nda_py_child_constructed (GObject * object)
{
  NdaPyChild *self = NDA_PY_CHILD (object);
  NdaPyChildPrivate *priv = get_private (self);
  guint n = get_n_declarations (self);

  priv->values = g_new0 (GValue, n);
  priv->is_set = g_new0 (gboolean, n);
  for (guint i = 0; i < n; i++) {
    const NdaPyDeclaration *declaration = get_declaration (self, i);

    g_value_init (&priv->values[i],
        nda_py_declaration_get_value_type (declaration));
    if (G_IS_VALUE (&declaration->initial))
      g_value_copy (&declaration->initial, &priv->values[i]);
  }
  G_OBJECT_CLASS (nda_py_child_parent_class)->constructed (object);
}

static void
nda_py_child_finalize (GObject * object)
{
  NdaPyChild *self = NDA_PY_CHILD (object);
  NdaPyChildPrivate *priv = get_private (self);

  for (guint i = 0; i < get_n_declarations (self); i++)
    g_value_unset (&priv->values[i]);
  g_free (priv->values);
  g_free (priv->is_set);
  G_OBJECT_CLASS (nda_py_child_parent_class)->finalize (object);
}

static void
nda_py_child_init (NdaPyChild * self)
{
}

static void
nda_py_child_class_init (NdaPyChildClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->constructed = nda_py_child_constructed;
  object_class->finalize = nda_py_child_finalize;
}

/* --- types made for a plugin ---------------------------------------------- */

static void
nda_py_child_described_class_init (gpointer g_class, gpointer data)
{
  NdaPyChildClass *class = g_class;
  const NdaPyDescription *d = data;

  /* GObject does not inherit these */
  G_OBJECT_CLASS (class)->set_property = nda_py_child_set_property;
  G_OBJECT_CLASS (class)->get_property = nda_py_child_get_property;
  class->description = d;
  class->params = g_new0 (GParamSpec *, d->declarations->len);
  for (guint i = 0; i < d->declarations->len; i++) {
    const NdaPyDeclaration *declaration = nda_py_description_get (d, i);

    class->params[i] = nda_py_param_new (declaration, declaration->property,
        G_OBJECT_CLASS_NAME (class));
    g_object_class_install_property (G_OBJECT_CLASS (class), i + 1,
        class->params[i]);
  }
}

/* Registers a type for @d (transfer full). Two plugins may have the same
 * name. */
static GType
register_type (NdaPyDescription * d)
{
  g_autofree gchar *sum =
      g_compute_checksum_for_string (G_CHECKSUM_SHA256, d->text, -1);
  g_autofree gchar *stem = g_strcanon (g_strdup (d->name), G_CSET_A_2_Z
      G_CSET_a_2_z G_CSET_DIGITS "-", '_');
  g_autofree gchar *name = g_strdup_printf ("NdaPyChild-%s-%.12s", stem, sum);
  GTypeInfo info = { 0 };

  info.class_size = sizeof (NdaPyChildClass);
  info.instance_size = sizeof (NdaPyChild);
  info.class_init = nda_py_child_described_class_init;
  info.class_data = d;
  return g_type_register_static (NDA_TYPE_PY_CHILD, name, &info, 0);
}

static GType
get_type_for (const gchar * text, GError ** error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&types_lock);
  NdaPyDescription *description;
  GType type;

  if (!text)
    return NDA_TYPE_PY_CHILD;
  if (!types)
    types = g_hash_table_new (g_str_hash, g_str_equal);
  type = GPOINTER_TO_SIZE (g_hash_table_lookup (types, text));
  if (type)
    return type;
  description = nda_py_description_parse (text, error);
  if (!description)
    return 0;
  type = register_type (description);
  g_hash_table_insert (types, description->text, GSIZE_TO_POINTER (type));
  return type;
}

NdaPyChild *
nda_py_child_new (const gchar * text, const NdaPyChildEvents * events,
    gpointer owner, GError ** error)
{
  GType type = get_type_for (text, error);
  NdaPyChild *self;

  if (!type)
    return NULL;
  self = g_object_new (type, "name", NDA_PY_CHILD_NAME, NULL);
  get_private (self)->events = events;
  get_private (self)->owner = owner;
  return self;
}
