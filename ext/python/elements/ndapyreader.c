/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyreader.h"

#include "ndablock.h"

#include <glib/gi18n-lib.h>

/* How soon a plugin that had nothing is asked again */
#define RETRY_INTERVAL (1 * GST_MSECOND)
/* How far the plugin may fall behind and still catch up */
#define MAX_LAG (200 * GST_MSECOND)

static GstClockTime
get_running_time (NdaPyReader * self)
{
  GstClockTime time =
      gst_element_get_current_running_time (GST_ELEMENT (self->src));

  return GST_CLOCK_TIME_IS_VALID (time) ? time : 0;
}

static GstClockTime
get_chunk_duration (NdaPyReader * self)
{
  return nda_block_frames_to_time (self->format.n_frames, self->format.rate);
}

/* Makes time begin again at @time. */
static void
rebase (NdaPyReader * self, GstClockTime time)
{
  nda_frame_clock_rebase (&self->pace, time);
  nda_frame_clock_rebase (&self->stamps, time);
}

/* The time when the next frames to be read have all been played (6.2.1). */
static GstClockTime
get_due_time (NdaPyReader * self)
{
  NdaFrameClock end = self->pace;

  end.n_frames += self->format.n_frames;
  return nda_frame_clock_now (&end);
}

/* FALSE when interrupted. */
static gboolean
wait_for_frames (NdaPyReader * self)
{
  if (!gst_base_src_is_live (self->src)) {
    if (!GST_CLOCK_TIME_IS_VALID (self->pace.base))
      rebase (self, 0);
    return nda_py_wait_for (&self->wait, 0);
  }
  if (!GST_CLOCK_TIME_IS_VALID (self->pace.base))
    rebase (self, get_running_time (self));
  return nda_py_wait_until (&self->wait, GST_ELEMENT (self->src),
      get_due_time (self));
}

/* Waits before a plugin that had nothing is asked again, by the clock that sets
 * the pace. If the plugin's process has ended, waits for the next block. */
static gboolean
wait_to_retry (NdaPyReader * self, NdaPyCallResult result)
{
  GstClockTime interval = result == NDA_PY_CALL_DEAD ?
      get_chunk_duration (self) : RETRY_INTERVAL;

  self->had_nothing = TRUE;
  if (!gst_base_src_is_live (self->src))
    return nda_py_wait_for (&self->wait, interval);
  return nda_py_wait_until (&self->wait, GST_ELEMENT (self->src),
      get_running_time (self) + interval);
}

/* Reads @audio, of as many frames as the plugin gives at a time. Returns the
 * number of frames: fewer when the plugin has ended, and 0 then or when the
 * stream is being stopped. */
static guint
read_chunk (NdaPyReader * self, const NdaPyAudio * audio)
{
  NdaPyBlock block = {.out = *audio,.n_frames = self->format.n_frames };

  if (!wait_for_frames (self))
    return 0;
  while (TRUE) {
    if (!nda_py_shared_call (self->py, &block,
            _("It is asked again, and nothing takes the block's place.")))
      return 0;
    self->has_ended = block.result == NDA_PY_CALL_ENDED;
    if (block.ok || self->has_ended)
      return block.n_frames;
    if (!wait_to_retry (self, block.result))
      return 0;
  }
}

/* How late the frames came that were just read. */
static GstClockTime
get_lag (NdaPyReader * self)
{
  GstClockTime now = get_running_time (self), due = get_due_time (self);

  if (!gst_base_src_is_live (self->src) || now < due)
    return 0;
  return now - due;
}

/* Whether the frames that were just read do not follow those before. */
static gboolean
is_behind_a_gap (NdaPyReader * self, GstClockTime lag)
{
  return lag > MAX_LAG || (self->had_nothing && lag > NDA_BLOCK_DURATION);
}

/* Makes time begin again at the frames that were just read. */
static void
resynchronise (NdaPyReader * self)
{
  GstClockTime now = get_running_time (self);
  GstClockTime duration = get_chunk_duration (self);

  rebase (self, now > duration ? now - duration : 0);
  if (!self->stamps.offset)
    return;                     /* the first block follows no other */
  g_mutex_lock (self->py->lock);
  self->py->counters.n_discontinuities++;
  g_mutex_unlock (self->py->lock);
}

