/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndacryptoerror.h"

#include <glib/gi18n-lib.h>

#include <openssl/err.h>

G_DEFINE_QUARK (nda_crypto_error, nda_crypto_error);

/* Makes a GError of OpenSSL's reason, which names functions and limits but no
 * data. @doing is a verb in the -ing form, untranslated. */
void
nda_crypto_set_library_error (GError ** error, const gchar * doing)
{
  gchar reason[256] = "no reason given";
  gulong code = ERR_get_error ();

  if (code)
    ERR_error_string_n (code, reason, sizeof (reason));
  ERR_clear_error ();
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_FAILED,
      _("OpenSSL failed while %s: %s. Check that its default provider is "
          "enabled (“openssl list -providers”)."), doing, reason);
}
