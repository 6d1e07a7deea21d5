/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* AES-GCM in a context that keeps its key: a record only sets the nonce. */

#pragma once

#include <glib.h>

#include <openssl/types.h>

G_BEGIN_DECLS

#define NDA_GCM_NONCE 12
#define NDA_GCM_TAG 16

gboolean nda_gcm_seal (EVP_CIPHER_CTX * context, gboolean is_quick,
    const guint8 * nonce, const guint8 * aad, gsize n_aad,
    const guint8 * plain, gsize n_plain, guint8 * out);
gboolean nda_gcm_open (EVP_CIPHER_CTX * context, gboolean is_quick,
    const guint8 * nonce, const guint8 * aad, gsize n_aad,
    const guint8 * sealed, gsize n_plain, guint8 * plain);

gboolean nda_gcm_is_quick (EVP_CIPHER * cipher);

G_END_DECLS
