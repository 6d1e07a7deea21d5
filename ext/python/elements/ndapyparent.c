/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* WHICH CHILD. From READY on it is the child of the plugin that is open. In
 * NULL there is no plugin: who asks for the child, as gst-launch-1.0 does for
 * plugin::threshold=-30, has the plugin that is named asked what it declares,
 * in a process of its own. The next change to READY keeps this child if the
 * plugin still declares the same. Else another takes its place, with the values
 * that fit.
 *
 * LOCKS. The object lock guards which child there is. It is not held while a
 * plugin is asked, nor when a signal is emitted: of two threads that asked, the
 * first one's child stays. */

#include "config.h"

#include "ndapyparent.h"

#include "ndapyelementstate.h"

#include <glib/gi18n-lib.h>

static gboolean (*load_preset_by_default) (GstPreset *, const gchar *);

static NdaPyShared *
get_shared (NdaPyElement * self)
{
  return nda_py_element_get_shared (self);
}

/* --- what was refused ----------------------------------------------------- */

static void
tell_of_refusal (NdaPyElement * self, const gchar * text)
{
  GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS,
      (_("The plugin did not take the parameter %s"), text),
      ("the value was refused before it reached the plugin"));
}

/* Tells of a value that does not fit. In NULL nobody could hear it: it is told
 * when the element leaves NULL. */
void
nda_py_parent_refuse (NdaPyElement * self, const GError * error)
{
  NdaPyShared *shared = get_shared (self);
  gboolean is_up;

  GST_OBJECT_LOCK (self);
  is_up = shared->is_up;
  if (!is_up)
    g_ptr_array_add (shared->unheard, g_strdup (error->message));
  GST_OBJECT_UNLOCK (self);
  if (is_up)
    tell_of_refusal (self, error->message);
}

/* --- which child ---------------------------------------------------------- */

static NdaPyChild *
ref_child (NdaPyElement * self)
{
  NdaPyShared *shared = get_shared (self);
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  return shared->child ? g_object_ref (shared->child) : NULL;
}

static gchar *
dup_parameters (NdaPyElement * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  return g_strdup (get_shared (self)->settings.parameters);
}

static void
set_all (NdaPyElement * self, NdaPyChild * child, const NdaPyParameters * list)
{
  for (guint i = 0; i < list->len; i++) {
    const NdaPyParameter *p = g_ptr_array_index (list, i);
    g_autoptr (GError) error = NULL;

    if (!nda_py_child_set_text (child, p->key, p->value, &error))
      nda_py_parent_refuse (self, error);
  }
}

static gboolean
is_same_plugin (NdaPyChild * a, NdaPyChild * b)
{
  const NdaPyDescription *one = nda_py_child_get_description (a);
  const NdaPyDescription *other = nda_py_child_get_description (b);

  return one && other && g_strcmp0 (one->path, other->path) == 0
      && g_strcmp0 (one->name, other->name) == 0;
}

/* The values that @child begins with: those of the one before, if it was of the
 * same plugin, else those of the property “parameters”. */
static void
inherit (NdaPyElement * self, NdaPyChild * child, NdaPyChild * before)
{
  g_autoptr (GPtrArray) list = NULL;
  g_autofree gchar *text = NULL;

  if (!nda_py_child_get_description (child))
    return;
  if (before && is_same_plugin (before, child)) {
    list = nda_py_child_list (before);
  } else {
    text = dup_parameters (self);
    list = nda_py_parameters_parse (text, NULL);
  }
  if (list)
    set_all (self, child, list);
}

/* Lets @child take the place of @before. FALSE: another did so. */
static gboolean
exchange (NdaPyElement * self, NdaPyChild * before, NdaPyChild * child)
{
  NdaPyShared *shared = get_shared (self);
  gboolean is_first;

  gst_object_set_parent (GST_OBJECT (child), GST_OBJECT (self));
  GST_OBJECT_LOCK (self);
  is_first = shared->child == before;
  if (is_first) {
    shared->child = g_object_ref (child);
    shared->n_named_of_child = shared->n_named;
  }
  GST_OBJECT_UNLOCK (self);
  if (!is_first) {
    gst_object_unparent (GST_OBJECT (child));
    return FALSE;
  }
  if (before) {
    gst_object_unparent (GST_OBJECT (before));
    gst_child_proxy_child_removed (GST_CHILD_PROXY (self), G_OBJECT (before),
        NDA_PY_CHILD_NAME);
  }
  gst_child_proxy_child_added (GST_CHILD_PROXY (self), G_OBJECT (child),
      NDA_PY_CHILD_NAME);
  return TRUE;
}

/* Sees to it that the child is that of a plugin which describes itself with
 * @text; NULL: it declares nothing. FALSE: the text is no description. */
