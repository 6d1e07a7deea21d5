/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* In a session: any bytes, sealed, as the block of a sender gone wrong, and
 * then as a record. The first byte is the number of the block; that of the one
 * before is 100, or 0 in a stored stream, which the second byte asks for. */

#include "fuzz.h"

#include "ndaopener.h"

#define KID NDA_KID_DERIVED
#define T G_GUINT64_CONSTANT (0x6a5b4c3d)       /* the vectors' */
#define N_BEFORE 100

static gint64
get_real_time (gpointer unused)
{
  return T * G_USEC_PER_SEC;
}

static const NdaOpenerHooks hooks = {.get_real_time = get_real_time };

/* Nothing is left of what is refused. */
static NdaOutcome
open_record (NdaOpener * opener, const guint8 * record, gsize n)
{
  static guint8 plain[NDA_RECORD_MAX + 1];
  NdaOpened opened;
  NdaOutcome outcome = nda_opener_open (opener, record, n, plain, &opened);

  if (outcome == NDA_OUTCOME_OK)
    memset (plain, 0, n);
  for (gsize i = 0; i < MIN (n, sizeof (plain)); i++)
    g_assert (plain[i] == 0);
  return outcome;
}

/* Opens what the sender of the session makes of @data. */
static NdaOutcome
open_sealed (NdaOpener * opener, guint8 n, const guint8 * data, gsize n_data)
{
  static NdaAead aead;
  static NdaAeadSecret secret;
  static guint8 sealed[NDA_RECORD_MAX];
  NdaBlockHeader header;
  gsize n_sealed;

  if (!aead.secret) {
    nda_aead_init (&aead, &secret);
    fuzz_set_key (KID, &aead);
  }
  nda_block_header_read (data, &header);
  n_sealed = nda_record_seal (&aead, KID, T << 32 | n, &header,
      data + NDA_BLOCK_HEADER, n_data - NDA_BLOCK_HEADER, sealed);
  g_assert (n_sealed > n_data);
  return open_record (opener, sealed, n_sealed);
}

int
LLVMFuzzerTestOneInput (const uint8_t * data, size_t n)
{
  /* S16LE, mono, 48 kHz, one frame, in the place of 10 */
  const guint8 before[] = { 1, 1, 1, 0, 0xbb, 0x80, 0, 1,
    0, 0, 0, 0, 0, 0, 0, 10, 7, 7
  };
  static NdaOpener *opener;
  NdaOpenerRules rules = {.window = 64,.max_age = 30 };

  if (!opener)
    opener = nda_opener_new (fuzz_ring (), &hooks, NULL, NULL);
  if (n < 2 || n > NDA_RECORD_MAX_PAYLOAD)
    return 0;
  rules.is_strict = data[1] & 1;
  nda_opener_start (opener, fuzz_use (), &rules);
  g_assert (open_sealed (opener, rules.is_strict ? 0 : N_BEFORE, before,
          sizeof (before)) == NDA_OUTCOME_OK);
  if (n - 2 >= NDA_BLOCK_HEADER)
    open_sealed (opener, data[0], data + 2, n - 2);
  open_record (opener, data + 2, n - 2);
  return 0;
}
