/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaaead.h"

#include "ndacryptoerror.h"
#include "ndagcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <string.h>

#define N_CTR_KEY 16

/* @secret is in secret pages and stays the caller's. */
void
nda_aead_init (NdaAead * self, NdaAeadSecret * secret)
{
  *self = (NdaAead) {
  .secret = secret};
}

/* Clears all copies of the key. */
void
nda_aead_clear (NdaAead * self)
{
  g_clear_pointer (&self->cipher, EVP_CIPHER_CTX_free);
  OPENSSL_cleanse (self->secret, sizeof (*self->secret));
}

void
nda_aead_forget_key (NdaAead * self)
{
  if (self->cipher)
    EVP_CIPHER_CTX_reset (self->cipher);
  OPENSSL_cleanse (self->secret, sizeof (*self->secret));
}

/* FALSE in a child process too, whose secret pages are empty. */
gboolean
nda_aead_has_key (const NdaAead * self)
{
  return self->secret->is_set != 0;
}

/* Takes a key for sealing or for opening. @key may be cleansed afterwards. */
gboolean
nda_aead_set_key (NdaAead * self, const NdaSuite * suite, const guint8 * key,
    const guint8 * salt, gboolean seal, GError ** error)
{
  /* CTR only ever encrypts its counter */
  gint encrypt = suite->is_ctr_hmac || seal;

  nda_aead_forget_key (self);
  if (!self->cipher)
    self->cipher = EVP_CIPHER_CTX_new ();
  if (!self->cipher
      || !EVP_CipherInit_ex2 (self->cipher, suite->cipher, key, NULL, encrypt,
          NULL)) {
    nda_crypto_set_library_error (error, "setting a key");
    nda_aead_forget_key (self);
    return FALSE;
  }
  self->suite = suite;
  memcpy (self->secret->salt, salt, NDA_SUITE_NONCE);
  if (suite->is_ctr_hmac)
    nda_hmac_set_key (&self->secret->hmac, key + N_CTR_KEY);
  self->secret->is_set = 1;
  return TRUE;
}

/* The salt, with the counter's bytes, big-endian, over its end. */
static void
make_nonce (const NdaAead * self, guint64 counter, guint8 * nonce)
{
  const guint8 *salt = self->secret->salt;
  guint64 end;

  memcpy (&end, salt + NDA_SUITE_NONCE - 8, 8);
  end ^= GUINT64_TO_BE (counter);
  memcpy (nonce, salt, NDA_SUITE_NONCE - 8);
  memcpy (nonce + NDA_SUITE_NONCE - 8, &end, 8);
}

/* --- AES-CTR with HMAC --- */

static gboolean
ctr_crypt (NdaAead * self, const guint8 * nonce, const guint8 * in,
    gsize n_bytes, guint8 * out)
{
  guint8 block[16] = { 0, };
  gint n;

  memcpy (block, nonce, NDA_SUITE_NONCE);
  return EVP_EncryptInit_ex2 (self->cipher, NULL, NULL, block, NULL)
      && EVP_EncryptUpdate (self->cipher, out, &n, in, n_bytes);
}

/* HMAC (lengths || nonce || aad || ciphertext), RFC 9605 section 4.5.1 */
static void
make_tag (const NdaAead * self, const guint8 * nonce, const guint8 * aad,
    gsize n_aad, const guint8 * text, gsize n_text, guint8 * tag)
{
  guint64 lengths[3] = { GUINT64_TO_BE (n_aad), GUINT64_TO_BE (n_text),
    GUINT64_TO_BE (self->suite->n_tag)
  };
  NdaHmac hmac;

  nda_hmac_begin (&hmac, &self->secret->hmac);
  nda_hmac_add (&hmac, lengths, sizeof (lengths));
  nda_hmac_add (&hmac, nonce, NDA_SUITE_NONCE);
  nda_hmac_add (&hmac, aad, n_aad);
  nda_hmac_add (&hmac, text, n_text);
  nda_hmac_finish (&hmac, &self->secret->hmac, tag);
}

static gboolean
ctr_hmac_seal (NdaAead * self, const guint8 * nonce, const guint8 * aad,
    gsize n_aad, const guint8 * plain, gsize n_plain, guint8 * out)
{
  guint8 tag[NDA_HMAC_TAG];

  if (!ctr_crypt (self, nonce, plain, n_plain, out))
    return FALSE;
  make_tag (self, nonce, aad, n_aad, out, n_plain, tag);
  memcpy (out + n_plain, tag, self->suite->n_tag);
  return TRUE;
}

/* Authenticates, then decrypts. */
static gboolean
ctr_hmac_open (NdaAead * self, const guint8 * nonce, const guint8 * aad,
    gsize n_aad, const guint8 * sealed, gsize n_plain, guint8 * plain)
{
  guint8 tag[NDA_HMAC_TAG];
  gboolean is_good;

  make_tag (self, nonce, aad, n_aad, sealed, n_plain, tag);
  is_good = CRYPTO_memcmp (tag, sealed + n_plain, self->suite->n_tag) == 0;
  /* with the tag, refused data could be sent again and accepted */
  OPENSSL_cleanse (tag, sizeof (tag));
  return is_good && ctr_crypt (self, nonce, sealed, n_plain, plain);
}

/* --- either --- */

/* Seals @plain into @out, which has room for the tag after it and may be @plain
 * itself. FALSE: the library failed, or there is no key; @out then holds no
 * plaintext. */
gboolean
nda_aead_seal (NdaAead * self, guint64 counter, const guint8 * aad,
    gsize n_aad, const guint8 * plain, gsize n_plain, guint8 * out)
{
  guint8 nonce[NDA_SUITE_NONCE];
  gboolean ok = FALSE;

  if (nda_aead_has_key (self)) {
    make_nonce (self, counter, nonce);
    ok = self->suite->is_ctr_hmac ?
        ctr_hmac_seal (self, nonce, aad, n_aad, plain, n_plain, out) :
        nda_gcm_seal (self->cipher, self->suite->is_quick, nonce, aad, n_aad,
        plain, n_plain, out);
  }
  if (!ok)
    OPENSSL_cleanse (out, n_plain);
  return ok;
}

/* Opens @sealed, tag included, into @plain, which has room for @n_sealed less
 * the tag, and may be @sealed itself. FALSE: it was not sealed with this key,
 * @counter and @aad; @plain is then zero. */
gboolean
nda_aead_open (NdaAead * self, guint64 counter, const guint8 * aad,
    gsize n_aad, const guint8 * sealed, gsize n_sealed, guint8 * plain)
{
  guint8 nonce[NDA_SUITE_NONCE];
  gsize n_plain;
  gboolean ok = FALSE;

  if (!nda_aead_has_key (self) || n_sealed < self->suite->n_tag)
    return FALSE;
  n_plain = n_sealed - self->suite->n_tag;
  make_nonce (self, counter, nonce);
  ok = self->suite->is_ctr_hmac ?
      ctr_hmac_open (self, nonce, aad, n_aad, sealed, n_plain, plain) :
      nda_gcm_open (self->cipher, self->suite->is_quick, nonce, aad, n_aad,
      sealed, n_plain, plain);
  if (!ok)
    OPENSSL_cleanse (plain, n_plain);
  return ok;
}
