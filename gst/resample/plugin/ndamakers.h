/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The makers of rate converters in this build: those of libraries, then nda's
 * own. */

#pragma once

#include "ndaconverter.h"

G_BEGIN_DECLS

/* NULL behind the last */
extern const NdaConverterMaker *const nda_makers[];

G_END_DECLS
