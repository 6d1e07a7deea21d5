/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndachild.h"

#include "ndadevice.h"

#include <glib/gi18n-lib.h>

/* us. How long a thread may take to ask a device's clock */
#define CLOCK_GRACE (20 * G_TIME_SPAN_MILLISECOND)

GstElement *
nda_child_make (const gchar * factory, const gchar * name, GError ** error)
{
  GstElement *element = gst_element_factory_make (factory, name);

  if (!element)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        _("There is no element “%s”. Install GStreamer's base and good "
            "plugins."), factory);
  return element;
}

gboolean
nda_child_add (GstBin * bin, GstElement * child, GError ** error)
{
  if (!GST_OBJECT_PARENT (child) && gst_bin_add (bin, child))
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
      _("The element “%s” cannot be put into “%s”: it is in use "
          "elsewhere, or another has its name."), GST_OBJECT_NAME (child),
      GST_OBJECT_NAME (bin));
  return FALSE;
}

gboolean
nda_child_has_device (GstElement * child, gint * is_opening)
{
  g_autoptr (GstElement) chosen = NULL;

  if (!nda_device_is_auto (child))
    return TRUE;
  g_atomic_int_set (is_opening, TRUE);
  if (gst_element_set_state (child, GST_STATE_READY)
      != GST_STATE_CHANGE_FAILURE)
    chosen = nda_device_get_chosen (child);
  g_atomic_int_set (is_opening, FALSE);
  return chosen != NULL;
}

/* Lets @child, if it is a bin, go to PLAYING by itself when its sink has a
 * buffer. Otherwise the pipeline decides. */
static void
set_async_handling (GstElement * child, gboolean by_itself)
{
  if (GST_IS_BIN (child))
    g_object_set (child, "async-handling", by_itself, NULL);
}

/* The element in @child (transfer full), if @child is an autoaudiosrc or
 * autoaudiosink that has found a device; or NULL. */
static GstElement *
get_chosen (GstElement * child)
{
  return nda_device_is_auto (child) ? nda_device_get_chosen (child) : NULL;
}

/* Closes a lost device. An autoaudiosrc in NULL would forget its choice, and
 * choose the first device that answers next time. A server that just starts is
 * not the first to answer, so the choice is kept.
 *
 * Another thread may be asking the device's clock, and the elements of
 * PulseAudio and JACK do not exclude that while they close. Once they are in
 * READY, the clock asks them no more; a thread that did before is given time to
 * return. */
void
nda_child_close (GstElement * child)
{
  g_autoptr (GstElement) chosen = get_chosen (child);
  gboolean was_running = GST_STATE (child) > GST_STATE_READY;

  if (chosen || was_running)
    gst_element_set_state (child, GST_STATE_READY);
  if (was_running)
    g_usleep (CLOCK_GRACE);
  gst_element_set_state (chosen ? chosen : child, GST_STATE_NULL);
}

/* Opens the element that was chosen before. If @may_choose, an autoaudiosrc may
 * choose another. */
static gboolean
reopen_chosen (GstElement * child, gboolean may_choose)
{
  g_autoptr (GstElement) chosen = get_chosen (child);

  if (!chosen || gst_element_set_state (chosen, GST_STATE_READY)
      != GST_STATE_CHANGE_FAILURE)
    return TRUE;
  gst_element_set_state (chosen, GST_STATE_NULL);
  if (may_choose)
    gst_element_set_state (child, GST_STATE_NULL);
  return may_choose;
}

gboolean
nda_child_reopen (GstElement * child, GstElement * bin, gboolean may_choose)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (bin);
  gint unused = FALSE;

  if (!reopen_chosen (child, may_choose)
      || !nda_child_has_device (child, &unused)
      || gst_element_set_state (child, GST_STATE_READY)
      == GST_STATE_CHANGE_FAILURE)
    return FALSE;
  set_async_handling (child, TRUE);
  gst_element_set_clock (child, clock);
  gst_element_set_base_time (child, gst_element_get_base_time (bin));
  return gst_element_set_state (child, GST_STATE_PLAYING)
      != GST_STATE_CHANGE_FAILURE;
}

void
nda_child_give_back (GstElement * child)
{
  set_async_handling (child, FALSE);
}

gboolean
nda_child_is_hushed (GstMessage * message, gint * is_opening)
{
  return g_atomic_int_get (is_opening)
      && (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING
      || GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
}

void
nda_child_remove (GstBin * bin, GstElement * child)
{
  gst_element_set_locked_state (child, TRUE);
  gst_element_set_state (child, GST_STATE_NULL);
  if (GST_OBJECT_PARENT (child) == GST_OBJECT (bin))
    gst_bin_remove (bin, child);
  gst_element_set_locked_state (child, FALSE);
}

void
nda_child_post_error (GstElement * bin, const GError * error)
{
  gst_element_message_full (bin, GST_MESSAGE_ERROR, error->domain, error->code,
      g_strdup (error->message),
      g_strdup_printf ("%s, code %d", g_quark_to_string (error->domain),
          error->code), __FILE__, G_STRFUNC, __LINE__);
}

gboolean
nda_child_is_not_negotiated (GstMessage * message)
{
  const GstStructure *details = NULL;
  gint flow;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error_details (message, &details);
  return details && gst_structure_get_int (details, "flow-return", &flow)
      && flow == GST_FLOW_NOT_NEGOTIATED;
}

GError *
nda_child_parse_error (GstElement * child, GstMessage * message)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR && child
      && (GST_MESSAGE_SRC (message) == GST_OBJECT (child)
          || gst_object_has_as_ancestor (GST_MESSAGE_SRC (message),
              GST_OBJECT (child))))
    gst_message_parse_error (message, &error, NULL);
  return error;
}
