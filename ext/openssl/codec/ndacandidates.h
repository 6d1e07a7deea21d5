/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The keys that a receiver has ready: the current session's, those of the
 * announced session, and a few of senders that have not proven themselves yet.
 * The number of the last kind is limited, so forged records cost little.
 *
 * Belongs to the opener's thread: no locks. */

#pragma once

#include "ndakeyring.h"
#include "ndaopenerhooks.h"

G_BEGIN_DECLS

#define NDA_CANDIDATES_MAX_UNPROVEN 16
#define NDA_CANDIDATES_MAX_KIDS_PER_SECOND 100

typedef struct _NdaCandidates NdaCandidates;

/* Tries a key; TRUE: it fits. */
typedef gboolean (*NdaTryKey) (NdaAead * aead, gpointer record);

NdaCandidates *nda_candidates_new (NdaKeyring * ring,
    const NdaOpenerHooks * hooks, gpointer owner, GError ** error);
void nda_candidates_free (NdaCandidates * candidates);

void nda_candidates_start (NdaCandidates * candidates, const NdaKeyUse * use);
void nda_candidates_stop (NdaCandidates * candidates);

gboolean nda_candidates_has_current (NdaCandidates * candidates, guint64 kid);
gboolean nda_candidates_try_current (NdaCandidates * candidates, guint64 kid,
    NdaTryKey try, gpointer record);
gboolean nda_candidates_try_all (NdaCandidates * candidates, guint64 kid,
    NdaTryKey try, gpointer record);
void nda_candidates_accept (NdaCandidates * candidates);
void nda_candidates_announce (NdaCandidates * candidates, guint64 kid);

G_END_DECLS
