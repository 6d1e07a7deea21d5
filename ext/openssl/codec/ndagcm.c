/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndagcm.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <string.h>

/* More than any cipher's key */
#define N_KEY 32
/* the length of a trial: more than one block of AES, and less than two */
#define N_TRIAL 24

/* The parameter by which OpenSSL gives or takes the tag */
#define TAG(tag) \
    OSSL_PARAM_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, (tag), NDA_GCM_TAG)
/* The parameter by which OpenSSL takes a whole nonce (-1 bytes of one) and
 * nothing else. It is the same as EVP_CTRL_GCM_SET_IV_FIXED with -1, which
 * OpenSSH uses. If OpenSSL 3.0 gets a nonce in EVP_CipherInit_ex2 (), it first
 * finds out the length of nonces by comparing the names of all parameters: that
 * takes 8 % of sealing 1024 bytes. */
#define NONCE(nonce) \
    OSSL_PARAM_octet_string (OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, \
        (guint8 *) (nonce), (gsize) -1)

gboolean
nda_gcm_seal (EVP_CIPHER_CTX * c, gboolean is_quick, const guint8 * nonce,
    const guint8 * aad, gsize n_aad, const guint8 * plain, gsize n_plain,
    guint8 * out)
{
  const OSSL_PARAM begin[] = { NONCE (nonce), OSSL_PARAM_END };
  OSSL_PARAM end[] = { TAG (out + n_plain), OSSL_PARAM_END };
  gint n;

  return (is_quick ? EVP_CIPHER_CTX_set_params (c, begin) :
      EVP_EncryptInit_ex2 (c, NULL, NULL, nonce, NULL))
      && EVP_EncryptUpdate (c, NULL, &n, aad, n_aad)
      && EVP_EncryptUpdate (c, out, &n, plain, n_plain)
      && EVP_EncryptFinal_ex (c, out + n_plain, &n)
      && EVP_CIPHER_CTX_get_params (c, end);
}

gboolean
nda_gcm_open (EVP_CIPHER_CTX * c, gboolean is_quick, const guint8 * nonce,
    const guint8 * aad, gsize n_aad, const guint8 * sealed, gsize n_plain,
    guint8 * plain)
{
  guint8 *tag = (guint8 *) sealed + n_plain;
  const OSSL_PARAM both[] = { TAG (tag), NONCE (nonce), OSSL_PARAM_END };
  const OSSL_PARAM only_tag[] = { TAG (tag), OSSL_PARAM_END };
  gint n;

  /* Final compares the tags, in constant time */
  return (is_quick ? EVP_CIPHER_CTX_set_params (c, both) :
      EVP_DecryptInit_ex2 (c, NULL, NULL, nonce, only_tag))
      && EVP_DecryptUpdate (c, NULL, &n, aad, n_aad)
      && EVP_DecryptUpdate (c, plain, &n, sealed, n_plain)
      && EVP_DecryptFinal_ex (c, plain + n_plain, &n) > 0;
}

/* --- a trial --- */

typedef struct
{
  EVP_CIPHER_CTX *plain_way;
  EVP_CIPHER_CTX *quick_way;
  EVP_CIPHER_CTX *opener;
} Trial;

static EVP_CIPHER_CTX *
make_context (EVP_CIPHER * cipher, gint encrypt)
{
  const guint8 key[N_KEY] = { 1, 2, 3 };
  EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new ();

  if (c && EVP_CipherInit_ex2 (c, cipher, key, NULL, encrypt, NULL))
    return c;
  EVP_CIPHER_CTX_free (c);
  return NULL;
}

/* Whether a record is the same in both ways, can be opened again, and cannot be
 * opened after it was altered. */
static gboolean
try_record (const Trial * t, guint8 number)
{
  const guint8 nonce[NDA_GCM_NONCE] = { number, 7, 8, 9, 10, 11, 12, number };
  const guint8 plain[N_TRIAL] = { number };
  guint8 a[N_TRIAL + NDA_GCM_TAG], b[N_TRIAL + NDA_GCM_TAG], opened[N_TRIAL];

  if (!nda_gcm_seal (t->plain_way, FALSE, nonce, plain, 5, plain, N_TRIAL, a)
      || !nda_gcm_seal (t->quick_way, TRUE, nonce, plain, 5, plain, N_TRIAL, b)
      || memcmp (a, b, sizeof (a)) != 0
      || !nda_gcm_open (t->opener, TRUE, nonce, plain, 5, b, N_TRIAL, opened)
      || memcmp (opened, plain, N_TRIAL) != 0)
    return FALSE;
  b[number % sizeof (b)] ^= 1;
  return !nda_gcm_open (t->opener, TRUE, nonce, plain, 5, b, N_TRIAL, opened);
}

/* Whether this implementation takes a nonce in the quick way. If it did not,
 * and went on with the last nonce, all secrecy would be lost. So this is tried
 * once in a process. */
gboolean
nda_gcm_is_quick (EVP_CIPHER * cipher)
{
  Trial t = { make_context (cipher, 1), make_context (cipher, 1),
    make_context (cipher, 0)
  };
  gboolean ok = t.plain_way && t.quick_way && t.opener;

  for (guint i = 1; ok && i <= 40; i++)
    ok = try_record (&t, i);
  EVP_CIPHER_CTX_free (t.plain_way);
  EVP_CIPHER_CTX_free (t.quick_way);
  EVP_CIPHER_CTX_free (t.opener);
  return ok;
}
