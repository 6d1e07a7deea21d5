/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "ndasealer.h"

#include "ndacryptoerror.h"
#include "ndasecret.h"

#include <glib/gi18n-lib.h>

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

/* How far above the last KID another KID of the same second is drawn. As long
 * as many such steps fit above the first KID, which has 63 bits, two senders
 * draw the same KID no more often than at first. */
#define KID_STEP (G_GUINT64_CONSTANT (1) << 48)
/* With fewer KIDs left above the last one, the sender waits for the next
 * second. */
#define MIN_KIDS (G_GUINT64_CONSTANT (1) << 32)
/* A clock that was set back by less (in s) counts as still in the same
 * second */
#define MAX_SET_BACK 300
/* for the next second (microseconds) */
#define WAIT 20000

typedef struct
{
  guint64 kid;
  guint32 t;
  guint32 n;                    /* of the next record */
  gboolean is_announced;        /* a SWITCH to it was sealed */
  guint64 position;             /* of the next frame */
  NdaRecordFormat format;
  NdaAead aead;
} Session;

struct _NdaSealer
{
  NdaKeyring *ring;             /* [const] not owned */
  NdaSealerClock clock;         /* [const] */
  NdaSendState *state;          /* not owned; for base keys, or NULL */
  guint64 last_kid;             /* of the last session, which outlives it */
  guint32 last_t;
  pid_t pid;                    /* of the process that drew them */
  NdaSecret *secret;            /* [const] owned; NdaAeadSecret for each */
  Session sessions[2];          /* the current one, and the one after it */
  guint current;
  gboolean is_started;
};

static gint64
nda_sealer_get_real_time (gpointer unused)
{
  return g_get_real_time ();
}

static void
nda_sealer_wait (gpointer unused, gint64 duration)
{
  g_usleep (duration);
}

static const NdaSealerClock real_clock = {
  .get_real_time = nda_sealer_get_real_time,
  .wait = nda_sealer_wait,
};

NdaSealer *
nda_sealer_new (NdaKeyring * ring, GError ** error)
{
  NdaSecret *secret = nda_secret_new (2 * sizeof (NdaAeadSecret), error);
  NdaSealer *self;

  if (!secret)
    return NULL;
  self = g_new0 (NdaSealer, 1);
  self->ring = ring;
  self->clock = real_clock;
  self->secret = secret;
  for (guint i = 0; i < 2; i++)
    nda_aead_init (&self->sessions[i].aead, (NdaAeadSecret *) secret->data + i);
  return self;
}

void
nda_sealer_free (NdaSealer * self)
{
  for (guint i = 0; i < 2; i++)
    nda_aead_clear (&self->sessions[i].aead);
  nda_secret_free (self->secret);
  g_free (self);
}

/* Sets another clock for tests, before the first session. */
void
nda_sealer_set_clock (NdaSealer * self, const NdaSealerClock * clock)
{
  self->clock = *clock;
}

/* Sets the file that keeps T for base keys, or NULL: then no base key is
 * used. */
void
nda_sealer_set_state (NdaSealer * self, NdaSendState * state)
{
  self->state = state;
}

/* --- KID and T --- */

/* 64 bits from the operating system, which no fork () repeats. */
static gboolean
draw (guint64 * number, GError ** error)
{
  gssize n;

  do
    n = getrandom (number, sizeof (*number), 0);
  while (n < 0 && errno == EINTR);
  if (n == sizeof (*number))
    return TRUE;
  g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_FAILED,
      _("The system gives no random numbers: %s. Nothing is encrypted "
          "without them."), g_strerror (errno));
  return FALSE;
}

static gint64
get_seconds (NdaSealer * self)
{
  return self->clock.get_real_time (self->clock.owner) / G_USEC_PER_SEC;
}

/* Whether a session that begins now falls into the second of the last one. If
 * the clock was set back a little, T stays until the clock has caught up:
 * receivers would take a session of an earlier second for a stale one. */
static gboolean
is_same_second (NdaSealer * self, gint64 now)
{
  return now <= self->last_t && now > (gint64) self->last_t - MAX_SET_BACK;
}

