/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndaopener.h"

#include "ndacandidates.h"
#include "ndareplay.h"

#include <openssl/crypto.h>

#include <string.h>

/* how far the sender's clock may be ahead */
#define MAX_AHEAD_SECONDS 300

/* The current session */
typedef struct
{
  gboolean exists;
  guint64 kid;
  guint32 t;
  NdaRecordFormat format;
  guint32 last;                 /* the highest n accepted */
  guint64 next;                 /* the frame after it */
  gboolean has_ended;           /* by END or SWITCH, as last record */
  gboolean was_switched;
  guint64 next_kid;             /* after SWITCH */
  NdaReplay replay;
} Session;

struct _NdaOpener
{
  const NdaOpenerHooks *hooks;  /* [const] */
  gpointer owner;               /* [const] not owned; of the hooks */
  NdaCandidates *candidates;    /* [const] owned */
  const NdaSuite *suite;
  NdaOpenerRules rules;
  Session session;
  gboolean expects_gap;         /* missing records do not count once */
};

/* A record that goes through the steps */
typedef struct
{
  const guint8 *record;
  gsize n_record;
  guint8 *plain;
  gsize n_plain;                /* once a key fitted */
  NdaRecordHeader header;
  guint32 t;
  guint32 n;
  gboolean is_current;          /* of the current session */
  gboolean is_open;
  NdaBlockHeader block;
} Arrival;

NdaOpener *
nda_opener_new (NdaKeyring * ring, const NdaOpenerHooks * hooks, gpointer owner,
    GError ** error)
{
  NdaCandidates *candidates = nda_candidates_new (ring, hooks, owner, error);
  NdaOpener *self;

  if (!candidates)
    return NULL;
  self = g_new0 (NdaOpener, 1);
  self->hooks = hooks;
  self->owner = owner;
  self->candidates = candidates;
  return self;
}

void
nda_opener_free (NdaOpener * self)
{
  nda_candidates_free (self->candidates);
  nda_replay_clear (&self->session.replay);
  g_free (self);
}

/* Begins to receive: no session is known. */
void
nda_opener_start (NdaOpener * self, const NdaKeyUse * use,
    const NdaOpenerRules * rules)
{
  nda_opener_stop (self);
  self->rules = *rules;
  self->suite = use->suite;
  nda_candidates_start (self->candidates, use);
  nda_replay_init (&self->session.replay, rules->window);
}

/* No key is left, but in the key ring. */
void
nda_opener_stop (NdaOpener * self)
{
  nda_candidates_stop (self->candidates);
  nda_replay_clear (&self->session.replay);
  self->session = (Session) {
  .exists = FALSE};
  self->expects_gap = FALSE;
}

/* Expects missing records, since some were dropped on purpose. */
void
nda_opener_expect_gap (NdaOpener * self)
{
  self->expects_gap = TRUE;
}

static gboolean
is_of_session (const Session * s, const NdaRecordHeader * header)
{
  return s->exists && header->kid == s->kid && header->counter >> 32 == s->t;
}

/* Whether a record belongs to the current session, and its key is there. Then
 * only that key is tried, and @plain may point to the record's ciphertext. */
gboolean
nda_opener_is_current (NdaOpener * self, const NdaRecordHeader * header)
{
  return is_of_session (&self->session, header)
      && nda_candidates_has_current (self->candidates, header->kid);
}

/* Step 1: is it a record? */
static gboolean
read_header (NdaOpener * self, Arrival * a)
{
  guint n_tag = self->suite->n_tag;

  if (a->n_record > NDA_RECORD_MAX
      || !nda_record_header_read (a->record, a->n_record, &a->header)
      || a->n_record < a->header.n_bytes + NDA_BLOCK_HEADER + n_tag)
    return FALSE;
  a->t = a->header.counter >> 32;
  a->n = a->header.counter;
  a->is_current = is_of_session (&self->session, &a->header);
  return TRUE;
}

