/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaresample.h"

#include <glib/gi18n-lib.h>

static gboolean
plugin_init (GstPlugin * plugin)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  return GST_ELEMENT_REGISTER (ndaresample, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ndasoxr,
    "Any sample rate to any other, in blocks", plugin_init, VERSION, "LGPL",
    NDA_PACKAGE_NAME, NDA_PACKAGE_ORIGIN)
