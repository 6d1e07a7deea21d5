/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Shared by the fuzz targets: each has one function, which libFuzzer calls with
 * bytes of its own, and replay.c with those of the seeds. */

#pragma once

#include "ndakeyring.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t * data, size_t n);

/* A key ring with the master key of the vectors, of which the seeds are */
static inline NdaKeyring *
fuzz_ring (void)
{
  static NdaKeyring *ring;
  guint8 key[NDA_MASTER_KEY];

  if (!ring) {
    for (guint i = 0; i < sizeof (key); i++)
      key[i] = i;
    ring = nda_keyring_new (NULL);
    g_assert (nda_keyring_add_master (ring, NDA_KEY_FROM_ACTION, key,
            sizeof (key), NULL));
  }
  return ring;
}

/* Suite 5, and their context */
static inline const NdaKeyUse *
fuzz_use (void)
{
  static NdaKeyUse use = {.context = "alice",.n_context = 5 };

  use.suite = nda_suite_find (5);
  return &use;
}

/* What that makes of @kid, to seal with */
static inline void
fuzz_set_key (guint64 kid, NdaAead * aead)
{
  NdaKeyInfo info;

  g_assert (nda_keyring_get_info (fuzz_ring (), 0, &info));
  g_assert (nda_keyring_set_key (fuzz_ring (), info.id, kid, fuzz_use (), TRUE,
          aead, NULL));
}
