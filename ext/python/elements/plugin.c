/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndapybridge.h"
#include "ndapyinstalled.h"
#include "ndapylog.h"
#include "ndapysink.h"
#include "ndapysrc.h"

#include <gst/gst.h>

#include <glib/gi18n-lib.h>

/* Does not use Python: the registry's scanner must not load it. The plugin
 * stays resident, since an interpreter cannot be unloaded. */
static gboolean
plugin_init (GstPlugin * plugin)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");

  nda_py_log_init ();
  if (!GST_ELEMENT_REGISTER (ndapybridge, plugin)
      || !GST_ELEMENT_REGISTER (ndapysrc, plugin)
      || !GST_ELEMENT_REGISTER (ndapysink, plugin))
    return FALSE;
  nda_py_installed_register (plugin);
  return TRUE;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, ndapython,
    "Live audio through Python plugins", plugin_init, VERSION, "LGPL",
    NDA_PACKAGE_NAME, NDA_PACKAGE_ORIGIN)
