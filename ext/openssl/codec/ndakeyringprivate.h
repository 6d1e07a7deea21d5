/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Shared by the two files of the key ring: ndakeyring.c adds and removes keys,
 * ndakeyringuse.c finds and uses them. */

#pragma once

#include "ndakeyring.h"
#include "ndasecret.h"

G_BEGIN_DECLS

/* In secret pages */
typedef struct
{
  NdaKeyInfo info;
  NdaKeyOrigin origin;
  guint8 n_bytes;
  guint8 bytes[NDA_BASE_KEY_MAX];       /* prk, or the base key */
} NdaKey;

/* In secret pages too, so a child process has no keys */
typedef struct
{
  guint n_keys;
  NdaKey keys[];
} NdaKeys;

struct _NdaKeyring
{
  GMutex lock;
  NdaSecret *secret;            /* [lock] owned; has NdaKeys */
  guint n_allocated;            /* [lock] */
  guint last_id;                /* [lock] */
  gint serial;                  /* [atomic] changes with the keys */
};

static inline NdaKeys *
nda_keyring_get_keys_locked (NdaKeyring * self)
{
  return self->secret->data;
}

gboolean nda_keyring_check_base (guint suite, gsize n_base_key,
    GError ** error);

G_END_DECLS
