/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Any bytes as a key file: keys or an error, never both. */

#include "fuzz.h"

#include "ndakeyfile.h"

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t n)
{
  static NdaKeyring *ring;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (!ring)
    ring = nda_keyring_new (NULL);
  if (n > NDA_KEY_FILE_MAX)
    return 0;
  ok = nda_key_file_parse (ring, "fuzz.key", (const gchar *) data, n, &error);
  g_assert (ok == (error == NULL));
  g_assert (ok == (nda_keyring_get_n_keys (ring) > 0));
  nda_keyring_forget (ring, NDA_KEY_FROM_FILE);
  return 0;
}
