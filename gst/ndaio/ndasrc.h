/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "ndaiobin.h"

G_BEGIN_DECLS

#define NDA_TYPE_SRC (nda_src_get_type ())
G_DECLARE_FINAL_TYPE (NdaSrc, nda_src, NDA, SRC, NdaIoBin)

GST_ELEMENT_REGISTER_DECLARE (ndasrc);

G_END_DECLS
