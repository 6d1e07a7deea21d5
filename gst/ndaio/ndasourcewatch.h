/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes from the source inside an ndasrc, on its way to the first element
 * of ours: what it says that it lost is counted, and where it is lost itself
 * there is silence in its place. */

#pragma once

#include "ndaclocks.h"
#include "ndalag.h"
#include "ndaloss.h"
#include "ndameter.h"
#include "ndasilence.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *bin;              /* [const] not owned; the ndasrc */
  NdaMeter *meter;              /* [const] not owned; has its own lock */
  NdaLoss loss;                 /* has its own lock */
  NdaSilence silence;           /* [stream lock] of the pad */
  gint has_started;             /* [atomic] a buffer has come in the segment */
  gint has_played;              /* [atomic] a buffer has come since READY */
  gboolean is_resuming;         /* [stream lock] the source was away */
  NdaReportLimit report;        /* [stream lock] of lost sound */

  NdaClocks *clocks;            /* [const] not owned */
  gint was_paused;              /* [atomic] and the lag has not heard of it */
  NdaLag lag;                   /* [stream lock] */
  guint64 n_frames;             /* [stream lock] that the device counted */
  GstClockTime missing;         /* [stream lock] it did not, by one clock */
} NdaSourceWatch;

void nda_source_watch_init (NdaSourceWatch * watch, GstElement * bin,
    NdaMeter * meter, NdaClocks * clocks);
void nda_source_watch_clear (NdaSourceWatch * watch);

/* @first is the element that sources are linked to. Once. */
void nda_source_watch_pad (NdaSourceWatch * watch, GstElement * first);

/* As nda_loss_start () */
gboolean nda_source_watch_start (NdaSourceWatch * watch, GstElement * source);
/* Before the change to PLAYING */
void nda_source_watch_play (NdaSourceWatch * watch);
gboolean nda_source_watch_has_played (NdaSourceWatch * watch);

G_END_DECLS
