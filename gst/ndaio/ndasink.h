/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndaiobin.h"

G_BEGIN_DECLS

#define NDA_TYPE_SINK (nda_sink_get_type ())
G_DECLARE_FINAL_TYPE (NdaSink, nda_sink, NDA, SINK, NdaIoBin)

GST_ELEMENT_REGISTER_DECLARE (ndasink);

G_END_DECLS
