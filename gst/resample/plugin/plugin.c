/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndamakers.h"
#include "ndaresample.h"

#include <glib/gi18n-lib.h>

static gboolean
plugin_init (GstPlugin * plugin)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  nda_resample_set_makers (nda_makers);
  return GST_ELEMENT_REGISTER (ndaresample, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ndaresample,
    "Any sample rate to any other, in blocks", plugin_init, VERSION, "LGPL",
    NDA_PACKAGE_NAME, NDA_PACKAGE_ORIGIN)
