/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndakeyringprivate.h"

#include "ndacryptoerror.h"
#include "ndasecret.h"

#include <glib/gi18n-lib.h>

#include <openssl/crypto.h>

#include <string.h>

#define N_KEYS_AT_FIRST 16

static gsize
keys_bytes (guint n_keys)
{
  return sizeof (NdaKeys) + n_keys * sizeof (NdaKey);
}

NdaKeyring *
nda_keyring_new (GError ** error)
{
  NdaSecret *secret = nda_secret_new (keys_bytes (N_KEYS_AT_FIRST), error);
  NdaKeyring *self;

  if (!secret)
    return NULL;
  self = g_new0 (NdaKeyring, 1);
  g_mutex_init (&self->lock);
  self->secret = secret;
  self->n_allocated = N_KEYS_AT_FIRST;
  return self;
}

void
nda_keyring_free (NdaKeyring * self)
{
  nda_secret_free (self->secret);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* --- adding and removing --- */

static gboolean
grow_locked (NdaKeyring * self, GError ** error)
{
  guint n = self->n_allocated * 2;
  NdaSecret *larger;

  if (nda_keyring_get_keys_locked (self)->n_keys < self->n_allocated)
    return TRUE;
  larger = nda_secret_new (keys_bytes (n), error);
  if (!larger)
    return FALSE;
  memcpy (larger->data, self->secret->data, self->secret->n_bytes);
  nda_secret_free (self->secret);
  self->secret = larger;
  self->n_allocated = n;
  return TRUE;
}

static void
remove_locked (NdaKeyring * self, guint index)
{
  NdaKeys *keys = nda_keyring_get_keys_locked (self);
  NdaKey *last = &keys->keys[--keys->n_keys];

  memmove (&keys->keys[index], &keys->keys[index + 1],
      (keys->n_keys - index) * sizeof (NdaKey));
  OPENSSL_cleanse (last, sizeof (*last));
  g_atomic_int_inc (&self->serial);
}

/* Makes room for a key at the end; FALSE: there is no memory for it. */
static gboolean
append_locked (NdaKeyring * self, NdaKeyKind kind, NdaKeyOrigin origin,
    NdaKey ** key, GError ** error)
{
  NdaKeys *keys;

  if (!grow_locked (self, error))
    return FALSE;
  keys = nda_keyring_get_keys_locked (self);
  *key = &keys->keys[keys->n_keys];
  memset (*key, 0, sizeof (**key));
  (*key)->info.kind = kind;
  (*key)->info.id = ++self->last_id;
  (*key)->origin = origin;
  return TRUE;
}

static void
commit_locked (NdaKeyring * self)
{
  nda_keyring_get_keys_locked (self)->n_keys++;
  g_atomic_int_inc (&self->serial);
}

static gboolean
is_zero (const guint8 * bytes, gsize n_bytes)
{
  guint8 all = 0;

  for (gsize i = 0; i < n_bytes; i++)
    all |= bytes[i];
  return all == 0;
}

/* Limits the number of master keys after one was added: a key given by action
 * replaces the oldest of its kind; a file must not hold too many. */
static gboolean
limit_masters_locked (NdaKeyring * self, NdaKeyOrigin origin, GError ** error)
{
  NdaKeys *keys = nda_keyring_get_keys_locked (self);
  guint n_masters = 0;
  gint oldest = -1;

  for (guint i = 0; i < keys->n_keys; i++) {
    if (keys->keys[i].info.kind != NDA_KEY_MASTER)
      continue;
    n_masters++;
    if (oldest < 0 && keys->keys[i].origin == origin)
      oldest = i;
  }
  if (n_masters <= NDA_KEYRING_MAX_MASTERS)
    return TRUE;
  if (origin == NDA_KEY_FROM_ACTION && keys->keys[oldest].info.id
      != self->last_id) {
    remove_locked (self, oldest);
    return TRUE;
  }
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
      _("More than %d master keys are held. Remove those that are no longer "
          "used."), NDA_KEYRING_MAX_MASTERS);
  return FALSE;
}

/* Finds the same key in the ring, or -1 */
static gint
find_same_locked (NdaKeyring * self, const NdaKey * key)
{
  NdaKeys *keys = nda_keyring_get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const NdaKey *held = &keys->keys[i];

    if (held->info.kind == NDA_KEY_MASTER && held->origin == key->origin
        && CRYPTO_memcmp (held->bytes, key->bytes, NDA_PRK) == 0)
      return i;
  }
  return -1;
}

/* One that is held already becomes the last, and stays itself for sessions that
 * use it. */
static gboolean
add_master_locked (NdaKeyring * self, NdaKeyOrigin origin,
    const guint8 * master, GError ** error)
{
  gint same;
  NdaKey *key;

  if (!append_locked (self, NDA_KEY_MASTER, origin, &key, error))
    return FALSE;
  key->n_bytes = NDA_PRK;
  if (!nda_schedule_prk (master, key->bytes, error)
      || !nda_schedule_fingerprint (key->bytes, key->info.fingerprint, error)) {
    OPENSSL_cleanse (key, sizeof (*key));
    return FALSE;
  }
  same = find_same_locked (self, key);
  if (same >= 0)
    key->info.id = nda_keyring_get_keys_locked (self)->keys[same].info.id;
  commit_locked (self);
  if (same >= 0)
    remove_locked (self, same);
  if (limit_masters_locked (self, origin, error))
    return TRUE;
  remove_locked (self, nda_keyring_get_keys_locked (self)->n_keys - 1);
  return FALSE;
}

