/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* WHICH CHILD. From READY on the child belongs to the plugin that is open. In
 * NULL no plugin is open. If a caller then asks for the child, as a pipeline
 * with plugin::threshold=-30 does, the plugin that is named is asked for its
 * declarations, in a separate process. The next change to READY keeps this
 * child if the plugin still has the same declarations. Otherwise a new child
 * takes its place, with the values that fit.
 *
 * LOCKS. The object lock guards which child there is. It is not held while a
 * plugin is asked, nor while a signal is emitted. If two threads ask at once,
 * the first child stays. */

#include "config.h"

#include "ndapyparent.h"

#include "ndalog.h"
#include "ndapyopen.h"

#include <glib/gi18n-lib.h>

/* --- what was refused ----------------------------------------------------- */

static void
tell_of_refusal (NdaPyShared * self, const gchar * text)
{
  GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
      (_("The plugin did not take the parameter %s"), text),
      ("the value was refused before it reached the plugin"));
}

/* Whether a refusal was reported already: a control binding with wrong values
 * would cause a warning with each block. */
static gboolean
is_told_already (NdaPyShared * self)
{
  return g_atomic_pointer_get (&self->controller) == g_thread_self ()
      && !nda_report_limit_count (&self->refusals, gst_util_get_timestamp ());
}

/* Reports a value that was refused. In NULL nobody would read the warning, so
 * it is posted when the element leaves NULL. */
static void
nda_py_parent_refuse (gpointer owner, const GError * error)
{
  NdaPyShared *self = owner;
  gboolean is_up;

  if (is_told_already (self))
    return;
  GST_OBJECT_LOCK (self->element);
  is_up = self->is_up;
  if (!is_up)
    g_ptr_array_add (self->unheard, g_strdup (error->message));
  GST_OBJECT_UNLOCK (self->element);
  if (is_up)
    tell_of_refusal (self, error->message);
}

/* --- what the child tells ------------------------------------------------- */

static void
nda_py_parent_queue (gpointer owner, const gchar * key, const gchar * text)
{
  NdaPyShared *self = owner;

  nda_py_host_queue_parameter (self->host, key, text);
}

static void
nda_py_parent_set_queued (gpointer owner)
{
  NdaPyShared *self = owner;
  gpointer paused = nda_py_runners_pause_gil ();

  nda_py_host_set_queued (self->host, NULL);
  nda_py_runners_resume_gil (paused);
}

/* A property of the child has changed. An installed element has it too. */
static void
nda_py_parent_notify (gpointer owner, const gchar * property)
{
  NdaPyShared *self = owner;

  if (self->notify)
    self->notify (self, property);
}

static const NdaPyChildEvents child_events = {
  .queue = nda_py_parent_queue,
  .set_queued = nda_py_parent_set_queued,
  .notify = nda_py_parent_notify,
  .refuse = nda_py_parent_refuse,
};

/* --- which child ---------------------------------------------------------- */

static NdaPyChild *
ref_child (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  return self->child ? g_object_ref (self->child) : NULL;
}

static gchar *
dup_parameters (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  return g_strdup (self->settings.parameters);
}

static void
set_all (NdaPyShared * self, NdaPyChild * child, const NdaPyParameters * list)
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

/* Sets the first values of @child: those of the child before, if it belongs to
 * the same plugin, otherwise those of the property “parameters”. */
static void
inherit (NdaPyShared * self, NdaPyChild * child, NdaPyChild * before)
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

/* Puts @child in the place of @before. FALSE: another thread did so. */
static gboolean
exchange (NdaPyShared * self, NdaPyChild * before, NdaPyChild * child)
{
  gboolean is_first;

  gst_object_set_parent (GST_OBJECT (child), GST_OBJECT (self->element));
  GST_OBJECT_LOCK (self->element);
  is_first = self->child == before;
  if (is_first) {
    self->child = g_object_ref (child);
    self->n_named_of_child = self->n_named;
  }
  GST_OBJECT_UNLOCK (self->element);
  if (!is_first) {
    gst_object_unparent (GST_OBJECT (child));
    return FALSE;
  }
  if (before) {
    gst_object_unparent (GST_OBJECT (before));
    gst_child_proxy_child_removed (GST_CHILD_PROXY (self->element),
        G_OBJECT (before), NDA_PY_CHILD_NAME);
  }
  gst_child_proxy_child_added (GST_CHILD_PROXY (self->element),
      G_OBJECT (child), NDA_PY_CHILD_NAME);
  return TRUE;
}

/* Replaces the child if its plugin has another description, @text; NULL: it
 * declares nothing. FALSE: the text is no description. */
gboolean
nda_py_parent_adopt (NdaPyShared * self, const gchar * text, GError ** error)
{
  gboolean is_done = FALSE;

  while (!is_done) {
    g_autoptr (NdaPyChild) before = ref_child (self);
    g_autoptr (NdaPyChild) child = NULL;

    if (before && nda_py_child_is_of (before, text)) {
      GST_OBJECT_LOCK (self->element);
      self->n_named_of_child = self->n_named;
      GST_OBJECT_UNLOCK (self->element);
      return TRUE;
    }
    child = nda_py_child_new (text, &child_events, self, error);
    if (!child)
      return FALSE;
    g_object_ref_sink (child);
    inherit (self, child, before);
    is_done = exchange (self, before, child);
    if (is_done && before)
      g_object_unref (before);  /* the element's reference */
  }
  return TRUE;
}

/* Returns the present child (transfer full), or NULL. @may_ask tells whether
 * the plugin that is named must be asked for another. */
