/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file that keeps the last T that a sender used with explicit base keys. It
 * survives the sender's end, a crash and a loss of power. A lock gives it to
 * one sender. The T that nda_send_state_take () returns is on the disk before a
 * record can have it.
 *
 * Belongs to one thread at a time. Every call may wait for the disk. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NdaSendState NdaSendState;

NdaSendState *nda_send_state_open (const gchar * path, GError ** error);
void nda_send_state_close (NdaSendState * state);

/* Returns the greater of @now (s) and one more than any T before; 0 if it
 * cannot be kept. */
guint32 nda_send_state_take (NdaSendState * state, guint32 now,
    GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaSendState, nda_send_state_close)

G_END_DECLS
