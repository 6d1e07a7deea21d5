/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A plugin in a process of its own, as long as it is wanted: when the worker
 * dies, hangs or grows too big, another takes its place, with the parameters
 * that were set and, if the plugin ran, started. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

extern const NdaPyRunnerKind nda_py_keeper_kind;

G_END_DECLS
