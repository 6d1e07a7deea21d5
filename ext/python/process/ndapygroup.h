/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A group: a process that runs the plugins of several workers, its members.
 * Each has a socket and shared memory of its own, and stops and ends alone. All
 * block calls are made by one thread of the process, in rounds: a member writes
 * the number of its request into a place of its own, in memory of the group,
 * and rings the one doorbell; each round serves all who wait. What ends the
 * process ends all of them.
 *
 * Its thread is nda-py-group (ndapycommon.h). */

#pragma once

#include "ndapymould.h"
#include "ndapyprocess.h"
#include "ndapyrunner.h"

G_BEGIN_DECLS

typedef struct _NdaPyGroup NdaPyGroup;

/* What a member has of it */
typedef struct
{
  NdaPyGroup *group;            /* owned reference; NULL: of none */
  guint place;
  gint *asked;                  /* not owned; the number of its last request */
} NdaPyMember;

/* What the process is sent of a member */
typedef struct
{
  gint control, memory, reply_bell;
} NdaPyMemberFds;

gboolean nda_py_group_join (NdaPyMember * member,
    const NdaPyRunnerConfig * config, guint seat, const NdaPyMemberFds * fds,
    GError ** error);
void nda_py_group_leave (NdaPyMember * member);

NdaPyProcess *nda_py_group_get_process (NdaPyGroup * group);
NdaPyMould *nda_py_group_get_mould (NdaPyGroup * group);
gint nda_py_group_copy_bell (NdaPyGroup * group);

G_END_DECLS
