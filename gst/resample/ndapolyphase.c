/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapolyphase.h"

#include "ndapolyphasefilter.h"
#include "ndapolyphasekernels.h"

#include <math.h>
#include <string.h>

/* How many frames one push may bring without an allocation */
#define USUAL_PUSH_FRAMES 4096

/* How far a ratio may glide from that of the two rates */
#define MAX_GLIDE 0.01
/* How many frames in make one frame out, at most: with this limit no change of
 * a step reaches half a frame */
#define MAX_STEP 48

/* 2^64: the number of positions between two frames */
#define FRACTIONS 18446744073709551616.0

/* A distance in input frames: whole frames and 2^-64ths of one */
typedef struct
{
  guint64 whole;
  guint64 fraction;
} Step;

struct _NdaPolyphase
{
  guint n_channels;             /* [const] */
  guint in_rate, out_rate;      /* [const] without common divisors */
  NdaPolyphaseMode mode;        /* [const] */
  const NdaPolyphaseKernels *kernels;   /* [const] */
  NdaPolyphaseFilter filter;    /* [const] */
  gfloat *taps;                 /* owned; a row blended of others */
  gfloat *frame;                /* owned; the next frame out */

  gfloat *past;                 /* owned; n_channels planes of n_room samples */
  gsize n_room;
  gsize n_filled;               /* frames that lie in a plane */
  gsize at;                     /* where the filter begins for the next frame */
  guint64 fraction;             /* plus this, in 2^-64 frames */
  guint phase;                  /* the same, as row of an exact filter */

  Step step;                    /* from the next frame out to the one after */
  Step target;                  /* what step becomes */
  gint64 change;                /* of step with each frame, in 2^-64 frames */
  guint n_gliding;              /* frames until step is the target */

  guint64 n_in, n_out;          /* since the beginning */
  gboolean is_ended;
  guint64 n_total;              /* frames that come out in all, when ended */
};

static guint
greatest_common_divisor (guint a, guint b)
{
  return b ? greatest_common_divisor (b, a % b) : a;
}

/* @n / @d, exact to 2^-64. */
static Step
step_of_ratio (guint n, guint d)
{
  Step step = { n / d, 0 };
  guint64 rest = n % d;

  for (guint bit = 0; bit < 64; bit++) {
    rest *= 2;
    step.fraction = step.fraction * 2 + rest / d;
    rest %= d;
  }
  return step;
}

static Step
step_of_double (gdouble value)
{
  Step step = {.whole = value };

  step.fraction = (value - step.whole) * FRACTIONS;
  return step;
}

static gdouble
step_to_double (const Step * step)
{
  return step->whole + step->fraction / FRACTIONS;
}

/* Makes room in each plane for @n_frames. */
static void
reserve (NdaPolyphase * self, gsize n_frames)
{
  gsize n_room = (n_frames + NDA_POLYPHASE_LANES - 1)
      / NDA_POLYPHASE_LANES * NDA_POLYPHASE_LANES;
  gfloat *past = g_aligned_alloc0 (self->n_channels * n_room, sizeof (gfloat),
      NDA_POLYPHASE_ALIGNMENT);

  for (guint c = 0; c < self->n_channels; c++)
    if (self->n_filled)
      memcpy (past + c * n_room, self->past + c * self->n_room,
          self->n_filled * sizeof (gfloat));
  g_aligned_free (self->past);
  self->past = past;
  self->n_room = n_room;
}

/* Makes a filter for @n_channels from @in_rate to @out_rate (both in Hz). */
NdaPolyphase *
nda_polyphase_new (guint n_channels, guint in_rate, guint out_rate,
    NdaPolyphaseMode mode)
{
  NdaPolyphase *self;
  guint divisor = greatest_common_divisor (in_rate, out_rate);

  g_return_val_if_fail (n_channels > 0 && in_rate > 0 && out_rate > 0, NULL);
  g_return_val_if_fail (in_rate / out_rate < MAX_STEP, NULL);

  self = g_new0 (NdaPolyphase, 1);
  self->n_channels = n_channels;
  self->in_rate = in_rate / divisor;
  self->out_rate = out_rate / divisor;
  self->mode = mode;
  self->kernels = nda_polyphase_kernels_choose ();
  nda_polyphase_filter_init (&self->filter, in_rate, out_rate,
      mode == NDA_POLYPHASE_FIXED);
  self->taps = g_aligned_alloc (self->filter.n_taps, sizeof (gfloat),
      NDA_POLYPHASE_ALIGNMENT);
  self->frame = g_new0 (gfloat, n_channels);
  reserve (self, self->filter.n_taps + USUAL_PUSH_FRAMES);
  nda_polyphase_reset (self);
  return self;
}

