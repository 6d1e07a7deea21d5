/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaschedule.h"

#include "ndacryptoerror.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string.h>

#define SCRYPT_N (1 << 17)
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_MEMORY (192 * 1024 * 1024)       /* it needs 128 MiB and a bit */

#define SALT "nda-sframe/1"
#define SCRYPT_SALT "nda-sframe/1 scrypt "
#define BASE_INFO "nda-sframe/1 base "
#define FINGERPRINT_INFO "nda-sframe/1 fingerprint"
#define KEY_INFO "SFrame 1.0 Secret key "
#define SALT_INFO "SFrame 1.0 Secret salt "

#define N_TEXT(text) (sizeof (text) - 1)

/* Both halves of HKDF: @mode extracts from @key with the salt @label, or
 * expands @key with the info @label. */
static gboolean
hkdf (gint mode, const gchar * hash, const guint8 * key, gsize n_key,
    const guint8 * label, gsize n_label, guint8 * out, gsize n_out,
    GError ** error)
{
  EVP_KDF *kdf = nda_suite_get_hkdf ();
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new (kdf) : NULL;
  const gchar *what = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ?
      OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO;
  OSSL_PARAM params[] = {
    OSSL_PARAM_construct_int (OSSL_KDF_PARAM_MODE, &mode),
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, (gchar *) hash, 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_KEY, (guint8 *) key,
        n_key),
    OSSL_PARAM_construct_octet_string (what, (guint8 *) label, n_label),
    OSSL_PARAM_construct_end (),
  };
  gboolean ok = context && EVP_KDF_derive (context, out, n_out, params) > 0;

  EVP_KDF_CTX_free (context);
  if (!ok) {
    OPENSSL_cleanse (out, n_out);
    nda_crypto_set_library_error (error, "deriving a key");
  }
  return ok;
}

static gboolean
extract (const gchar * hash, gsize n_hash, const gchar * salt, gsize n_salt,
    const guint8 * key, gsize n_key, guint8 * out, GError ** error)
{
  return hkdf (EVP_KDF_HKDF_MODE_EXTRACT_ONLY, hash, key, n_key,
      (const guint8 *) salt, n_salt, out, n_hash, error);
}

static gboolean
expand (const gchar * hash, gsize n_hash, const guint8 * prk,
    const guint8 * info, gsize n_info, guint8 * out, gsize n_out,
    GError ** error)
{
  return hkdf (EVP_KDF_HKDF_MODE_EXPAND_ONLY, hash, prk, n_hash, info, n_info,
      out, n_out, error);
}

/* Half a second and 128 MiB: never on a streaming thread. */
gboolean
nda_schedule_master_from_passphrase (const gchar * passphrase,
    gsize n_passphrase, const guint8 * salt, gsize n_salt, guint8 * master,
    GError ** error)
{
  guint8 whole[N_TEXT (SCRYPT_SALT) + NDA_PASSPHRASE_SALT_MAX];

  g_return_val_if_fail (n_salt <= NDA_PASSPHRASE_SALT_MAX, FALSE);

  memcpy (whole, SCRYPT_SALT, N_TEXT (SCRYPT_SALT));
  memcpy (whole + N_TEXT (SCRYPT_SALT), salt, n_salt);
  if (EVP_PBE_scrypt (passphrase, n_passphrase, whole,
          N_TEXT (SCRYPT_SALT) + n_salt, SCRYPT_N, SCRYPT_R, SCRYPT_P,
          SCRYPT_MEMORY, master, NDA_MASTER_KEY))
    return TRUE;
  OPENSSL_cleanse (master, NDA_MASTER_KEY);
  nda_crypto_set_library_error (error, "stretching a passphrase");
  return FALSE;
}

gboolean
nda_schedule_prk (const guint8 * master, guint8 * prk, GError ** error)
{
  return extract ("SHA512", NDA_PRK, SALT, N_TEXT (SALT), master,
      NDA_MASTER_KEY, prk, error);
}

gboolean
nda_schedule_fingerprint (const guint8 * prk, guint8 * fingerprint,
    GError ** error)
{
  return expand ("SHA512", NDA_PRK, prk, (const guint8 *) FINGERPRINT_INFO,
      N_TEXT (FINGERPRINT_INFO), fingerprint, NDA_FINGERPRINT, error);
}

static guint8 *
put_text (guint8 * out, const gchar * text, gsize n_text)
{
  memcpy (out, text, n_text);
  return out + n_text;
}

static guint8 *
put_uint16 (guint8 * out, guint16 value)
{
  value = GUINT16_TO_BE (value);
  memcpy (out, &value, sizeof (value));
  return out + sizeof (value);
}

static guint8 *
put_uint64 (guint8 * out, guint64 value)
{
  value = GUINT64_TO_BE (value);
  memcpy (out, &value, sizeof (value));
  return out + sizeof (value);
}

gboolean
nda_schedule_base_key (const guint8 * prk, guint suite, guint64 kid,
    const guint8 * context, gsize n_context, guint8 * base_key, GError ** error)
{
  guint8 info[N_TEXT (BASE_INFO) + 2 + 8 + NDA_CONTEXT_MAX];
  guint8 *end;

  g_return_val_if_fail (n_context <= NDA_CONTEXT_MAX, FALSE);

  end = put_text (info, BASE_INFO, N_TEXT (BASE_INFO));
  end = put_uint16 (end, suite);
  end = put_uint64 (end, kid);
  if (n_context)
    end = put_text (end, (const gchar *) context, n_context);
  return expand ("SHA512", NDA_PRK, prk, info, end - info, base_key,
      NDA_BASE_KEY, error);
}

static gboolean
expand_sframe (const NdaSuite * suite, const guint8 * secret,
    const gchar * label, guint64 kid, guint8 * out, gsize n_out,
    GError ** error)
{
  guint8 info[N_TEXT (SALT_INFO) + 8 + 2];
  guint8 *end = put_text (info, label, strlen (label));

  end = put_uint64 (end, kid);
  end = put_uint16 (end, suite->id);
  return expand (suite->hash_name, suite->n_hash, secret, info, end - info, out,
      n_out, error);
}

/* RFC 9605, section 4.4.2 */
gboolean
nda_schedule_sframe_keys (const NdaSuite * suite, guint64 kid,
    const guint8 * base_key, gsize n_base_key, NdaSframeKeys * keys,
    GError ** error)
{
  return extract (suite->hash_name, suite->n_hash, "", 0, base_key, n_base_key,
      keys->secret, error)
      && expand_sframe (suite, keys->secret, KEY_INFO, kid, keys->key,
      suite->n_key, error)
      && expand_sframe (suite, keys->secret, SALT_INFO, kid, keys->salt,
      NDA_SUITE_NONCE, error);
}
