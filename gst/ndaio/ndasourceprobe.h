/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The probe behind the source inside an ndasrc, on the pad of the first element
 * of ours. It counts what the source says that it lost, finds what a sound
 * server lost without saying so and mends the time stamps behind it, puts
 * silence in the place of a source whose device is lost, and says where a sound
 * server's period is too long for 50 ms. */

#pragma once

#include "ndabursts.h"
#include "ndaclocks.h"
#include "ndalag.h"
#include "ndaloss.h"
#include "ndameter.h"
#include "ndasilence.h"
#include "ndawatch.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; the ndasrc */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaClocks *clocks;            /* [const] not owned */
  NdaLoss *loss;                /* [const] not owned; has its own lock */
  NdaWatch *watch;              /* [const] not owned; has its own lock */
  NdaSilence silence;           /* [stream lock] of the pad */
  gint has_started;             /* [atomic] a buffer has come in the segment */
  gint has_played;              /* [atomic] a buffer has come since READY */
  gboolean is_resuming;         /* [stream lock] the source was away */
  NdaReportLimit report;        /* [stream lock] of lost sound */

  gint was_paused;              /* [atomic] and the lag has not heard of it */
  NdaLag lag;                   /* [stream lock] */
  guint64 n_frames;             /* [stream lock] that the device counted */
  NdaBursts bursts;             /* [stream lock] */
  gboolean has_told_period;     /* [stream lock] of one that is too long */
} NdaSourceProbe;

void nda_source_probe_init (NdaSourceProbe * probe, GstElement * bin,
    NdaMeter * meter, NdaClocks * clocks, NdaLoss * loss, NdaWatch * watch);
void nda_source_probe_clear (NdaSourceProbe * probe);

/* @first is the element that sources are linked to. Once. */
void nda_source_probe_add (NdaSourceProbe * probe, GstElement * first);

/* Before the changes to PAUSED and to PLAYING */
void nda_source_probe_start (NdaSourceProbe * probe);
void nda_source_probe_play (NdaSourceProbe * probe);
/* Any thread */
gboolean nda_source_probe_has_played (NdaSourceProbe * probe);
/* Whether the next buffer is up to the source: no thread of its is downstream,
 * and the stream has not ended. Any thread */
gboolean nda_source_probe_is_waiting (NdaSourceProbe * probe);

/* On the loss thread, while the device is away: silence up to the time of
 * @clock, and the end of the stream */
void nda_source_probe_pass_time (NdaSourceProbe * probe, GstClock * clock);
void nda_source_probe_end (NdaSourceProbe * probe);

G_END_DECLS
