/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element inside ndasrc that regroups to blocks and meters them. Not
 * registered: it is made by its type. */

#pragma once

#include "ndameter.h"

G_BEGIN_DECLS

#define NDA_TYPE_REBLOCK (nda_reblock_get_type ())
G_DECLARE_FINAL_TYPE (NdaReblock, nda_reblock, NDA, REBLOCK, GstElement)

GstElement *nda_reblock_new (const gchar * name, NdaMeter * meter);

G_END_DECLS
