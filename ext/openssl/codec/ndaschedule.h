/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The key schedule: from a passphrase to a master key, from that to prk and to
 * a base key for each KID, from that to the key and salt of RFC 9605, section
 * 4.4.2. All inputs and outputs are in secret pages; the caller clears each
 * stage once the next exists. Any thread. */

#pragma once

#include "ndasuite.h"

G_BEGIN_DECLS

#define NDA_MASTER_KEY 32
#define NDA_PRK 64
#define NDA_BASE_KEY 32         /* of a derived one */
#define NDA_BASE_KEY_MIN 16
#define NDA_BASE_KEY_MAX 64
#define NDA_FINGERPRINT 8
#define NDA_CONTEXT_MAX 255
#define NDA_PASSPHRASE_SALT_MIN 8
#define NDA_PASSPHRASE_SALT_MAX 64

/* KIDs from here on belong to keys derived from a master key */
#define NDA_KID_DERIVED (G_GUINT64_CONSTANT (1) << 63)

typedef struct
{
  guint8 secret[NDA_SUITE_MAX_HASH];
  guint8 key[NDA_SUITE_MAX_KEY];
  guint8 salt[NDA_SUITE_NONCE];
} NdaSframeKeys;

gboolean nda_schedule_master_from_passphrase (const gchar * passphrase,
    gsize n_passphrase, const guint8 * salt, gsize n_salt, guint8 * master,
    GError ** error);
gboolean nda_schedule_prk (const guint8 * master, guint8 * prk,
    GError ** error);
gboolean nda_schedule_fingerprint (const guint8 * prk, guint8 * fingerprint,
    GError ** error);
gboolean nda_schedule_base_key (const guint8 * prk, guint suite, guint64 kid,
    const guint8 * context, gsize n_context, guint8 * base_key,
    GError ** error);
gboolean nda_schedule_sframe_keys (const NdaSuite * suite, guint64 kid,
    const guint8 * base_key, gsize n_base_key, NdaSframeKeys * keys,
    GError ** error);

G_END_DECLS
