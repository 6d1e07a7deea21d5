/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapositions.h"

#include "ndalog.h"

#include <gst/audio/audio.h>

#include <glib/gi18n-lib.h>

/* GStreamer's channel mixer takes no more channels, and audioconvert crashes
 * without the mixer. */
#define MAX_CHANNELS 63

gboolean
nda_positions_check (GstElement * bin, GstCaps * caps)
{
  gint n_channels = 0;

  gst_structure_get_int (gst_caps_get_structure (caps, 0), "channels",
      &n_channels);
  if (n_channels <= MAX_CHANNELS)
    return TRUE;
  GST_ELEMENT_ERROR (bin, STREAM, FORMAT,
      (_("The sound has %d channels, and no more than %d can be converted. "
              "Take some of them away, with a deinterleave."), n_channels,
          MAX_CHANNELS), ("%" GST_PTR_FORMAT, caps));
  return FALSE;
}

/* The number of channels of @structure if they are more than two and have no
 * positions; otherwise 0. */
static gint
count_unpositioned (const GstStructure * structure)
{
  gint n_channels;
  guint64 mask;

  if (gst_structure_get_int (structure, "channels", &n_channels)
      && gst_structure_get (structure, "channel-mask", GST_TYPE_BITMASK, &mask,
          NULL) && mask == 0 && n_channels > 2)
    return n_channels;
  return 0;
}

/* Those structures of @caps whose channels have no positions (transfer full) */
static GstCaps *
get_unpositioned (GstCaps * caps)
{
  GstCaps *found = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    if (count_unpositioned (gst_caps_get_structure (caps, i)))
      gst_caps_append_structure (found,
          gst_structure_copy (gst_caps_get_structure (caps, i)));
  return found;
}

/* Whether the element behind @ghost can use @caps. */
static gboolean
can_take (GstPad * ghost, GstCaps * caps)
{
  g_autoptr (GstProxyPad) inner = gst_proxy_pad_get_internal
      (GST_PROXY_PAD (ghost));
  g_autoptr (GstCaps) taken = gst_pad_peer_query_caps (GST_PAD (inner), caps);

  return !gst_caps_is_empty (taken);
}

/* Returns @caps (fixed) with the usual positions (transfer full), or NULL. */
static GstCaps *
add_positions (GstCaps * caps)
{
  gint n_channels = count_unpositioned (gst_caps_get_structure (caps, 0));
  guint64 mask = gst_audio_channel_get_fallback_mask (n_channels);
  GstCaps *positioned;

  if (!mask)
    return NULL;
  positioned = gst_caps_copy (caps);
  gst_caps_set_simple (positioned, "channel-mask", GST_TYPE_BITMASK, mask,
      NULL);
  return positioned;
}

static void
refuse (GstElement * bin, gint n_channels, GstCaps * caps)
{
  GST_ELEMENT_ERROR (bin, STREAM, FORMAT,
      (_("The sound has %d channels without positions, and the sink does not "
              "take as many. Say where they are (channel-mask), or mix them "
              "with an audioconvert and its mix-matrix."), n_channels),
      ("%" GST_PTR_FORMAT, caps));
}

/* Returns @event (transfer full), which brings caps, or another event with
 * positions. NULL: audioconvert must not get these caps */
static GstEvent *
replace_caps (GstPad * ghost, GstElement * bin, GstEvent * event)
{
  g_autoptr (GstCaps) positioned = NULL;
  GstEvent *replacement;
  GstCaps *caps;
  gint n_channels;

  gst_event_parse_caps (event, &caps);
  if (!nda_positions_check (bin, caps)) {
    gst_event_unref (event);
    return NULL;
  }
  n_channels = count_unpositioned (gst_caps_get_structure (caps, 0));
  if (!n_channels || can_take (ghost, caps))
    return event;
  positioned = add_positions (caps);
  if (!positioned || !can_take (ghost, positioned)) {
    refuse (bin, n_channels, caps);
    return event;
  }
  NDA_LOG_INFO (bin, "%d channels get the usual positions", n_channels);
  replacement = gst_event_new_caps (positioned);
  gst_event_set_seqnum (replacement, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return replacement;
}

static gboolean
nda_positions_event (GstPad * ghost, GstObject * parent, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS && parent)
    event = replace_caps (ghost, GST_ELEMENT (parent), event);
  return event && gst_pad_event_default (ghost, parent, event);
}

/* Accepts caps without positions, so that they get positions, or are refused
 * with an error that explains why. */
static void
let_in (GstPad * ghost, GstQuery * query)
{
  g_autoptr (GstCaps) ours = gst_pad_get_pad_template_caps (ghost);
  g_autoptr (GstCaps) unpositioned = NULL;
  g_autoptr (GstCaps) all = NULL;
  GstCaps *filter, *answer;

  gst_query_parse_caps (query, &filter);
  gst_query_parse_caps_result (query, &answer);
  if (!filter || !answer)
    return;
  unpositioned = get_unpositioned (filter);
  all = gst_caps_merge (gst_caps_ref (answer),
      gst_caps_intersect (unpositioned, ours));
  gst_query_set_caps_result (query, all);
}

static void
accept (GstQuery * query)
{
  GstCaps *caps;

  gst_query_parse_accept_caps (query, &caps);
  if (count_unpositioned (gst_caps_get_structure (caps, 0)))
    gst_query_set_accept_caps_result (query, TRUE);
}

static gboolean
nda_positions_query (GstPad * ghost, GstObject * parent, GstQuery * query)
{
  gboolean ok = gst_pad_query_default (ghost, parent, query);

  if (ok && GST_QUERY_TYPE (query) == GST_QUERY_CAPS)
    let_in (ghost, query);
  else if (ok && GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS)
    accept (query);
  return ok;
}

void
nda_positions_watch (GstPad * ghost)
{
  gst_pad_set_event_function (ghost, GST_DEBUG_FUNCPTR (nda_positions_event));
  gst_pad_set_query_function (ghost, GST_DEBUG_FUNCPTR (nda_positions_query));
}
