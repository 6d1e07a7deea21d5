/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapywriter.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* How soon a plugin that is full is asked again */
#define RETRY_INTERVAL (5 * GST_MSECOND)

/* Called after the preroll lock was given up. If the pipeline was paused
 * meanwhile, the block on offer is its preroll, and goes on when the pipeline
 * plays again. The base class does not see a flush that began before it
 * waits. */
GstFlowReturn
nda_py_writer_preroll (NdaPyWriter * self)
{
  if (self->sink->flushing)
    return GST_FLOW_FLUSHING;
  return gst_base_sink_do_preroll (self->sink, NULL);
}

/* Waits RETRY_INTERVAL for the plugin. */
static GstFlowReturn
wait_to_retry (NdaPyWriter * self)
{
  GST_BASE_SINK_PREROLL_UNLOCK (self->sink);
  nda_py_wait_for (&self->wait, RETRY_INTERVAL);
  GST_BASE_SINK_PREROLL_LOCK (self->sink);
  return nda_py_writer_preroll (self);
}

/* Whether @block cannot be played in time because the process of the plugin has
 * ended. Without a clock to follow, the next process is waited for. */
static gboolean
is_lost (NdaPyWriter * self, const NdaPyBlock * block)
{
  return block->result == NDA_PY_CALL_DEAD
      && gst_base_sink_get_sync (self->sink);
}

/* Offers @block now and RETRY_INTERVAL after each answer, for @budget, until
 * the plugin takes it. If @is_gated, until the plugin says that it has room.
 * The result is in @block. If this returns anything but OK, the stream is being
 * stopped. */
static GstFlowReturn
offer (NdaPyWriter * self, NdaPyBlock * block, gboolean is_gated,
    GstClockTime budget)
{
  GstFlowReturn flow = GST_FLOW_OK;

  block->is_gated = is_gated;
  for (GstClockTime waited = 0; flow == GST_FLOW_OK;
      waited += block->call_time + RETRY_INTERVAL) {
    gboolean ok;

    GST_BASE_SINK_PREROLL_UNLOCK (self->sink);
    ok = nda_py_shared_call (self->py, block, _("The block is offered again."));
    GST_BASE_SINK_PREROLL_LOCK (self->sink);
    if (!ok)
      return GST_FLOW_FLUSHING;
    if (block->ok || is_lost (self, block) || (is_gated
            && block->result != NDA_PY_CALL_NO_SPACE)
        || waited >= budget)
      break;
    flow = wait_to_retry (self);
  }
  return flow;
}

/* The block was offered for @budget; @result is what the last offer gave. */
static GstFlowReturn
give_up (NdaPyWriter * self, NdaPyCallResult result, GstClockTime budget)
{
  const gchar *failure = result == NDA_PY_CALL_FAILED ?
      nda_py_shared_get_failure (self->py) : NULL;
  g_autofree gchar *n_milliseconds =
      g_strdup_printf ("%" G_GUINT64_FORMAT, budget / GST_MSECOND);
  g_autofree gchar *reason = NULL;

  if (failure) {
    reason = g_strndup (failure, strcspn (failure, "\n"));
    GST_ELEMENT_ERROR (self->sink, LIBRARY, FAILED,
        (_("%s. The plugin was offered the block for %s ms, as "
                "“write-budget” says."), reason, n_milliseconds),
        ("%s", failure));
  } else {
    GST_ELEMENT_ERROR (self->sink, LIBRARY, FAILED,
        (_("The plugin did not take a block within %s ms. See whether its "
                "device runs, or raise “write-budget”."), n_milliseconds),
        ("its method that writes did not return True"));
  }
  return GST_FLOW_ERROR;
}

static GstClockTime
get_budget (NdaPyWriter * self)
{
  g_autoptr (GMutexLocker) locker =
      g_mutex_locker_new (GST_OBJECT_GET_LOCK (self->sink));

  return self->budget;
}

/* Waits for room, then offers the block until it is taken (6.2, 6.2.2). If a
 * plugin said that it had no room and took the block in spite of that, this
 * does not wait for its room again until it reports some. CUSTOM_SUCCESS: no
 * process was there to take it. */
static GstFlowReturn
write_chunk (NdaPyWriter * self, const NdaPyAudio * audio, guint n_frames)
{
  NdaPyBlock block = {.in = *audio,.n_frames = n_frames };
  GstClockTime budget = get_budget (self);
  gboolean was_full;
  GstFlowReturn flow =
      offer (self, &block, TRUE, self->is_distrusted ? 0 : budget);

  was_full = block.result == NDA_PY_CALL_NO_SPACE;
  if (flow == GST_FLOW_OK && !block.ok && !was_full && !is_lost (self, &block))
    flow = wait_to_retry (self);
  if (flow == GST_FLOW_OK && !block.ok && !is_lost (self, &block))
    flow = offer (self, &block, FALSE, budget);
  if (flow != GST_FLOW_OK)
    return flow;
  if (block.result == NDA_PY_CALL_DEAD)
    return GST_FLOW_CUSTOM_SUCCESS;
  self->is_distrusted = was_full;
  return block.ok ? GST_FLOW_OK : give_up (self, block.result, budget);
}

