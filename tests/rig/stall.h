/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Measures how long this machine itself stands still. One thread for each
 * processor, at the highest real-time priority that is allowed, sleeps a
 * millisecond at a time and notes how much later it wakes. If even that thread
 * is late, every other thread of the machine can be late, for example the sound
 * server's. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _RigStall RigStall;

RigStall *rig_stall_new (void);
void rig_stall_free (RigStall * stall);

gboolean rig_stall_is_realtime (RigStall * stall);
/* In us: since it was made, and within the last @us */
gint64 rig_stall_get_longest (RigStall * stall);
gint64 rig_stall_get_lately (RigStall * stall, gint64 us);

G_END_DECLS
