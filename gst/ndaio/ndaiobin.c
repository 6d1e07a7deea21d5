/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaiobin.h"

#include "ndachild.h"
#include "ndadescription.h"
#include "ndadevicekind.h"

#include <glib/gi18n-lib.h>

typedef NdaIoParts NdaIoBinPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NdaIoBin, nda_io_bin, GST_TYPE_BIN);

NdaIoParts *
nda_io_bin_get_parts (NdaIoBin * self)
{
  return nda_io_bin_get_instance_private (self);
}

static const NdaIoBinTraits *
get_traits (NdaIoBin * self)
{
  return NDA_IO_BIN_GET_CLASS (self)->traits;
}

/* --- the application's element below READY --- */

/* Has the bin find the application's element by name. In the state lock. */
static void
show_element (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  g_autoptr (GstElement) element = NULL;

  GST_OBJECT_LOCK (self);
  if (parts->setting.element)
    element = gst_object_ref (parts->setting.element);
  GST_OBJECT_UNLOCK (self);
  if (!element || GST_OBJECT_PARENT (element)
      || nda_description_get_error (element))
    return;
  parts->is_showing = TRUE;
  if (gst_bin_add (GST_BIN (self), element)) {
    parts->plugs = nda_plugs_new (element);
    parts->shown = g_steal_pointer (&element);
  }
  parts->is_showing = FALSE;
}

static void
hide_element (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  g_autoptr (GstElement) element = g_steal_pointer (&parts->shown);

  g_clear_pointer (&parts->plugs, g_ptr_array_unref);
  if (element && GST_OBJECT_PARENT (element) == GST_OBJECT (self))
    gst_bin_remove (GST_BIN (self), element);
}

/* The setting has changed. While the state changes too, or from READY on, the
 * next change to NULL shows the element. */
static void
show_another (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  if (!GST_STATE_TRYLOCK (self))
    return;
  if (GST_STATE (self) == GST_STATE_NULL && !parts->child) {
    hide_element (self);
    show_element (self);
  }
  GST_STATE_UNLOCK (self);
}

/* --- the child --- */

static GstElement *
make_child (NdaIoBin * self, GError ** error)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  g_auto (NdaSetting) setting = { NULL };

  GST_OBJECT_LOCK (self);
  setting = nda_setting_copy (&parts->setting);
  GST_OBJECT_UNLOCK (self);
  return nda_setting_make (&setting, &get_traits (self)->maker, self, error);
}

static void
close_child (NdaIoBin * self)
{
  NdaIoBinClass *class = NDA_IO_BIN_GET_CLASS (self);
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  g_autoptr (GstElement) child = g_steal_pointer (&parts->child);

  if (!child)
    return;
  nda_threads_set_has_device (&parts->threads, FALSE);
  nda_watch_forget (&parts->watch);
  nda_child_remove (GST_BIN (self), child);
  if (class->child_closed)
    class->child_closed (self, child);
}

static gboolean
try_child (NdaIoBin * self, GError ** error)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  if (parts->missing) {
    g_propagate_error (error, g_error_copy (parts->missing));
    return FALSE;
  }
  parts->child = make_child (self, error);
  if (!parts->child || !nda_child_add (GST_BIN (self), parts->child, error)
      || !NDA_IO_BIN_GET_CLASS (self)->link_child (self, parts->child, error))
    return FALSE;
  if (nda_child_has_device (parts->child, &parts->is_opening))
    return TRUE;
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      _(get_traits (self)->no_device_text));
  return FALSE;
}

static gboolean
open_child (NdaIoBin * self)
{
  g_autoptr (GError) error = NULL;

  if (try_child (self, &error))
    return TRUE;
  close_child (self);
  nda_child_post_error (GST_ELEMENT (self), error);
  return FALSE;
}

/* --- changes of state --- */

/* Makes a new child if the device was away when the pipeline stopped. */
static gboolean
start (NdaIoBin * self)
{
  NdaIoBinClass *class = NDA_IO_BIN_GET_CLASS (self);
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  if (nda_loss_start (&parts->loss, parts->child)) {
    close_child (self);
    if (!open_child (self))
      return FALSE;
    nda_loss_start (&parts->loss, parts->child);
  }
  if (class->prepare)
    class->prepare (self);
  return TRUE;
}

static gboolean
before_change (NdaIoBin * self, GstStateChange transition)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    nda_meter_reset (&parts->meter);
    hide_element (self);
    return open_child (self);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return FALSE;
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    nda_stats_log (GST_ELEMENT (self));
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    nda_clocks_compare (&parts->clocks);
  nda_threads_before_change (&parts->threads, transition);
  nda_watch_before_change (&parts->watch, transition);
  nda_loss_before_change (&parts->loss, transition);
  return TRUE;
}

