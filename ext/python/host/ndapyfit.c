/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapyfit.h"

#include "ndablock.h"
#include "ndapolyphase.h"

#include <string.h>

struct _NdaPyFit
{
  NdaPolyphase *polyphase;      /* owned; NULL if the rates are equal */
  guint from_rate;

  NdaPyArray input;             /* owned memory */
  NdaPyArray output;            /* owned memory; waiting frames first */
  guint n_frames;               /* waiting in output */
  gfloat *in_planes[NDA_BLOCK_MAX_CHANNELS];
  gfloat *out_planes[NDA_BLOCK_MAX_CHANNELS];
};

static guint
get_n_lag_frames (NdaPyFit * self)
{
  return self->polyphase ? nda_polyphase_get_lag (self->polyphase) : 0;
}

static void
make_array (NdaPyArray * array, guint n_channels, guint n_frames)
{
  array->data = g_new0 (gfloat, (gsize) n_channels * n_frames);
  array->n_channels = n_channels;
  array->n_frames = n_frames;
}

/* Makes a fit for frames of @n_channels that come in at @from_rate and go out
 * at @to_rate. */
NdaPyFit *
nda_py_fit_new (guint n_channels, guint from_rate, guint to_rate)
{
  NdaPyFit *self = g_new0 (NdaPyFit, 1);
  guint most;

  g_return_val_if_fail (n_channels <= NDA_BLOCK_MAX_CHANNELS, NULL);
  self->from_rate = from_rate;
  if (from_rate != to_rate)
    self->polyphase = nda_polyphase_new (n_channels, from_rate, to_rate,
        NDA_POLYPHASE_FIXED);
  make_array (&self->input, n_channels, NDA_BLOCK_FRAMES);
  /* Less than a block waits when more frames come: at most a block, or the lag
   * at the end */
  most = MAX (NDA_BLOCK_FRAMES, get_n_lag_frames (self)) + 1;
  make_array (&self->output, n_channels, NDA_BLOCK_FRAMES
      + gst_util_uint64_scale_int_ceil (most, to_rate, from_rate) + 1);
  return self;
}

void
nda_py_fit_free (NdaPyFit * self)
{
  g_clear_pointer (&self->polyphase, nda_polyphase_free);
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
find_planes (gfloat ** planes, const NdaPyArray * array, guint first_frame)
{
  for (guint c = 0; c < array->n_channels; c++)
    planes[c] = array->data + (gsize) c *array->n_frames + first_frame;
}

/* Appends the output of the resampler. */
static void
pull (NdaPyFit * self)
{
  guint n_room = self->output.n_frames - self->n_frames;
  guint n_pulled;

  find_planes (self->out_planes, &self->output, self->n_frames);
  n_pulled = nda_polyphase_pull (self->polyphase, self->out_planes, 1, n_room);
  g_assert (n_pulled < n_room);
  self->n_frames += n_pulled;
}

/* Takes the first @n_frames of the input. Less than a block of the output may
 * be waiting. */
void
nda_py_fit_push (NdaPyFit * self, guint n_frames)
{
  g_assert (self->n_frames < NDA_BLOCK_FRAMES);
  find_planes (self->in_planes, &self->input, 0);
  if (self->polyphase) {
    nda_polyphase_push (self->polyphase,
        (const gfloat * const *) self->in_planes, 1, n_frames);
    pull (self);
    return;
  }
  find_planes (self->out_planes, &self->output, self->n_frames);
  for (guint c = 0; c < self->input.n_channels; c++)
    memcpy (self->out_planes[c], self->in_planes[c],
        n_frames * sizeof (gfloat));
  self->n_frames += n_frames;
}

/* Pushes out the frames in the resampler, at the end. */
void
nda_py_fit_drain (NdaPyFit * self)
{
  g_assert (self->n_frames < NDA_BLOCK_FRAMES);
  if (!self->polyphase)
    return;
  nda_polyphase_end (self->polyphase);
  pull (self);
  nda_polyphase_reset (self->polyphase);
}

/* Forgets what was pushed. */
void
nda_py_fit_flush (NdaPyFit * self)
{
  self->n_frames = 0;
  if (self->polyphase)
    nda_polyphase_reset (self->polyphase);
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

/* Drops the first @n_frames of the output, after they were used. */
void
nda_py_fit_pop (NdaPyFit * self, guint n_frames)
{
  g_assert (n_frames <= self->n_frames);
  self->n_frames -= n_frames;
  find_planes (self->out_planes, &self->output, 0);
  for (guint c = 0; c < self->output.n_channels; c++)
    memmove (self->out_planes[c], self->out_planes[c] + n_frames,
        self->n_frames * sizeof (gfloat));
}

/* How much later a frame comes out than without the fit. */
GstClockTime
nda_py_fit_get_latency (NdaPyFit * self)
{
  return nda_block_frames_to_time (get_n_lag_frames (self), self->from_rate);
}
