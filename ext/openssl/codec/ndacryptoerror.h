/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The errors of keys and records. Messages are for people, and name no
 * secret. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  NDA_CRYPTO_ERROR_NO_KEY,      /* there is none to seal with */
  NDA_CRYPTO_ERROR_NOT_FOUND,   /* no such key file */
  NDA_CRYPTO_ERROR_UNREADABLE,  /* it cannot be read, or must not be */
  NDA_CRYPTO_ERROR_INVALID,     /* not a valid key, salt, or context */
  NDA_CRYPTO_ERROR_FAILED,      /* the library or the system failed */
} NdaCryptoError;

#define NDA_CRYPTO_ERROR (nda_crypto_error_quark ())
GQuark nda_crypto_error_quark (void);

void nda_crypto_set_library_error (GError ** error, const gchar * doing);

G_END_DECLS