static GstStateChangeReturn
nda_io_bin_change_state (GstElement * element, GstStateChange transition)
{
  NdaIoBin *self = NDA_IO_BIN (element);
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  GstStateChangeReturn result = GST_STATE_CHANGE_FAILURE;

  if (before_change (self, transition)) {
    result = GST_ELEMENT_CLASS (nda_io_bin_parent_class)->change_state (element,
        transition);
    nda_loss_after_change (&parts->loss, transition);
    nda_watch_after_change (&parts->watch, transition);
  }
  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY
          && result == GST_STATE_CHANGE_FAILURE)) {
    close_child (self);
    show_element (self);
  }
  return result;
}

/* Offers no clock while the device is lost: that clock has stopped. */
static GstClock *
nda_io_bin_provide_clock (GstElement * element)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (element));

  if (nda_loss_get_state (&parts->loss) != NDA_LOSS_HERE)
    return NULL;
  return GST_ELEMENT_CLASS (nda_io_bin_parent_class)->provide_clock (element);
}

/* --- what goes on inside --- */

/* Drops messages for which the bin posts a better one. */
static void
nda_io_bin_handle_message (GstBin * bin, GstMessage * message)
{
  NdaIoBin *self = NDA_IO_BIN (bin);
  NdaIoBinClass *class = NDA_IO_BIN_GET_CLASS (self);
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  nda_threads_note_message (&parts->threads, message);
  if (nda_child_is_hushed (message, &parts->is_opening)
      || nda_loss_takes_message (&parts->loss, message)
      || (class->take_message && class->take_message (self, message))) {
    gst_message_unref (message);
    return;
  }
  GST_BIN_CLASS (nda_io_bin_parent_class)->handle_message (bin, message);
}

/* The signals go on to the bins above, which the application watches. */
static void
nda_io_bin_deep_element_added (GstBin * bin, GstBin * sub_bin,
    GstElement * element)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (bin));
  const NdaDeviceKind *kind = nda_device_kind_get (element);

  if (!parts->is_showing) {
    nda_device_kind_use_periods (kind, element);
    nda_watch_add (&parts->watch, element);
    nda_clocks_add (&parts->clocks, element);
  }
  if (kind->get_clock && !parts->is_showing)
    nda_threads_set_has_device (&parts->threads, TRUE);
  GST_BIN_CLASS (nda_io_bin_parent_class)->deep_element_added (bin, sub_bin,
      element);
}

static void
nda_io_bin_deep_element_removed (GstBin * bin, GstBin * sub_bin,
    GstElement * element)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (bin));

  nda_clocks_remove (&parts->clocks, element);
  GST_BIN_CLASS (nda_io_bin_parent_class)->deep_element_removed (bin, sub_bin,
      element);
}

/* --- properties --- */

void
nda_io_bin_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (object));
  NdaSetting *setting = &parts->setting;
  GstElement *element;
  /* freed outside of the lock */
  g_autoptr (GstElement) previous = NULL;

  GST_OBJECT_LOCK (object);
  switch (id) {
    case NDA_IO_BIN_PROP_ELEMENT:
      element = g_value_get_object (value);
      previous = setting->element;
      setting->element = element ? gst_object_ref_sink (element) : NULL;
      break;
    case NDA_IO_BIN_PROP_PLACE:
      g_free (setting->place);
      setting->place = g_value_dup_string (value);
      break;
    case NDA_IO_BIN_PROP_DEVICE:
      g_free (setting->device);
      setting->device = g_value_dup_string (value);
      break;
    case NDA_IO_BIN_PROP_DRIFT_COMPENSATION:
      parts->clocks.compensation = g_value_get_enum (value);
      break;
    case NDA_IO_BIN_PROP_REALTIME:
      parts->threads.policy = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
  if (id == NDA_IO_BIN_PROP_ELEMENT)
    show_another (NDA_IO_BIN (object));
}

static GstStructure *
get_stats (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  GstStructure *stats = nda_meter_snapshot (&parts->meter,
      get_traits (self)->stats_name, get_traits (self)->stats_fields);

  nda_clocks_describe (&parts->clocks, stats);
  nda_threads_describe (&parts->threads, stats);
  return stats;
}

void
nda_io_bin_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (object));

  if (id == NDA_IO_BIN_PROP_STATS) {
    g_value_take_boxed (value, get_stats (NDA_IO_BIN (object)));
    return;
  }
  GST_OBJECT_LOCK (object);
  switch (id) {
    case NDA_IO_BIN_PROP_ELEMENT:
      g_value_set_object (value, parts->setting.element);
      break;
    case NDA_IO_BIN_PROP_PLACE:
      g_value_set_string (value, parts->setting.place);
      break;
    case NDA_IO_BIN_PROP_DEVICE:
      g_value_set_string (value, parts->setting.device);
      break;
    case NDA_IO_BIN_PROP_DRIFT_COMPENSATION:
      g_value_set_enum (value, parts->clocks.compensation);
      break;
    case NDA_IO_BIN_PROP_REALTIME:
      g_value_set_enum (value, parts->threads.policy);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (object);
}

/* --- the elements inside --- */

static GstElement *
make_resample (guint rate, GError ** error)
{
  GstElement *element = gst_element_factory_make ("ndaresample", "resample");

  if (!element) {
    g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        _("There is no element “ndaresample”, without which ndasrc and "
            "ndasink cannot run. Install nda's plugin libgstndaresample, or "
            "add its folder to GST_PLUGIN_PATH_1_0."));
    return NULL;
  }
  g_object_set (element, "rate", rate, NULL);
  return element;
}

