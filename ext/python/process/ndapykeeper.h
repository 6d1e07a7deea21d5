/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A keeper runs a plugin in a separate process for as long as the host wants
 * it. If the worker (that process) dies, hangs or uses too much memory, another
 * one takes its place, with the parameters that were set, and started if the
 * plugin was started. */

#pragma once

#include "ndapyrunner.h"

G_BEGIN_DECLS

extern const NdaPyRunnerKind nda_py_keeper_kind;

G_END_DECLS
