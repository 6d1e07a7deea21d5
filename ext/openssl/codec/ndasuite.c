/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasuite.h"

#include "ndagcm.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

/* the AES key of the CTR suites, before the HMAC key in sframe_key */
#define N_KEY_CTR_HMAC (16 + 32)

/* *INDENT-OFF* */
static NdaSuite suites[] = {
  { 1, "AES_128_CTR_HMAC_SHA256_80", "AES-128-CTR", "SHA256", 32,
    N_KEY_CTR_HMAC, 10, TRUE, NULL, FALSE },
  { 2, "AES_128_CTR_HMAC_SHA256_64", "AES-128-CTR", "SHA256", 32,
    N_KEY_CTR_HMAC, 8, TRUE, NULL, FALSE },
  { 3, "AES_128_CTR_HMAC_SHA256_32", "AES-128-CTR", "SHA256", 32,
    N_KEY_CTR_HMAC, 4, TRUE, NULL, FALSE },
  { 4, "AES_128_GCM_SHA256_128", "AES-128-GCM", "SHA256", 32, 16, 16, FALSE,
    NULL, FALSE },
  { 5, "AES_256_GCM_SHA512_128", "AES-256-GCM", "SHA512", 64, 32, 16, FALSE,
    NULL, FALSE },
};
/* *INDENT-ON* */

static EVP_KDF *hkdf;

static gpointer
nda_suite_fetch_all (gpointer unused)
{
  hkdf = EVP_KDF_fetch (NULL, "HKDF", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (suites); i++) {
    NdaSuite *suite = &suites[i];

    suite->cipher = EVP_CIPHER_fetch (NULL, suite->cipher_name, NULL);
    suite->is_quick = suite->cipher && !suite->is_ctr_hmac
        && nda_gcm_is_quick (suite->cipher);
  }
  return NULL;
}

static void
fetch_once (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, nda_suite_fetch_all, NULL);
}

/* The suite of that number, NULL if there is none or OpenSSL lacks it. */
const NdaSuite *
nda_suite_find (guint id)
{
  const NdaSuite *suite;

  if (id < 1 || id > G_N_ELEMENTS (suites))
    return NULL;
  fetch_once ();
  suite = &suites[id - 1];
  return suite->cipher && hkdf ? suite : NULL;
}

/* Whether the tag is too short to be used unless the user names the suite. */
gboolean
nda_suite_is_weak (guint id)
{
  return id < NDA_SUITE_WEAKEST;
}

EVP_KDF *
nda_suite_get_hkdf (void)
{
  fetch_once ();
  return hkdf;
}
