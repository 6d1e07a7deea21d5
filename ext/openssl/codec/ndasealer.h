/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sender: sessions, and the records in them. A session has a KID, a T
 * greater than any before in this process, and counts its records and frames.
 * Sealing derives, fetches and allocates nothing.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include "ndakeyring.h"
#include "ndarecord.h"

G_BEGIN_DECLS

/* A session ends with a record below this one */
#define NDA_SESSION_MAX_RECORDS (1 << 28)
#define NDA_SESSION_DEFAULT_RECORDS (1 << 24)

typedef struct _NdaSealer NdaSealer;

NdaSealer *nda_sealer_new (NdaKeyring * ring, GError ** error);
void nda_sealer_free (NdaSealer * sealer);

gboolean nda_sealer_start (NdaSealer * sealer, const NdaKeyUse * use,
    const NdaRecordFormat * format, GError ** error);
void nda_sealer_stop (NdaSealer * sealer);

gsize nda_sealer_seal_audio (NdaSealer * sealer, const guint8 * payload,
    guint n_frames, guint8 * record);
gsize nda_sealer_seal_end (NdaSealer * sealer, guint8 * record);
gsize nda_sealer_seal_switch (NdaSealer * sealer, const NdaKeyUse * use,
    const NdaRecordFormat * format, guint8 * record, GError ** error);
void nda_sealer_skip (NdaSealer * sealer, guint64 n_frames);

gboolean nda_sealer_is_started (NdaSealer * sealer);
gboolean nda_sealer_lost_key (NdaSealer * sealer);
guint64 nda_sealer_get_kid (NdaSealer * sealer);
guint32 nda_sealer_get_n_records (NdaSealer * sealer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaSealer, nda_sealer_free)

G_END_DECLS