/* A child process continues with its parent's state, but is another sender. */
static void
notice_fork (NdaSealer * self)
{
  if (self->pid != getpid ())
    self->last_t = 0;
  self->pid = getpid ();
}

/* Draws a KID and T, the second of the clock. If the last session has the same
 * T, the KID is greater than the last: sessions are ordered by (T, KID). */
static gboolean
draw_session (NdaSealer * self, guint64 * kid, guint32 * t, GError ** error)
{
  guint64 number, n_above;
  gint64 now = get_seconds (self);

  while (is_same_second (self, now)
      && G_MAXUINT64 - self->last_kid < MIN_KIDS) {
    self->clock.wait (self->clock.owner, WAIT);
    now = get_seconds (self);
  }
  if (!draw (&number, error))
    return FALSE;
  *t = now;
  *kid = number | NDA_KID_DERIVED;
  if (!is_same_second (self, now))
    return TRUE;
  *t = self->last_t;
  n_above = G_MAXUINT64 - self->last_kid;
  if (self->last_kid >= NDA_KID_DERIVED)
    *kid = self->last_kid + 1 + number % MIN (n_above, KID_STEP);
  return TRUE;
}

/* A base key has one KID for all sessions, so T must never be the same twice:
 * the used ones are kept in a file. */
static gboolean
take_session (NdaSealer * self, guint32 * t, GError ** error)
{
  gint64 now = get_seconds (self);

  if (is_same_second (self, now))
    now = (gint64) self->last_t + 1;
  *t = nda_send_state_take (self->state, now, error);
  return *t != 0;
}

/* Finds the key to send with, if it may be used. */
static gboolean
find_sender (NdaSealer * self, NdaKeyInfo * info, GError ** error)
{
  if (!nda_keyring_find_sender (self->ring, info, error))
    return FALSE;
  if (info->kind == NDA_KEY_BASE && !self->state) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("The key to send with is an explicit base key. Sent with again "
            "after a restart, it could encrypt twice in the same way, which "
            "gives the audio away. Name a file in “state-file” that keeps "
            "what was used, or send with a master key."));
    return FALSE;
  }
  return TRUE;
}

/* Whether there is a key to send with, before the suite is known. */
gboolean
nda_sealer_check (NdaSealer * self, GError ** error)
{
  NdaKeyInfo info;

  return find_sender (self, &info, error);
}

/* --- sessions --- */

static gboolean
find_sender_for (NdaSealer * self, guint suite, NdaKeyInfo * info,
    GError ** error)
{
  if (!find_sender (self, info, error))
    return FALSE;
  if (info->kind == NDA_KEY_BASE && info->suite != suite) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_INVALID,
        _("The key to encrypt with is for cipher suite %u, but suite %u is to "
            "be used. Set “suite” to %u."), info->suite, suite,
        info->suite);
    return FALSE;
  }
  return TRUE;
}

static gboolean
make_session (NdaSealer * self, Session * session, const NdaKeyUse * use,
    const NdaRecordFormat * format, GError ** error)
{
  NdaKeyInfo info;
  guint64 kid;
  guint32 t;

  if (!find_sender_for (self, use->suite->id, &info, error))
    return FALSE;
  notice_fork (self);
  kid = info.kid;
  if (info.kind == NDA_KEY_MASTER ? !draw_session (self, &kid, &t, error)
      : !take_session (self, &t, error))
    return FALSE;
  self->last_kid = kid;
  self->last_t = t;
  if (!nda_keyring_set_key (self->ring, info.id, kid, use, TRUE,
          &session->aead, error))
    return FALSE;
  session->kid = kid;
  session->t = t;
  session->n = 0;
  session->is_announced = FALSE;
  session->position = 0;
  session->format = *format;
  return TRUE;
}

static Session *
get_current (NdaSealer * self)
{
  return &self->sessions[self->current];
}

/* Begins a session without announcing it. */
gboolean
nda_sealer_start (NdaSealer * self, const NdaKeyUse * use,
    const NdaRecordFormat * format, GError ** error)
{
  self->is_started =
      make_session (self, get_current (self), use, format, error);
  return self->is_started;
}

