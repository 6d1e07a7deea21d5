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

/* A control binding whose values do not fit would have one told each block. */
static gboolean
is_told_already (NdaPyShared * self)
{
  return g_atomic_pointer_get (&self->controller) == g_thread_self ()
      && !nda_report_limit_count (&self->refusals, gst_util_get_timestamp ());
}

/* Tells of a value that does not fit. In NULL nobody could hear it: it is told
 * when the element leaves NULL. */
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

/* A property of the child, which is one of an installed element too. */
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

/* The values that @child begins with: those of the one before, if it was of the
 * same plugin, else those of the property “parameters”. */
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

/* Lets @child take the place of @before. FALSE: another did so. */
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

/* Replaces the child if the plugin describes itself by another @text than the
 * child's; NULL: it declares nothing. FALSE: the text is no description. */
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
      g_object_unref (before);  /* what the element held */
  }
  return TRUE;
}

/* The child that there is (transfer full), or NULL. In @may_ask whether the
 * plugin that is named must be asked for another. */
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

/* The child (transfer full), for which the plugin may have to be asked; or
 * NULL: none is named, or it does not say. */
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
    GST_INFO_OBJECT (self->element,
        "the plugin does not say what it declares: %s",
        error ? error->message : "it is one of API 1");
    return NULL;
  }
  return look (self, &may_ask);
}

/* --- values --------------------------------------------------------------- */

/* Whether there is a plugin: from READY on. */
gboolean
nda_py_parent_is_open (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  return self->is_open;
}

/* What the plugin declares (transfer full), or NULL. */
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

/* Sets a parameter by its text. FALSE: it was refused, which is told, or there
 * is no plugin to set it. */
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

/* An edited plugin, which took the place of the one before, may declare
 * something else. */
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

/* Before a plugin is opened: tells what nobody could hear. */
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

/* When there is no plugin any more. */
void
nda_py_parent_end (NdaPyShared * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->element));

  self->is_up = FALSE;
  self->is_open = FALSE;
}

/* Lets the child be that of the plugin that was opened, and the plugin have the
 * child's values; one that declares nothing has the @parameters. */
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

/* Sets what the bindings say of @stream_time. */
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

/* The same for a block of @pts that goes out on @pad. */
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
