/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

// zita-resampler, which is C++: for a fixed ratio, and for one that may glide.

#include "peers.h"

#include <zita-resampler/resampler.h>
#include <zita-resampler/vresampler.h>

#include <cstdlib>

static const unsigned N_CHANNELS = 2;
// half the length of the filter, in frames of the lower rate: the longest
static const unsigned HALF_LENGTH = 96;

static void *
open_fixed (unsigned in_rate, unsigned out_rate)
{
  Resampler *self = new Resampler;

  if (self->setup (in_rate, out_rate, N_CHANNELS, HALF_LENGTH))
    abort ();
  return self;
}

static void *
open_gliding (unsigned in_rate, unsigned out_rate)
{
  VResampler *self = new VResampler;

  if (self->setup ((double) out_rate / in_rate, N_CHANNELS, HALF_LENGTH))
    abort ();
  return self;
}

template <class T> static void
process (void *converter, const float *in, size_t n_in, float *out,
    size_t n_out, size_t * n_taken, size_t * n_given)
{
  T *self = static_cast <T *> (converter);

  self->inp_count = n_in;
  self->inp_data = const_cast <float *> (in);
  self->out_count = n_out;
  self->out_data = out;
  self->process ();
  *n_taken = n_in - self->inp_count;
  *n_given = n_out - self->out_count;
}

template <class T> static void
close (void *converter)
{
  delete static_cast <T *> (converter);
}

const Peer zita_peers[] = {
  {"zita-resampler, 96", "libzita-resampler-dev", open_fixed,
      process <Resampler>, close <Resampler>},
  {"zita-resampler, 96, gliding", "libzita-resampler-dev", open_gliding,
      process <VResampler>, close <VResampler>},
  {NULL, NULL, NULL, NULL, NULL}
};