gboolean
nda_py_parent_adopt (NdaPyElement * self, const gchar * text, GError ** error)
{
  gboolean is_done = FALSE;

  while (!is_done) {
    g_autoptr (NdaPyChild) before = ref_child (self);
    g_autoptr (NdaPyChild) child = NULL;

    if (before && nda_py_child_is_of (before, text)) {
      GST_OBJECT_LOCK (self);
      get_shared (self)->n_named_of_child = get_shared (self)->n_named;
      GST_OBJECT_UNLOCK (self);
      return TRUE;
    }
    child = nda_py_child_new (text, error);
    if (!child)
      return FALSE;
    g_object_ref_sink (child);
    inherit (self, child, before);
    is_done = exchange (self, before, child);
    if (is_done && before)
      g_object_unref (before);  /* what the element held */
  }
  return TRUE;
}

/* The child that there is (transfer full), or NULL. In @may_ask whether the
 * plugin that is named must be asked for another. */
static NdaPyChild *
look (NdaPyElement * self, gboolean * may_ask)
{
  NdaPyShared *shared = get_shared (self);
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));
  gboolean is_current = shared->child && (shared->is_open
      || shared->n_named_of_child == shared->n_named);

  *may_ask = !is_current && !shared->is_open && shared->settings.plugin;
  return is_current ? g_object_ref (shared->child) : NULL;
}

/* The child (transfer full), for which the plugin may have to be asked; or
 * NULL: none is named, or it does not say. */
NdaPyChild *
nda_py_parent_get_child (NdaPyElement * self)
{
  gboolean may_ask;
  NdaPyChild *child = look (self, &may_ask);
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  if (child || !may_ask)
    return child;
  text = nda_py_element_ask (self, &error);
  if (!text || !nda_py_parent_adopt (self, text, &error)) {
    GST_INFO_OBJECT (self, "the plugin does not say what it declares: %s",
        error ? error->message : "it is one of API 1");
    return NULL;
  }
  return look (self, &may_ask);
}

/* --- values --------------------------------------------------------------- */

void
nda_py_parent_queue (NdaPyElement * self, const gchar * key, const gchar * text)
{
  nda_py_host_queue_parameter (get_shared (self)->host, key, text);
}

void
nda_py_parent_set_queued (NdaPyElement * self)
{
  gpointer paused = nda_py_runners_pause_gil ();

  nda_py_host_set_queued (get_shared (self)->host, NULL);
  nda_py_runners_resume_gil (paused);
}

/* A property of the child, which is one of an installed element too. */
void
nda_py_parent_notify (NdaPyElement * self, const gchar * property)
{
  NdaPyElementInterface *iface = NDA_PY_ELEMENT_GET_IFACE (self);

  if (iface->notify)
    iface->notify (self, property);
}

/* Whether there is a plugin: from READY on. */
gboolean
nda_py_parent_is_open (NdaPyElement * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  return get_shared (self)->is_open;
}

/* What the plugin declares (transfer full), or NULL. */
gchar *
nda_py_parent_describe (NdaPyElement * self, GError ** error)
{
  gpointer paused;
  gchar *text;

  if (!nda_py_parent_is_open (self))
    return nda_py_element_ask (self, error);
  paused = nda_py_runners_pause_gil ();
  text = nda_py_host_describe (get_shared (self)->host);
  nda_py_runners_resume_gil (paused);
  return text;
}

/* Sets a parameter by its text. FALSE: it was refused, which is told, or there
 * is no plugin to set it. */
gboolean
nda_py_parent_set_parameter (NdaPyElement * self, const gchar * key,
    const gchar * value)
{
  g_autoptr (NdaPyChild) child = ref_child (self);
  g_autoptr (GError) error = NULL;

  if (!child || !nda_py_child_get_description (child))
    return nda_py_shared_set_parameter (get_shared (self), key, value);
  if (nda_py_child_set_text (child, key, value, &error))
    return TRUE;
  nda_py_parent_refuse (self, error);
  return FALSE;
}

/* --- changes of state ----------------------------------------------------- */

/* Before a plugin is opened: tells what nobody could hear. */
void
nda_py_parent_begin (NdaPyElement * self)
{
  NdaPyShared *shared = get_shared (self);
  g_autoptr (GPtrArray) unheard = NULL;

  GST_OBJECT_LOCK (self);
  unheard = shared->unheard;
  shared->unheard = g_ptr_array_new_with_free_func (g_free);
  shared->is_up = TRUE;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < unheard->len; i++)
    tell_of_refusal (self, g_ptr_array_index (unheard, i));
}

/* When there is no plugin any more. */
void
nda_py_parent_end (NdaPyElement * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self));

  get_shared (self)->is_up = FALSE;
  get_shared (self)->is_open = FALSE;
}

