/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bytes of the vectors, and the keys to open them with. */

#pragma once

#include "ndakeyring.h"
#include "ndaopener.h"

#include <gst/check/gstcheck.h>

#include <glib/gstdio.h>

#include <string.h>

typedef struct
{
  guint8 *data;
  gsize n;
} Bytes;

static inline void
bytes_clear (Bytes * bytes)
{
  g_free (bytes->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bytes, bytes_clear);

static inline Bytes
from_hex (const gchar * hex)
{
  Bytes bytes = { g_malloc (strlen (hex) / 2 + 1), strlen (hex) / 2 };

  for (gsize i = 0; i < bytes.n; i++)
    bytes.data[i] = g_ascii_xdigit_value (hex[2 * i]) << 4
        | g_ascii_xdigit_value (hex[2 * i + 1]);
  return bytes;
}

static inline void
check_bytes (const guint8 * found, gsize n_found, const gchar * hex,
    const gchar * what)
{
  g_auto (Bytes) expected = from_hex (hex);

  fail_unless (n_found == expected.n
      && (n_found == 0 || memcmp (found, expected.data, n_found) == 0),
      "%s: not %s", what, hex);
}

/* A folder for one test, with the name of a state file in it */
typedef struct
{
  gchar *path;
  gchar *state;
} Folder;

static inline Folder
folder_new (void)
{
  Folder folder = {.path = g_dir_make_tmp ("nda-XXXXXX", NULL) };

  fail_unless (folder.path != NULL);
  folder.state = g_build_filename (folder.path, "state", NULL);
  return folder;
}

static inline void
folder_clear (Folder * folder)
{
  g_unlink (folder->state);
  g_rmdir (folder->path);
  g_free (folder->path);
  g_free (folder->state);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Folder, folder_clear);

static inline NdaKeyring *
ring_with_master (const gchar * hex)
{
  g_auto (Bytes) master = from_hex (hex);
  NdaKeyring *ring = nda_keyring_new (NULL);

  fail_unless (nda_keyring_add_master (ring, NDA_KEY_FROM_FILE, master.data,
          master.n, NULL));
  return ring;
}

static inline NdaKeyUse
use_of (guint suite, const gchar * context_hex)
{
  g_auto (Bytes) context = from_hex (context_hex);
  NdaKeyUse use = {.suite = nda_suite_find (suite) };

  fail_unless (use.suite != NULL && context.n <= sizeof (use.context));
  memcpy (use.context, context.data, context.n);
  use.n_context = context.n;
  return use;
}

static inline NdaAead *
aead_new (void)
{
  NdaAead *aead = g_new (NdaAead, 1);

  nda_aead_init (aead, g_new0 (NdaAeadSecret, 1));
  return aead;
}

static inline void
aead_free (NdaAead * aead)
{
  nda_aead_clear (aead);
  g_free (aead->secret);
  g_free (aead);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaAead, aead_free)

/* The key of the ring's first entry */
static inline NdaAead *
aead_from_ring (NdaKeyring * ring, guint64 kid, const NdaKeyUse * use,
    gboolean seal)
{
  NdaAead *aead = aead_new ();
  NdaKeyInfo info;

  fail_unless (nda_keyring_get_info (ring, 0, &info));
  fail_unless (nda_keyring_set_key (ring, info.id, kid, use, seal, aead,
          NULL));
  return aead;
}