/* FALSE: an element is missing; the change to READY reports it. */
static gboolean
make_elements (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  g_autoptr (GstElement) convert = NULL;
  GstElement *resample;

  convert = nda_child_make ("audioconvert", "convert", &parts->missing);
  if (!convert)
    return FALSE;
  gst_object_ref_sink (convert);
  resample = make_resample (get_traits (self)->rate, &parts->missing);
  if (!resample)
    return FALSE;
  gst_bin_add_many (GST_BIN (self), convert, resample, NULL);
  parts->convert = convert;
  parts->resample = parts->clocks.resample = resample;
  return TRUE;
}

/* The pad (transfer full) for children to be linked to */
static GstPad *
get_child_pad (NdaIoBin * self, GstElement * last)
{
  gboolean is_source = get_traits (self)->flag == GST_ELEMENT_FLAG_SOURCE;

  return is_source ? gst_element_get_static_pad
      (nda_io_bin_get_parts (self)->convert, "sink") :
      gst_element_get_static_pad (last, "src");
}

/* Adds the ghost pad of the bin, for @target or NULL */
static void
add_ghost (NdaIoBin * self, GstPad * target)
{
  const gchar *name = get_traits (self)->pad_name;
  GstPadTemplate *template = gst_element_class_get_pad_template
      (GST_ELEMENT_GET_CLASS (self), name);

  gst_element_add_pad (GST_ELEMENT (self), target ?
      gst_ghost_pad_new_from_template (name, target, template) :
      gst_ghost_pad_new_no_target_from_template (name, template));
}

void
nda_io_bin_fill (NdaIoBin * self, GstElement * last)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);
  const NdaIoBinTraits *traits = get_traits (self);
  g_autoptr (GstElement) owned = gst_object_ref_sink (last);
  g_autoptr (GstPad) target = NULL;
  g_autoptr (GstPad) free_pad = NULL;

  nda_loss_init (&parts->loss, GST_ELEMENT (self), &parts->meter,
      traits->loss_hooks, self);
  nda_watch_init (&parts->watch, &parts->loss, traits->is_expecting, self);
  gst_bin_set_suppressed_flags (GST_BIN (self),
      GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, traits->flag);
  if (make_elements (self)) {
    gst_bin_add (GST_BIN (self), last);
    gst_element_link_many (parts->convert, parts->resample, last, NULL);
    target = gst_element_get_static_pad
        (traits->flag == GST_ELEMENT_FLAG_SOURCE ? last : parts->convert,
        traits->pad_name);
    free_pad = get_child_pad (self, last);
    nda_plug_add (free_pad);
  }
  add_ghost (self, target);
}

/* --- the class --- */

static void
nda_io_bin_init (NdaIoBin * self)
{
  NdaIoParts *parts = nda_io_bin_get_parts (self);

  nda_meter_init (&parts->meter);
  nda_clocks_init (&parts->clocks, GST_ELEMENT (self));
  nda_threads_init (&parts->threads, GST_ELEMENT (self));
}

static void
nda_io_bin_dispose (GObject * object)
{
  NdaIoBin *self = NDA_IO_BIN (object);

  hide_element (self);
  close_child (self);
  nda_setting_clear (&nda_io_bin_get_parts (self)->setting);
  G_OBJECT_CLASS (nda_io_bin_parent_class)->dispose (object);
}

static void
nda_io_bin_finalize (GObject * object)
{
  NdaIoParts *parts = nda_io_bin_get_parts (NDA_IO_BIN (object));

  g_clear_error (&parts->missing);
  nda_watch_clear (&parts->watch);
  nda_loss_clear (&parts->loss);
  nda_threads_clear (&parts->threads);
  nda_meter_clear (&parts->meter);
  G_OBJECT_CLASS (nda_io_bin_parent_class)->finalize (object);
}

static void
nda_io_bin_class_init (NdaIoBinClass * class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBinClass *bin_class = GST_BIN_CLASS (class);

  object_class->dispose = nda_io_bin_dispose;
  object_class->finalize = nda_io_bin_finalize;
  element_class->change_state = GST_DEBUG_FUNCPTR (nda_io_bin_change_state);
  element_class->provide_clock = GST_DEBUG_FUNCPTR (nda_io_bin_provide_clock);
  bin_class->handle_message = GST_DEBUG_FUNCPTR (nda_io_bin_handle_message);
  bin_class->deep_element_added =
      GST_DEBUG_FUNCPTR (nda_io_bin_deep_element_added);
  bin_class->deep_element_removed =
      GST_DEBUG_FUNCPTR (nda_io_bin_deep_element_removed);
  gst_type_mark_as_plugin_api (NDA_TYPE_IO_BIN, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_DRIFT_COMPENSATION, 0);
  gst_type_mark_as_plugin_api (NDA_TYPE_REALTIME_POLICY, 0);
}
