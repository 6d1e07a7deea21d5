/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sender: sessions, and the records in them. A session has a KID and a T,
 * the second in which it begins, and counts its records and frames. Of two
 * sessions the later has the greater (T, KID). Sealing derives, fetches and
 * allocates nothing; beginning a session with a base key waits for the disk.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include "ndakeyring.h"
#include "ndarecord.h"
#include "ndasendstate.h"

G_BEGIN_DECLS

/* A session ends with a record below this one */
#define NDA_SESSION_MAX_RECORDS (1 << 28)
#define NDA_SESSION_DEFAULT_RECORDS (1 << 24)

typedef struct _NdaSealer NdaSealer;

/* Called on the sealer's thread. */
typedef struct
{
  gint64 (*get_real_time) (gpointer owner);     /* microseconds since 1970 */
  void (*wait) (gpointer owner, gint64 duration);       /* microseconds */
  gpointer owner;               /* not owned */
} NdaSealerClock;

NdaSealer *nda_sealer_new (NdaKeyring * ring, GError ** error);
void nda_sealer_free (NdaSealer * sealer);
void nda_sealer_set_clock (NdaSealer * sealer, const NdaSealerClock * clock);
void nda_sealer_set_state (NdaSealer * sealer, NdaSendState * state);

gboolean nda_sealer_check (NdaSealer * sealer, GError ** error);
gboolean nda_sealer_start (NdaSealer * sealer, const NdaKeyUse * use,
    const NdaRecordFormat * format, GError ** error);
void nda_sealer_stop (NdaSealer * sealer);

gsize nda_sealer_seal_audio (NdaSealer * sealer, const guint8 * payload,
    gsize n_payload, guint8 * record);
gsize nda_sealer_seal_end (NdaSealer * sealer, guint8 * record);
gsize nda_sealer_seal_switch (NdaSealer * sealer, const NdaKeyUse * use,
    const NdaRecordFormat * format, guint8 * record, GError ** error);
void nda_sealer_skip (NdaSealer * sealer, guint64 n_frames);

gboolean nda_sealer_is_started (NdaSealer * sealer);
const NdaRecordFormat *nda_sealer_get_format (NdaSealer * sealer);
gboolean nda_sealer_is_known (NdaSealer * sealer);
gboolean nda_sealer_lost_key (NdaSealer * sealer);
guint64 nda_sealer_get_kid (NdaSealer * sealer);
guint32 nda_sealer_get_n_records (NdaSealer * sealer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaSealer, nda_sealer_free)

G_END_DECLS
