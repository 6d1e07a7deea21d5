/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* OpenSSL 3.0 allocates memory whenever a digest or a MAC is begun or copied
 * through EVP. Its older functions work in given memory. So the state after the
 * key can be kept in secret pages, and copied for each message, which also
 * saves two blocks of SHA-256. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "config.h"

#include "ndahmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <string.h>

G_STATIC_ASSERT (sizeof (SHA256_CTX) <= NDA_HMAC_STATE);

static void
hash_in_key (gpointer state, const guint8 * key, guint8 pad)
{
  guint8 block[SHA256_CBLOCK];

  memset (block, pad, sizeof (block));
  for (guint i = 0; i < NDA_HMAC_KEY; i++)
    block[i] ^= key[i];
  SHA256_Init (state);
  SHA256_Update (state, block, sizeof (block));
  OPENSSL_cleanse (block, sizeof (block));
}

void
nda_hmac_set_key (NdaHmacKey * self, const guint8 * key)
{
  hash_in_key (self->inner, key, 0x36);
  hash_in_key (self->outer, key, 0x5c);
}

void
nda_hmac_begin (NdaHmac * self, const NdaHmacKey * key)
{
  memcpy (self->state, key->inner, sizeof (SHA256_CTX));
}

void
nda_hmac_add (NdaHmac * self, gconstpointer bytes, gsize n_bytes)
{
  SHA256_Update ((SHA256_CTX *) self->state, bytes, n_bytes);
}

/* Writes the whole tag of NDA_HMAC_TAG bytes. */
void
nda_hmac_finish (NdaHmac * self, const NdaHmacKey * key, guint8 * tag)
{
  SHA256_Final (tag, (SHA256_CTX *) self->state);
  memcpy (self->state, key->outer, sizeof (SHA256_CTX));
  SHA256_Update ((SHA256_CTX *) self->state, tag, NDA_HMAC_TAG);
  SHA256_Final (tag, (SHA256_CTX *) self->state);
  OPENSSL_cleanse (self, sizeof (*self));
}
