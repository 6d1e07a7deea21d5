/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndacandidates.h"

#include "ndasecret.h"

#define SECOND G_USEC_PER_SEC
/* every master key, an explicit key, and one from the application */
#define MAX_ANNOUNCED (NDA_KEYRING_MAX_MASTERS + 2)
#define N_SLOTS (1 + NDA_CANDIDATES_MAX_UNPROVEN + MAX_ANNOUNCED)
/* more than can be asked for in a second */
#define N_ASKED (NDA_CANDIDATES_MAX_KIDS_PER_SECOND + 1)
#define FOREIGN 0               /* id of a key that was asked for */

/* A key that is ready */
typedef struct
{
  guint64 kid;
  guint key_id;                 /* in the key ring, or FOREIGN */
  NdaAead aead;                 /* has a key, or the slot is free */
} Slot;

typedef struct
{
  guint64 kid;
  gint64 time;
} Asked;

struct _NdaCandidates
{
  NdaKeyring *ring;             /* [const] not owned */
  const NdaOpenerHooks *hooks;  /* [const] */
  gpointer owner;               /* [const] not owned; of the hooks */
  NdaKeyUse use;
  guint serial;                 /* of the key ring, when keys were derived */

  NdaSecret *secret;            /* [const] owned; NdaAeadSecret for each */
  Slot slots[N_SLOTS];          /* what the pointers below share */
  Slot *current;
  Slot *unproven[NDA_CANDIDATES_MAX_UNPROVEN];
  Slot *announced[MAX_ANNOUNCED];
  Slot **fitting;               /* what fitted last, until it is accepted */
  guint next_unproven;          /* to be given up next */

  gint64 second;                /* when counting KIDs began */
  guint n_kids;                 /* counted since */
  Asked asked[N_ASKED];
  guint next_asked;
};

NdaCandidates *
nda_candidates_new (NdaKeyring * ring, const NdaOpenerHooks * hooks,
    gpointer owner, GError ** error)
{
  NdaSecret *secret = nda_secret_new (N_SLOTS * sizeof (NdaAeadSecret), error);
  NdaCandidates *self;
  Slot *slot;

  if (!secret)
    return NULL;
  self = g_new0 (NdaCandidates, 1);
  self->ring = ring;
  self->hooks = hooks;
  self->owner = owner;
  self->secret = secret;
  for (guint i = 0; i < N_SLOTS; i++)
    nda_aead_init (&self->slots[i].aead, (NdaAeadSecret *) secret->data + i);
  slot = self->slots;
  self->current = slot++;
  for (guint i = 0; i < G_N_ELEMENTS (self->unproven); i++)
    self->unproven[i] = slot++;
  for (guint i = 0; i < G_N_ELEMENTS (self->announced); i++)
    self->announced[i] = slot++;
  return self;
}

void
nda_candidates_free (NdaCandidates * self)
{
  for (guint i = 0; i < N_SLOTS; i++)
    nda_aead_clear (&self->slots[i].aead);
  nda_secret_free (self->secret);
  g_free (self);
}

void
nda_candidates_start (NdaCandidates * self, const NdaKeyUse * use)
{
  nda_candidates_stop (self);
  self->use = *use;
  self->serial = nda_keyring_get_serial (self->ring);
}

/* No key is left, but in the key ring. */
void
nda_candidates_stop (NdaCandidates * self)
{
  for (guint i = 0; i < N_SLOTS; i++)
    nda_aead_forget_key (&self->slots[i].aead);
  self->fitting = NULL;
  self->second = 0;
  self->n_kids = 0;
  for (guint i = 0; i < N_ASKED; i++)
    self->asked[i] = (Asked) {
    0, 0};
}

static gint64
get_time (NdaCandidates * self)
{
  return self->hooks->get_monotonic_time ?
      self->hooks->get_monotonic_time (self->owner) : g_get_monotonic_time ();
}

/* --- limits --- */

