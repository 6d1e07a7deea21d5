/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The probe after the source inside an ndasrc, on the pad of our first element.
 * It counts the losses that the source reports. It finds frames that a sound
 * server lost without a sign, and corrects the time stamps after the loss. It
 * replaces a source whose device is lost by silence, and warns if a sound
 * server's period is too long for a latency of 50 ms. */

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

  gint was_paused;              /* [atomic] not yet told to the lag */
  NdaLag lag;                   /* [stream lock] */
  guint64 n_frames;             /* [stream lock] that the device counted */
  NdaBursts bursts;             /* [stream lock] */
  gboolean has_told_period;     /* [stream lock] that it is too long */
} NdaSourceProbe;

void nda_source_probe_init (NdaSourceProbe * probe, GstElement * bin,
    NdaMeter * meter, NdaClocks * clocks, NdaLoss * loss, NdaWatch * watch);
void nda_source_probe_clear (NdaSourceProbe * probe);

/* @first is the element that sources are linked to. Called once. */
void nda_source_probe_add (NdaSourceProbe * probe, GstElement * first);

/* Before the changes to PAUSED and to PLAYING */
void nda_source_probe_start (NdaSourceProbe * probe);
void nda_source_probe_play (NdaSourceProbe * probe);
/* Any thread */
gboolean nda_source_probe_has_played (NdaSourceProbe * probe);
/* Whether the next buffer depends on the source: no thread of the source is
 * downstream, and the stream has not ended. Any thread */
gboolean nda_source_probe_is_waiting (NdaSourceProbe * probe);

/* Called on the loss thread, while the device is away: push silence up to the
 * time of @clock, and the end of the stream */
void nda_source_probe_pass_time (NdaSourceProbe * probe, GstClock * clock);
void nda_source_probe_end (NdaSourceProbe * probe);

G_END_DECLS
