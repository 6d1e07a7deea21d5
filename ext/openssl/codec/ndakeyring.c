/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndakeyring.h"

#include "ndacryptoerror.h"
#include "ndasecret.h"

#include <glib/gi18n-lib.h>

#include <openssl/crypto.h>

#include <string.h>

#define N_KEYS_AT_FIRST 16

/* In secret pages */
typedef struct
{
  NdaKeyInfo info;
  NdaKeyOrigin origin;
  guint8 n_bytes;
  guint8 bytes[NDA_BASE_KEY_MAX];       /* prk, or the base key */
} Key;

/* In secret pages too: a child process counts no keys */
typedef struct
{
  guint n_keys;
  Key keys[];
} Keys;

struct _NdaKeyring
{
  GMutex lock;
  NdaSecret *secret;            /* [lock] owned; has Keys */
  guint n_allocated;            /* [lock] */
  guint last_id;                /* [lock] */
  gint serial;                  /* [atomic] changes with the keys */
};

static gsize
keys_bytes (guint n_keys)
{
  return sizeof (Keys) + n_keys * sizeof (Key);
}

static Keys *
get_keys_locked (NdaKeyring * self)
{
  return self->secret->data;
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

  if (get_keys_locked (self)->n_keys < self->n_allocated)
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
  Keys *keys = get_keys_locked (self);
  Key *last = &keys->keys[--keys->n_keys];

  memmove (&keys->keys[index], &keys->keys[index + 1],
      (keys->n_keys - index) * sizeof (Key));
  OPENSSL_cleanse (last, sizeof (*last));
  g_atomic_int_inc (&self->serial);
}

/* Room for a key at the end; FALSE when there is no memory for it. */
static gboolean
append_locked (NdaKeyring * self, NdaKeyKind kind, NdaKeyOrigin origin,
    Key ** key, GError ** error)
{
  Keys *keys;

  if (!grow_locked (self, error))
    return FALSE;
  keys = get_keys_locked (self);
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
  get_keys_locked (self)->n_keys++;
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

/* Keeps the master keys few, after one was added: those given by action push out
 * the oldest of their kind; a file must not hold too many. */
static gboolean
limit_masters_locked (NdaKeyring * self, NdaKeyOrigin origin, GError ** error)
{
  Keys *keys = get_keys_locked (self);
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

/* The same key, held already, or -1 */
static gint
find_same_locked (NdaKeyring * self, const Key * key)
{
  Keys *keys = get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const Key *held = &keys->keys[i];

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
  Key *key;

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
    key->info.id = get_keys_locked (self)->keys[same].info.id;
  commit_locked (self);
  if (same >= 0)
    remove_locked (self, same);
  if (limit_masters_locked (self, origin, error))
    return TRUE;
  remove_locked (self, get_keys_locked (self)->n_keys - 1);
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
        _("A master key has exactly %d bytes, not %" G_GSIZE_FORMAT "."),
        NDA_MASTER_KEY, n_master);
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

static gboolean
check_base (guint suite, gsize n_base_key, GError ** error)
{
  if (!nda_suite_find (suite)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("There is no cipher suite %u. Use 5, or another from 1 to 4."),
        suite);
    return FALSE;
  }
  if (n_base_key < NDA_BASE_KEY_MIN || n_base_key > NDA_BASE_KEY_MAX) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("A base key has %d to %d bytes, not %" G_GSIZE_FORMAT "."),
        NDA_BASE_KEY_MIN, NDA_BASE_KEY_MAX, n_base_key);
    return FALSE;
  }
  return TRUE;
}

static gint
find_base_locked (NdaKeyring * self, guint64 kid, NdaKeyOrigin origin)
{
  Keys *keys = get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const Key *key = &keys->keys[i];

    if (key->info.kind == NDA_KEY_BASE && key->info.kid == kid
        && key->origin == origin)
      return i;
  }
  return -1;
}

static gboolean
add_base_locked (NdaKeyring * self, NdaKeyOrigin origin, guint64 kid,
    guint suite, const guint8 * base_key, gsize n_base_key, GError ** error)
{
  gint known = find_base_locked (self, kid, origin);
  Key *key;

  if (!append_locked (self, NDA_KEY_BASE, origin, &key, error))
    return FALSE;
  key->info.kid = kid;
  key->info.suite = suite;
  key->n_bytes = n_base_key;
  memcpy (key->bytes, base_key, n_base_key);
  commit_locked (self);
  if (known >= 0)
    remove_locked (self, known);
  return TRUE;
}