void
nda_polyphase_free (NdaPolyphase * self)
{
  nda_polyphase_filter_clear (&self->filter);
  g_aligned_free (self->taps);
  g_aligned_free (self->past);
  g_free (self->frame);
  g_free (self);
}

/* Begins again, with silence before the first frame and the ratio of the two
 * rates. */
void
nda_polyphase_reset (NdaPolyphase * self)
{
  self->n_filled = self->filter.n_taps / 2 - 1;
  for (guint c = 0; c < self->n_channels; c++)
    memset (self->past + c * self->n_room, 0, self->n_filled * sizeof (gfloat));
  self->at = 0;
  self->fraction = self->phase = 0;
  self->step = self->target = step_of_ratio (self->in_rate, self->out_rate);
  self->change = self->n_gliding = 0;
  self->n_in = self->n_out = self->n_total = 0;
  self->is_ended = FALSE;
}

void
nda_polyphase_glide (NdaPolyphase * self, gdouble factor, guint n_frames)
{
  g_return_if_fail (self->mode == NDA_POLYPHASE_GLIDING);
  g_return_if_fail (fabs (factor - 1.0) <= MAX_GLIDE);

  self->target = factor == 1.0 ?
      step_of_ratio (self->in_rate, self->out_rate) :
      step_of_double ((gdouble) self->in_rate / self->out_rate / factor);
  self->n_gliding = n_frames;
  if (n_frames)
    self->change = (step_to_double (&self->target)
        - step_to_double (&self->step)) / n_frames * FRACTIONS;
  else
    self->step = self->target;
}

/* --- in --- */

/* Moves the samples that are still needed to the front, and makes room for
 * @n_frames. */
static void
make_room (NdaPolyphase * self, gsize n_frames)
{
  gsize n_kept = self->n_filled - self->at;

  for (guint c = 0; self->at && c < self->n_channels; c++) {
    gfloat *plane = self->past + c * self->n_room;

    memmove (plane, plane + self->at, n_kept * sizeof (gfloat));
  }
  self->at = 0;
  self->n_filled = n_kept;
  if (n_kept + n_frames > self->n_room)
    reserve (self, n_kept + n_frames);
}

/* Takes @n_frames; silence if @in is NULL. */
static void
append (NdaPolyphase * self, const gfloat * const *in, gsize stride,
    gsize n_frames)
{
  if (self->n_filled + n_frames > self->n_room)
    make_room (self, n_frames);
  for (guint c = 0; c < self->n_channels; c++) {
    gfloat *plane = self->past + c * self->n_room + self->n_filled;

    if (!in)
      memset (plane, 0, n_frames * sizeof (gfloat));
    else if (stride == 1)
      memcpy (plane, in[c], n_frames * sizeof (gfloat));
    else
      for (gsize i = 0; i < n_frames; i++)
        plane[i] = in[c][i * stride];
  }
  self->n_filled += n_frames;
}

void
nda_polyphase_push (NdaPolyphase * self, const gfloat * const *in, gsize stride,
    gsize n_frames)
{
  g_return_if_fail (!self->is_ended);

  append (self, in, stride, n_frames);
  self->n_in += n_frames;
}

/* round (n * r), halves up, without a product of 64-bit numbers */
static guint64
scaled_length (const NdaPolyphase * self)
{
  guint64 whole = self->n_in / self->in_rate;
  guint64 rest = self->n_in % self->in_rate;

  return whole * self->out_rate
      + (2 * rest * self->out_rate + self->in_rate) / (2 * self->in_rate);
}

/* The total number of frames out whose middle lies before the end of the input,
 * at the final ratio. */
static guint64
glided_length (const NdaPolyphase * self)
{
  gdouble left = nda_polyphase_get_pending (self);
  gdouble step = step_to_double (&self->target);

  return self->n_out + (guint64) MAX (0.0, floor (left / step + 0.5));
}

/* Ends the input: the rest can then be pulled. */
void
nda_polyphase_end (NdaPolyphase * self)
{
  g_return_if_fail (!self->is_ended);

  self->n_total = self->mode == NDA_POLYPHASE_FIXED ? scaled_length (self) :
      glided_length (self);
  self->is_ended = TRUE;
  /* the last frame out may lie half a step after the last one in */
  append (self, NULL, 0, self->filter.n_taps / 2 + self->step.whole + 1);
}

