/* Copyright (C) 2026 the nda authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The counters of an ndasrc or ndasink, and the rate of its blocks by the
 * pipeline's clock. Any thread: the meter has a lock, and calls no other object
 * under it. */

#pragma once

#include "ndapace.h"
#include "ndastats.h"

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* A line through the points (time, frames so far), fitted by least squares:
 * blocks arrive milliseconds early and late, which does not bend the line. */
typedef struct
{
  guint64 n_points;
  GstClockTime first_time;
  guint64 first_frame;
  gdouble mean_x, mean_y;       /* s and frames since the first point */
  gdouble sum_xx, sum_xy;       /* of distances from the means */
  gdouble last_x;
} NdaLineFit;

typedef struct
{
  guint64 n_blocks;
  guint64 n_frames;
  gdouble rate;                 /* blocks/s */
  gint64 drift;                 /* ns */
  guint64 n_underruns;
  guint64 n_overruns;
  guint64 n_discontinuities;
  guint64 n_device_losses;
  guint64 n_frames_skipped;     /* of ndasink alone */
  guint64 n_frames_silent;      /* of ndasink alone */
  NdaHistogram latency;         /* of ndasink alone */
} NdaMeterCounters;

typedef struct
{
  GMutex lock;                  /* the meter lock */
  NdaMeterCounters counters;    /* [meter lock] */
  NdaLineFit start;             /* [meter lock] from the first block on */
  NdaLineFit steady;            /* [meter lock] from a second later on */
  NdaPace pace;                 /* [meter lock] of the pipeline's clock */
  GstClockTime expected;        /* [meter lock] the next block's PTS, or NONE */
} NdaMeter;

/* The fields of “stats” that both elements have */
#define NDA_METER_FIELD(name, kind, member) \
    { name, kind, G_STRUCT_OFFSET (NdaMeterCounters, member) }
#define NDA_METER_FIELDS \
    NDA_METER_FIELD ("num-blocks", NDA_STATS_UINT64, n_blocks), \
    NDA_METER_FIELD ("num-frames", NDA_STATS_UINT64, n_frames), \
    NDA_METER_FIELD ("rate", NDA_STATS_DOUBLE, rate), \
    NDA_METER_FIELD ("drift", NDA_STATS_INT64, drift), \
    NDA_METER_FIELD ("num-underruns", NDA_STATS_UINT64, n_underruns), \
    NDA_METER_FIELD ("num-overruns", NDA_STATS_UINT64, n_overruns), \
    NDA_METER_FIELD ("num-discontinuities", NDA_STATS_UINT64, \
        n_discontinuities), \
    NDA_METER_FIELD ("num-device-losses", NDA_STATS_UINT64, n_device_losses)

void nda_meter_init (NdaMeter * meter);
void nda_meter_clear (NdaMeter * meter);
void nda_meter_reset (NdaMeter * meter);

void nda_meter_count_block (NdaMeter * meter, GstElement * element,
    GstBuffer * block, guint64 n_discontinuities);
void nda_meter_count_frames (NdaMeter * meter, GstElement * element,
    guint64 n_frames, gboolean is_discontinuity);
void nda_meter_count_overrun (NdaMeter * meter);
void nda_meter_count_device_loss (NdaMeter * meter);
void nda_meter_set_overruns (NdaMeter * meter, guint64 n_overruns);
void nda_meter_count_arrival (NdaMeter * meter, GstClockTime latency,
    gboolean is_late);
void nda_meter_count_skipped (NdaMeter * meter, guint64 n_frames);
void nda_meter_count_silent (NdaMeter * meter, guint64 n_frames);

/* Whether the pipeline uses the clock of a device without a pace. Sound that is
 * late or missing by such a clock is not counted. */
gboolean nda_meter_has_run_away (NdaMeter * meter);

GstStructure *nda_meter_snapshot (NdaMeter * meter, const gchar * name,
    const NdaStatsField * fields);

G_END_DECLS
