/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads files that hold a secret, straight into secret pages. Who could read
 * or replace such a file has the secret, so it must be a regular file of the
 * user's own that is closed to all others; or one of root's, closed to all but
 * a group that may read it, as containers and service managers hand them out.
 * Links are followed: what they lead to is what is looked at.
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
