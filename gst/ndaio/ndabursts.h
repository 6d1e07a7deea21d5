/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds how much sound a device gives at once: the period of its sound server,
 * whatever length the buffers have. PulseAudio's protocol does not tell
 * PipeWire's quantum, but the arrivals show it: the buffers of one cycle come
 * together, and the next ones come with the next cycle.
 *
 * Belongs to one thread: no locks. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* How many bursts are judged together */
#define NDA_BURSTS_N 64

typedef struct
{
  GstClockTime last;            /* when the last buffer came, or NONE */
  GstClockTime length;          /* of the current burst */
  guint n_to_skip;              /* first bursts to ignore: a backlog */
  guint n_bursts;
  GstClockTime bursts[NDA_BURSTS_N];    /* their lengths */
} NdaBursts;

void nda_bursts_restart (NdaBursts * bursts);

/* Notes a buffer of @duration that has come @now. After each NDA_BURSTS_N
 * bursts it returns how long nearly all of them were. Otherwise, or if they
 * differ, it returns 0. */
GstClockTime nda_bursts_note (NdaBursts * bursts, GstClockTime now,
    GstClockTime duration);

G_END_DECLS
