/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A plugin on this process's interpreter: its calls need the GIL. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

extern const NdaPyRunnerKind nda_py_inprocess_kind;

G_END_DECLS