/* Counts the frames that were just read. */
static void
accept_chunk (NdaPyReader * self, guint n_frames)
{
  self->pace.n_frames += n_frames;
  self->had_nothing = FALSE;
}

/* Finishes @buffer, which holds the next @n_frames. */
static void
finish_block (NdaPyReader * self, GstBuffer * buffer, guint n_frames,
    gboolean is_late)
{
  gboolean is_discont = self->stamps.n_frames == 0;

  gst_buffer_set_size (buffer, (gssize) n_frames * self->info.bpf);
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED
      && n_frames != NDA_BLOCK_FRAMES) {
    GstAudioMeta *meta = gst_buffer_get_audio_meta (buffer);

    if (meta)
      gst_buffer_remove_meta (buffer, &meta->meta);
    gst_buffer_add_audio_meta (buffer, &self->info, n_frames, NULL);
  }
  nda_frame_clock_stamp (&self->stamps, buffer, n_frames);
  if (is_discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  nda_py_shared_count_block (self->py, n_frames, is_late);
}

/* Reads a block into @map from a plugin that makes whole blocks. Returns the
 * number of frames. */
static guint
fill_directly (NdaPyReader * self, GstAudioBuffer * map, gboolean * is_late)
{
  NdaPyAudio audio = { map->planes, self->info.channels,
    self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED
  };
  guint n_frames = read_chunk (self, &audio);
  GstClockTime lag;

  if (!n_frames)
    return 0;
  lag = get_lag (self);
  if (is_behind_a_gap (self, lag))
    resynchronise (self);
  accept_chunk (self, n_frames);
  *is_late = lag > NDA_BLOCK_DURATION;
  return n_frames;
}

/* Reads the plugin's next frames into the fit's input. If they do not follow
 * those before, the earlier frames are pushed out first. FALSE: the stream is
 * being stopped, or has ended. */
static gboolean
fetch_chunk (NdaPyReader * self, const NdaPyAudio * audio, gboolean * is_late)
{
  GstClockTime lag;

  self->n_chunk = read_chunk (self, audio);
  if (!self->n_chunk)
    return FALSE;
  lag = get_lag (self);
  *is_late |= lag > NDA_BLOCK_DURATION;
  self->is_behind_gap = is_behind_a_gap (self, lag);
  if (self->is_behind_gap)
    nda_py_fit_drain (self->fit);
  return TRUE;
}

/* Pushes the frames that were read into the fit. */
static void
push_chunk (NdaPyReader * self)
{
  if (self->is_behind_gap)
    resynchronise (self);
  self->is_behind_gap = FALSE;
  accept_chunk (self, self->n_chunk);
  nda_py_fit_push (self->fit, self->n_chunk);
  self->n_chunk = 0;
}

/* Reads until there is a block, or the rest of one before a gap or at the end.
 * Returns the number of frames, 0 when the stream is being stopped or has
 * ended. */
static guint
gather (NdaPyReader * self, const NdaPyAudio * audio, gboolean * is_late)
{
  while (nda_py_fit_get_n_frames (self->fit) < NDA_BLOCK_FRAMES) {
    if (!self->n_chunk && !self->has_ended
        && !fetch_chunk (self, audio, is_late) && !self->has_ended)
      return 0;
    if (!self->n_chunk) {
      nda_py_fit_drain (self->fit);
      break;
    }
    if (self->is_behind_gap && nda_py_fit_get_n_frames (self->fit))
      break;
    push_chunk (self);
  }
  return MIN (nda_py_fit_get_n_frames (self->fit), NDA_BLOCK_FRAMES);
}

/* Makes a block in @map from a plugin with any length and rate. */
static guint
fill_from_fit (NdaPyReader * self, GstAudioBuffer * map, gboolean * is_late)
{
  NdaPyAudio audio = { map->planes, self->info.channels,
    self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED
  };
  const NdaPyArray *input = nda_py_fit_get_input (self->fit);
  gpointer planes[NDA_BLOCK_MAX_CHANNELS];
  NdaPyAudio chunk = { planes, input->n_channels, TRUE };
  guint n_frames;

  for (guint c = 0; c < input->n_channels; c++)
    planes[c] = input->data + (gsize) c *input->n_frames;
  n_frames = gather (self, &chunk, is_late);
  if (n_frames) {
    nda_py_planes_store (nda_py_fit_get_output (self->fit), &audio, n_frames);
    nda_py_fit_pop (self->fit, n_frames);
  }
  return n_frames;
}

