/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How much sound a device gives at once: the period that its sound server
 * works in, whatever length the buffers have. PulseAudio's protocol does not
 * tell PipeWire's quantum, but what comes does: buffers of one cycle come one
 * behind the other, and then none until the next cycle.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* So many are judged together */
#define NDA_BURSTS_N 64

typedef struct
{
  GstClockTime last;            /* when the last buffer came, or NONE */
  GstClockTime length;          /* of the burst that has begun */
  guint n_to_skip;              /* the first bursts: what had piled up */
  guint n_bursts;
  GstClockTime bursts[NDA_BURSTS_N];    /* their lengths */
} NdaBursts;

void nda_bursts_restart (NdaBursts * bursts);

/* A buffer of @duration has come @now. Returns how long nearly all of the last
 * bursts were, after each NDA_BURSTS_N of them; else, or where they differ,
 * 0. */
GstClockTime nda_bursts_note (NdaBursts * bursts, GstClockTime now,
    GstClockTime duration);

G_END_DECLS
