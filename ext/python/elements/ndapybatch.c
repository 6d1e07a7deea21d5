/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybatch.h"

#include "ndablock.h"
#include "ndapydelay.h"
#include "ndapyproblem.h"

#include <glib/gi18n-lib.h>

void
nda_py_batch_init (NdaPyBatch * self)
{
  nda_held_events_init (&self->events);
  nda_py_framing_init (&self->framing);
}

/* Forgets the stream. */
void
nda_py_batch_forget (NdaPyBatch * self)
{
  nda_py_direct_drop (&self->direct);
  nda_py_framing_forget (&self->framing);
}

void
nda_py_batch_clear_stream (NdaPyBatch * self)
{
  self->is_ready = FALSE;
  nda_held_events_clear (&self->events);
  nda_py_direct_clear (&self->direct);
  nda_py_framing_set_format (&self->framing, NULL, NULL);
  nda_block_pool_clear (&self->pool);
  gst_audio_info_init (&self->info);
}

void
nda_py_batch_clear (NdaPyBatch * self)
{
  nda_py_batch_clear_stream (self);
  nda_py_framing_clear (&self->framing);
}

gboolean
nda_py_batch_set_caps (NdaPyBatch * self, GstCaps * caps)
{
  nda_py_batch_clear_stream (self);
  if (!gst_audio_info_from_caps (&self->info, caps))
    return FALSE;
  self->pool = nda_block_pool_new (caps, &self->info, NDA_BLOCK_FRAMES);
  return self->pool != NULL;
}

static void
set_format (NdaPyBatch * self, const NdaPyFormat * format)
{
  self->format = *format;
  nda_py_direct_clear (&self->direct);
  if (nda_py_delay_is_none (format, 0, self->info.channels))
    nda_py_direct_init (&self->direct, &self->info, self->pool,
        format->n_frames);
}

gboolean
nda_py_batch_set_format (NdaPyBatch * self, const NdaPyFormat * format,
    GError ** error)
{
  if (!nda_py_problem_check_fit (self->info.channels, format, error))
    return FALSE;
  set_format (self, format);
  nda_py_framing_set_format (&self->framing, &self->info, self->pool);
  self->is_ready = TRUE;
  return TRUE;
}

/* --- what belongs together ------------------------------------------------ */

/* The same format again is no cut. */
gboolean
nda_py_batch_is_cut_by (NdaPyBatch * self, GstEvent * event)
{
  GstCaps *caps;
  GstAudioInfo info;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      return !gst_audio_info_from_caps (&info, caps)
          || !gst_audio_info_is_equal (&info, &self->info);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_GAP:
    case GST_EVENT_EOS:
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
nda_py_batch_is_cut (GstMiniObject * block)
{
  return GST_MINI_OBJECT_FLAG_IS_SET (block, GST_BUFFER_FLAG_DISCONT
      | NDA_BLOCK_FLAG_LEADING);
}

guint
nda_py_batch_count_run (GstMiniObject ** buffers, guint n_buffers)
{
  guint n = 1;

  while (n < n_buffers && !nda_py_batch_is_cut (buffers[n]))
    n++;
  return n;
}

/* Whether a run that begins with @block goes another way than as it comes. */
static gboolean
needs_framing (NdaPyBatch * self, GstMiniObject * block,
    const NdaPyFacts * facts)
{
  return facts->is_analyser
      || GST_MINI_OBJECT_FLAG_IS_SET (block, NDA_BLOCK_FLAG_LEADING)
      || !nda_py_delay_is_none (&self->format, facts->delay,
      self->info.channels);
}

/* --- a run ---------------------------------------------------------------- */

static gboolean
add_direct (NdaPyBatch * self, GstBuffer * buffer)
{
  return nda_py_direct_add (&self->direct, buffer);
}

static gboolean
add_framed (NdaPyBatch * self, GstBuffer * buffer)
{
  return nda_py_framing_push (&self->framing, buffer);
}

/* Adds @buffers (transfer full) up to the first that cannot be added; drops the
 * others. */
static void
add_buffers (NdaPyBatch * self, gboolean (*add) (NdaPyBatch *, GstBuffer *),
    GstMiniObject ** buffers, guint n_buffers, GError ** error)
{
  gboolean ok = TRUE;

  for (guint i = 0; i < n_buffers; i++) {
    if (ok)
      ok = add (self, GST_BUFFER_CAST (buffers[i]));
    else
      gst_mini_object_unref (buffers[i]);
  }
  if (!ok)
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        _("A buffer of audio cannot be read, or there is no memory for one. "
            "Check what feeds this element."));
}

/* Counts the calls that were just made with whole blocks, and their frames. */
static void
count_direct (NdaPyBatch * self, guint n_calls)
{
  self->n_calls = n_calls;
  self->calls = self->direct.calls;
  for (guint i = 0; i < n_calls; i++)
    self->n_frames += self->calls[i]->n_frames;
}

/* Runs @buffers as they come. FALSE: none was run, since the plugin is being
 * stopped, or has a latency now. */
