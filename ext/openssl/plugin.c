/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndadecrypt.h"
#include "ndaencrypt.h"
#include "ndatypefind.h"

#include <glib/gi18n-lib.h>

static gboolean
plugin_init (GstPlugin * plugin)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  return GST_ELEMENT_REGISTER (ndaencrypt, plugin)
      && GST_ELEMENT_REGISTER (ndadecrypt, plugin)
      && GST_TYPE_FIND_REGISTER (ndasframe, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ndacrypto,
    "Encrypted audio in RFC 9605 records", plugin_init, VERSION, "LGPL",
    NDA_PACKAGE_NAME, NDA_PACKAGE_ORIGIN)
