/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element as the parent of its child “plugin”. It decides which child there
 * is, and passes values to the plugin. */

#pragma once

#include "ndapychild.h"
#include "ndapyshared.h"

G_BEGIN_DECLS

/* For any thread, without a lock */
NdaPyChild *nda_py_parent_get_child (NdaPyShared * self);
gchar *nda_py_parent_describe (NdaPyShared * self, GError ** error);
gboolean nda_py_parent_adopt (NdaPyShared * self, const gchar * text,
    GError ** error);
gboolean nda_py_parent_is_open (NdaPyShared * self);
gboolean nda_py_parent_set_parameter (NdaPyShared * self, const gchar * key,
    const gchar * value);

/* For state changes, without the GIL */
void nda_py_parent_begin (NdaPyShared * self);
void nda_py_parent_end (NdaPyShared * self);
gboolean nda_py_parent_open (NdaPyShared * self, const gchar * text,
    const NdaPyParameters * parameters, GError ** error);

/* For the block thread */
gboolean nda_py_parent_has_controls (NdaPyShared * self);
void nda_py_parent_sync_controls (NdaPyShared * self,
    GstClockTime stream_time);
void nda_py_parent_sync_to (NdaPyShared * self, GstPad * pad,
    GstClockTime pts);

G_END_DECLS