static NdaPyChild *
look (NdaPyShared * self, gboolean * may_ask)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));
  gboolean is_current = self->child && (self->is_open
      || self->n_named_of_child == self->n_named);

  *may_ask = !is_current && !self->is_open && self->settings.plugin;
  return is_current ? g_object_ref (self->child) : NULL;
}

/* Returns the child (transfer full); the plugin may have to be asked for it.
 * NULL: no plugin is named, or it does not answer. */
NdaPyChild *
nda_py_parent_get_child (NdaPyShared * self)
{
  gboolean may_ask;
  NdaPyChild *child = look (self, &may_ask);
  g_autofree gchar *text = NULL;
  g_autoptr (GError) error = NULL;

  if (child || !may_ask)
    return child;
  text = nda_py_open_ask (self, &error);
  if (!text || !nda_py_parent_adopt (self, text, &error)) {
    NDA_LOG_INFO (self->element,
        "the plugin does not say what it declares: %s",
        error ? error->message : "it is one of API 1");
    return NULL;
  }
  return look (self, &may_ask);
}

/* --- values --------------------------------------------------------------- */

/* Whether a plugin is open: from READY on. */
gboolean
nda_py_parent_is_open (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  return self->is_open;
}

/* Returns the plugin's declarations (transfer full), or NULL. */
gchar *
nda_py_parent_describe (NdaPyShared * self, GError ** error)
{
  gpointer paused;
  gchar *text;

  if (!nda_py_parent_is_open (self))
    return nda_py_open_ask (self, error);
  paused = nda_py_runners_pause_gil ();
  text = nda_py_host_describe (self->host);
  nda_py_runners_resume_gil (paused);
  return text;
}

/* Sets a parameter by its text. FALSE: it was refused, with a warning, or there
 * is no plugin. */
gboolean
nda_py_parent_set_parameter (NdaPyShared * self, const gchar * key,
    const gchar * value)
{
  g_autoptr (NdaPyChild) child = ref_child (self);
  g_autoptr (GError) error = NULL;

  if (!child || !nda_py_child_get_description (child))
    return nda_py_shared_set_parameter (self, key, value);
  if (nda_py_child_set_text (child, key, value, &error))
    return TRUE;
  nda_py_parent_refuse (self, error);
  return FALSE;
}

/* Updates the child after an edited plugin took the place of the old one, since
 * it may have other declarations. */
static void
nda_py_parent_follow (NdaPyShared * self)
{
  g_autofree gchar *text = nda_py_host_describe (self->host);
  g_autoptr (GError) error = NULL;

  if (!nda_py_parent_adopt (self, text, &error))
    GST_ELEMENT_WARNING (self->element, LIBRARY, SETTINGS,
        ("%s", error->message), ("the edited plugin's description is wrong"));
}

/* --- changes of state ----------------------------------------------------- */

/* Called before a plugin is opened: posts the warnings that were kept in
 * NULL. */
void
nda_py_parent_begin (NdaPyShared * self)
{
  g_autoptr (GPtrArray) unheard = NULL;

  GST_OBJECT_LOCK (self->element);
  unheard = self->unheard;
  self->unheard = g_ptr_array_new_with_free_func (g_free);
  self->is_up = TRUE;
  self->reloaded = nda_py_parent_follow;
  GST_OBJECT_UNLOCK (self->element);
  for (guint i = 0; i < unheard->len; i++)
    tell_of_refusal (self, g_ptr_array_index (unheard, i));
}

/* Called when the plugin was closed. */
void
nda_py_parent_end (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  self->is_up = FALSE;
  self->is_open = FALSE;
}

/* Gives the element the child of the plugin that was just opened, and the
 * plugin the child's values. A plugin that declares nothing gets the
 * @parameters. */
gboolean
nda_py_parent_open (NdaPyShared * self, const gchar * text,
    const NdaPyParameters * parameters, GError ** error)
{
  g_autoptr (NdaPyChild) child = NULL;

  if (!nda_py_parent_adopt (self, text, error))
    return FALSE;
  GST_OBJECT_LOCK (self->element);
  self->is_open = TRUE;
  GST_OBJECT_UNLOCK (self->element);
  child = ref_child (self);
  if (nda_py_child_get_description (child))
    nda_py_child_queue_all (child);
  else
    for (guint i = 0; i < parameters->len; i++) {
      const NdaPyParameter *p = g_ptr_array_index (parameters, i);

      nda_py_host_queue_parameter (self->host, p->key, p->value);
    }
  return nda_py_host_set_queued (self->host, error);
}

/* --- control bindings, on the block thread -------------------------------- */

gboolean
nda_py_parent_has_controls (NdaPyShared * self)
{
  g_autoptr (NdaPyChild) child = ref_child (self);

  return gst_object_has_active_control_bindings (GST_OBJECT (self->element))
      || (child && gst_object_has_active_control_bindings (GST_OBJECT (child)));
}

/* Sets the values of the control bindings at @stream_time. */
void
nda_py_parent_sync_controls (NdaPyShared * self, GstClockTime stream_time)
{
  g_autoptr (NdaPyChild) child = NULL;

  if (!GST_CLOCK_TIME_IS_VALID (stream_time))
    return;
  child = ref_child (self);
  g_atomic_pointer_set (&self->controller, g_thread_self ());
  gst_object_sync_values (GST_OBJECT (self->element), stream_time);
  if (child)
    gst_object_sync_values (GST_OBJECT (child), stream_time);
  g_atomic_pointer_set (&self->controller, NULL);
}

/* Does the same for a block with @pts that goes out on @pad. */
void
nda_py_parent_sync_to (NdaPyShared * self, GstPad * pad, GstClockTime pts)
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
