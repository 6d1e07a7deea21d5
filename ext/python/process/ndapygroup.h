/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A group is a process that runs the plugins of several workers, its members.
 * Each member has its own socket, shared memory, bells and threads, and stops
 * and ends alone. If the process ends, all its members end.
 *
 * The thread of a group is nda-py-group (ndapycommon.h). */

#pragma once

#include "ndapymould.h"
#include "ndapyprocess.h"
#include "ndapyrunner.h"

G_BEGIN_DECLS

typedef struct _NdaPyGroup NdaPyGroup;

NdaPyGroup *nda_py_group_join (const NdaPyRunnerConfig * config, guint seat,
    const gint * fds, GError ** error);
void nda_py_group_leave (NdaPyGroup * group);

/* Notes that a member begins to load, to start or to make its first call, or
 * that it has done so. It may keep the others from answering for longer than a
 * deadline. */
void nda_py_group_set_preparing (NdaPyGroup * group, gboolean is_preparing);
/* How many members are preparing now, for g_atomic_int_get () */
const gint *nda_py_group_get_n_preparing (NdaPyGroup * group);

NdaPyProcess *nda_py_group_get_process (NdaPyGroup * group);
NdaPyMould *nda_py_group_get_mould (NdaPyGroup * group);

G_END_DECLS