/* No key is left, but in the key ring. */
void
nda_sealer_stop (NdaSealer * self)
{
  self->is_started = FALSE;
  for (guint i = 0; i < 2; i++)
    nda_aead_forget_key (&self->sessions[i].aead);
}

static gsize
seal (NdaSealer * self, NdaRecordType type, const guint8 * payload,
    gsize n_payload, guint n_frames, guint8 * record)
{
  Session *s = get_current (self);
  NdaBlockHeader header = {
    .type = type,
    .format = s->format,
    .n_frames = n_frames,
    .position = s->position,
  };

  if (!self->is_started || s->n >= NDA_SESSION_MAX_RECORDS
      || s->position > G_MAXINT64 - (guint64) n_frames)
    return 0;
  s->position += n_frames;
  /* the number counts as used before it is used */
  return nda_record_seal (&s->aead, s->kid, (guint64) s->t << 32 | s->n++,
      &header, payload, n_payload, record);
}

/* Each returns the length of @record, 0 when it could not be sealed: then
 * nothing may be sent. @payload is a block of the session's format. */
gsize
nda_sealer_seal_audio (NdaSealer * self, const guint8 * payload,
    gsize n_payload, guint8 * record)
{
  guint n_frame = nda_record_frame_bytes (&get_current (self)->format);
  gsize n_frames = n_frame ? n_payload / n_frame : 0;

  if (!self->is_started)
    return 0;
  g_return_val_if_fail (n_payload <= NDA_RECORD_MAX_PAYLOAD, 0);
  g_return_val_if_fail (n_payload % n_frame == 0, 0);
  g_return_val_if_fail (n_frames > 0 && n_frames <= G_MAXUINT16, 0);

  return seal (self, NDA_RECORD_AUDIO, payload, n_payload, n_frames, record);
}

/* Ends the session, and the stream. */
gsize
nda_sealer_seal_end (NdaSealer * self, guint8 * record)
{
  gsize n_record = seal (self, NDA_RECORD_END, NULL, 0, 0, record);

  nda_sealer_stop (self);
  return n_record;
}

/* Ends the session, and begins the next. */
gsize
nda_sealer_seal_switch (NdaSealer * self, const NdaKeyUse * use,
    const NdaRecordFormat * format, guint8 * record, GError ** error)
{
  Session *next = &self->sessions[!self->current];
  guint64 kid;
  gsize n_record;

  if (!make_session (self, next, use, format, error))
    return 0;
  kid = GUINT64_TO_BE (next->kid);
  n_record = seal (self, NDA_RECORD_SWITCH, (const guint8 *) &kid,
      sizeof (kid), 0, record);
  if (!n_record) {
    nda_crypto_set_library_error (error, "sealing a record");
    return 0;
  }
  nda_aead_forget_key (&get_current (self)->aead);
  next->is_announced = TRUE;
  self->current = !self->current;
  return n_record;
}

/* Nothing was sent for @n_frames. */
void
nda_sealer_skip (NdaSealer * self, guint64 n_frames)
{
  Session *s = get_current (self);

  s->position += MIN (n_frames, G_MAXINT64 - s->position);
}

gboolean
nda_sealer_is_started (NdaSealer * self)
{
  return self->is_started;
}

/* Of the session: what its blocks are in */
const NdaRecordFormat *
nda_sealer_get_format (NdaSealer * self)
{
  return &get_current (self)->format;
}

/* Whether this is a child process, where a session of the parent's must not go
 * on. */
gboolean
nda_sealer_lost_key (NdaSealer * self)
{
  return self->is_started && !nda_aead_has_key (&get_current (self)->aead);
}

guint64
nda_sealer_get_kid (NdaSealer * self)
{
  return get_current (self)->kid;
}

/* How many records the session has. */
guint32
nda_sealer_get_n_records (NdaSealer * self)
{
  return get_current (self)->n;
}

/* Whether receivers know the session: by a record, or a SWITCH to it. A known
 * session may be left only with another SWITCH, or END. */
gboolean
nda_sealer_is_known (NdaSealer * self)
{
  const Session *s = get_current (self);

  return self->is_started && (s->n > 0 || s->is_announced);
}
