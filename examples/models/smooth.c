/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What ctypes_filter.py calls: each frame becomes the mean of itself and the
 * one before.
 *
 *   cc -shared -fPIC -o libsmooth.so smooth.c
 */

#include <stdlib.h>

#define N_FRAMES 480

void *
smooth_new (void)
{
  return calloc (1, sizeof (float));
}

void
smooth_free (void *state)
{
  free (state);
}

void
smooth_process (void *state, float *frames)
{
  float *before = state;

  for (int i = 0; i < N_FRAMES; i++) {
    float now = frames[i];

    frames[i] = 0.5f * (now + *before);
    *before = now;
  }
}
