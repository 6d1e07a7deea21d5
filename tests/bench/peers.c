/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "peers.h"

#ifdef HAVE_SAMPLERATE
#include <samplerate.h>
#endif
#ifdef HAVE_SPEEXDSP
#include <speex/speex_resampler.h>
#endif
#include <stdlib.h>

#define N_CHANNELS 2

/* --- libsamplerate --- */

#ifdef HAVE_SAMPLERATE
typedef struct
{
  SRC_STATE *state;             /* owned */
  double ratio;
} SampleRate;

static void *
open_samplerate (int kind, unsigned in_rate, unsigned out_rate)
{
  SampleRate *self = malloc (sizeof (*self));
  int error;

  self->state = src_new (kind, N_CHANNELS, &error);
  self->ratio = (double) out_rate / in_rate;
  if (!self->state)
    abort ();
  return self;
}

static void *
open_best (unsigned in_rate, unsigned out_rate)
{
  return open_samplerate (SRC_SINC_BEST_QUALITY, in_rate, out_rate);
}

static void *
open_medium (unsigned in_rate, unsigned out_rate)
{
  return open_samplerate (SRC_SINC_MEDIUM_QUALITY, in_rate, out_rate);
}

static void
process_samplerate (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  SampleRate *self = converter;
  SRC_DATA data = {.data_in = in,.data_out = out,.input_frames = n_in,
    .output_frames = n_out,.src_ratio = self->ratio
  };

  if (src_process (self->state, &data) != 0)
    abort ();
  *n_taken = data.input_frames_used;
  *n_given = data.output_frames_gen;
}

static void
close_samplerate (void *converter)
{
  SampleRate *self = converter;

  src_delete (self->state);
  free (self);
}
#else
#define open_best NULL
#define open_medium NULL
#define process_samplerate NULL
#define close_samplerate NULL
#endif

/* --- speexdsp --- */

#ifdef HAVE_SPEEXDSP
static void *
open_speex (unsigned in_rate, unsigned out_rate)
{
  int error;
  SpeexResamplerState *state = speex_resampler_init (N_CHANNELS, in_rate,
      out_rate, SPEEX_RESAMPLER_QUALITY_MAX, &error);

  if (!state)
    abort ();
  return state;
}

static void
process_speex (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t *n_taken, size_t *n_given)
{
  spx_uint32_t taken = n_in, given = n_out;

  if (speex_resampler_process_interleaved_float (converter, in, &taken, out,
          &given) != RESAMPLER_ERR_SUCCESS)
    abort ();
  *n_taken = taken;
  *n_given = given;
}

static void
close_speex (void *converter)
{
  speex_resampler_destroy (converter);
}
#else
#define open_speex NULL
#define process_speex NULL
#define close_speex NULL
#endif

/* *INDENT-OFF* */
const Peer c_peers[] = {
  { "libsamplerate, best", "libsamplerate0-dev", open_best,
    process_samplerate, close_samplerate },
  { "libsamplerate, medium", "libsamplerate0-dev", open_medium,
    process_samplerate, close_samplerate },
  { "speexdsp 10", "libspeexdsp-dev", open_speex, process_speex, close_speex },
  { NULL, NULL, NULL, NULL, NULL }
};
/* *INDENT-ON* */
