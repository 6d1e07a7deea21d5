/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One key, ready to seal or to open: authenticated encryption with a counter,
 * as RFC 9605, section 4.4.3 has it (nonce = salt XOR counter). OpenSSL's
 * contexts are made once and kept; a record only sets the nonce. In place or
 * from one buffer to another.
 *
 *     nda_aead_init (&aead, &secret_in_secret_pages);
 *     nda_aead_set_key (&aead, suite, key, salt, TRUE, &error)
 *     nda_aead_seal (&aead, counter, aad, n_aad, plain, n_plain, out)
 *
 * Belongs to one thread at a time: no locks. */

#pragma once

#include "ndahmac.h"
#include "ndasuite.h"

G_BEGIN_DECLS

/* The secret that is kept after a key was set. It is in secret pages, which a
 * child process sees as zero: there no key is set. */
typedef struct
{
  guint8 is_set;
  guint8 salt[NDA_SUITE_NONCE];
  NdaHmacKey hmac;              /* of the suites that have one */
} NdaAeadSecret;

typedef struct
{
  const NdaSuite *suite;        /* of the key that is set */
  NdaAeadSecret *secret;        /* [const] not owned */
  EVP_CIPHER_CTX *cipher;       /* owned; holds the AES key */
} NdaAead;

void nda_aead_init (NdaAead * aead, NdaAeadSecret * secret);
void nda_aead_clear (NdaAead * aead);

gboolean nda_aead_set_key (NdaAead * aead, const NdaSuite * suite,
    const guint8 * key, const guint8 * salt, gboolean seal, GError ** error);
void nda_aead_forget_key (NdaAead * aead);
gboolean nda_aead_has_key (const NdaAead * aead);

gboolean nda_aead_seal (NdaAead * aead, guint64 counter, const guint8 * aad,
    gsize n_aad, const guint8 * plain, gsize n_plain, guint8 * out);
gboolean nda_aead_open (NdaAead * aead, guint64 counter, const guint8 * aad,
    gsize n_aad, const guint8 * sealed, gsize n_sealed, guint8 * plain);

G_END_DECLS