/* Lets the child be that of the plugin that was opened, and the plugin have the
 * child's values; one that declares nothing has the @parameters. */
gboolean
nda_py_parent_open (NdaPyElement * self, const gchar * text,
    const NdaPyParameters * parameters, GError ** error)
{
  NdaPyShared *shared = get_shared (self);
  g_autoptr (NdaPyChild) child = NULL;

  if (!nda_py_parent_adopt (self, text, error))
    return FALSE;
  GST_OBJECT_LOCK (self);
  shared->is_open = TRUE;
  GST_OBJECT_UNLOCK (self);
  child = ref_child (self);
  if (nda_py_child_get_description (child))
    nda_py_child_queue_all (child);
  else
    for (guint i = 0; i < parameters->len; i++) {
      const NdaPyParameter *p = g_ptr_array_index (parameters, i);

      nda_py_host_queue_parameter (shared->host, p->key, p->value);
    }
  return nda_py_host_set_queued (shared->host, error);
}

/* --- control bindings, on the block thread -------------------------------- */

gboolean
nda_py_parent_has_controls (NdaPyElement * self)
{
  g_autoptr (NdaPyChild) child = ref_child (self);

  return gst_object_has_active_control_bindings (GST_OBJECT (self))
      || (child && gst_object_has_active_control_bindings (GST_OBJECT (child)));
}

/* Sets what the bindings say of @stream_time. */
void
nda_py_parent_sync_controls (NdaPyElement * self, GstClockTime stream_time)
{
  g_autoptr (NdaPyChild) child = NULL;

  if (!GST_CLOCK_TIME_IS_VALID (stream_time))
    return;
  child = ref_child (self);
  gst_object_sync_values (GST_OBJECT (self), stream_time);
  if (child)
    gst_object_sync_values (GST_OBJECT (child), stream_time);
}

/* The same for a block of @pts that goes out on @pad. */
void
nda_py_parent_sync_to (NdaPyElement * self, GstPad * pad, GstClockTime pts)
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (!event)
    return;
  gst_event_parse_segment (event, &segment);
  nda_py_parent_sync_controls (self, gst_segment_to_stream_time (segment,
          GST_FORMAT_TIME, pts));
}

/* --- GstChildProxy -------------------------------------------------------- */

static GObject *
nda_py_parent_get_child_by_index (GstChildProxy * proxy, guint index)
{
  return index ? NULL :
      (GObject *) nda_py_parent_get_child (NDA_PY_ELEMENT (proxy));
}

static GObject *
nda_py_parent_get_child_by_name (GstChildProxy * proxy, const gchar * name)
{
  return g_strcmp0 (name, NDA_PY_CHILD_NAME) ? NULL :
      (GObject *) nda_py_parent_get_child (NDA_PY_ELEMENT (proxy));
}

static guint
nda_py_parent_get_children_count (GstChildProxy * proxy)
{
  g_autoptr (NdaPyChild) child =
      nda_py_parent_get_child (NDA_PY_ELEMENT (proxy));

  return child ? 1 : 0;
}

void
nda_py_parent_child_proxy_init (gpointer g_iface, gpointer unused)
{
  GstChildProxyInterface *iface = g_iface;

  iface->get_child_by_index = nda_py_parent_get_child_by_index;
  iface->get_child_by_name = nda_py_parent_get_child_by_name;
  iface->get_children_count = nda_py_parent_get_children_count;
}

/* --- GstPreset ------------------------------------------------------------ */

/* A secret is write-only. The text of “parameters” may hold one. */
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
nda_py_parent_get_property_names (GstPreset * preset)
{
  GPtrArray *names = g_ptr_array_new ();
  g_autoptr (NdaPyChild) child = NULL;

  add_names (names, G_OBJECT (preset), "");
  /* what is installed has the parameters as properties of its own */
  if (!get_shared (NDA_PY_ELEMENT (preset))->installed)
    child = nda_py_parent_get_child (NDA_PY_ELEMENT (preset));
  if (child)
    add_names (names, G_OBJECT (child), NDA_PY_CHILD_NAME "::");
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

/* The first time names the plugin, whose parameters are known only then. */
static gboolean
nda_py_parent_load_preset (GstPreset * preset, const gchar * name)
{
  return load_preset_by_default (preset, name)
      && load_preset_by_default (preset, name);
}

void
nda_py_parent_preset_init (gpointer g_iface, gpointer unused)
{
  GstPresetInterface *iface = g_iface;

  load_preset_by_default = iface->load_preset;
  iface->get_property_names = nda_py_parent_get_property_names;
  iface->load_preset = nda_py_parent_load_preset;
}