/* Takes a master key of 32 bytes, which the caller cleanses. */
gboolean
nda_keyring_add_master (NdaKeyring * self, NdaKeyOrigin origin,
    const guint8 * master, gsize n_master, GError ** error)
{
  gboolean ok;

  if (n_master != NDA_MASTER_KEY) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("A master key has exactly %d bytes, not %u."), NDA_MASTER_KEY,
        (guint) n_master);
    return FALSE;
  }
  if (is_zero (master, n_master)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("The master key is all zero, which is no secret. Create a new one "
            "with “nda keygen”."));
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  ok = add_master_locked (self, origin, master, error);
  g_mutex_unlock (&self->lock);
  return ok;
}

gboolean
nda_keyring_check_base (guint suite, gsize n_base_key, GError ** error)
{
  if (!nda_suite_find (suite)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("There is no cipher suite %u. Use 5, or another from 1 to 4."),
        suite);
    return FALSE;
  }
  if (n_base_key < NDA_BASE_KEY_MIN || n_base_key > NDA_BASE_KEY_MAX) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("A base key has %d to %d bytes, not %u."), NDA_BASE_KEY_MIN,
        NDA_BASE_KEY_MAX, (guint) n_base_key);
    return FALSE;
  }
  return TRUE;
}

static gint
find_base_locked (NdaKeyring * self, guint64 kid, NdaKeyOrigin origin)
{
  NdaKeys *keys = nda_keyring_get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const NdaKey *key = &keys->keys[i];

    if (key->info.kind == NDA_KEY_BASE && key->info.kid == kid
        && key->origin == origin)
      return i;
  }
  return -1;
}

/* Whether the key at @index is exactly that one. */
static gboolean
is_base_locked (NdaKeyring * self, gint index, guint suite,
    const guint8 * base_key, gsize n_base_key)
{
  const NdaKey *key;

  if (index < 0)
    return FALSE;
  key = &nda_keyring_get_keys_locked (self)->keys[index];
  return key->info.suite == suite && key->n_bytes == n_base_key
      && CRYPTO_memcmp (key->bytes, base_key, n_base_key) == 0;
}

/* One that is held already becomes the last, and stays itself for sessions that
 * use it. */
static gboolean
add_base_locked (NdaKeyring * self, NdaKeyOrigin origin, guint64 kid,
    guint suite, const guint8 * base_key, gsize n_base_key, GError ** error)
{
  gint known = find_base_locked (self, kid, origin);
  NdaKey *key;

  if (!append_locked (self, NDA_KEY_BASE, origin, &key, error))
    return FALSE;
  if (is_base_locked (self, known, suite, base_key, n_base_key))
    key->info.id = nda_keyring_get_keys_locked (self)->keys[known].info.id;
  key->info.kid = kid;
  key->info.suite = suite;
  key->n_bytes = n_base_key;
  memcpy (key->bytes, base_key, n_base_key);
  commit_locked (self);
  if (known >= 0)
    remove_locked (self, known);
  return TRUE;
}

/* Adds an explicit base key, in place of one with the same KID and origin. */
gboolean
nda_keyring_add_base (NdaKeyring * self, NdaKeyOrigin origin, guint64 kid,
    guint suite, const guint8 * base_key, gsize n_base_key, GError ** error)
{
  gboolean ok;

  if (!nda_keyring_check_base (suite, n_base_key, error))
    return FALSE;
  if (is_zero (base_key, n_base_key)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("The base key is all zero, which is no secret."));
    return FALSE;
  }
  g_mutex_lock (&self->lock);
  ok = add_base_locked (self, origin, kid, suite, base_key, n_base_key, error);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* FALSE: there is no key with that KID. */
gboolean
nda_keyring_remove_base (NdaKeyring * self, guint64 kid)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (guint origin = 0; origin <= NDA_KEY_FROM_ACTION; origin++) {
    gint index = find_base_locked (self, kid, origin);

    if (index >= 0)
      remove_locked (self, index);
    found |= index >= 0;
  }
  g_mutex_unlock (&self->lock);
  return found;
}

static void
forget (NdaKeyring * self, NdaKeyOrigin origin, gboolean only_masters)
{
  NdaKeys *keys;

  g_mutex_lock (&self->lock);
  keys = nda_keyring_get_keys_locked (self);
  for (guint i = keys->n_keys; i > 0; i--)
    if (keys->keys[i - 1].origin == origin
        && (!only_masters || keys->keys[i - 1].info.kind == NDA_KEY_MASTER))
      remove_locked (self, i - 1);
  g_mutex_unlock (&self->lock);
}

/* Cleanses the master keys of that origin. */
void
nda_keyring_forget_masters (NdaKeyring * self, NdaKeyOrigin origin)
{
  forget (self, origin, TRUE);
}

/* Cleanses all keys of that origin. */
void
nda_keyring_forget (NdaKeyring * self, NdaKeyOrigin origin)
{
  forget (self, origin, FALSE);
}
