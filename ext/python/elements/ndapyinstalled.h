/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plugins that were installed with “nda install”. Each is an element, nda-NAME,
 * with the plugin's parameters as properties. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void nda_py_installed_register (GstPlugin * plugin);

G_END_DECLS
