/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Starts a process that runs plugins: forked from a mould if one is fit,
 * otherwise as an interpreter of its own. */

#pragma once

#include "ndapymould.h"
#include "ndapyprocess.h"
#include "ndapyrunner.h"

G_BEGIN_DECLS

gboolean nda_py_start_process (NdaPyProcess * process, NdaPyMould ** mould,
    const NdaPyRunnerConfig * config, gint * theirs, GError ** error);
void nda_py_start_set_no_resources (GError ** error, gint reason);

G_END_DECLS