/* Counts a KID. Whether one more KID may cost work in this second. */
static gboolean
count_kid (NdaCandidates * self)
{
  gint64 now = get_time (self);

  if (!self->second || now - self->second >= SECOND) {
    self->second = now;
    self->n_kids = 0;
  }
  if (self->n_kids >= NDA_CANDIDATES_MAX_KIDS_PER_SECOND)
    return FALSE;
  self->n_kids++;
  return TRUE;
}

/* Notes a request for @kid. FALSE: there was one within the last second. */
static gboolean
note_asking (NdaCandidates * self, guint64 kid)
{
  gint64 now = get_time (self);

  for (guint i = 0; i < N_ASKED; i++)
    if (self->asked[i].time && self->asked[i].kid == kid
        && now - self->asked[i].time < SECOND)
      return FALSE;
  self->asked[self->next_asked] = (Asked) {
  kid, now};
  self->next_asked = (self->next_asked + 1) % N_ASKED;
  return TRUE;
}

/* --- making keys ready --- */

static gboolean
derive (NdaCandidates * self, Slot * slot, guint key_id, guint64 kid)
{
  g_autoptr (GError) error = NULL;

  nda_aead_forget_key (&slot->aead);
  slot->kid = kid;
  slot->key_id = key_id;
  if (nda_keyring_set_key (self->ring, key_id, kid, &self->use, FALSE,
          &slot->aead, &error))
    return TRUE;
  g_warning ("%s", error->message);
  return FALSE;
}

/* Asks the application, which may have no key, or an invalid one. */
static gboolean
ask (NdaCandidates * self, Slot * slot, guint64 kid)
{
  g_autoptr (GBytes) key = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_key;
  const guint8 *bytes;

  if (!self->hooks->request_key)
    return FALSE;
  key = self->hooks->request_key (self->owner, kid, self->use.suite->id);
  if (!key)
    return FALSE;
  nda_aead_forget_key (&slot->aead);
  slot->kid = kid;
  slot->key_id = FOREIGN;
  bytes = g_bytes_get_data (key, &n_key);
  if (nda_keyring_set_foreign_key (bytes, n_key, kid, self->use.suite,
          &slot->aead, &error))
    return TRUE;
  g_warning ("%s", error->message);
  return FALSE;
}

static void
forget_announced (NdaCandidates * self)
{
  for (guint i = 0; i < MAX_ANNOUNCED; i++)
    nda_aead_forget_key (&self->announced[i]->aead);
}

/* An accepted SWITCH names the next session: its keys are derived at once,
 * without limits. */
void
nda_candidates_announce (NdaCandidates * self, guint64 kid)
{
  NdaKeyInfo info;
  guint n = 0;

  forget_announced (self);
  while (n < MAX_ANNOUNCED - 1 && nda_keyring_find_candidate (self->ring, kid,
          self->use.suite->id, n, &info))
    derive (self, self->announced[n++], info.id, kid);
  if (n == 0)
    ask (self, self->announced[n], kid);
}

static gboolean
is_held (NdaCandidates * self, const Slot * slot)
{
  return slot->key_id == FOREIGN
      || nda_keyring_has_id (self->ring, slot->key_id);
}

/* Drops keys derived from keys that are no longer held. New keys are found when
 * they are looked for. */
static void
follow_ring (NdaCandidates * self)
{
  guint serial = nda_keyring_get_serial (self->ring);
  gboolean was_announced = FALSE;
  guint64 kid = 0;

  if (G_LIKELY (serial == self->serial))
    return;
  self->serial = serial;
  for (guint i = 0; i < MAX_ANNOUNCED; i++) {
    if (nda_aead_has_key (&self->announced[i]->aead)) {
      was_announced = TRUE;
      kid = self->announced[i]->kid;
    }
  }
  if (was_announced)
    nda_candidates_announce (self, kid);
  for (guint i = 0; i < N_SLOTS; i++)
    if (nda_aead_has_key (&self->slots[i].aead)
        && !is_held (self, &self->slots[i]))
      nda_aead_forget_key (&self->slots[i].aead);
}

/* --- trying --- */

