/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HMAC-SHA256 under one key for many messages, without an allocation. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define NDA_HMAC_KEY 32
#define NDA_HMAC_TAG 32
#define NDA_HMAC_STATE 128      /* bytes of one hash on its way, and to spare */

/* The hash state after a key. In secret pages. */
typedef struct
{
  guint64 inner[NDA_HMAC_STATE / 8];
  guint64 outer[NDA_HMAC_STATE / 8];
} NdaHmacKey;

typedef struct
{
  guint64 state[NDA_HMAC_STATE / 8];
} NdaHmac;

void nda_hmac_set_key (NdaHmacKey * out, const guint8 * key);
void nda_hmac_begin (NdaHmac * hmac, const NdaHmacKey * key);
void nda_hmac_add (NdaHmac * hmac, gconstpointer bytes, gsize n_bytes);
void nda_hmac_finish (NdaHmac * hmac, const NdaHmacKey * key, guint8 * tag);

G_END_DECLS
