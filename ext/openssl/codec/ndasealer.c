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

typedef struct
{
  guint64 kid;
  guint32 t;
  guint32 n;                    /* of the next record */
  guint64 position;             /* of the next frame */
  NdaRecordFormat format;
  NdaAead aead;
} Session;

struct _NdaSealer
{
  NdaKeyring *ring;             /* [const] not owned */
  NdaSecret *secret;            /* [const] owned; NdaAeadSecret for each */
  Session sessions[2];          /* the current one, and the one after it */
  guint current;
  gboolean is_started;
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

/* 63 bits from the operating system, which no fork () repeats. */
static gboolean
draw_kid (guint64 * kid, GError ** error)
{
  gssize n;

  do
    n = getrandom (kid, sizeof (*kid), 0);
  while (n < 0 && errno == EINTR);
  if (n != sizeof (*kid)) {
    g_set_error (error, NDA_CRYPTO_ERROR, NDA_CRYPTO_ERROR_FAILED,
        _("The system gives no random numbers: %s. Nothing is encrypted "
            "without them."), g_strerror (errno));
    return FALSE;
  }
  *kid |= NDA_KID_DERIVED;
  return TRUE;
}

/* The time of day in seconds, but greater than any given before. From any
 * thread. */
static guint32
draw_t (void)
{
  static gint last;             /* [atomic] */
  guint32 now = g_get_real_time () / G_USEC_PER_SEC, known, t;

  do {
    known = g_atomic_int_get (&last);
    t = MAX (now, known + 1);
  } while (!g_atomic_int_compare_and_exchange (&last, (gint) known, (gint) t));
  return t;
}

static gboolean
find_sender (NdaSealer * self, guint suite, NdaKeyInfo * info, GError ** error)
{
  if (!nda_keyring_find_sender (self->ring, info, error))
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

  if (!find_sender (self, use->suite->id, &info, error))
    return FALSE;
  kid = info.kid;
  if (info.kind == NDA_KEY_MASTER && !draw_kid (&kid, error))
    return FALSE;
  if (!nda_keyring_set_key (self->ring, info.id, kid, use, TRUE,
          &session->aead, error))
    return FALSE;
  session->kid = kid;
  session->t = draw_t ();
  session->n = 0;
  session->position = 0;
  session->format = *format;
  return TRUE;
}

static Session *
get_current (NdaSealer * self)
{
  return &self->sessions[self->current];
}

/* Begins a session without a word about the one before. */
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
  /* the number is used up before it is used */
  return nda_record_seal (&s->aead, s->kid, (guint64) s->t << 32 | s->n++,
      &header, payload, n_payload, record);
}

/* Each returns the length of @record, 0 when it could not be sealed: then
 * nothing may be sent. */
gsize
nda_sealer_seal_audio (NdaSealer * self, const guint8 * payload,
    guint n_frames, guint8 * record)
{
  gsize n_payload = (gsize) n_frames
      * nda_record_frame_bytes (&get_current (self)->format);

  g_return_val_if_fail (n_frames > 0 && n_frames <= G_MAXUINT16, 0);
  g_return_val_if_fail (n_payload <= NDA_RECORD_MAX_PAYLOAD, 0);

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