/* --- out --- */

/* The row of taps for the position between two frames. */
static const gfloat *
row_here (NdaPolyphase * self)
{
  const gfloat sixth = 1.0f / 6.0f;
  gint phase;
  gfloat u, weights[4];

  if (self->filter.is_exact)
    return nda_polyphase_filter_row (&self->filter, self->phase);

  /* n_phases is a power of two */
  phase = self->fraction / (G_MAXUINT64 / self->filter.n_phases + 1);
  u = ((self->fraction * self->filter.n_phases) >> 40) / 16777216.0f;
  weights[0] = -u * (u - 1.0f) * (u - 2.0f) * sixth;
  weights[1] = (u + 1.0f) * (u - 1.0f) * (u - 2.0f) * 0.5f;
  weights[2] = -(u + 1.0f) * u * (u - 2.0f) * 0.5f;
  weights[3] = (u + 1.0f) * u * (u - 1.0f) * sixth;
  self->kernels->blend (self->taps,
      nda_polyphase_filter_row (&self->filter, phase - 1), weights,
      self->filter.n_taps);
  return self->taps;
}

static void
advance_step (NdaPolyphase * self)
{
  guint64 sum = self->step.fraction + (guint64) self->change;

  if (--self->n_gliding == 0) {
    self->step = self->target;
    return;
  }
  if (self->change >= 0)
    self->step.whole += sum < self->step.fraction;
  else
    self->step.whole -= sum > self->step.fraction;
  self->step.fraction = sum;
}

static void
advance (NdaPolyphase * self)
{
  self->n_out++;
  if (self->filter.is_exact) {
    guint phase = self->phase + self->in_rate % self->out_rate;
    gboolean wraps = phase >= self->out_rate;

    self->phase = wraps ? phase - self->out_rate : phase;
    self->at += self->in_rate / self->out_rate + wraps;
    return;
  }
  self->fraction += self->step.fraction;
  self->at += self->step.whole + (self->fraction < self->step.fraction);
  if (self->n_gliding)
    advance_step (self);
}

/* Puts at most @n_frames into @out. Returns how many; fewer if more must be
 * pushed first, or at the end. */
gsize
nda_polyphase_pull (NdaPolyphase * self, gfloat * const *out, gsize stride,
    gsize n_frames)
{
  gsize n = 0;

  if (self->is_ended)
    n_frames = MIN (n_frames, self->n_total - self->n_out);
  while (n < n_frames && self->at + self->filter.n_taps <= self->n_filled) {
    self->kernels->filter (self->frame, row_here (self),
        self->past + self->at, self->n_room, self->n_channels,
        self->filter.n_taps);
    for (guint c = 0; c < self->n_channels; c++)
      out[c][n * stride] = self->frame[c];
    advance (self);
    n++;
  }
  return n;
}

/* --- what others want to know --- */

/* How many frames to push so that @n_frames can be pulled; one or two more
 * while the ratio changes. */
gsize
nda_polyphase_get_needed (const NdaPolyphase * self, gsize n_frames)
{
  gdouble step = MAX (step_to_double (&self->step),
      step_to_double (&self->target));
  gsize end = self->at + self->filter.n_taps
      + (gsize) ceil (step * (n_frames ? n_frames - 1 : 0));

  return end > self->n_filled ? end - self->n_filled : 0;
}

/* How many frames in the filter looks ahead. */
guint
nda_polyphase_get_lag (const NdaPolyphase * self)
{
  return self->filter.n_taps / 2;
}

/* The same for a filter that is not made yet. */
guint
nda_polyphase_lag_of (guint in_rate, guint out_rate)
{
  return nda_polyphase_filter_count_taps (in_rate, out_rate) / 2;
}

/* How many of the pushed frames lie after the next frame out, including it. */
gdouble
nda_polyphase_get_pending (const NdaPolyphase * self)
{
  gdouble fraction = self->filter.is_exact ?
      (gdouble) self->phase / self->out_rate : self->fraction / FRACTIONS;

  return (gdouble) self->n_filled - (gdouble) self->at
      - (self->filter.n_taps / 2 - 1.0) - fraction;
}

/* The kind of processor that the inner loops are for: “avx2” for example */
const gchar *
nda_polyphase_get_kernels (const NdaPolyphase * self)
{
  return self->kernels->name;
}
