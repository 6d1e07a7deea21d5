/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybatch.h"

#include "ndablock.h"
#include "ndapydelay.h"
#include "ndapymix.h"

#include <glib/gi18n-lib.h>

/* The range of a plugin's rate, in Hz */
#define MIN_RATE 1001u
#define MAX_RATE 768000u

void
nda_py_batch_init (NdaPyBatch * self)
{
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

/* Whether sound can be converted to the plugin's format, and back. */
static gboolean
check_format (NdaPyBatch * self, const NdaPyFormat * format, GError ** error)
{
  guint n_channels = self->info.channels;

  if (format->rate < MIN_RATE || format->rate > MAX_RATE)
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("The plugin wants %u Hz. Let its rate be from %u to %u Hz."),
        format->rate, MIN_RATE, MAX_RATE);
  else if (!nda_py_mix_fits (n_channels, format->n_channels))
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        _("The plugin takes %u channels, and the stream has %u. Put "
            "“audioconvert ! audio/x-raw,channels=%u” before this "
            "element."), format->n_channels, n_channels, format->n_channels);
  else
    return TRUE;
  return FALSE;
}

gboolean
nda_py_batch_set_format (NdaPyBatch * self, const NdaPyFormat * format,
    GError ** error)
{
  if (!check_format (self, format, error))
    return FALSE;
  self->format = *format;
  if (nda_py_delay_is_none (format, 0, self->info.channels))
    nda_py_direct_init (&self->direct, &self->info, self->pool,
        format->n_frames);
  nda_py_framing_set_format (&self->framing, &self->info, self->pool);
  return TRUE;
}

/* --- what belongs together ------------------------------------------------ */

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

/* Whether @block cannot go to the plugin as it comes. */
static gboolean
needs_framing (NdaPyBatch * self, GstMiniObject * block,
    const NdaPyFacts * facts)
{
  return self->framing.is_begun || facts->is_analyser
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
  if (n_buffers == 0)
    nda_py_framing_end (framing);
  ok = nda_py_framing_run (framing, host, on_error, &self->gil_wait);
  self->calls = nda_py_adapter_get_calls (framing->adapter, &self->n_calls);
  self->n_frames = framing->n_in - n_before;
  return ok;
}

gboolean
nda_py_batch_run (NdaPyBatch * self, NdaPyHost * host, GstMiniObject ** buffers,
    guint n_buffers, NdaPyOnError on_error, GError ** error)
{
  NdaPyFacts facts;
  gboolean ok;

  self->n_calls = self->n_frames = 0;
  nda_py_host_get_facts (host, &facts);
  if (n_buffers && !needs_framing (self, buffers[0], &facts)) {
    ok = run_direct (self, host, buffers, n_buffers, on_error, error);
    if (ok || nda_py_host_get_call_latency (host) == 0) {
      if (!ok)
        g_clear_error (error);
      return ok;
    }
    n_buffers = nda_py_direct_undo (&self->direct, buffers);
    nda_py_host_get_facts (host, &facts);
  }
  ok = run_framed (self, host, buffers, n_buffers, &facts, on_error, error);
  if (!ok)
    g_clear_error (error);
  return ok;
}

GstBuffer *
nda_py_batch_take (NdaPyBatch * self)
{
  return self->is_framed ? nda_py_framing_take (&self->framing) :
      nda_py_direct_take (&self->direct);
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
