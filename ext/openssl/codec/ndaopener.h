/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The receiver: it finds the outcome of a record, by the eight steps of
 * docs/wire.md, section 7. Only the last step changes state that an attacker's
 * record could use, and no plaintext is left of a refused record.
 *
 * Belongs to one thread: no locks, and none is held when the hooks are called.
 * Opening a record of the current session allocates nothing. */

#pragma once

#include "ndakeyring.h"
#include "ndaopenerhooks.h"
#include "ndarecord.h"

G_BEGIN_DECLS

typedef enum
{
  NDA_OUTCOME_OK,
  NDA_OUTCOME_MALFORMED,
  NDA_OUTCOME_STALE,
  NDA_OUTCOME_REPLAYED,
  NDA_OUTCOME_TOO_OLD,
  NDA_OUTCOME_UNKNOWN_KEY,
  NDA_OUTCOME_AUTH_FAILED,
  NDA_OUTCOME_INVALID_BLOCK,
  NDA_OUTCOME_EXPIRED,
  NDA_OUTCOME_LATE,
  NDA_OUTCOME_LOST,
  NDA_OUTCOME_TRUNCATED,
  NDA_OUTCOME_TRAILING,
  NDA_N_OUTCOMES
} NdaOutcome;

typedef struct
{
  guint window;                 /* counters, at least NDA_REPLAY_MIN */
  guint max_age;                /* seconds, 0: any */
  gboolean is_stream;           /* n begins at 0 */
  gboolean is_strict;           /* no gaps, and sessions are announced */
  gboolean may_join;            /* but it may begin at any record */
} NdaOpenerRules;

typedef struct
{
  gsize n_bytes;                /* of the record */
  guint64 kid;                  /* 0 when malformed, like n */
  guint32 n;
  guint32 n_lost;               /* records missing before it; if OK or LOST */
  NdaBlockHeader block;         /* only if OK, like all below */
  gboolean is_new_session;
  gboolean was_announced;       /* announced by the old session */
  gboolean was_joined;          /* the first of all, and n > 0 */
  guint64 n_gap_frames;         /* frames missing before this one */
} NdaOpened;

typedef struct _NdaOpener NdaOpener;

NdaOpener *nda_opener_new (NdaKeyring * ring, const NdaOpenerHooks * hooks,
    gpointer owner, GError ** error);
void nda_opener_free (NdaOpener * opener);

void nda_opener_start (NdaOpener * opener, const NdaKeyUse * use,
    const NdaOpenerRules * rules);
void nda_opener_stop (NdaOpener * opener);

NdaOutcome nda_opener_open (NdaOpener * opener, const guint8 * record,
    gsize n_record, guint8 * plain, NdaOpened * opened);
void nda_opener_expect_gap (NdaOpener * opener);
void nda_opener_expect_any (NdaOpener * opener);
gboolean nda_opener_is_current (NdaOpener * opener,
    const NdaRecordHeader * header);
gsize nda_opened_n_sample_bytes (const NdaOpened * opened);
gboolean nda_opener_has_ended (NdaOpener * opener);

const gchar *nda_outcome_get_name (NdaOutcome outcome);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NdaOpener, nda_opener_free)

G_END_DECLS
