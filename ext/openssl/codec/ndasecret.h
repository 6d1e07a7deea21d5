/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Memory for keys and for what keys are made of: pages of their own, locked,
 * left out of core dumps, cleansed before they are given back, and zero in a
 * child process after fork (). Nothing that is zero may therefore count as a
 * key: what stands here says by a field of its own that it is set.
 *
 * Any thread; what is in the pages is guarded by whoever owns them. */

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