/* Makes the next block. EOS: the plugin has ended. */
GstFlowReturn
nda_py_reader_read (NdaPyReader * self, GstBuffer ** result)
{
  g_autoptr (GstBuffer) buffer = NULL;
  GstAudioBuffer map;
  GstFlowReturn flow;
  gboolean is_late = FALSE;
  guint n_frames;

  if (!self->pool)              /* stopped before a format was set */
    return GST_FLOW_FLUSHING;
  if (self->has_ended && !self->fit)
    return GST_FLOW_EOS;
  flow = gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL);
  if (flow != GST_FLOW_OK)
    return flow;
  gst_buffer_set_size (buffer, NDA_BLOCK_FRAMES * self->info.bpf);
  if (self->info.layout == GST_AUDIO_LAYOUT_NON_INTERLEAVED)
    gst_buffer_add_audio_meta (buffer, &self->info, NDA_BLOCK_FRAMES, NULL);
  if (!gst_audio_buffer_map (&map, &self->info, buffer, GST_MAP_WRITE))
    return GST_FLOW_ERROR;
  if (self->fit)
    n_frames = fill_from_fit (self, &map, &is_late);
  else
    n_frames = fill_directly (self, &map, &is_late);
  gst_audio_buffer_unmap (&map);
  if (!n_frames)
    return self->has_ended ? GST_FLOW_EOS : GST_FLOW_FLUSHING;

  finish_block (self, buffer, n_frames, is_late);
  *result = g_steal_pointer (&buffer);
  return GST_FLOW_OK;
}

/* --- life --- */

void
nda_py_reader_init (NdaPyReader * self, GstBaseSrc * src, NdaPyShared * py)
{
  self->src = src;
  self->py = py;
  nda_py_wait_init (&self->wait);
}

void
nda_py_reader_clear (NdaPyReader * self)
{
  nda_py_wait_clear (&self->wait);
}

/* Starts the plugin. ERROR: it did not start, and an error was posted.
 * FLUSHING: it is being stopped. */
GstFlowReturn
nda_py_reader_start (NdaPyReader * self)
{
  NdaPyFormat *format = &self->format;
  GstFlowReturn flow = nda_py_shared_start (self->py, format);

  if (flow != GST_FLOW_OK)
    return flow;
  if (format->rate != NDA_BLOCK_RATE || format->n_frames != NDA_BLOCK_FRAMES)
    self->fit =
        nda_py_fit_new (format->n_channels, format->rate, NDA_BLOCK_RATE);
  nda_frame_clock_init (&self->pace, format->rate);
  nda_frame_clock_init (&self->stamps, NDA_BLOCK_RATE);
  self->is_started = TRUE;
  return GST_FLOW_OK;
}

/* Forgets the stream, after streaming has ended. */
void
nda_py_reader_stop (NdaPyReader * self)
{
  nda_block_pool_clear (&self->pool);
  g_clear_pointer (&self->fit, nda_py_fit_free);
  self->is_started = FALSE;
  self->n_chunk = 0;
  self->is_behind_gap = FALSE;
  self->had_nothing = FALSE;
  self->has_ended = FALSE;
}

/* Takes the format of the blocks. */
gboolean
nda_py_reader_set_caps (NdaPyReader * self, GstCaps * caps)
{
  nda_block_pool_clear (&self->pool);
  gst_audio_info_from_caps (&self->info, caps);
  self->pool = nda_block_pool_new (caps, &self->info, NDA_BLOCK_FRAMES);
  return self->pool != NULL;
}

/* The latency of reading and resampling, once the plugin is started. */
GstClockTime
nda_py_reader_get_latency (NdaPyReader * self)
{
  GstClockTime latency =
      nda_block_frames_to_time (NDA_BLOCK_FRAMES, NDA_BLOCK_RATE);

  /* a block may become complete in the middle of the plugin's buffer */
  if (self->fit)
    latency += nda_py_fit_get_latency (self->fit)
        + nda_block_frames_to_time (self->format.n_frames, self->format.rate);
  return latency;
}
