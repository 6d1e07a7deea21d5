/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyfit.h"

#include "ndablock.h"

#include <string.h>

/* GStreamer's best: what it leaves wrong is 125 dB down */
#define QUALITY 10

struct _NdaPyFit
{
  GstAudioResampler *resampler; /* owned; NULL where the rates are the same */
  guint from_rate;
  guint to_rate;

  NdaPyArray input;             /* owned memory */
  NdaPyArray output;            /* owned memory; what waits is at its start */
  guint n_frames;               /* that wait in output */
  gpointer in_planes[NDA_BLOCK_MAX_CHANNELS];
  gpointer out_planes[NDA_BLOCK_MAX_CHANNELS];
};

static GstAudioResampler *
make_resampler (guint n_channels, guint from_rate, guint to_rate)
{
  const GstAudioResamplerMethod method = GST_AUDIO_RESAMPLER_METHOD_KAISER;
  GstStructure *options = gst_structure_new_empty ("options");
  GstAudioResampler *resampler;

  gst_audio_resampler_options_set_quality (method, QUALITY, from_rate, to_rate,
      options);
  resampler = gst_audio_resampler_new (method,
      GST_AUDIO_RESAMPLER_FLAG_NON_INTERLEAVED_IN
      | GST_AUDIO_RESAMPLER_FLAG_NON_INTERLEAVED_OUT, GST_AUDIO_FORMAT_F32,
      n_channels, from_rate, to_rate, options);
  gst_structure_free (options);
  return resampler;
}

static guint
get_n_lag_frames (NdaPyFit * self)
{
  return self->resampler ?
      gst_audio_resampler_get_max_latency (self->resampler) : 0;
}

static void
make_array (NdaPyArray * array, guint n_channels, guint n_frames)
{
  array->data = g_new0 (gfloat, (gsize) n_channels * n_frames);
  array->n_channels = n_channels;
  array->n_frames = n_frames;
}

/* For frames of @n_channels that come at @from_rate and go at @to_rate. */
NdaPyFit *
nda_py_fit_new (guint n_channels, guint from_rate, guint to_rate)
{
  NdaPyFit *self = g_new0 (NdaPyFit, 1);
  guint most;

  g_return_val_if_fail (n_channels <= NDA_BLOCK_MAX_CHANNELS, NULL);
  self->from_rate = from_rate;
  self->to_rate = to_rate;
  if (from_rate != to_rate)
    self->resampler = make_resampler (n_channels, from_rate, to_rate);
  make_array (&self->input, n_channels, NDA_BLOCK_FRAMES);
  /* less than a block waits when more comes: a block, or the lag at the end */
  most = MAX (NDA_BLOCK_FRAMES, get_n_lag_frames (self)) + 1;
  make_array (&self->output, n_channels, NDA_BLOCK_FRAMES
      + gst_util_uint64_scale_int_ceil (most, to_rate, from_rate) + 1);
  return self;
}

void
nda_py_fit_free (NdaPyFit * self)
{
  g_clear_pointer (&self->resampler, gst_audio_resampler_free);
  g_free (self->input.data);
  g_free (self->output.data);
  g_free (self);
}

/* The array whose first frames nda_py_fit_push () takes. */
const NdaPyArray *
nda_py_fit_get_input (NdaPyFit * self)
{
  return &self->input;
}

static void
find_planes (gpointer * planes, const NdaPyArray * array, guint first_frame)
{
  for (guint c = 0; c < array->n_channels; c++)
    planes[c] = array->data + (gsize) c *array->n_frames + first_frame;
}

/* Resamples @n_frames of @planes; of silence, where that is NULL. */
static void
resample (NdaPyFit * self, gpointer * planes, guint n_frames)
{
  gsize n_out = gst_audio_resampler_get_out_frames (self->resampler, n_frames);

  g_assert (self->n_frames + n_out <= self->output.n_frames);
  find_planes (self->out_planes, &self->output, self->n_frames);
  gst_audio_resampler_resample (self->resampler, planes, n_frames,
      self->out_planes, n_out);
  self->n_frames += n_out;
}

/* Takes the first @n_frames of the input. Less than a block of the output may
 * be waiting. */
void
nda_py_fit_push (NdaPyFit * self, guint n_frames)
{
  g_assert (self->n_frames < NDA_BLOCK_FRAMES);
  find_planes (self->in_planes, &self->input, 0);
  if (self->resampler) {
    resample (self, self->in_planes, n_frames);
    return;
  }
  find_planes (self->out_planes, &self->output, self->n_frames);
  for (guint c = 0; c < self->input.n_channels; c++)
    memcpy (self->out_planes[c], self->in_planes[c],
        n_frames * sizeof (gfloat));
  self->n_frames += n_frames;
}

/* Brings out what the resampler holds back, at the end. */
void
nda_py_fit_drain (NdaPyFit * self)
{
  g_assert (self->n_frames < NDA_BLOCK_FRAMES);
  if (!self->resampler)
    return;
  resample (self, NULL, get_n_lag_frames (self));
  gst_audio_resampler_reset (self->resampler);
}

/* Forgets what was pushed. */
void
nda_py_fit_flush (NdaPyFit * self)
{
  self->n_frames = 0;
  if (self->resampler)
    gst_audio_resampler_reset (self->resampler);
}

/* How many frames wait in the output. */
guint
nda_py_fit_get_n_frames (NdaPyFit * self)
{
  return self->n_frames;
}

const NdaPyArray *
nda_py_fit_get_output (NdaPyFit * self)
{
  return &self->output;
}

/* Drops the first @n_frames of the output, which went their way. */
void
nda_py_fit_pop (NdaPyFit * self, guint n_frames)
{
  g_assert (n_frames <= self->n_frames);
  self->n_frames -= n_frames;
  find_planes (self->out_planes, &self->output, 0);
  for (guint c = 0; c < self->output.n_channels; c++)
    memmove (self->out_planes[c], (gfloat *) self->out_planes[c] + n_frames,
        self->n_frames * sizeof (gfloat));
}

/* How much later a frame comes out than it would from a wire. */
GstClockTime
nda_py_fit_get_latency (NdaPyFit * self)
{
  return nda_block_frames_to_time (get_n_lag_frames (self), self->from_rate);
}
