/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Rate converters of others, all called the same way: stereo floats,
 * interleaved, at a fixed ratio. */

#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C"
{
#endif

typedef struct
{
  const char *name;
  const char *package;          /* Debian's, that it is built with */
  /* NULL: it was not there when this was built */
  void *(*open) (unsigned in_rate, unsigned out_rate);
  void (*process) (void *converter, const float *in, size_t n_in, float *out,
      size_t n_out, size_t * n_taken, size_t * n_given);
  void (*close) (void *converter);
} Peer;

/* Each list ends with a name of NULL. */
extern const Peer c_peers[];
extern const Peer zita_peers[];

#ifdef __cplusplus
}
#endif