/* Step 2: is it repeated, or too old? */
static NdaOutcome
check_replay (const Session * s, const Arrival * a)
{
  if (a->is_current) {
    switch (nda_replay_check (&s->replay, a->n)) {
      case NDA_REPLAY_TOO_OLD:
        return NDA_OUTCOME_TOO_OLD;
      case NDA_REPLAY_SEEN:
        return NDA_OUTCOME_REPLAYED;
      case NDA_REPLAY_NEW:
        return NDA_OUTCOME_OK;
    }
  }
  if (s->exists && (s->t > a->t || (s->t == a->t && s->kid > a->header.kid)))
    return NDA_OUTCOME_STALE;
  return NDA_OUTCOME_OK;
}

static gboolean
nda_opener_try_key (NdaAead * aead, gpointer record)
{
  Arrival *a = record;

  a->n_plain = a->n_record - a->header.n_bytes - aead->suite->n_tag;
  a->is_open = nda_record_open (aead, &a->header, a->record, a->n_record,
      a->plain);
  return a->is_open;
}

/* Step 3: is it authentic? The key of the current session may have been removed
 * and given again: then it is looked for again. */
static NdaOutcome
authenticate (NdaOpener * self, Arrival * a)
{
  if (a->is_current && nda_candidates_has_current (self->candidates,
          a->header.kid))
    return nda_candidates_try_current (self->candidates, a->header.kid,
        nda_opener_try_key, a) ? NDA_OUTCOME_OK : NDA_OUTCOME_AUTH_FAILED;
  return nda_candidates_try_all (self->candidates, a->header.kid,
      nda_opener_try_key, a) ? NDA_OUTCOME_OK : NDA_OUTCOME_UNKNOWN_KEY;
}

/* Step 5: does the block make sense, and follow the last one? */
static gboolean
check_block (const Session * s, Arrival * a)
{
  nda_block_header_read (a->plain, &a->block);
  if (!nda_block_header_is_valid (&a->block, a->n_plain - NDA_BLOCK_HEADER))
    return FALSE;
  if (!a->is_current)
    return TRUE;
  return nda_record_format_equal (&a->block.format, &s->format)
      && (a->n < s->last || a->block.position >= s->next);
}

/* Step 6: is it too old by the clock? */
static gboolean
is_expired (NdaOpener * self, const Arrival * a)
{
  gint64 now, age;

  if (!self->rules.max_age)
    return FALSE;
  now = self->hooks->get_real_time ? self->hooks->get_real_time (self->owner) :
      g_get_real_time ();
  age = now / G_USEC_PER_SEC - (gint64) a->t
      - (gint64) (a->block.position / a->block.format.rate);
  return age > (gint64) self->rules.max_age || age < -MAX_AHEAD_SECONDS;
}

/* Whether the last record of the previous session announced this one. */
static gboolean
is_announced (const Session * s, const Arrival * a)
{
  return s->was_switched && a->header.kid == s->next_kid;
}

/* Step 8 for a stored stream: no record is missing, and a new session was
 * announced. */
static NdaOutcome
check_order (NdaOpener * self, const Arrival * a)
{
  const Session *s = &self->session;

  if (self->expects_gap || (self->rules.may_join && !s->exists))
    return NDA_OUTCOME_OK;
  if (a->is_current)
    return a->n == s->last + 1 ? NDA_OUTCOME_OK : NDA_OUTCOME_LOST;
  if (s->exists && !is_announced (s, a))
    return NDA_OUTCOME_STALE;
  return a->n == 0 ? NDA_OUTCOME_OK : NDA_OUTCOME_LOST;
}

static void
begin_session (NdaOpener * self, const Arrival * a)
{
  Session *s = &self->session;

  s->exists = TRUE;
  s->kid = a->header.kid;
  s->t = a->t;
  s->format = a->block.format;
  s->has_ended = FALSE;
  s->was_switched = FALSE;
  nda_replay_restart (&s->replay, a->n);
}

static void
note_end (NdaOpener * self, const Arrival * a)
{
  Session *s = &self->session;
  guint64 kid;

  s->has_ended = TRUE;
  if (a->block.type != NDA_RECORD_SWITCH)
    return;
  memcpy (&kid, a->plain + NDA_BLOCK_HEADER, sizeof (kid));
  s->was_switched = TRUE;
  s->next_kid = GUINT64_FROM_BE (kid);
  nda_candidates_announce (self->candidates, s->next_kid);
}