/* Writes the frames in the fit, as many as the plugin takes at a time; all of
 * them with @is_last. CUSTOM_SUCCESS: no process was there to take some of
 * them. Then the rest is not offered, so that a block is waited for once,
 * however short the calls are. */
static GstFlowReturn
write_from_fit (NdaPyWriter * self, gboolean is_last)
{
  const NdaPyArray *output = nda_py_fit_get_output (self->fit);
  gpointer planes[NDA_BLOCK_MAX_CHANNELS];
  NdaPyAudio audio = { planes, output->n_channels, TRUE };
  GstFlowReturn result = GST_FLOW_OK;
  guint n_frames;

  for (guint c = 0; c < output->n_channels; c++)
    planes[c] = output->data + (gsize) c *output->n_frames;
  while ((n_frames = MIN (nda_py_fit_get_n_frames (self->fit),
              self->format.n_frames))) {
    GstFlowReturn flow = result;

    if (n_frames < self->format.n_frames && !is_last)
      break;
    if (result == GST_FLOW_OK)
      flow = write_chunk (self, &audio, n_frames);
    if (flow < GST_FLOW_OK)
      return flow;
    result = flow;
    nda_py_fit_pop (self->fit, n_frames);
  }
  return result;
}

/* Writes @block, of the format @info, or as much as the fit gives.
 * CUSTOM_SUCCESS: no process was there to take it. */
GstFlowReturn
nda_py_writer_write (NdaPyWriter * self, const GstAudioInfo * info,
    GstBuffer * block, guint * n_frames)
{
  GstAudioBuffer map;
  NdaPyAudio audio;
  GstFlowReturn flow;

  if (!gst_audio_buffer_map (&map, info, block, GST_MAP_READ))
    return GST_FLOW_ERROR;
  *n_frames = map.n_samples;
  audio.planes = map.planes;
  audio.n_channels = info->channels;
  audio.is_planar = info->layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED;
  if (self->fit) {
    nda_py_planes_load (nda_py_fit_get_input (self->fit), &audio, *n_frames);
    nda_py_fit_push (self->fit, *n_frames);
    flow = write_from_fit (self, *n_frames < NDA_BLOCK_FRAMES);
  } else {
    flow = write_chunk (self, &audio, *n_frames);
  }
  gst_audio_buffer_unmap (&map);
  return flow;
}

/* Writes the frames held back after the last block. */
void
nda_py_writer_drain (NdaPyWriter * self)
{
  if (!self->fit)
    return;
  nda_py_fit_drain (self->fit);
  write_from_fit (self, TRUE);
}

/* Drops the frames held back. */
void
nda_py_writer_flush (NdaPyWriter * self)
{
  if (self->fit)
    nda_py_fit_flush (self->fit);
}

/* --- life --- */

void
nda_py_writer_init (NdaPyWriter * self, GstBaseSink * sink, NdaPyShared * py)
{
  self->sink = sink;
  self->py = py;
  nda_py_wait_init (&self->wait);
}

void
nda_py_writer_clear (NdaPyWriter * self)
{
  nda_py_wait_clear (&self->wait);
}

/* Starts the plugin; gives up the preroll lock meanwhile. ERROR: it did not
 * start, and an error was posted. FLUSHING: it is being stopped. */
GstFlowReturn
nda_py_writer_start (NdaPyWriter * self)
{
  NdaPyFormat *format = &self->format;
  GstFlowReturn flow;

  GST_BASE_SINK_PREROLL_UNLOCK (self->sink);
  flow = nda_py_shared_start (self->py, format);
  GST_BASE_SINK_PREROLL_LOCK (self->sink);
  if (flow != GST_FLOW_OK)
    return flow;
  if (format->rate != NDA_BLOCK_RATE || format->n_frames != NDA_BLOCK_FRAMES)
    self->fit =
        nda_py_fit_new (format->n_channels, NDA_BLOCK_RATE, format->rate);
  self->is_started = TRUE;
  return GST_FLOW_OK;
}

/* Forgets the stream, after streaming has ended. */
void
nda_py_writer_stop (NdaPyWriter * self)
{
  g_clear_pointer (&self->fit, nda_py_fit_free);
  self->is_started = FALSE;
  self->is_distrusted = FALSE;
}
