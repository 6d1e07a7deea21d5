/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GstChildProxy and GstPreset, for the definition of an element's type. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void nda_py_child_proxy_init (gpointer iface, gpointer unused);
void nda_py_child_proxy_preset_init (gpointer iface, gpointer unused);

#define NDA_PY_CHILD_PROXY_INTERFACES \
    G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY, \
        (GInterfaceInitFunc) nda_py_child_proxy_init); \
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, \
        (GInterfaceInitFunc) nda_py_child_proxy_preset_init)

G_END_DECLS
