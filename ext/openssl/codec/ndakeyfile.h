/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files that hold keys or a passphrase. They are read directly into secret
 * pages, and only their owner may have access. Any thread that may wait. */

#pragma once

#include "ndakeyring.h"

G_BEGIN_DECLS

#define NDA_KEY_FILE_MAX (64 * 1024)

gboolean nda_key_file_load (NdaKeyring * ring, const gchar * path,
    GError ** error);
gboolean nda_key_file_load_fd (NdaKeyring * ring, gint fd, GError ** error);
gboolean nda_key_file_load_passphrase (NdaKeyring * ring, const gchar * path,
    const gchar * salt, GError ** error);
gboolean nda_key_file_parse (NdaKeyring * ring, const gchar * name,
    const gchar * bytes, gsize n_bytes, GError ** error);
gboolean nda_key_file_create (const gchar * path, GError ** error);

G_END_DECLS