static gboolean
try_slot (NdaCandidates * self, Slot ** slot, guint64 kid, NdaTryKey try,
    gpointer record)
{
  Slot *s = *slot;

  if (s->kid != kid || !nda_aead_has_key (&s->aead) || !try (&s->aead, record))
    return FALSE;
  self->fitting = slot;
  return TRUE;
}

/* Whether the key of the current session, which is @kid's, is still held. */
gboolean
nda_candidates_has_current (NdaCandidates * self, guint64 kid)
{
  follow_ring (self);
  return self->current->kid == kid && nda_aead_has_key (&self->current->aead);
}

/* Tries the key of the current session, if that is @kid's. */
gboolean
nda_candidates_try_current (NdaCandidates * self, guint64 kid, NdaTryKey try,
    gpointer record)
{
  follow_ring (self);
  return try_slot (self, &self->current, kid, try, record);
}

static Slot **
find_unproven (NdaCandidates * self, guint64 kid, guint key_id)
{
  for (guint i = 0; i < NDA_CANDIDATES_MAX_UNPROVEN; i++) {
    const Slot *slot = self->unproven[i];

    if (slot->kid == kid && slot->key_id == key_id
        && nda_aead_has_key (&slot->aead))
      return &self->unproven[i];
  }
  return NULL;
}

static Slot **
take_unproven (NdaCandidates * self)
{
  guint i = self->next_unproven;

  self->next_unproven = (i + 1) % NDA_CANDIDATES_MAX_UNPROVEN;
  return &self->unproven[i];
}

/* Tries the key ring's keys for @kid. @may_cost tells whether @kid was counted,
 * once it had to be. */
static gboolean
try_ring (NdaCandidates * self, guint64 kid, NdaTryKey try, gpointer record,
    gboolean * was_counted)
{
  NdaKeyInfo info;

  for (guint i = 0; nda_keyring_find_candidate (self->ring, kid,
          self->use.suite->id, i, &info); i++) {
    Slot **slot = find_unproven (self, kid, info.id);

    if (!slot) {
      if (!*was_counted && !count_kid (self))
        return FALSE;
      *was_counted = TRUE;
      slot = take_unproven (self);
      derive (self, *slot, info.id, kid);
    }
    if (try_slot (self, slot, kid, try, record))
      return TRUE;
  }
  return FALSE;
}

static gboolean
try_application (NdaCandidates * self, guint64 kid, NdaTryKey try,
    gpointer record, gboolean was_counted)
{
  Slot **slot = find_unproven (self, kid, FOREIGN);

  if (slot && try_slot (self, slot, kid, try, record))
    return TRUE;
  if (!self->hooks->request_key || (!was_counted && !count_kid (self))
      || !note_asking (self, kid))
    return FALSE;
  if (!slot)
    slot = take_unproven (self);
  return ask (self, *slot, kid) && try_slot (self, slot, kid, try, record);
}

static gboolean
try_announced (NdaCandidates * self, guint64 kid, NdaTryKey try,
    gpointer record)
{
  for (guint i = 0; i < MAX_ANNOUNCED; i++)
    if (try_slot (self, &self->announced[i], kid, try, record))
      return TRUE;
  return FALSE;
}

/* Tries every key that @kid can have, in the order of docs/wire.md, section 2:
 * ready ones, the key ring's, and at last the application's. */
gboolean
nda_candidates_try_all (NdaCandidates * self, guint64 kid, NdaTryKey try,
    gpointer record)
{
  gboolean was_counted = FALSE;

  return nda_candidates_try_current (self, kid, try, record)
      || try_announced (self, kid, try, record)
      || try_ring (self, kid, try, record, &was_counted)
      || try_application (self, kid, try, record, was_counted);
}

/* The key that fitted last is the current session's from now on. */
void
nda_candidates_accept (NdaCandidates * self)
{
  Slot *slot;

  if (self->fitting == &self->current)
    return;
  slot = *self->fitting;
  *self->fitting = self->current;
  self->current = slot;
  self->fitting = &self->current;
  for (guint i = 0; i < N_SLOTS; i++)
    if (&self->slots[i] != self->current && self->slots[i].kid == slot->kid)
      nda_aead_forget_key (&self->slots[i].aead);
  forget_announced (self);
}
