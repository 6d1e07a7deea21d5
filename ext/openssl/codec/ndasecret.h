/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Secret pages: memory for keys and for the data that keys are made of. They
 * are separate pages, locked, left out of core dumps, cleared before they are
 * freed, and zero in a child process after fork (). So zero must never count as
 * a key: a field in the pages says whether a key is set.
 *
 * Any thread; the owner guards the contents of the pages. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gpointer data;                /* [const] whole pages, zero at first */
  gsize n_bytes;                /* [const] as asked for */
} NdaSecret;

NdaSecret *nda_secret_new (gsize n_bytes, GError ** error);
void nda_secret_free (NdaSecret * secret);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaSecret, nda_secret_free)

G_END_DECLS
