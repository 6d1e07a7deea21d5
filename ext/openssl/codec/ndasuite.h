/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The five cipher suites of RFC 9605, section 4.5. OpenSSL's parts of each are
 * fetched once in a process. Any thread. */

#pragma once

#include <glib.h>

#include <openssl/types.h>

G_BEGIN_DECLS

#define NDA_SUITE_DEFAULT 5     /* AES_256_GCM_SHA512_128 */
#define NDA_SUITE_WEAKEST 4     /* weakest that may be used unnamed */
#define NDA_SUITE_MAX_KEY 48
#define NDA_SUITE_MAX_HASH 64
#define NDA_SUITE_MAX_TAG 16
#define NDA_SUITE_NONCE 12

typedef struct
{
  guint16 id;
  const gchar *name;
  const gchar *cipher_name;
  const gchar *hash_name;       /* of the key schedule */
  guint n_hash;                 /* bytes of the hash */
  guint n_key;                  /* bytes of sframe_key, the HMAC key included */
  guint n_tag;                  /* bytes of the tag */
  gboolean is_ctr_hmac;         /* AES-CTR with a truncated HMAC, else GCM */
  EVP_CIPHER *cipher;           /* [const] from nda_suite_find () on */
  gboolean is_quick;            /* [const] likewise; see ndagcm.c */
} NdaSuite;

const NdaSuite *nda_suite_find (guint id);
gboolean nda_suite_is_weak (guint id);
EVP_KDF *nda_suite_get_hkdf (void);

G_END_DECLS
