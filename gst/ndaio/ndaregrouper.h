/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The last element inside an ndasrc. It regroups buffers of any size to blocks
 * of 512 frames and counts them. It is not registered: ndasrc makes it by its
 * type. */

#pragma once

#include "ndameter.h"

G_BEGIN_DECLS

#define NDA_TYPE_REGROUPER (nda_regrouper_get_type ())
G_DECLARE_FINAL_TYPE (NdaRegrouper, nda_regrouper, NDA, REGROUPER,
    GstElement)

GstElement *nda_regrouper_new (const gchar * name, NdaMeter * meter);

G_END_DECLS