static gboolean
run_direct (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint n_buffers, NdaPyOnError on_error, GError ** error)
{
  self->is_framed = FALSE;
  nda_py_host_expect_latency (host, 0);
  add_buffers (self, add_direct, buffers, n_buffers, error);
  if (!self->direct.n_calls)
    return TRUE;
  count_direct (self, nda_py_direct_run (&self->direct, host, on_error,
          &self->gil_wait));
  return self->n_calls != 0;
}

/* Runs @buffers in the plugin's frames. FALSE: no call was made, for the plugin
 * is being stopped, or is another by now. */
static gboolean
run_framed (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint n_buffers, const NdaPyFacts * facts, NdaPyOnError on_error,
    GError ** error)
{
  NdaPyFraming *framing = &self->framing;
  guint64 n_before;
  gboolean ok;

  self->is_framed = TRUE;
  nda_py_host_expect_latency (host, NDA_PY_HOST_ANY_LATENCY);
  if (!framing->is_begun)
    nda_py_framing_begin (framing, GST_BUFFER_CAST (buffers[0]), &self->format,
        facts);
  n_before = framing->n_in;
  add_buffers (self, add_framed, buffers, n_buffers, error);
  ok = nda_py_framing_run (framing, host, on_error, &self->gil_wait);
  self->calls = nda_py_adapter_get_calls (framing->adapter, &self->n_calls);
  self->n_frames += framing->n_in - n_before;
  return ok;
}

/* Runs @buffers, of which those that are left are given back in @n_buffers if
 * no call was made. FALSE: none was. */
static gboolean
run_once (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint * n_buffers, NdaPyOnError on_error, GError ** error)
{
  guint n_taken = *n_buffers;
  NdaPyFacts facts;

  if (n_taken == 0 && !self->framing.is_begun)
    return TRUE;
  nda_py_host_get_facts (host, &facts);
  if (!self->framing.is_begun && !needs_framing (self, buffers[0], &facts)) {
    if (run_direct (self, host, buffers, n_taken, on_error, error))
      return TRUE;
    *n_buffers = nda_py_direct_undo (&self->direct, buffers);
    return FALSE;
  }
  *n_buffers = 0;
  return run_framed (self, host, buffers, n_taken, &facts, on_error, error);
}

/* Goes on with an edited plugin that takes @format. */
static void
adopt (NdaPyBatch * self, NdaPyHost * host, const NdaPyFormat * format)
{
  NdaPyFacts facts;

  nda_py_host_get_facts (host, &facts);
  nda_py_framing_exchange (&self->framing, format, &facts);
  set_format (self, format);
}

/* Whether blocks as they come cannot be what the plugin gets: it delays by now,
 * or is another. */
static gboolean
is_changed (NdaPyBatch * self, NdaPyHost * host)
{
  NdaPyFormat format;
  gboolean is_exchanged = nda_py_host_accept_exchange (host, &format);

  if (is_exchanged)
    adopt (self, host, &format);
  return is_exchanged
      || (!self->is_framed && nda_py_host_get_call_latency (host) != 0);
}

static void
drop (GstMiniObject ** buffers, guint n_buffers)
{
  for (guint i = 0; i < n_buffers; i++)
    gst_mini_object_unref (buffers[i]);
}

/* A plugin that was being stopped when the caps came is not ready for blocks.
 * They come all the same if a flush starts the task again meanwhile. */
gboolean
nda_py_batch_run (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint n_buffers, NdaPyOnError on_error, GError ** error)
{
  NdaPyFormat format;
  gboolean ok;

  self->n_calls = self->n_frames = 0;
  if (G_UNLIKELY (!self->is_ready)) {
    drop (buffers, n_buffers);
    return FALSE;
  }
  if (G_UNLIKELY (nda_py_host_accept_exchange (host, &format)))
    adopt (self, host, &format);
  if (n_buffers == 0)
    nda_py_framing_end (&self->framing);
  do
    ok = run_once (self, host, buffers, &n_buffers, on_error, error);
  while (!ok && is_changed (self, host));
  if (ok)
    return TRUE;
  g_clear_error (error);
  drop (buffers, n_buffers);
  return FALSE;
}

/* --- out ------------------------------------------------------------------ */

void
nda_py_batch_add_event (NdaPyBatch * self, GstEvent * event)
{
  nda_held_events_add (&self->events, event,
      nda_py_framing_get_n_in (&self->framing));
}

void
nda_py_batch_flush_events (NdaPyBatch * self)
{
  nda_held_events_flush (&self->events);
}

GstMiniObject *
nda_py_batch_take (NdaPyBatch * self)
{
  GstEvent *event = nda_held_events_take (&self->events,
      nda_py_framing_get_n_left (&self->framing));

  if (event)
    return GST_MINI_OBJECT_CAST (event);
  return GST_MINI_OBJECT_CAST (self->is_framed ?
      nda_py_framing_take (&self->framing) :
      nda_py_direct_take (&self->direct));
}

void
nda_py_batch_settle (NdaPyBatch * self)
{
  nda_py_direct_drop (&self->direct);
  nda_py_framing_settle (&self->framing, self->direct.n_call_frames != 0);
}

gboolean
nda_py_batch_is_holding (NdaPyBatch * self)
{
  return self->framing.is_begun;
}
