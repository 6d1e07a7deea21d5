/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The key ring holds master keys (as their prk) and explicit base keys, in
 * secret pages. It never hands out a key: nda_keyring_set_key () puts the
 * derived key into an NdaAead. In a child process after fork () it is empty.
 *
 * Any thread: it has its own lock, under which no other lock is taken. */

#pragma once

#include "ndaaead.h"
#include "ndaschedule.h"

G_BEGIN_DECLS

#define NDA_KEYRING_MAX_MASTERS 8

typedef struct _NdaKeyring NdaKeyring;

/* Where a key came from decides how long it is held. */
typedef enum
{
  NDA_KEY_FROM_FILE,            /* until the element stops */
  NDA_KEY_FROM_ACTION,          /* until removed, or the element is freed */
} NdaKeyOrigin;

typedef enum
{
  NDA_KEY_MASTER,
  NDA_KEY_BASE,
} NdaKeyKind;

/* The public facts of a key */
typedef struct
{
  guint id;                     /* never given twice by a keyring */
  NdaKeyKind kind;
  guint64 kid;                  /* of a base key */
  guint suite;                  /* of a base key */
  guint8 fingerprint[NDA_FINGERPRINT];  /* of a master key */
} NdaKeyInfo;

/* The parameters of a key's use, without the key itself */
typedef struct
{
  const NdaSuite *suite;
  guint8 context[NDA_CONTEXT_MAX];
  guint n_context;
} NdaKeyUse;

NdaKeyring *nda_keyring_new (GError ** error);
void nda_keyring_free (NdaKeyring * ring);

gboolean nda_keyring_add_master (NdaKeyring * ring, NdaKeyOrigin origin,
    const guint8 * master, gsize n_master, GError ** error);
gboolean nda_keyring_add_base (NdaKeyring * ring, NdaKeyOrigin origin,
    guint64 kid, guint suite, const guint8 * base_key, gsize n_base_key,
    GError ** error);
gboolean nda_keyring_remove_base (NdaKeyring * ring, guint64 kid);
void nda_keyring_forget_masters (NdaKeyring * ring, NdaKeyOrigin origin);
void nda_keyring_forget (NdaKeyring * ring, NdaKeyOrigin origin);

guint nda_keyring_get_serial (NdaKeyring * ring);
guint nda_keyring_get_n_keys (NdaKeyring * ring);
gboolean nda_keyring_get_info (NdaKeyring * ring, guint index,
    NdaKeyInfo * info);
gboolean nda_keyring_find_sender (NdaKeyring * ring, NdaKeyInfo * info,
    GError ** error);
gboolean nda_keyring_find_candidate (NdaKeyring * ring, guint64 kid,
    guint suite, guint index, NdaKeyInfo * info);
gboolean nda_keyring_has_id (NdaKeyring * ring, guint id);

gboolean nda_keyring_set_key (NdaKeyring * ring, guint id, guint64 kid,
    const NdaKeyUse * use, gboolean seal, NdaAead * aead, GError ** error);
gboolean nda_keyring_set_foreign_key (const guint8 * base_key,
    gsize n_base_key, guint64 kid, const NdaSuite * suite, NdaAead * aead,
    GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaKeyring, nda_keyring_free)

G_END_DECLS
