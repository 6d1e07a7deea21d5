/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads files that hold a secret, directly into secret pages. A person who can
 * read or replace such a file has the secret. So it must be a regular file of
 * the user without access for others; or a file of root that only a group may
 * read, as containers and service managers provide them. Links are followed,
 * and the file at their end is checked.
 *
 * A descriptor may also be a pipe. Any thread that may wait. */

#pragma once

#include "ndacryptoerror.h"
#include "ndasecret.h"

G_BEGIN_DECLS

NdaSecret *nda_secret_file_read (const gchar * path, gsize n_max,
    gsize * n_bytes, GError ** error);
NdaSecret *nda_secret_file_read_fd (gint fd, const gchar * name, gsize n_max,
    gsize * n_bytes, GError ** error);

/* Sets @error; FALSE. */
gboolean nda_secret_file_fail (GError ** error, NdaCryptoError code,
    const gchar * format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