/* How many records are missing before this one; in a new session of a stream,
 * those from n = 0. */
static guint32
count_lost (NdaOpener * self, const Arrival * a)
{
  if (a->is_current)
    return a->n - self->session.last - 1;
  return self->rules.is_stream ? a->n : 0;
}

/* Step 8: the record is good. */
static void
accept (NdaOpener * self, const Arrival * a, NdaOpened * opened)
{
  Session *s = &self->session;

  nda_candidates_accept (self->candidates);
  opened->block = a->block;
  opened->is_new_session = !a->is_current;
  opened->was_announced = !a->is_current && is_announced (s, a);
  opened->was_joined = !s->exists && a->n > 0;
  if (!self->expects_gap)
    opened->n_lost = count_lost (self, a);
  self->expects_gap = FALSE;
  if (a->is_current)
    opened->n_gap_frames = a->block.position - s->next;
  else
    begin_session (self, a);
  s->last = a->n;
  s->next = a->block.position + a->block.n_frames;
  if (a->block.type != NDA_RECORD_AUDIO)
    note_end (self, a);
}

/* Steps 4 to 8, for an authentic record */
static NdaOutcome
judge (NdaOpener * self, Arrival * a, NdaOpened * opened)
{
  Session *s = &self->session;
  NdaOutcome order;

  if (a->is_current) {
    nda_replay_mark (&s->replay, a->n);
    if (s->has_ended && a->n > s->last)
      return NDA_OUTCOME_STALE;
  }
  if (!check_block (s, a))
    return NDA_OUTCOME_INVALID_BLOCK;
  if (is_expired (self, a))
    return NDA_OUTCOME_EXPIRED;
  if (a->is_current && a->n < s->last)
    return NDA_OUTCOME_LATE;
  order = self->rules.is_strict ? check_order (self, a) : NDA_OUTCOME_OK;
  if (order == NDA_OUTCOME_OK)
    accept (self, a, opened);
  else if (order == NDA_OUTCOME_LOST)
    opened->n_lost = a->is_current ? a->n - s->last - 1 : a->n;
  return order;
}

/* Opens a record into @plain, which has room for a block header, and after it
 * for nda_record_n_samples (). If the outcome is not OK, @plain holds none of
 * it. */
NdaOutcome
nda_opener_open (NdaOpener * self, const guint8 * record, gsize n_record,
    guint8 * plain, NdaOpened * opened)
{
  Arrival a = {.record = record,.n_record = n_record,.plain = plain };
  NdaOutcome outcome;

  *opened = (NdaOpened) {
  .n_bytes = n_record};
  if (!read_header (self, &a))
    return NDA_OUTCOME_MALFORMED;
  opened->kid = a.header.kid;
  opened->n = a.n;
  outcome = check_replay (&self->session, &a);
  if (outcome == NDA_OUTCOME_OK)
    outcome = authenticate (self, &a);
  if (outcome == NDA_OUTCOME_OK)
    outcome = judge (self, &a, opened);
  if (outcome != NDA_OUTCOME_OK && a.is_open)
    OPENSSL_cleanse (plain, a.n_plain);
  return outcome;
}

gsize
nda_opened_n_sample_bytes (const NdaOpened * opened)
{
  return (gsize) opened->block.n_frames
      * nda_record_frame_bytes (&opened->block.format);
}

/* A stored stream is read from another place, perhaps one that was read before:
 * no session is current, but its key stays ready. */
void
nda_opener_expect_any (NdaOpener * self)
{
  NdaReplay replay = self->session.replay;

  self->session = (Session) {
  .replay = replay,};
  self->expects_gap = TRUE;
}

/* Whether END was the last record accepted. */
gboolean
nda_opener_has_ended (NdaOpener * self)
{
  return self->session.has_ended && !self->session.was_switched;
}

const gchar *
nda_outcome_get_name (NdaOutcome outcome)
{
  static const gchar *names[] = {
    "ok", "malformed", "stale", "replayed", "too-old", "unknown-key",
    "auth-failed", "invalid-block", "expired", "late", "lost", "truncated",
    "trailing"
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (names) == NDA_N_OUTCOMES);
  return names[outcome];
}
