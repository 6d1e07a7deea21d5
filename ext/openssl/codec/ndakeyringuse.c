/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The key ring: finding keys, and giving them to ciphers. */

#include "config.h"

#include "ndakeyringprivate.h"

#include "ndacryptoerror.h"

#include <glib/gi18n-lib.h>

#include <string.h>

/* --- asking --- */

/* A number that changes whenever the keys change. */
guint
nda_keyring_get_serial (NdaKeyring * self)
{
  return g_atomic_int_get (&self->serial);
}

guint
nda_keyring_get_n_keys (NdaKeyring * self)
{
  guint n_keys;

  g_mutex_lock (&self->lock);
  n_keys = nda_keyring_get_keys_locked (self)->n_keys;
  g_mutex_unlock (&self->lock);
  return n_keys;
}

typedef gboolean (*KeyMatch) (const NdaKey * key, gconstpointer wanted);

/* The @index-th key that matches. */
static gboolean
find (NdaKeyring * self, KeyMatch match, gconstpointer wanted, guint index,
    NdaKeyInfo * info)
{
  NdaKeys *keys;
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  keys = nda_keyring_get_keys_locked (self);
  for (guint i = 0; i < keys->n_keys && !found; i++) {
    if (!match (&keys->keys[i], wanted) || index-- > 0)
      continue;
    *info = keys->keys[i].info;
    found = TRUE;
  }
  g_mutex_unlock (&self->lock);
  return found;
}

static gboolean
nda_keyring_match_any (const NdaKey * key, gconstpointer unused)
{
  return TRUE;
}

static gboolean
nda_keyring_match_id (const NdaKey * key, gconstpointer id)
{
  return key->info.id == *(const guint *) id;
}

static gboolean
nda_keyring_match_file (const NdaKey * key, gconstpointer unused)
{
  return key->origin == NDA_KEY_FROM_FILE;
}

static gboolean
nda_keyring_match_given_master (const NdaKey * key, gconstpointer unused)
{
  return key->origin == NDA_KEY_FROM_ACTION && key->info.kind == NDA_KEY_MASTER;
}

static gboolean
nda_keyring_match_master (const NdaKey * key, gconstpointer unused)
{
  return key->info.kind == NDA_KEY_MASTER;
}

static gboolean
nda_keyring_match_base (const NdaKey * key, gconstpointer wanted)
{
  const NdaKeyInfo *info = wanted;

  return key->info.kind == NDA_KEY_BASE && key->info.kid == info->kid
      && key->info.suite == info->suite;
}

/* The key at @index, in the order they were given. */
gboolean
nda_keyring_get_info (NdaKeyring * self, guint index, NdaKeyInfo * info)
{
  return find (self, nda_keyring_match_any, NULL, index, info);
}

gboolean
nda_keyring_has_id (NdaKeyring * self, guint id)
{
  NdaKeyInfo info;

  return find (self, nda_keyring_match_id, &id, 0, &info);
}

/* Finds the last key that matches. */
static gboolean
find_last (NdaKeyring * self, KeyMatch match, NdaKeyInfo * info)
{
  gboolean found = FALSE;

  for (guint i = 0; find (self, match, NULL, i, info); i++)
    found = TRUE;
  return found;
}

/* The key to send with: the master key that was given last by action, else the
 * first of the files, else any. */
gboolean
nda_keyring_find_sender (NdaKeyring * self, NdaKeyInfo * info, GError ** error)
{
  if (find_last (self, nda_keyring_match_given_master, info)
      || find (self, nda_keyring_match_file, NULL, 0, info)
      || find_last (self, nda_keyring_match_any, info))
    return TRUE;
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_NO_KEY,
      _("There is no key to encrypt with. Name one with “key-file”, and "
          "create it with “nda keygen”."));
  return FALSE;
}

/* The @index-th key to try on a record: explicit keys with the KID first, then,
 * for derived KIDs, every master key. */
gboolean
nda_keyring_find_candidate (NdaKeyring * self, guint64 kid, guint suite,
    guint index, NdaKeyInfo * info)
{
  NdaKeyInfo wanted = {.kid = kid,.suite = suite };
  guint n_bases = 0;

  while (find (self, nda_keyring_match_base, &wanted, n_bases, info)) {
    if (n_bases++ == index)
      return TRUE;
  }
  return kid >= NDA_KID_DERIVED
      && find (self, nda_keyring_match_master, NULL, index - n_bases, info);
}

/* --- using --- */

/* The stages between a base key and a cipher context */
typedef struct
{
  guint8 base_key[NDA_BASE_KEY_MAX];
  NdaSframeKeys sframe;
} Stages;

static gboolean
set_aead_key (const guint8 * base_key, gsize n_base_key, guint64 kid,
    const NdaSuite * suite, gboolean seal, Stages * stages, NdaAead * aead,
    GError ** error)
{
  return nda_schedule_sframe_keys (suite, kid, base_key, n_base_key,
      &stages->sframe, error)
      && nda_aead_set_key (aead, suite, stages->sframe.key,
      stages->sframe.salt, seal, error);
}

static gboolean
derive_locked (NdaKeyring * self, guint id, guint64 kid, const NdaKeyUse * use,
    Stages * stages, gsize * n_base_key, GError ** error)
{
  NdaKeys *keys = nda_keyring_get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const NdaKey *key = &keys->keys[i];

    if (key->info.id != id)
      continue;
    if (key->info.kind == NDA_KEY_MASTER) {
      *n_base_key = NDA_BASE_KEY;
      return nda_schedule_base_key (key->bytes, use->suite->id, kid,
          use->context, use->n_context, stages->base_key, error);
    }
    *n_base_key = key->n_bytes;
    memcpy (stages->base_key, key->bytes, key->n_bytes);
    return TRUE;
  }
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_NO_KEY,
      _("The key was removed while it was to be used."));
  return FALSE;
}

/* Puts the key that is derived from the key @id and @kid into @aead. */
gboolean
nda_keyring_set_key (NdaKeyring * self, guint id, guint64 kid,
    const NdaKeyUse * use, gboolean seal, NdaAead * aead, GError ** error)
{
  g_autoptr (NdaSecret) scratch = nda_secret_new (sizeof (Stages), error);
  gsize n_base_key;
  gboolean ok;

  if (!scratch)
    return FALSE;
  g_mutex_lock (&self->lock);
  ok = derive_locked (self, id, kid, use, scratch->data, &n_base_key, error);
  g_mutex_unlock (&self->lock);
  return ok && set_aead_key (((Stages *) scratch->data)->base_key, n_base_key,
      kid, use->suite, seal, scratch->data, aead, error);
}

/* Does the same with a base key that is not in the ring, for opening. */
gboolean
nda_keyring_set_foreign_key (const guint8 * base_key, gsize n_base_key,
    guint64 kid, const NdaSuite * suite, NdaAead * aead, GError ** error)
{
  g_autoptr (NdaSecret) scratch = NULL;

  if (!nda_keyring_check_base (suite->id, n_base_key, error))
    return FALSE;
  scratch = nda_secret_new (sizeof (Stages), error);
  return scratch && set_aead_key (base_key, n_base_key, kid, suite, FALSE,
      scratch->data, aead, error);
}