/* Takes an explicit base key, in place of one of the same KID and origin. */
gboolean
nda_keyring_add_base (NdaKeyring * self, NdaKeyOrigin origin, guint64 kid,
    guint suite, const guint8 * base_key, gsize n_base_key, GError ** error)
{
  gboolean ok;

  if (!check_base (suite, n_base_key, error))
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

/* FALSE: there is none of that KID. */
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
  Keys *keys;

  g_mutex_lock (&self->lock);
  keys = get_keys_locked (self);
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

/* --- asking --- */

/* Another number whenever the keys are others. */
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
  n_keys = get_keys_locked (self)->n_keys;
  g_mutex_unlock (&self->lock);
  return n_keys;
}

typedef gboolean (*KeyMatch) (const Key * key, gconstpointer wanted);

/* The @index-th key that matches. */
static gboolean
find (NdaKeyring * self, KeyMatch match, gconstpointer wanted, guint index,
    NdaKeyInfo * info)
{
  Keys *keys;
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  keys = get_keys_locked (self);
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
match_any (const Key * key, gconstpointer unused)
{
  return TRUE;
}

static gboolean
match_id (const Key * key, gconstpointer id)
{
  return key->info.id == *(const guint *) id;
}

static gboolean
match_file (const Key * key, gconstpointer unused)
{
  return key->origin == NDA_KEY_FROM_FILE;
}

static gboolean
match_given_master (const Key * key, gconstpointer unused)
{
  return key->origin == NDA_KEY_FROM_ACTION && key->info.kind == NDA_KEY_MASTER;
}

static gboolean
match_master (const Key * key, gconstpointer unused)
{
  return key->info.kind == NDA_KEY_MASTER;
}

static gboolean
match_base (const Key * key, gconstpointer wanted)
{
  const NdaKeyInfo *info = wanted;

  return key->info.kind == NDA_KEY_BASE && key->info.kid == info->kid
      && key->info.suite == info->suite;
}

/* The key at @index, in the order they were given. */
gboolean
nda_keyring_get_info (NdaKeyring * self, guint index, NdaKeyInfo * info)
{
  return find (self, match_any, NULL, index, info);
}

gboolean
nda_keyring_has_id (NdaKeyring * self, guint id)
{
  NdaKeyInfo info;

  return find (self, match_id, &id, 0, &info);
}

/* The last of what find () finds. */
static gboolean
find_last (NdaKeyring * self, KeyMatch match, NdaKeyInfo * info)
{
  gboolean found = FALSE;

  for (guint i = 0; find (self, match, NULL, i, info); i++)
    found = TRUE;
  return found;
}

/* The key to send with: the master key given last by action, else the first of
 * the files, else any. */
gboolean
nda_keyring_find_sender (NdaKeyring * self, NdaKeyInfo * info, GError ** error)
{
  if (find_last (self, match_given_master, info)
      || find (self, match_file, NULL, 0, info)
      || find_last (self, match_any, info))
    return TRUE;
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_NO_KEY,
      _("There is no key to encrypt with. Name one with “key-file”, and "
          "create it with “nda keygen”."));
  return FALSE;
}

/* The @index-th key to try on a record: explicit ones of the KID first, then,
 * for KIDs that are derived, every master key. */
gboolean
nda_keyring_find_candidate (NdaKeyring * self, guint64 kid, guint suite,
    guint index, NdaKeyInfo * info)
{
  NdaKeyInfo wanted = {.kid = kid,.suite = suite };
  guint n_bases = 0;

  while (find (self, match_base, &wanted, n_bases, info)) {
    if (n_bases++ == index)
      return TRUE;
  }
  return kid >= NDA_KID_DERIVED
      && find (self, match_master, NULL, index - n_bases, info);
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
  Keys *keys = get_keys_locked (self);

  for (guint i = 0; i < keys->n_keys; i++) {
    const Key *key = &keys->keys[i];

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

/* Puts what the key @id makes of @kid into @aead. */
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

/* The same with a base key that is not held here, to open with. */
gboolean
nda_keyring_set_foreign_key (const guint8 * base_key, gsize n_base_key,
    guint64 kid, const NdaSuite * suite, NdaAead * aead, GError ** error)
{
  g_autoptr (NdaSecret) scratch = NULL;

  if (!check_base (suite->id, n_base_key, error))
    return FALSE;
  scratch = nda_secret_new (sizeof (Stages), error);
  return scratch && set_aead_key (base_key, n_base_key, kid, suite, FALSE,
      scratch->data, aead, error);
}
