/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element as the parent of its child “plugin”: GstChildProxy, GstPreset,
 * and what the child asks of it. */

#pragma once

#include "ndapychild.h"
#include "ndapyelement.h"

G_BEGIN_DECLS

/* for the definition of an element's type */
void nda_py_parent_child_proxy_init (gpointer iface, gpointer unused);
void nda_py_parent_preset_init (gpointer iface, gpointer unused);

#define NDA_PY_PARENT_INTERFACES \
    G_IMPLEMENT_INTERFACE (GST_TYPE_CHILD_PROXY, \
        (GInterfaceInitFunc) nda_py_parent_child_proxy_init); \
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, \
        (GInterfaceInitFunc) nda_py_parent_preset_init)

/* any thread, without a lock */
NdaPyChild *nda_py_parent_get_child (NdaPyElement * self);
gchar *nda_py_parent_describe (NdaPyElement * self, GError ** error);
gboolean nda_py_parent_adopt (NdaPyElement * self, const gchar * text,
    GError ** error);
gboolean nda_py_parent_is_open (NdaPyElement * self);
gboolean nda_py_parent_set_parameter (NdaPyElement * self, const gchar * key,
    const gchar * value);

/* state changes, without the GIL */
void nda_py_parent_begin (NdaPyElement * self);
void nda_py_parent_end (NdaPyElement * self);
gboolean nda_py_parent_open (NdaPyElement * self, const gchar * text,
    const NdaPyParameters * parameters, GError ** error);

/* the child; the first of them with the child's lock */
void nda_py_parent_queue (NdaPyElement * self, const gchar * key,
    const gchar * text);
void nda_py_parent_set_queued (NdaPyElement * self);
void nda_py_parent_notify (NdaPyElement * self, const gchar * property);
void nda_py_parent_refuse (NdaPyElement * self, const GError * error);

/* the block thread */
gboolean nda_py_parent_has_controls (NdaPyElement * self);
void nda_py_parent_sync_controls (NdaPyElement * self,
    GstClockTime stream_time);
void nda_py_parent_sync_to (NdaPyElement * self, GstPad * pad,
    GstClockTime pts);

G_END_DECLS
